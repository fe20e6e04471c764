// SPDX-License-Identifier: Apache-2.0
//! QoS policies with their rules (`neutron/objects/qos`).

use serde_json::Value;

use super::{CREATED_AT, DESCRIPTION, ID, NAME, PROJECT_ID, REVISION_NUMBER, UPDATED_AT};
use crate::object::{Data, Field, Form, Link, Literal, Object, Source};

/// Of all rules; it counts their kinds.
const VERSION: (u32, u32) = (1, 5);
const POLICY_ID: Field = Field::text("qos_policy_id", "t.qos_policy_id");
const DIRECTION: Field = Field::text("direction", "t.direction");
const PACKET_RATE_LIMIT: &str = "QosPacketRateLimitRule";
const MINIMUM_PACKET_RATE: &str = "QosMinimumPacketRateRule";

static BANDWIDTH_LIMIT: Object = Object::new(
    "QosBandwidthLimitRule",
    VERSION,
    "qos_bandwidth_limit_rules t",
    &[Field::int("max_kbps", "t.max_kbps"), Field::int("max_burst_kbps", "t.max_burst_kbps"), DIRECTION, ID, POLICY_ID],
);
static DSCP_MARKING: Object =
    Object::new("QosDscpMarkingRule", VERSION, "qos_dscp_marking_rules t", &[Field::int("dscp_mark", "t.dscp_mark"), ID, POLICY_ID]);
static MINIMUM_BANDWIDTH: Object = Object::new(
    "QosMinimumBandwidthRule",
    VERSION,
    "qos_minimum_bandwidth_rules t",
    &[Field::int("min_kbps", "t.min_kbps"), DIRECTION, ID, POLICY_ID],
);
static PACKET_RATE_RULE: Object = Object::new(
    MINIMUM_PACKET_RATE,
    VERSION,
    "qos_minimum_packet_rate_rules t",
    &[Field::int("min_kpps", "t.min_kpps"), DIRECTION, ID, POLICY_ID],
);
static PACKET_LIMIT_RULE: Object = Object::new(
    PACKET_RATE_LIMIT,
    VERSION,
    "qos_packet_rate_limit_rules t",
    &[Field::int("max_kpps", "t.max_kpps"), Field::int("max_burst_kpps", "t.max_burst_kpps"), DIRECTION, ID, POLICY_ID],
);

const fn rules(object: &'static Object) -> Link {
    Link { object, by: "t.qos_policy_id", key: "id" }
}

pub static QOS_POLICY: Object = Object::new(
    "QosPolicy",
    (1, 10),
    "qos_policies t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        PROJECT_ID,
        NAME,
        Field::bool(
            "shared",
            "EXISTS (SELECT 1 FROM qospolicyrbacs r WHERE r.object_id = t.id AND r.action = 'access_as_shared' AND r.target_project = '*')",
        )
        .default(Literal::Bool(false)),
        Field::new(
            "rules",
            Source::Many(&[
                rules(&BANDWIDTH_LIMIT),
                rules(&DSCP_MARKING),
                rules(&MINIMUM_BANDWIDTH),
                rules(&PACKET_RATE_RULE),
                rules(&PACKET_LIMIT_RULE),
            ]),
        ),
        Field::derived("is_default", Form::Bool, "EXISTS (SELECT 1 FROM qos_policies_default d WHERE d.qos_policy_id = t.id)")
            .default(Literal::Bool(false))
            .filtered(),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
)
.floor(8)
.compat(older_policy);

/// Older agents do not know every kind of rule.
fn older_policy(policy: &mut Data, minor: u32) {
    if let Some(Value::Array(rules)) = policy.get_mut("rules") {
        rules.retain(|rule| match rule["versioned_object.name"].as_str() {
            Some(MINIMUM_PACKET_RATE) => minor >= 10,
            Some(PACKET_RATE_LIMIT) => minor >= 9,
            _ => true,
        });
    }
}
