// SPDX-License-Identifier: Apache-2.0
//! Several SELECTs as one statement: one way to the database and back instead of one for each.
//!
//! Each row comes as a JSON array, beside the number of its SELECT. SQLite gives one row, with the whole result of each SELECT in a column of its
//! own (see [`pack`](crate::pack)); the others a UNION ALL whose parts keep their own order. A SELECT whose list cannot be wrapped (DISTINCT,
//! UNION, named columns) goes by itself.

use std::fmt::Write as _;

use neutrino_types::Error;
use serde_json::Value;

use crate::{Arg, Dialect, Pending, Row, Sql, Tx, pack};

/// What one statement may bind: the protocol of MySQL and PostgreSQL counts placeholders in 16 bits.
const MOST_ARGS: usize = 60_000;

impl Tx {
    /// The rows of each of these SELECTs, in their order; one statement where the database can. They may be run at different moments: each sees
    /// what is committed when it starts.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn select_together<'a>(&'a mut self, mut selects: Vec<Sql>) -> Pending<'a, Vec<Vec<Row>>> {
        Box::pin(async move {
            let dialect = self.dialect();
            let mut results: Vec<Vec<Row>> = selects.iter().map(|_| Vec::new()).collect();
            let shapes: Vec<Option<pack::Shape>> = selects.iter().map(|sql| pack::Shape::of_select(&sql.text)).collect();
            let wraps = |at: &usize| match dialect {
                Dialect::Sqlite => shapes[*at].is_some(),
                _ => shapes[*at].as_ref().is_some_and(|shape| shape.wraps),
            };
            let mut joint: Vec<usize> = (0..selects.len()).filter(wraps).collect();
            let bound: usize = joint.iter().map(|at| selects[*at].args.len()).sum();
            if joint.len() < 2 || bound > MOST_ARGS {
                joint.clear();
            }
            for at in 0..selects.len() {
                if !joint.contains(&at) {
                    results[at] = self.select(std::mem::take(&mut selects[at])).await?;
                }
            }
            if joint.is_empty() {
                return Ok(results);
            }
            let parts: Vec<(usize, &str, &pack::Shape)> =
                joint.iter().filter_map(|at| Some((*at, selects[*at].text.as_str(), shapes[*at].as_ref()?))).collect();
            let text = if dialect == Dialect::Sqlite { beside(&parts) } else { below(dialect, &parts) };
            let args: Vec<Arg> = joint.iter().flat_map(|at| std::mem::take(&mut selects[*at].args)).collect();
            let rows = self.query_as_it_is(&text, args).await?;
            if dialect == Dialect::Sqlite {
                let row = rows.first().ok_or_else(|| Error::internal("a joint result has no row"))?;
                for (column, at) in joint.into_iter().enumerate() {
                    results[at] = pack::unpack(&row.text(column)?)?.into_iter().map(Row::Packed).collect();
                }
                return Ok(results);
            }
            for row in rows {
                let at = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
                let values: Vec<Value> = serde_json::from_str(&row.text(1)?)
                    .map_err(|e| Error::internal(format!("a row of a joint result cannot be read: {e}")))?;
                results.get_mut(at).ok_or_else(|| Error::internal("a row of a joint result is of no SELECT"))?.push(Row::Packed(values));
            }
            Ok(results)
        })
    }
}

/// The packed results side by side, in one row.
fn beside(parts: &[(usize, &str, &pack::Shape)]) -> String {
    let packed: Vec<String> = parts.iter().map(|(_, text, shape)| format!("({})", shape.packed(text))).collect();
    format!("SELECT {}", packed.join(", "))
}

/// The rows of all, one below the other.
fn below(dialect: Dialect, parts: &[(usize, &str, &pack::Shape)]) -> String {
    let mut out = String::with_capacity(parts.iter().map(|(_, text, _)| text.len() + 80).sum());
    for (n, (at, text, shape)) in parts.iter().enumerate() {
        let (list, rest) = text["SELECT ".len()..].split_at(shape.list);
        let separator = if n == 0 { "" } else { " UNION ALL " };
        _ = match dialect {
            Dialect::Postgres => write!(out, "{separator}(SELECT {at}, CAST(json_build_array({list}) AS text){rest})"),
            // Without a LIMIT the database takes the order of a part for meaningless.
            _ if shape.limited => write!(out, "{separator}(SELECT {at}, JSON_ARRAY({list}){rest})"),
            _ => write!(out, "{separator}(SELECT {at}, JSON_ARRAY({list}){rest} LIMIT 18446744073709551615)"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_each_part_is_wrapped() {
        let text = "SELECT a, COALESCE(b, (SELECT 1 FROM u)) FROM t WHERE c = ? ORDER BY a";
        let other = "SELECT x FROM y LIMIT 3";
        let (one, two) = (pack::Shape::of_select(text).unwrap(), pack::Shape::of_select(other).unwrap());
        let parts = [(0, text, &one), (2, other, &two)];
        assert_eq!(
            below(Dialect::MySql, &parts),
            "(SELECT 0, JSON_ARRAY(a, COALESCE(b, (SELECT 1 FROM u))) FROM t WHERE c = ? ORDER BY a LIMIT 18446744073709551615) UNION ALL \
             (SELECT 2, JSON_ARRAY(x) FROM y LIMIT 3)"
        );
        assert_eq!(below(Dialect::Postgres, &parts[1..]), "(SELECT 2, CAST(json_build_array(x) AS text) FROM y LIMIT 3)");
    }

    #[test]
    fn what_cannot_be_wrapped_is_known() {
        for text in ["SELECT DISTINCT a FROM t", "SELECT a AS b FROM t", "SELECT a FROM t UNION ALL SELECT b FROM u", "SELECT 1"] {
            assert!(!pack::Shape::of_select(text).unwrap().wraps, "{text}");
        }
        assert!(pack::Shape::of_select("SELECT a, (SELECT x AS y FROM z) FROM t").unwrap().wraps);
    }
}
