// SPDX-License-Identifier: Apache-2.0
//! The ports of a forwarding: a single one or a range, outside and inside. Stored as first and last port.

use async_trait::async_trait;
use neutrino_core::{Context, Loader};
use neutrino_db::{Dialect, Sql, Tx};
use neutrino_model::{Body, Page, Record};
use neutrino_types::{Error, Result, error::kinds, port_range::PortRange};
use serde_json::Value;

/// The names of one side.
pub(super) struct Side {
    pub port: &'static str,
    pub range: &'static str,
    pub start: &'static str,
    pub end: &'static str,
}

pub(super) const EXTERNAL: Side =
    Side { port: "external_port", range: "external_port_range", start: "external_port_start", end: "external_port_end" };
pub(super) const INTERNAL: Side =
    Side { port: "internal_port", range: "internal_port_range", start: "internal_port_start", end: "internal_port_end" };

impl Side {
    /// What a request asks for, as one port or as a range, of which a port counts first; null asks for nothing.
    ///
    /// # Errors
    /// `BadRequest` for what is no range, and, at the inner side, for a port and a range that do not say the same.
    pub fn asked(&self, body: &Body) -> Result<Option<PortRange>> {
        let given = |name: &str| body.get(name).filter(|value| !value.is_null()).map(read).transpose();
        match (given(self.port)?, given(self.range)?) {
            (Some(port), Some(range)) if port != range && self.port == INTERNAL.port => {
                Err(bad(format!("{} {} and {} {} do not say the same", self.port, shown(port), self.range, shown(range))))
            }
            (port, range) => Ok(port.or(range)),
        }
    }

    pub fn of(&self, record: &Record) -> Option<PortRange> {
        let port = |name: &str| record.int(name).and_then(|port| u16::try_from(port).ok());
        PortRange::new(port(self.start)?, port(self.end)?)
    }

    /// # Errors
    /// `BadRequest`.
    pub fn required(&self, body: &Body) -> Result<PortRange> {
        self.asked(body)?.ok_or_else(|| bad(format!("a port forwarding needs an {} or an {}", self.port, self.range)))
    }

    pub fn set(&self, body: &mut Body, range: PortRange) {
        body.set(self.start, range.first());
        body.set(self.end, range.last());
        // The columns say it all.
        body.remove(self.port);
        body.remove(self.range);
    }
}

/// A number, or the text of a port or a range.
fn read(value: &Value) -> Result<PortRange> {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
    text.parse().map_err(|_| bad(format!("{} is no port and no range of ports", text.chars().take(20).collect::<String>())))
}

/// Inner ports are as many as outer ones, or one.
///
/// # Errors
/// `BadRequest`.
pub(super) fn ensure_match(external: PortRange, internal: PortRange) -> Result<()> {
    if internal.size() > 1 && internal.size() != external.size() {
        return Err(bad("the numbers of internal and external ports must be equal, or there is one internal port"));
    }
    Ok(())
}

/// `BadRequest` about a forwarding.
pub(super) fn bad(sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad port_forwarding request: {sentence}."))
}

/// As the API shows a range, also one of a single port.
pub(super) fn shown(range: PortRange) -> String {
    format!("{}:{}", range.first(), range.last())
}

/// Fills the ranges, and filters by the outer one.
pub(super) struct Ranges;

#[async_trait]
impl Loader for Ranges {
    fn fills(&self) -> &'static [&'static str] {
        &[EXTERNAL.range, INTERNAL.range]
    }

    fn needs(&self) -> &'static [&'static str] {
        &[EXTERNAL.start, EXTERNAL.end, INTERNAL.start, INTERNAL.end]
    }

    async fn load(&self, _cx: &Context, _tx: &mut Tx, page: &mut Page) -> Result<()> {
        for row in &mut page.rows {
            for side in [EXTERNAL, INTERNAL] {
                let text = side.of(row).map(shown);
                row.set(side.range, text);
            }
        }
        Ok(())
    }

    fn filter(&self, _cx: &Context, _dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        if attribute != EXTERNAL.range {
            return Ok(None);
        }
        let ranges = values.iter().filter_map(|value| read(value).ok());
        let conditions: Vec<Sql> = ranges
            .map(|range| {
                let mut sql = Sql::raw("t.external_port_start = ");
                sql.bind(i64::from(range.first())).push(" AND t.external_port_end = ").bind(i64::from(range.last()));
                sql
            })
            .collect();
        Ok(Some(if conditions.is_empty() { Sql::raw("1 = 0") } else { Sql::join(conditions, " OR ") }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> PortRange {
        text.parse().unwrap()
    }

    #[test]
    fn as_many_inside_as_outside_or_one() {
        for (external, internal, fits) in
            [("80", "80", true), ("80:90", "80", true), ("80:90", "180:190", true), ("80:90", "180:191", false), ("80", "180:181", false)]
        {
            assert_eq!(ensure_match(range(external), range(internal)).is_ok(), fits, "{external} {internal}");
        }
    }

    #[test]
    fn single_ports_are_shown_as_ranges_too() {
        assert_eq!((shown(range("80")), shown(range("80:81"))), ("80:80".to_owned(), "80:81".to_owned()));
        assert_eq!(read(&Value::from(80)).unwrap(), range("80"));
        assert!(read(&Value::from("x")).is_err());
    }
}
