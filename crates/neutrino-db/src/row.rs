// SPDX-License-Identifier: Apache-2.0
//! A row of a result, read by position.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use neutrino_types::{Error, Result};
use serde_json::Value;
use sqlx::{Database, Decode, Row as _, mysql::MySqlRow, postgres::PgRow, sqlite::SqliteRow};

/// One row, whatever the backend. Columns are numbered from 0 in the order of the SELECT list.
pub enum Row {
    Sqlite(SqliteRow),
    /// A row of a packed result.
    Packed(Vec<Value>),
    MySql(MySqlRow),
    Postgres(PgRow),
}

fn decode<'r, DB: Database, R: sqlx::Row<Database = DB>, T: Decode<'r, DB>>(row: &'r R, column: usize) -> Result<Option<T>>
where
    usize: sqlx::ColumnIndex<R>,
{
    row.try_get_unchecked::<Option<T>, _>(column).map_err(|e| Error::internal(format!("column {column} cannot be read: {e}")))
}

fn required<T>(column: usize, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::internal(format!("column {column} is NULL where a value is required")))
}

fn cell(row: &[Value], column: usize) -> Result<&Value> {
    row.get(column).ok_or_else(|| Error::internal(format!("there is no column {column}")))
}

/// A number or a truth value. In JSON the backends write truth values as either, and MariaDB that of EXISTS as a text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from)).or_else(|| value.as_str()?.parse().ok())
}

fn unreadable(column: usize, value: &Value) -> Error {
    Error::internal(format!("column {column} cannot be read: {value}"))
}

/// As the driver writes them, and as SQLite's own functions and SQLAlchemy do.
fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"].iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

impl Row {
    /// # Errors
    /// When the column does not exist or holds another type.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match self {
            Self::Packed(row) => Ok(match cell(row, column)? {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            }),
            Self::Sqlite(row) => decode(row, column),
            Self::MySql(row) => decode(row, column),
            Self::Postgres(row) => decode(row, column),
        }
    }

    /// A text where it lies in the row.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn str(&self, column: usize) -> Result<&str> {
        let text = match self {
            Self::Packed(row) => cell(row, column)?.as_str(),
            Self::Sqlite(row) => decode(row, column)?,
            Self::MySql(row) => decode(row, column)?,
            Self::Postgres(row) => decode(row, column)?,
        };
        required(column, text)
    }

    /// [`Row::opt_text`], leaving NULL in its place where that saves a copy.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn take_text(&mut self, column: usize) -> Result<Option<String>> {
        if let Self::Packed(row) = self
            && let Some(cell) = row.get_mut(column)
            && cell.is_string()
            && let Value::String(text) = cell.take()
        {
            return Ok(Some(text));
        }
        self.opt_text(column)
    }

    /// # Errors
    /// As [`Row::opt_text`], and for NULL.
    pub fn text(&self, column: usize) -> Result<String> {
        required(column, self.opt_text(column)?)
    }

    /// # Errors
    /// When the column does not exist or is no integer.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self {
            Self::Packed(row) => match cell(row, column)? {
                Value::Null => Ok(None),
                value => whole(value).map(Some).ok_or_else(|| unreadable(column, value)),
            },
            Self::Sqlite(row) => decode(row, column),
            Self::MySql(row) => decode(row, column),
            Self::Postgres(row) => pg_int(row, column),
        }
    }

    /// # Errors
    /// As [`Row::opt_int`], and for NULL.
    pub fn int(&self, column: usize) -> Result<i64> {
        required(column, self.opt_int(column)?)
    }

    /// # Errors
    /// When the column does not exist or is no truth value.
    pub fn opt_bool(&self, column: usize) -> Result<Option<bool>> {
        match self {
            Self::Packed(row) => match cell(row, column)? {
                Value::Null => Ok(None),
                value => whole(value).map(|v| Some(v != 0)).ok_or_else(|| unreadable(column, value)),
            },
            Self::Sqlite(row) => decode(row, column),
            Self::MySql(row) => decode(row, column),
            Self::Postgres(row) => pg_bool(row, column),
        }
    }

    /// # Errors
    /// As [`Row::opt_bool`], and for NULL.
    pub fn bool(&self, column: usize) -> Result<bool> {
        required(column, self.opt_bool(column)?)
    }

    /// # Errors
    /// When the column does not exist or is no time.
    pub fn opt_time(&self, column: usize) -> Result<Option<NaiveDateTime>> {
        match self {
            Self::Packed(row) => match cell(row, column)? {
                Value::Null => Ok(None),
                value => value.as_str().and_then(parse_time).map(Some).ok_or_else(|| unreadable(column, value)),
            },
            Self::Sqlite(row) => decode(row, column),
            Self::MySql(row) => decode(row, column),
            Self::Postgres(row) => decode(row, column),
        }
    }

    /// A time as `YYYY-MM-DDTHH:MM:SSZ`, in whole seconds.
    ///
    /// # Errors
    /// When the column does not exist or is no time.
    pub fn opt_iso_time(&self, column: usize) -> Result<Option<String>> {
        if let Self::Packed(row) = self
            && let Value::String(text) = cell(row, column)?
            && let Some(iso) = iso(text)
        {
            return Ok(Some(iso));
        }
        Ok(self.opt_time(column)?.map(iso_of))
    }
}

