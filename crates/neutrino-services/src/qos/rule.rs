// SPDX-License-Identifier: Apache-2.0
//! The five kinds of rules, and a rule as it is stored.
//!
//! Invariant: rules of a policy are read in one order everywhere, that of [`KINDS`] and of Neutron's enumerations of directions: the
//! names of resource request groups are made from it.

use neutrino_db::{Row, Sql, Tx};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};
use serde_json::{Map, Value};

/// What a rule says, by its table.
#[derive(Debug)]
pub struct RuleKind {
    pub name: &'static str,
    pub table: &'static str,
    /// The attributes that are numbers; their columns have the same names.
    pub numbers: &'static [&'static str],
    /// In Neutron's order; empty when the kind has no direction.
    pub directions: &'static [&'static str],
}

pub const BANDWIDTH_LIMIT: usize = 0;
pub const DSCP_MARKING: usize = 1;
pub const MINIMUM_BANDWIDTH: usize = 2;
pub const MINIMUM_PACKET_RATE: usize = 3;
pub const PACKET_RATE_LIMIT: usize = 4;

const BOTH: &[&str] = &["egress", "ingress"];
/// Both directions together.
pub const ANY: &str = "any";

pub static KINDS: [RuleKind; 5] = [
    RuleKind { name: "bandwidth_limit", table: "qos_bandwidth_limit_rules", numbers: &["max_kbps", "max_burst_kbps"], directions: BOTH },
    RuleKind { name: "dscp_marking", table: "qos_dscp_marking_rules", numbers: &["dscp_mark"], directions: &[] },
    RuleKind { name: "minimum_bandwidth", table: "qos_minimum_bandwidth_rules", numbers: &["min_kbps"], directions: BOTH },
    RuleKind {
        name: "minimum_packet_rate",
        table: "qos_minimum_packet_rate_rules",
        numbers: &["min_kpps"],
        directions: &[ANY, "ingress", "egress"],
    },
    RuleKind {
        name: "packet_rate_limit",
        table: "qos_packet_rate_limit_rules",
        numbers: &["max_kpps", "max_burst_kpps"],
        directions: BOTH,
    },
];

/// The kinds whose resources Placement keeps account of.
pub const PLACED: &[usize] = &[MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE];

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Position in [`KINDS`].
    pub kind: usize,
    pub id: String,
    pub policy_id: String,
    /// By position in [`RuleKind::numbers`].
    pub numbers: [Option<i64>; 2],
    pub direction: Option<String>,
}

impl Rule {
    /// A new rule.
    pub fn of_body(kind: usize, id: &str, policy_id: &str, body: &Body) -> Self {
        let numbers = KINDS[kind].numbers;
        Self {
            kind,
            id: id.to_owned(),
            policy_id: policy_id.to_owned(),
            numbers: [0, 1].map(|at| numbers.get(at).and_then(|name| body.int(name))),
            direction: body.str("direction").map(str::to_owned),
        }
    }

    pub fn of_record(kind: usize, record: &Record) -> Self {
        let numbers = KINDS[kind].numbers;
        Self {
            kind,
            id: record.id().to_owned(),
            policy_id: record.str("qos_policy_id").to_owned(),
            numbers: [0, 1].map(|at| numbers.get(at).and_then(|name| record.int(name))),
            direction: record.opt_str("direction").map(str::to_owned),
        }
    }

    /// The rule as a request changes it.
    pub fn changed(&self, body: &Body) -> Self {
        let mut rule = self.clone();
        for (at, name) in self.kind().numbers.iter().enumerate() {
            if let Some(number) = body.int(name) {
                rule.numbers[at] = Some(number);
            }
        }
        if let Some(direction) = body.str("direction") {
            rule.direction = Some(direction.to_owned());
        }
        rule
    }

    pub fn kind(&self) -> &'static RuleKind {
        &KINDS[self.kind]
    }

    /// The number that the kind is named for: the limit, the minimum, the mark.
    pub fn value(&self) -> i64 {
        self.numbers[0].unwrap_or_default()
    }

    fn of_row(row: &Row) -> Result<Self> {
        let kind = usize::try_from(row.int(0)?).ok().filter(|kind| *kind < KINDS.len());
        Ok(Self {
            kind: kind.ok_or_else(|| Error::internal("a rule of no kind"))?,
            id: row.text(1)?,
            policy_id: row.text(2)?,
            numbers: [row.opt_int(3)?, row.opt_int(4)?],
            direction: row.opt_text(5)?,
        })
    }

    fn place(&self) -> (usize, usize) {
        let directions = self.kind().directions;
        let direction = directions.iter().position(|known| Some(*known) == self.direction.as_deref());
        (self.kind, direction.unwrap_or(directions.len()))
    }

    /// As it is shown inside its policy.
    pub fn shown(&self) -> Value {
        let mut map = Map::new();
        for (name, number) in self.kind().numbers.iter().zip(self.numbers) {
            map.insert((*name).to_owned(), number.into());
        }
        if !self.kind().directions.is_empty() {
            map.insert("direction".to_owned(), self.direction.clone().into());
        }
        map.insert("id".to_owned(), self.id.as_str().into());
        map.insert("qos_policy_id".to_owned(), self.policy_id.as_str().into());
        map.insert("type".to_owned(), self.kind().name.into());
        Value::Object(map)
    }
}

/// The rules of these policies, of these kinds, in order. One statement.
///
/// # Errors
/// The database's.
pub async fn of_policies(tx: &mut Tx, policies: &[&str], kinds: &[usize]) -> Result<Vec<Rule>> {
    let mut sql = Sql::default();
    for kind in kinds {
        let of = &KINDS[*kind];
        let second = of.numbers.get(1).copied().unwrap_or("NULL");
        let direction = if of.directions.is_empty() { "NULL" } else { "direction" };
        sql.push(if sql.text.is_empty() { "" } else { " UNION ALL " });
        sql.push(&format!("SELECT {kind}, id, qos_policy_id, {}, {second}, {direction} FROM {} WHERE ", of.numbers[0], of.table));
        sql.append(Sql::in_texts(tx.dialect(), "qos_policy_id", policies.iter().copied()));
    }
    if sql.text.is_empty() || policies.is_empty() {
        return Ok(Vec::new());
    }
    let mut rules = tx.select(sql).await?.iter().map(Rule::of_row).collect::<Result<Vec<_>>>()?;
    rules.sort_by(|a, b| a.place().cmp(&b.place()).then_with(|| a.id.cmp(&b.id)));
    Ok(rules)
}

/// All rules of one policy, in order.
///
/// # Errors
/// The database's.
pub async fn of_policy(tx: &mut Tx, policy_id: &str) -> Result<Vec<Rule>> {
    of_policies(tx, &[policy_id], &[BANDWIDTH_LIMIT, DSCP_MARKING, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, PACKET_RATE_LIMIT]).await
}
