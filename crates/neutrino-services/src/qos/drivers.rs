// SPDX-License-Identifier: Apache-2.0
//! What the loaded mechanism drivers can enforce: kinds of rules, the values of their parameters, and on which ports.
//!
//! Facts of `neutron/services/qos/drivers`. Knows drivers by their names in `mechanism_drivers` only.

use neutrino_model::validate::Literal;
use oslo_config::Config;
use serde_json::{Value, json};

use super::rule::{BANDWIDTH_LIMIT, DSCP_MARKING, KINDS, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, PACKET_RATE_LIMIT, Rule};

/// The largest number that a column holds.
pub const MAX_NUMBER: i64 = 2_147_483_647;

/// The marks that RFC 2474 and its successors name.
pub const DSCP_MARKS: &[Literal] = &[
    Literal::Int(0),
    Literal::Int(8),
    Literal::Int(10),
    Literal::Int(12),
    Literal::Int(14),
    Literal::Int(16),
    Literal::Int(18),
    Literal::Int(20),
    Literal::Int(22),
    Literal::Int(24),
    Literal::Int(26),
    Literal::Int(28),
    Literal::Int(30),
    Literal::Int(32),
    Literal::Int(34),
    Literal::Int(36),
    Literal::Int(38),
    Literal::Int(40),
    Literal::Int(44),
    Literal::Int(46),
    Literal::Int(48),
    Literal::Int(56),
];

pub const INGRESS: Literal = Literal::Str("ingress");
pub const EGRESS: Literal = Literal::Str("egress");

#[derive(Debug)]
enum Values {
    /// From 0 to [`MAX_NUMBER`].
    Numbers,
    Choices(&'static [Literal]),
}

#[derive(Debug)]
struct Parameter {
    name: &'static str,
    values: Values,
}

const fn number(name: &'static str) -> Parameter {
    Parameter { name, values: Values::Numbers }
}

const fn direction(choices: &'static [Literal]) -> Parameter {
    Parameter { name: "direction", values: Values::Choices(choices) }
}

const BOTH: Parameter = direction(&[INGRESS, EGRESS]);

/// What one driver enforces.
#[derive(Debug)]
pub struct Driver {
    name: &'static str,
    vif_types: &'static [&'static str],
    vnic_types: &'static [&'static str],
    /// By kind.
    rules: &'static [(usize, &'static [Parameter])],
}

static KNOWN: [Driver; 2] = [
    Driver {
        name: "openvswitch",
        vif_types: &["ovs", "vhostuser"],
        vnic_types: &["normal", "direct"],
        rules: &[
            (BANDWIDTH_LIMIT, &[number("max_kbps"), number("max_burst_kbps"), BOTH]),
            (PACKET_RATE_LIMIT, &[number("max_kpps"), number("max_burst_kpps"), BOTH]),
            (DSCP_MARKING, &[Parameter { name: "dscp_mark", values: Values::Choices(DSCP_MARKS) }]),
            (MINIMUM_BANDWIDTH, &[number("min_kbps"), BOTH]),
            (MINIMUM_PACKET_RATE, &[number("min_kpps"), direction(&[Literal::Str("any"), INGRESS, EGRESS])]),
        ],
    },
    Driver {
        name: "sriovnicswitch",
        vif_types: &["hw_veb"],
        vnic_types: &["direct", "macvtap", "direct-physical"],
        rules: &[
            (BANDWIDTH_LIMIT, &[number("max_kbps"), number("max_burst_kbps"), direction(&[EGRESS])]),
            (MINIMUM_BANDWIDTH, &[number("min_kbps"), BOTH]),
        ],
    },
];

/// A VIF that is none yet: what counts is the VNIC that is asked for. A distributed port has its VIFs on its hosts.
const NO_VIF: [&str; 4] = ["", "unbound", "binding_failed", "distributed"];

impl Parameter {
    fn allows(&self, rule: &Rule) -> bool {
        let number = rule.kind().numbers.iter().position(|name| *name == self.name).map(|at| rule.numbers[at]);
        match (&self.values, number) {
            (Values::Numbers, Some(number)) => number.is_some_and(|number| (0..=MAX_NUMBER).contains(&number)),
            (Values::Choices(choices), Some(number)) => {
                number.is_some_and(|number| choices.iter().any(|choice| choice.to_value() == json!(number)))
            }
            (Values::Choices(choices), None) => {
                rule.direction.as_deref().is_some_and(|direction| choices.contains(&direction_literal(direction)))
            }
            (Values::Numbers, None) => false,
        }
    }

    fn shown(&self) -> Value {
        match &self.values {
            Values::Numbers => {
                json!({"parameter_name": self.name, "parameter_type": "range", "parameter_values": {"start": 0, "end": MAX_NUMBER}})
            }
            Values::Choices(choices) => {
                let values: Vec<Value> = choices.iter().map(|choice| choice.to_value()).collect();
                json!({"parameter_name": self.name, "parameter_type": "choices", "parameter_values": values})
            }
        }
    }
}

fn direction_literal(text: &str) -> Literal {
    match text {
        "ingress" => INGRESS,
        "egress" => EGRESS,
        "any" => Literal::Str("any"),
        _ => Literal::Null,
    }
}

impl Driver {
    fn parameters(&self, kind: usize) -> Option<&'static [Parameter]> {
        self.rules.iter().find(|(known, _)| *known == kind).map(|(_, parameters)| *parameters)
    }

    fn takes(&self, rule: &Rule) -> bool {
        self.parameters(rule.kind).is_some_and(|parameters| parameters.iter().all(|parameter| parameter.allows(rule)))
    }

    fn serves(&self, vif_type: &str, vnic_type: &str) -> bool {
        if NO_VIF.contains(&vif_type) { self.vnic_types.contains(&vnic_type) } else { self.vif_types.contains(&vif_type) }
    }
}

/// The loaded ones.
#[derive(Debug, Default)]
pub struct Drivers(Vec<&'static Driver>);

impl Drivers {
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let names = config.list("ml2", "mechanism_drivers");
        Self(KNOWN.iter().filter(|driver| names.iter().any(|name| name == driver.name)).collect())
    }

    /// Can any of them enforce the rule on such a port?
    pub fn serve_port(&self, rule: &Rule, vif_type: &str, vnic_type: &str) -> bool {
        self.0.iter().any(|driver| driver.serves(vif_type, vnic_type) && driver.takes(rule))
    }

    /// Can any of them enforce the rule at all?
    pub fn serve_network(&self, rule: &Rule) -> bool {
        self.0.iter().any(|driver| driver.takes(rule))
    }

    /// Positions in [`KINDS`] of what every loaded driver, or with `any` at least one, can enforce.
    pub fn kinds(&self, any: bool) -> Vec<usize> {
        let can = |driver: &&Driver, kind: usize| driver.parameters(kind).is_some();
        let by = |kind: &usize| if any { self.0.iter().any(|d| can(d, *kind)) } else { self.0.iter().all(|d| can(d, *kind)) };
        if self.0.is_empty() { Vec::new() } else { (0..KINDS.len()).filter(by).collect() }
    }

    /// Who enforces a kind, and with which values.
    pub fn details(&self, kind: usize) -> Value {
        let of = |driver: &&&'static Driver| {
            let parameters = driver.parameters(kind)?;
            Some(json!({"name": driver.name, "supported_parameters": parameters.iter().map(Parameter::shown).collect::<Vec<_>>()}))
        };
        self.0.iter().filter_map(|driver| of(&driver)).collect()
    }
}
