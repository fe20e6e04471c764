// SPDX-License-Identifier: Apache-2.0
//! The known name that a mistyped one was probably meant to be.

/// The nearest of the names, if any is near enough to be worth saying.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 8);
    known.filter_map(|k| distance(name, k, limit).map(|d| (d, k))).min().map(|(_, k)| k)
}

/// ` (did you mean "x"?)`, or nothing.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default()
}

/// How many letters must be changed, added, left out or exchanged with their neighbour, if at most `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(256).collect(), b.chars().take(256).collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut above: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let changed = last[j] + usize::from(ca != cb);
            let mut least = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                least = least.min(above[j - 1] + 1);
            }
            row.push(least);
        }
        above = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_slip_and_not_the_stranger() {
        let known = ["admin_only", "admin_or_owner", "get_network", "get_networks_x"];
        assert_eq!(nearest("admin_onyl", known.into_iter()), Some("admin_only"));
        assert_eq!(nearest("roel", ["role", "rule"].into_iter()), Some("role"));
        assert_eq!(nearest("get_netwrk", known.into_iter()), Some("get_network"));
        assert_eq!(nearest("something_else", known.into_iter()), None);
        assert_eq!(nearest("", known.into_iter()), None);
    }
}
