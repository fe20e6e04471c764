// SPDX-License-Identifier: Apache-2.0
//! A statement under construction: text with `?` placeholders and the values bound to them.

use crate::{Arg, Dialect};

/// SQL text and its bound values, kept together so that the two cannot drift apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    pub text: String,
    pub args: Vec<Arg>,
}

impl Sql {
    #[must_use]
    pub fn new(text: impl Into<String>, args: Vec<Arg>) -> Self {
        Self { text: text.into(), args }
    }

    /// Text without values.
    #[must_use]
    pub fn raw(text: impl Into<String>) -> Self {
        Self::new(text, Vec::new())
    }

    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends an identifier; see [`quote`].
    pub fn push_name(&mut self, identifier: &str) -> &mut Self {
        push_quoted(&mut self.text, identifier);
        self
    }

    /// Appends `?` bound to `value`.
    pub fn bind(&mut self, value: impl Into<Arg>) -> &mut Self {
        self.text.push('?');
        self.args.push(value.into());
        self
    }

    pub fn append(&mut self, other: Self) -> &mut Self {
        self.text.push_str(&other.text);
        self.args.extend(other.args);
        self
    }

    /// `column IN (...)`, or a false condition for no value. One bound value on SQLite and PostgreSQL (a JSON array), so that the
    /// statement stays cached whatever the count; a list of placeholders on MySQL.
    #[must_use]
    pub fn in_texts<'a>(dialect: Dialect, column: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<&str> = values.into_iter().collect();
        match (dialect, values.as_slice()) {
            (_, []) => Self::raw("1 = 0"),
            (_, [one]) => Self::new(format!("{column} = ?"), vec![Arg::from(*one)]),
            (Dialect::Sqlite, _) => Self::new(format!("{column} IN (SELECT value FROM json_each(?))"), vec![json_array(&values)]),
            (Dialect::Postgres, _) => {
                Self::new(format!("{column} IN (SELECT json_array_elements_text(CAST(? AS json)))"), vec![json_array(&values)])
            }
            (Dialect::MySql, _) => {
                let marks = vec!["?"; places(values.len())].join(", ");
                Self::new(format!("{column} IN ({marks})"), filled_up(values.into_iter().map(Arg::from).collect()))
            }
        }
    }

    /// `column IN (...)` over integers; see [`Sql::in_texts`].
    #[must_use]
    pub fn in_ints(dialect: Dialect, column: &str, values: &[i64]) -> Self {
        match (dialect, values) {
            (_, []) => Self::raw("1 = 0"),
            (_, [one]) => Self::new(format!("{column} = ?"), vec![Arg::Int(*one)]),
            (Dialect::Sqlite, _) => {
                let list = values.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                Self::new(format!("{column} IN (SELECT value FROM json_each(?))"), vec![Arg::Text(format!("[{list}]"))])
            }
            _ => {
                let marks = vec!["?"; places(values.len())].join(", ");
                Self::new(format!("{column} IN ({marks})"), filled_up(values.iter().copied().map(Arg::Int).collect()))
            }
        }
    }

    /// The parts joined by `separator`, each in parentheses; a true condition for no part.
    #[must_use]
    pub fn join(parts: Vec<Self>, separator: &str) -> Self {
        if parts.is_empty() {
            return Self::raw("1 = 1");
        }
        let mut all = Self::default();
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                all.push(separator);
            }
            all.push("(").append(part).push(")");
        }
        all
    }
}

fn json_array(values: &[&str]) -> Arg {
    let mut text = String::with_capacity(values.len() * 40 + 2);
    text.push('[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push('"');
        for c in value.chars() {
            match c {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                c if u32::from(c) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    text.push(']');
    Arg::Text(text)
}

/// An identifier in double quotes, for names that are words of SQL (`limit`, `key`, `default`).
#[must_use]
pub fn quote(identifier: &str) -> String {
    let mut quoted = String::with_capacity(identifier.len() + 2);
    push_quoted(&mut quoted, identifier);
    quoted
}

fn push_quoted(text: &mut String, identifier: &str) {
    text.push('"');
    for (n, part) in identifier.split('"').enumerate() {
        text.push_str(if n > 0 { "\"\"" } else { "" });
        text.push_str(part);
    }
    text.push('"');
}

/// How many places the list of `IN` has for so many values: 1, 2, 3, 4, 6, 8, 12, 16, 24 ... Lists of any length are then few statements, which
/// stay prepared.
fn places(values: usize) -> usize {
    let power = values.next_power_of_two();
    match power {
        0..=3 => power,
        _ if values <= power / 4 * 3 => power / 4 * 3,
        // The protocols of MySQL and PostgreSQL count placeholders in 16 bits.
        0x1_0000.. => values,
        _ => power,
    }
}

/// The last value once more in each place that is left.
fn filled_up(mut values: Vec<Arg>) -> Vec<Arg> {
    if let Some(last) = values.last().cloned() {
        values.resize(places(values.len()), last);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_list_is_one_value_on_sqlite_and_false_when_empty() {
        let sql = Sql::in_texts(Dialect::Sqlite, "id", ["a", "b\"c\\\n"]);
        assert_eq!(sql.args, vec![Arg::from("[\"a\",\"b\\\"c\\\\\\u000a\"]")]);
        assert_eq!(Sql::in_texts(Dialect::MySql, "id", []).text, "1 = 0");
        assert_eq!(Sql::in_texts(Dialect::MySql, "id", ["a", "b"]).text, "id IN (?, ?)");
        let five = Sql::in_ints(Dialect::MySql, "n", &[1, 2, 3, 4, 5]);
        assert_eq!((five.text.as_str(), five.args), ("n IN (?, ?, ?, ?, ?, ?)", crate::args![1, 2, 3, 4, 5, 5]));
        assert_eq!([1, 2, 3, 4, 5, 7, 100, 129, 40_000, 65_535].map(places), [1, 2, 3, 4, 6, 8, 128, 192, 49_152, 65_535]);
        assert_eq!(Sql::in_ints(Dialect::Sqlite, "n", &[1, 2]).args, vec![Arg::from("[1,2]")]);
    }

    #[test]
    fn join_parenthesizes() {
        let mut a = Sql::raw("x = ");
        a.bind(1);
        assert_eq!(Sql::join(vec![a, Sql::raw("y")], " AND ").text, "(x = ?) AND (y)");
        assert_eq!(Sql::join(vec![], " AND ").text, "1 = 1");
    }
}
