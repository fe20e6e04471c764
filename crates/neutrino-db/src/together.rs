// SPDX-License-Identifier: Apache-2.0
//! Several SELECTs as one statement: one way to the database and back instead of one for each.
//!
//! Each row comes as a JSON array, beside the number of its SELECT. SQLite gives one row, with the whole result of each SELECT in a column of its
//! own (see [`pack`](crate::pack)); the others a UNION ALL. There a part that is ordered by columns of its own list is put in order here: the
//! database would make a table of each part to sort it, which costs as much as all the rest. A SELECT whose list cannot be wrapped (DISTINCT,
//! named columns) goes by itself.

use std::{cmp::Ordering, fmt::Write as _};

use neutrino_types::{Error, Result};
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
            let parts: Vec<Option<Vec<Part>>> = selects.iter().map(|sql| Part::of(dialect, &sql.text)).collect();
            let mut joint: Vec<usize> = (0..selects.len()).filter(|at| parts[*at].is_some()).collect();
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
            let joined = joint.iter().filter_map(|at| Some((*at, selects[*at].text.as_str(), parts[*at].as_ref()?)));
            let text = if dialect == Dialect::Sqlite { beside(joined) } else { below(dialect, joined) };
            let args: Vec<Arg> = joint.iter().flat_map(|at| std::mem::take(&mut selects[*at].args)).collect();
            if dialect == Dialect::Sqlite {
                let rows = self.read_as_it_is(&text, args, &Ok).await?;
                let row = rows.first().ok_or_else(|| Error::internal("a joint result has no row"))?;
                for (column, at) in joint.into_iter().enumerate() {
                    results[at] = pack::unpack(row.str(column)?)?.into_iter().map(Row::Packed).collect();
                }
                return Ok(results);
            }
            let unpack = |row: Row| -> Result<(usize, Row)> {
                let values = serde_json::from_str(row.str(1)?)
                    .map_err(|e| Error::internal(format!("a row of a joint result cannot be read: {e}")))?;
                Ok((usize::try_from(row.int(0)?).unwrap_or(usize::MAX), Row::Packed(values)))
            };
            for (at, row) in self.read_as_it_is(&text, args, &unpack).await? {
                results.get_mut(at).ok_or_else(|| Error::internal("a row of a joint result is of no SELECT"))?.push(row);
            }
            for at in joint {
                if let Some([Part { shape: pack::Shape { order: Some(order), .. }, .. }]) = parts[at].as_deref() {
                    results[at].sort_by(|a, b| by_columns(a, b, &order.columns));
                }
            }
            Ok(results)
        })
    }
}

/// A SELECT, or one of those that a UNION ALL is made of.
struct Part {
    /// Where it begins and ends in the text.
    place: std::ops::Range<usize>,
    shape: pack::Shape,
}

impl Part {
    /// The parts of a statement that can be joined with others.
    fn of(dialect: Dialect, text: &str) -> Option<Vec<Self>> {
        if dialect == Dialect::Sqlite {
            return Some(vec![Self { place: 0..text.len(), shape: pack::Shape::of_select(text)? }]);
        }
        let mut parts = Vec::with_capacity(1);
        let mut from = 0;
        for one in text.split(UNION) {
            let shape = pack::Shape::of_select(one).filter(|shape| shape.wraps)?;
            parts.push(Self { place: from..from + one.len(), shape });
            from += one.len() + UNION.len();
        }
        // The order of a whole UNION is not one of its last part.
        (parts.len() == 1 || !text.contains(" ORDER BY ")).then_some(parts)
    }
}

const UNION: &str = " UNION ALL ";

/// The packed results side by side, in one row.
fn beside<'a>(selects: impl Iterator<Item = (usize, &'a str, &'a Vec<Part>)>) -> String {
    let packed: Vec<String> =
        selects.flat_map(|(_, text, parts)| parts.iter().map(move |part| format!("({})", part.shape.packed(text)))).collect();
    format!("SELECT {}", packed.join(", "))
}

