// SPDX-License-Identifier: Apache-2.0
//! The known name that a wrong name most resembles. Owns the measure of resemblance, nothing else.

/// Longest name that is compared, in characters; longer ones resemble nothing.
const LONGEST: usize = 128;

/// The candidate with the smallest edit distance to `name`, if it is near: at most a third of the letters
/// differ. Case is disregarded. Of equals the first wins.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.len() > LONGEST || name.len() < 3 {
        return None;
    }
    let limit = (name.len() / 3).max(1);
    candidates
        .filter(|candidate| candidate.len() <= LONGEST * 4)
        .map(|candidate| (distance(&name, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, by rows.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, l) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(above.len());
        current.push(row + 1);
        let mut before = row + 1;
        for (r, pair) in right.iter().zip(above.windows(2)) {
            let replace = pair[0] + usize::from(l != r);
            before = replace.min(pair[1] + 1).min(before + 1);
            current.push(before);
        }
        above = current;
    }
    above.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_of_the_pen_and_nothing_else() {
        let known = ["bind_host", "bind_port", "core_plugin"];
        assert_eq!(nearest("bind_prot", known.into_iter()), Some("bind_port"));
        assert_eq!(nearest("core-plugin", known.into_iter()), Some("core_plugin"));
        assert_eq!(nearest("CORE_PLUGINS", known.into_iter()), Some("core_plugin"));
        assert_eq!(nearest("quota_network", known.into_iter()), None);
        assert_eq!(nearest("", known.into_iter()), None);
        assert_eq!(nearest(&"x".repeat(10_000), known.into_iter()), None);
    }
}
