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
}

impl Shape {
    pub fn of_select(text: &str) -> Option<Self> {
        Self::of(text.strip_prefix("SELECT ")?)
    }

    /// Reads the text after `SELECT `: counts the commas of its list outside parentheses and quotes, and looks for a LIMIT of its own.
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut depth, mut at, mut columns, mut limited, mut wraps) = (0_i32, 0, 1, false, !text.starts_with("DISTINCT "));
        let mut list = None;
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'\'' | b'"') => at += bytes[at + 1..].iter().position(|b| *b == quote)? + 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                b',' if depth == 0 && list.is_none() => columns += 1,
                b'*' if depth == 0 && list.is_none() => return None,
                b' ' | b'\n' if depth == 0 => {
                    let rest = text[at..].trim_start();
                    if list.is_none() && rest.starts_with("FROM ") {
                        list = Some(at);
                    }
                    wraps &= !(rest.starts_with("UNION ") || list.is_none() && rest.starts_with("AS "));
                    limited |= rest.starts_with("LIMIT ");
                }
                _ => {}
            }
            at += 1;
        }
        (depth == 0).then_some(Self { columns, limited, list: list.unwrap_or(text.len()), wraps: wraps && list.is_some() })
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
        assert_eq!(count("a FROM t ORDER BY a LIMIT 5"), Some((1, true)));
        assert_eq!(count("* FROM t"), None);
        assert_eq!(count("a FROM t WHERE (a = 1"), None);
        assert_eq!(count("'it FROM t"), None);
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