/// The rows of all, one below the other.
fn below<'a>(dialect: Dialect, selects: impl Iterator<Item = (usize, &'a str, &'a Vec<Part>)>) -> String {
    let mut out = String::with_capacity(4096);
    for (at, text, parts) in selects {
        for Part { place, shape } in parts {
            let (list, rest) = text[place.clone()]["SELECT ".len()..].split_at(shape.list);
            let rest = shape.order.as_ref().map_or(rest, |order| &rest[..order.at - shape.list]);
            out.push_str(if out.is_empty() { "" } else { UNION });
            _ = match dialect {
                Dialect::Postgres => write!(out, "(SELECT {at}, CAST(json_build_array({list}) AS text){rest})"),
                // Without a LIMIT the database takes the order of a part for meaningless.
                _ if shape.limited || !rest.contains(" ORDER BY ") => write!(out, "(SELECT {at}, JSON_ARRAY({list}){rest})"),
                _ => write!(out, "(SELECT {at}, JSON_ARRAY({list}){rest} LIMIT 18446744073709551615)"),
            };
        }
    }
    out
}

/// The order of two rows by these columns, NULL first.
fn by_columns(a: &Row, b: &Row, columns: &[usize]) -> Ordering {
    let (Row::Packed(a), Row::Packed(b)) = (a, b) else { return Ordering::Equal };
    let by = |column: &usize| match (a.get(*column), b.get(*column)) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.as_i64().cmp(&b.as_i64()),
        (a, b) => a.is_some_and(|a| !a.is_null()).cmp(&b.is_some_and(|b| !b.is_null())),
    };
    columns.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_of_each_part_is_wrapped() {
        let text = "SELECT a, COALESCE(b, (SELECT 1 FROM u)) FROM t WHERE c = ? ORDER BY a";
        let other = "SELECT x FROM y LIMIT 3";
        let parts = |text| Part::of(Dialect::MySql, text).unwrap();
        let (one, two) = (parts(text), parts(other));
        assert_eq!(
            below(Dialect::MySql, [(0, text, &one), (2, other, &two)].into_iter()),
            "(SELECT 0, JSON_ARRAY(a, COALESCE(b, (SELECT 1 FROM u))) FROM t WHERE c = ?) UNION ALL (SELECT 2, JSON_ARRAY(x) FROM y LIMIT 3)"
        );
        let text = "SELECT a FROM t ORDER BY b";
        assert_eq!(
            below(Dialect::MySql, [(0, text, &parts(text))].into_iter()),
            "(SELECT 0, JSON_ARRAY(a) FROM t ORDER BY b LIMIT 18446744073709551615)"
        );
        let text = "SELECT a FROM t WHERE b = 1 UNION ALL SELECT c FROM u";
        assert_eq!(
            below(Dialect::MySql, [(3, text, &parts(text))].into_iter()),
            "(SELECT 3, JSON_ARRAY(a) FROM t WHERE b = 1) UNION ALL (SELECT 3, JSON_ARRAY(c) FROM u)"
        );
        assert_eq!(
            below(Dialect::Postgres, [(2, other, &two)].into_iter()),
            "(SELECT 2, CAST(json_build_array(x) AS text) FROM y LIMIT 3)"
        );
    }

    #[test]
    fn rows_are_put_in_order() {
        let mut rows: Vec<Row> = [json!([2, "b"]), json!([10, "b"]), json!([1, "a"]), json!([null, "b"])]
            .into_iter()
            .filter_map(|row| row.as_array().cloned().map(Row::Packed))
            .collect();
        rows.sort_by(|a, b| by_columns(a, b, &[1, 0]));
        let shown: Vec<Option<i64>> = rows.iter().map(|row| row.opt_int(0).unwrap()).collect();
        assert_eq!(shown, [Some(1), None, Some(2), Some(10)]);
    }

    #[test]
    fn what_cannot_be_wrapped_is_known() {
        for text in ["SELECT DISTINCT a FROM t", "SELECT a AS b FROM t", "SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1", "SELECT 1"]
        {
            assert!(Part::of(Dialect::MySql, text).is_none(), "{text}");
        }
        assert!(Part::of(Dialect::MySql, "SELECT a, (SELECT x AS y FROM z) FROM t").is_some());
    }
}
