// SPDX-License-Identifier: Apache-2.0
//! The kinds of objects that agents may ask for and are told of (`neutron/api/rpc/callbacks/resources.py`), one `static` each.

mod core;
mod qos;
mod security;
mod services;

pub use self::{
    core::{NETWORK, PORT, SUBNET},
    qos::QOS_POLICY,
    security::{ADDRESS_GROUP, SECURITY_GROUP, SECURITY_GROUP_RULE},
    services::{AGENT, CONNTRACK_HELPER, LOCAL_IP_ASSOCIATION, LOG, NDP_PROXY, PORT_FORWARDING, SUB_PORT, TRUNK},
};
use crate::object::{Field, Form, Object};

/// All of them.
pub static ALL: [&Object; 15] = [
    &QOS_POLICY,
    &TRUNK,
    &SUB_PORT,
    &PORT,
    &SUBNET,
    &NETWORK,
    &SECURITY_GROUP,
    &SECURITY_GROUP_RULE,
    &LOG,
    &PORT_FORWARDING,
    &CONNTRACK_HELPER,
    &ADDRESS_GROUP,
    &LOCAL_IP_ASSOCIATION,
    &NDP_PROXY,
    &AGENT,
];

/// The kind of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Object> {
    ALL.iter().copied().find(|object| object.name == name)
}

const ID: Field = Field::text("id", "t.id");
const PROJECT_ID: Field = Field::text("project_id", "t.project_id");
const NAME: Field = Field::text("name", "t.name");
const ADMIN_STATE_UP: Field = Field::bool("admin_state_up", "t.admin_state_up");
const STATUS: Field = Field::text("status", "t.status");
const NETWORK_ID: Field = Field::text("network_id", "t.network_id");
const PORT_ID: Field = Field::text("port_id", "t.port_id");
const ROUTER_ID: Field = Field::text("router_id", "t.router_id");
const PROTOCOL: Field = Field::text("protocol", "t.protocol");

// Standard attributes, of the alias `a`.
const REVISION_NUMBER: Field = Field::int("revision_number", "a.revision_number");
const DESCRIPTION: Field = Field::text("description", "a.description");
const CREATED_AT: Field = Field::stored("created_at", Form::Time, "a.created_at");
const UPDATED_AT: Field = Field::stored("updated_at", Form::Time, "a.updated_at");

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names: HashSet<&str> = ALL.iter().map(|object| object.name).collect();
        assert_eq!(names.len(), ALL.len());
        for object in ALL {
            let fields: HashSet<&str> = object.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields.len(), object.fields.len(), "{}", object.name);
            assert!(fields.contains(object.id), "{}", object.name);
        }
    }

    #[test]
    fn what_is_gone_says_its_id_and_what_is_so_by_default() {
        let gone = PORT.gone("p", 11);
        assert_eq!(
            gone.to_string(),
            r#"{"versioned_object.name":"Port","versioned_object.namespace":"versionedobjects","versioned_object.version":"1.11","versioned_object.data":{"id":"p","security_group_ids":null,"qos_policy_id":null,"qos_network_policy_id":null},"versioned_object.changes":["id","security_group_ids","qos_policy_id","qos_network_policy_id"]}"#
        );
        assert_eq!(
            NETWORK.gone("n", 3)["versioned_object.data"].to_string(),
            r#"{"id":"n","shared":false,"mtu":1500,"qos_policy_id":null}"#
        );
        assert_eq!(SUBNET.gone("s", 2)["versioned_object.data"].to_string(), r#"{"id":"s"}"#);
        let rule = SECURITY_GROUP_RULE.gone("r", 2);
        assert_eq!(rule["versioned_object.data"].to_string(), r#"{"id":"r"}"#);
    }

    #[test]
    fn versions_are_given_or_refused_by_name() {
        assert_eq!(PORT.minor("1.11").ok(), Some(11));
        assert_eq!(PORT.minor("1.0").ok(), Some(0));
        for (object, version, kind) in [
            (&PORT, "1.12", "InvalidTargetVersion"),
            (&PORT, "2.0", "InvalidTargetVersion"),
            (&PORT, "0.9", "IncompatibleObjectVersion"),
            (&PORT, "x", "IncompatibleObjectVersion"),
            (&QOS_POLICY, "1.7", "IncompatibleObjectVersion"),
        ] {
            assert_eq!(object.minor(version).map_err(|error| error.kind().name.to_owned()), Err(kind.to_owned()), "{version}");
        }
    }

    #[test]
    fn older_versions_lack_what_came_later() {
        let mut data = crate::object::Data::new();
        for name in ["id", "hints", "hardware_offload_type", "trusted", "pvlan_type", "pvlan_community"] {
            data.insert(name.to_owned(), "x".into());
        }
        let keys = |minor| {
            let object = PORT.at(&data, minor);
            object["versioned_object.data"].as_object().map(|data| data.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(keys(11).len(), 6);
        assert_eq!(keys(10), ["id", "hints", "hardware_offload_type", "trusted"]);
        assert_eq!(keys(9), ["id", "hints", "hardware_offload_type"]);
        assert_eq!(keys(8), ["id", "hints"]);
        assert_eq!(keys(7), ["id"]);
    }
}