/// A time in whole seconds, digit by digit: a format string would be read anew for each.
fn iso_of(time: NaiveDateTime) -> String {
    let Ok(year @ 0..=9999) = u32::try_from(time.year()) else { return time.format("%Y-%m-%dT%H:%M:%SZ").to_string() };
    let mut text = String::with_capacity(20);
    let two = |number: u32| [number / 10 % 10, number % 10].map(|digit| char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    text.extend(two(year / 100));
    for (number, after) in
        [(year, '-'), (time.month(), '-'), (time.day(), 'T'), (time.hour(), ':'), (time.minute(), ':'), (time.second(), 'Z')]
    {
        text.extend(two(number));
        text.push(after);
    }
    text
}

/// The common form `YYYY-MM-DD HH:MM:SS[.f]` without a detour over a calendar: lists carry two times a row.
fn iso(text: &str) -> Option<String> {
    let (date, time) = (text.get(..10)?, text.get(11..19)?);
    let plain = matches!(text.as_bytes().get(10), Some(b' ' | b'T')) && matches!(text.as_bytes().get(19), None | Some(b'.'));
    plain.then(|| format!("{date}T{time}Z"))
}

/// PostgreSQL sends integers in their own width, and truth values of expressions as `bool`.
fn pg_int(row: &PgRow, column: usize) -> Result<Option<i64>> {
    use sqlx::{Column as _, TypeInfo as _};
    match row.columns().get(column).map(|c| c.type_info().name().to_owned()).as_deref() {
        Some("INT2") => Ok(decode::<_, _, i16>(row, column)?.map(i64::from)),
        Some("INT4") => Ok(decode::<_, _, i32>(row, column)?.map(i64::from)),
        Some("BOOL") => Ok(decode::<_, _, bool>(row, column)?.map(i64::from)),
        _ => decode(row, column),
    }
}

fn pg_bool(row: &PgRow, column: usize) -> Result<Option<bool>> {
    use sqlx::{Column as _, TypeInfo as _};
    match row.columns().get(column).map(|c| c.type_info().name().to_owned()).as_deref() {
        Some("BOOL") => decode(row, column),
        _ => Ok(pg_int(row, column)?.map(|v| v != 0)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn times_are_written_as_by_their_format() {
        for (year, month, day, hour, minute, second) in
            [(2026, 11, 26, 1, 2, 3), (1999, 1, 9, 23, 59, 59), (987, 6, 5, 0, 0, 0), (12026, 1, 1, 1, 1, 1)]
        {
            let time = NaiveDate::from_ymd_opt(year, month, day).and_then(|date| date.and_hms_opt(hour, minute, second)).unwrap();
            assert_eq!(iso_of(time), time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
    }
}
