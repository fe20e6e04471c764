// SPDX-License-Identifier: Apache-2.0
//! Security groups with their rules, and address groups (`neutron/objects/{securitygroup,address_group}.py`).

use serde_json::Value;

use super::{CREATED_AT, DESCRIPTION, ID, NAME, PROJECT_ID, PROTOCOL, REVISION_NUMBER, UPDATED_AT};
use crate::object::{Data, Field, Form, Link, Literal, Object, Source};

pub static SECURITY_GROUP_RULE: Object = Object::new(
    "SecurityGroupRule",
    (1, 3),
    "securitygrouprules t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        PROJECT_ID,
        Field::text("security_group_id", "t.security_group_id"),
        Field::text("remote_group_id", "t.remote_group_id"),
        Field::text("direction", "t.direction"),
        Field::text("ethertype", "t.ethertype"),
        PROTOCOL,
        Field::int("port_range_min", "t.port_range_min"),
        Field::int("port_range_max", "t.port_range_max"),
        Field::text("remote_ip_prefix", "t.remote_ip_prefix"),
        Field::text("remote_address_group_id", "t.remote_address_group_id"),
        Field::derived("normalized_cidr", Form::NetworkOf, "t.remote_ip_prefix").or(Literal::Null),
        Field::derived(
            "belongs_to_default_sg",
            Form::Bool,
            "EXISTS (SELECT 1 FROM default_security_group d WHERE d.security_group_id = t.security_group_id)",
        )
        .default(Literal::Bool(false))
        .since(3),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
)
.ordered("t.standard_attr_id");

pub static SECURITY_GROUP: Object = Object::new(
    "SecurityGroup",
    (1, 6),
    "securitygroups t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        NAME,
        PROJECT_ID,
        Field::bool(
            "shared",
            "EXISTS (SELECT 1 FROM securitygrouprbacs r WHERE r.object_id = t.id AND r.action = 'access_as_shared' AND r.target_project = '*')",
        ),
        Field::bool("stateful", "t.stateful").default(Literal::Bool(true)),
        Field::derived("is_default", Form::Bool, "EXISTS (SELECT 1 FROM default_security_group d WHERE d.security_group_id = t.id)")
            .default(Literal::Bool(false))
            .filtered(),
        Field::new("rules", Source::Many(&[Link { object: &SECURITY_GROUP_RULE, by: "t.security_group_id", key: "id" }])),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
)
.compat(older_group);

/// The rules in a group are as old as the group.
fn older_group(group: &mut Data, minor: u32) {
    let of_rules = match minor {
        ..3 => 0,
        3 => 1,
        4..6 => 2,
        _ => return,
    };
    if let Some(Value::Array(rules)) = group.get_mut("rules") {
        for rule in rules {
            if let Some(Value::Object(data)) = rule.get("versioned_object.data") {
                *rule = SECURITY_GROUP_RULE.at(data, of_rules);
            }
        }
    }
}

static ADDRESS: Object = Object::new(
    "AddressAssociation",
    (1, 0),
    "address_associations t",
    &[Field::text("address", "t.address"), Field::text("address_group_id", "t.address_group_id")],
)
.ordered("t.address_group_id, t.address");

pub static ADDRESS_GROUP: Object = Object::new(
    "AddressGroup",
    (1, 2),
    "address_groups t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        NAME,
        PROJECT_ID,
        Field::bool(
            "shared",
            "EXISTS (SELECT 1 FROM addressgrouprbacs r WHERE r.object_id = t.id AND r.action = 'access_as_shared' AND r.target_project = '*')",
        )
        .default(Literal::Bool(false))
        .since(2),
        Field::new("addresses", Source::Many(&[Link { object: &ADDRESS, by: "t.address_group_id", key: "id" }])),
        REVISION_NUMBER.since(1),
        DESCRIPTION,
        CREATED_AT.since(1),
        UPDATED_AT.since(1),
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_an_older_group_are_older() {
        let rule: Data = [("id".to_owned(), "r".into()), ("belongs_to_default_sg".to_owned(), true.into())].into_iter().collect();
        let mut group = Data::new();
        group.insert("rules".to_owned(), vec![SECURITY_GROUP_RULE.wrap(rule)].into());
        for (minor, version, count) in [(6, "1.3", 2), (5, "1.2", 1), (4, "1.2", 1), (3, "1.1", 1), (2, "1.0", 1), (0, "1.0", 1)] {
            let older = SECURITY_GROUP.at(&group, minor);
            let rule = &older["versioned_object.data"]["rules"][0];
            assert_eq!(rule["versioned_object.version"], version, "{minor}");
            assert_eq!(rule["versioned_object.data"].as_object().map(Data::len), Some(count), "{minor}");
        }
    }
}
