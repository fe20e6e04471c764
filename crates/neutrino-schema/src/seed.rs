// SPDX-License-Identifier: Apache-2.0
//! The rows that Neutron's migrations put into an empty database: the four templates of default security group rules.
//!
//! Nothing else is seeded: quotas, segment ranges and allocations come from the configuration when a server starts.

use neutrino_db::{Tx, args};
use neutrino_types::Result;

struct Template {
    /// The same in every database that we make, so that making one needs no randomness.
    id: &'static str,
    direction: &'static str,
    ethertype: &'static str,
    /// `PARENT` stands for the group that the rule is copied into.
    remote_group_id: Option<&'static str>,
    used_in_non_default_sg: bool,
    /// Data that clients see, by Neutron's words.
    description: &'static str,
}

const EGRESS: &str = "Legacy default SG rule for egress traffic";
const INGRESS: &str = "Legacy default SG rule for ingress traffic";

const fn egress(id: &'static str, ethertype: &'static str) -> Template {
    Template { id, direction: "egress", ethertype, remote_group_id: None, used_in_non_default_sg: true, description: EGRESS }
}

const fn ingress(id: &'static str, ethertype: &'static str) -> Template {
    let remote_group_id = Some("PARENT");
    Template { id, direction: "ingress", ethertype, remote_group_id, used_in_non_default_sg: false, description: INGRESS }
}

const TEMPLATES: [Template; 4] = [
    egress("a1d20c0f-8f0f-4c43-9f0e-5f5a7a5d1e04", "IPv4"),
    egress("3c7f0b52-6a8e-4d0b-8a35-0b9d4c6f2e06", "IPv6"),
    ingress("e85b9d1a-27c4-4b8e-b1f6-96d3a80c7f14", "IPv4"),
    ingress("58f6c2e4-913b-4f7a-a6d8-2c41e7b05d16", "IPv6"),
];

/// Writes the seed rows. The caller's transaction makes them appear together with the stamp.
pub async fn insert(tx: &mut Tx) -> Result<()> {
    for template in &TEMPLATES {
        let standard_attr_id = tx
            .insert_returning_id(
                "INSERT INTO standardattributes (resource_type, description) VALUES (?, ?)",
                args!["securitygroupdefaultrules", template.description],
            )
            .await?;
        tx.execute(
            "INSERT INTO securitygroupdefaultrules \
             (id, standard_attr_id, remote_group_id, direction, ethertype, used_in_default_sg, used_in_non_default_sg) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            args![
                template.id,
                standard_attr_id,
                template.remote_group_id,
                template.direction,
                template.ethertype,
                true,
                template.used_in_non_default_sg
            ],
        )
        .await?;
    }
    Ok(())
}
