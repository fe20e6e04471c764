// SPDX-License-Identifier: Apache-2.0
//! What the stored ranges allow: all ids of a type, and those that a project's next network may get.

use std::collections::BTreeMap;

use neutrino_db::{Sql, Tx, args};
use neutrino_types::Result;

use crate::type_drivers::{Range, merged};

/// Ranges by physical network; under the empty name for types without.
pub type Ranges = BTreeMap<String, Vec<Range>>;

/// All ranges of a type.
///
/// # Errors
/// The database's.
pub async fn all(tx: &mut Tx, network_type: &str) -> Result<Ranges> {
    let rows = tx
        .query("SELECT physical_network, minimum, maximum FROM network_segment_ranges WHERE network_type = ?", args![network_type])
        .await?;
    let mut found = Ranges::new();
    for row in rows {
        found.entry(row.text(0)?).or_default().push((row.int(1)?, row.int(2)?));
    }
    Ok(found)
}

/// Is this id in any range?
///
/// # Errors
/// The database's.
pub async fn covers(tx: &mut Tx, network_type: &str, physical_network: &str, id: i64) -> Result<bool> {
    let sql =
        "SELECT count(*) FROM network_segment_ranges WHERE network_type = ? AND physical_network = ? AND minimum <= ? AND maximum >= ?";
    Ok(tx.count(sql, args![network_type, physical_network, id, id]).await? > 0)
}

/// Where to look for an id for a network, in this order: the project's own ranges, then what is shared and no other project's.
///
/// # Errors
/// The database's.
pub async fn of_project(tx: &mut Tx, network_type: &str, project_id: Option<&str>) -> Result<[Ranges; 2]> {
    let mut sql =
        Sql::raw("SELECT physical_network, minimum, maximum, shared, project_id FROM network_segment_ranges WHERE network_type = ");
    sql.bind(network_type);
    let (mut own, mut shared, mut others) = (Ranges::new(), Ranges::new(), Ranges::new());
    for row in tx.select(sql).await? {
        let (name, range, owner) = (row.text(0)?, (row.int(1)?, row.int(2)?), row.opt_text(4)?.filter(|owner| !owner.is_empty()));
        let kind = match (row.bool(3)?, owner.as_deref()) {
            (true, _) => &mut shared,
            (false, owner) if owner.is_some() && owner == project_id => &mut own,
            (false, _) => &mut others,
        };
        kind.entry(name).or_default().push(range);
    }
    let shared = shared
        .into_iter()
        .map(|(name, ranges)| {
            let taken = others.get(&name).map(Vec::as_slice).unwrap_or_default();
            let left = without(&ranges, taken);
            (name, left)
        })
        .collect();
    Ok([own, shared])
}

/// The ids of `ranges` that none of `taken` has.
fn without(ranges: &[Range], taken: &[Range]) -> Vec<Range> {
    let taken = merged(taken);
    let mut left = Vec::new();
    for (first, last) in merged(ranges) {
        let mut from = first;
        for (low, high) in taken.iter().copied().filter(|(low, high)| *low <= last && *high >= first) {
            if from < low {
                left.push((from, low - 1));
            }
            from = from.max(high + 1);
        }
        if from <= last {
            left.push((from, last));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn what_others_have_is_left_out() {
        assert_eq!(without(&[(1, 10)], &[]), [(1, 10)]);
        assert_eq!(without(&[(1, 10)], &[(3, 4), (9, 20)]), [(1, 2), (5, 8)]);
        assert_eq!(without(&[(1, 10), (5, 20)], &[(1, 1), (20, 20)]), [(2, 19)]);
        assert!(without(&[(5, 6)], &[(1, 10)]).is_empty());
    }
}
