// SPDX-License-Identifier: Apache-2.0
//! Filters, sort, marker and limit in memory, for resources whose rows their feature makes.

use std::cmp::Ordering;

use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::Value;

use crate::{Direction, Engine, ListQuery, op::not_found};

pub(super) fn page(engine: &Engine, collection: &str, mut rows: Vec<Record>, query: &ListQuery) -> Result<Vec<Record>> {
    let table = engine.entry(collection)?.table.clone();
    rows.retain(|row| query.filters.iter().all(|f| f.values.iter().any(|value| matches(value, row.at(f.attribute)))));
    let mut order = query.sort.clone();
    let key = table.primary_key();
    order.extend(key.map(|at| (at, Direction::Asc)));
    rows.sort_by(|a, b| {
        order
            .iter()
            .map(|(at, direction)| directed(compare(a.at(*at), b.at(*at)), *direction))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    if query.page_reverse {
        rows.reverse();
    }
    if let Some(marker) = &query.marker {
        let at = key.and_then(|key| rows.iter().position(|row| row.at(key).as_str() == Some(marker)));
        let at = at.ok_or_else(|| not_found(engine, collection, marker))?;
        rows.drain(..=at);
    }
    rows.truncate(query.limit.unwrap_or(usize::MAX));
    if query.page_reverse {
        rows.reverse();
    }
    Ok(rows)
}

fn directed(ordering: Ordering, direction: Direction) -> Ordering {
    if direction == Direction::Asc { ordering } else { ordering.reverse() }
}

fn matches(asked: &Value, is: &Value) -> bool {
    asked == is || (!is.is_null() && text(asked) == text(is))
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}
