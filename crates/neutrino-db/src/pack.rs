// SPDX-License-Identifier: Apache-2.0
//! On SQLite, the whole result of a SELECT as one JSON text.
//!
//! The driver hands every row from its own thread to ours, value by value; for a page of thousands of rows that costs more than the query.
//! `json_group_array(json_array(...))` over the same SELECT is one row with one value. What is no plain SELECT with a countable list of
//! columns is left as it is. Invariant: the order of rows is kept (SQLite keeps the ORDER BY of a sub-select that has a LIMIT).

use std::fmt::Write as _;

use neutrino_types::{Error, Result};
use serde_json::Value;

/// The statement that gives the same rows packed, for a SELECT that can be.
pub fn packed(text: &str) -> Option<String> {
    Some(Shape::of_select(text)?.packed(text))
}

/// The rows in a packed result.
pub fn unpack(text: &str) -> Result<Vec<Vec<Value>>> {
    serde_json::from_str(text).map_err(|e| Error::internal(format!("a packed result cannot be read: {e}")))
}

/// What must be known of a SELECT to pack it.
pub struct Shape {
    columns: usize,
    /// Has it a LIMIT of its own?
    pub limited: bool,
    /// Where the list of columns ends, counted from behind `SELECT `.
    pub list: usize,
    /// Can the list be put into a function's parentheses, for the same rows?
    pub wraps: bool,
    /// An ORDER BY at the end that goes by columns of the list.
    pub order: Option<Order>,
}

/// How a SELECT orders its rows.
pub struct Order {
    /// Where it begins, counted from behind `SELECT `.
    pub at: usize,
    /// The columns, counted from 0; all ascending.
    pub columns: Vec<usize>,
}

impl Shape {
    pub fn of_select(text: &str) -> Option<Self> {
        Self::of(text.strip_prefix("SELECT ")?)
    }

    /// Reads the text after `SELECT `: counts the commas of its list outside parentheses and quotes, and looks for a LIMIT of its own.
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut depth, mut at, mut limited, mut wraps) = (0_i32, 0, false, !text.starts_with("DISTINCT "));
        let (mut list, mut order, mut commas) = (None, None, Vec::new());
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'\'' | b'"') => at += bytes[at + 1..].iter().position(|b| *b == quote)? + 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                b',' if depth == 0 && (list.is_none() || order.is_some()) => commas.push(at),
                b'*' if depth == 0 && list.is_none() => return None,
                b' ' | b'\n' if depth == 0 => {
                    let rest = text[at..].trim_start();
                    if list.is_none() && (rest.starts_with("FROM ") || rest.starts_with("UNION ")) {
                        list = Some(at);
                    }
                    wraps &= !(rest.starts_with("UNION ") || list.is_none() && rest.starts_with("AS "));
                    limited |= rest.starts_with("LIMIT ");
                    if rest.starts_with("ORDER BY ") {
                        order = Some(at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        if depth != 0 {
            return None;
        }
        let end = list.unwrap_or(text.len());
        let of_list = commas.partition_point(|comma| *comma < end);
        let names: Vec<&str> = pieces(text, 0, end, &commas[..of_list]).collect();
        let order = order.filter(|_| !limited).and_then(|at| {
            let by = pieces(text, at + " ORDER BY ".len(), text.len(), &commas[of_list..]);
            let columns = by.map(|item| names.iter().position(|name| *name == item.trim_end_matches(" ASC"))).collect::<Option<_>>()?;
            Some(Order { at, columns })
        });
        Some(Self { columns: names.len(), limited, list: end, wraps: wraps && list.is_some(), order })
    }

    /// The statement that gives the rows of the SELECT that this was read from as one text.
    pub fn packed(&self, text: &str) -> String {
        let names: Vec<String> = (0..self.columns).map(|n| format!("c{n}")).collect();
        let names = names.join(", ");
        let mut out = String::with_capacity(text.len() + 2 * names.len() + 80);
        _ = write!(
            out,
            "WITH q({names}) AS ({text}{}) SELECT json_group_array(json_array({names})) FROM q",
            if self.limited { "" } else { " LIMIT -1" }
        );
        out
    }
}

/// What stands between these commas of a part of a text.
fn pieces<'a>(text: &'a str, from: usize, to: usize, commas: &'a [usize]) -> impl Iterator<Item = &'a str> {
    let starts = std::iter::once(from).chain(commas.iter().map(|comma| comma + 1));
    let ends = commas.iter().copied().chain(std::iter::once(to));
    starts.zip(ends).map(|(start, end)| text.get(start..end).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_outside_parentheses_and_quotes() {
        let count = |text: &str| Shape::of(text).map(|s| (s.columns, s.limited));
        assert_eq!(count("a, b FROM t"), Some((2, false)));
        assert_eq!(
            count("a, COALESCE(b, ?), (SELECT x, y FROM z LIMIT 1) AS q, 'a,b', \"c,d\" FROM t WHERE x IN (1, 2), y"),
            Some((5, false))
        );
        assert_eq!(count("count(*) FROM t"), Some((1, false)));
        assert_eq!(count("0, (SELECT a FROM t) UNION ALL SELECT 1, (SELECT b FROM u)"), Some((2, false)));
        assert_eq!(count("a FROM t ORDER BY a LIMIT 5"), Some((1, true)));
        assert_eq!(count("* FROM t"), None);
        assert_eq!(count("a FROM t WHERE (a = 1"), None);
        assert_eq!(count("'it FROM t"), None);
    }

    #[test]
    fn an_order_by_columns_of_the_list_is_known() {
        let order = |text: &str| Shape::of(text).and_then(|s| s.order).map(|o| (text[o.at..].to_owned(), o.columns));
        assert_eq!(order("a.x, COALESCE(b, c), d FROM t ORDER BY d, a.x ASC"), Some((" ORDER BY d, a.x ASC".to_owned(), vec![2, 0])));
        assert_eq!(order("a, b FROM t WHERE c IN (1, 2) GROUP BY a, b ORDER BY b"), Some((" ORDER BY b".to_owned(), vec![1])));
        for text in ["a FROM t ORDER BY b", "a FROM t ORDER BY a DESC", "a FROM t ORDER BY a LIMIT 1", "a FROM t"] {
            assert_eq!(order(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_select_is_packed() {
        assert_eq!(packed("PRAGMA user_version"), None);
        assert_eq!(packed("INSERT INTO t (a, b) VALUES (1, 2) RETURNING id"), None);
        let sql = packed("SELECT a, b FROM t ORDER BY a");
        assert_eq!(
            sql.as_deref(),
            Some("WITH q(c0, c1) AS (SELECT a, b FROM t ORDER BY a LIMIT -1) SELECT json_group_array(json_array(c0, c1)) FROM q")
        );
    }
}
