// SPDX-License-Identifier: Apache-2.0
//! Security groups: who may talk to a port. Groups, their rules, the template of new groups, and the groups of ports.
//!
//! Owns the tables `securitygroups`, `securitygrouprules`, `securitygroupdefaultrules`, `default_security_group`,
//! `securitygroupportbindings` and `security_groups_default_statefulness`. Refuses to own port security, address groups, and what
//! agents are told. Each file states its own invariants.

mod default_group;
mod default_rules;
mod errors;
mod groups;
mod ports;
mod protocol;
mod rule;
mod rules;
mod statefulness;

use neutrino_core::Builder;
use neutrino_model::Extension;

static SECURITY_GROUP: Extension =
    Extension::new("security-group", "security-group", "The security groups extension.", "2012-10-05T10:00:00-00:00")
        .requires(&["standard-attr-description"])
        .resources(&[&groups::RESOURCE, &rules::RESOURCE])
        .extends(&[("ports", &[ports::SECURITY_GROUPS])]);

static STATEFUL: Extension = Extension::new(
    "stateful-security-group",
    "Stateful security group",
    "Indicates if the security group is stateful or not",
    "2019-11-26T09:00:00-00:00",
)
.requires(&["security-group"])
.extends(&[("security_groups", &[groups::STATEFUL])]);

static SHARED_FILTERING: Extension = Extension::new(
    "security-groups-shared-filtering",
    "Security group filtering on the shared field",
    "Support filtering security groups on the shared field",
    "2021-10-05T09:00:00-00:00",
)
.requires(&["security-group"])
.extends(&[("security_groups", &[groups::SHARED])]);

static NORMALIZED_CIDR: Extension = Extension::new(
    "security-groups-normalized-cidr",
    "Normalized CIDR field for security group rules",
    "Add new field with normalized remote_ip_prefix cidr in SG rule",
    "2020-07-28T10:00:00-00:00",
)
.requires(&["security-group"])
.extends(&[("security_group_rules", &[rules::NORMALIZED_CIDR])]);

static REMOTE_ADDRESS_GROUP: Extension = Extension::new(
    "security-groups-remote-address-group",
    "Remote address group id field for security group rules",
    "Add new field of remote address group id in SG rules",
    "2020-08-25T10:00:00-00:00",
)
.requires(&["security-group", "address-group"])
.extends(&[("security_group_rules", &[rule::REMOTE_ADDRESS_GROUP_ID])]);

static BELONGS_TO_DEFAULT: Extension = Extension::new(
    "security-groups-rules-belongs-to-default-sg",
    "Security group rule belongs to the project's default security group",
    "Flag to determine if the security group rule belongs to the project's default security group",
    "2023-05-23T10:00:00-00:00",
)
.requires(&["security-group"])
.extends(&[("security_group_rules", &[rules::BELONGS_TO_DEFAULT])]);

static PORT_FILTERING: Extension = Extension::new(
    "port-security-groups-filtering",
    "Port filtering on security groups",
    "Provides security groups filtering when listing ports",
    "2018-01-09T09:00:00-00:00",
)
.requires(&["security-group"]);

pub fn register(builder: &mut Builder) {
    for extension in
        [&SECURITY_GROUP, &STATEFUL, &SHARED_FILTERING, &NORMALIZED_CIDR, &REMOTE_ADDRESS_GROUP, &BELONGS_TO_DEFAULT, &PORT_FILTERING]
    {
        builder.extension(extension);
    }
    groups::register(builder);
    rules::register(builder);
    default_rules::register(builder);
    statefulness::register(builder);
    ports::register(builder);
    builder.invariants(&[
        (
            "default group without its row",
            "SELECT id FROM securitygroups WHERE name = 'default' AND id NOT IN (SELECT security_group_id FROM default_security_group)",
        ),
        ("project with several default groups", "SELECT project_id FROM default_security_group GROUP BY project_id HAVING count(*) > 1"),
    ]);
}
