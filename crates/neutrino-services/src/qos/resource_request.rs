// SPDX-License-Identifier: Apache-2.0
//! `resource_request` of ports: what a scheduler must find in Placement before the port can be bound.
//!
//! Two groups at most: minimum bandwidths, wanted of the physical network or of tunnels, and minimum packet rates. A group is named for
//! the port and its rules in their order, so that both sides name it alike.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_core::{Context, Loader};
use neutrino_db::{Sql, Tx};
use neutrino_model::{Attribute, Page, Validator, attribute::Default, convert::binding_profile::resource_request_group_uuid};
use neutrino_types::Result;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    ports::{NETWORK_POLICY, POLICY},
    rule::{self, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, PLACED, Rule},
};
use crate::placement::custom_trait;

const REQUEST: &str = "resource_request";
const VNIC_TYPE: &str = "binding:vnic_type";

pub const ATTRIBUTES: &[Attribute] = &[Attribute::new(REQUEST).default(Default::Unset).validate(Validator::DictOrNone(&[]))];

pub struct Requests;

#[async_trait]
impl Loader for Requests {
    fn fills(&self) -> &'static [&'static str] {
        &[REQUEST]
    }

    fn needs(&self) -> &'static [&'static str] {
        &[POLICY, NETWORK_POLICY, "network_id", VNIC_TYPE]
    }

    async fn load(&self, _cx: &Context, tx: &mut Tx, page: &mut Page) -> Result<()> {
        page.fill(REQUEST, &Value::Null);
        let policies: Vec<Option<String>> =
            page.rows.iter().map(|row| row.opt_str(POLICY).or_else(|| row.opt_str(NETWORK_POLICY)).map(str::to_owned)).collect();
        let mut distinct: Vec<&str> = policies.iter().flatten().map(String::as_str).collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.is_empty() {
            return Ok(());
        }
        let rules = rule::of_policies(tx, &distinct, PLACED).await?;
        if rules.is_empty() {
            return Ok(());
        }
        let networks = page.rows.iter().zip(&policies).filter(|(_, policy)| policy.is_some()).map(|(row, _)| row.str("network_id"));
        let traits = network_traits(tx, networks).await?;
        for (row, policy) in page.rows.iter_mut().zip(&policies) {
            let of = |kind| {
                let rules = rules.iter().filter(move |rule| rule.kind == kind && Some(&rule.policy_id) == policy.as_ref());
                rules.collect::<Vec<&Rule>>()
            };
            let vnic = custom_trait("VNIC_TYPE_", row.opt_str(VNIC_TYPE).unwrap_or("normal"));
            let bandwidth = traits
                .get(row.str("network_id"))
                .and_then(|network| group(row.id(), &of(MINIMUM_BANDWIDTH), &[network.as_str(), vnic.as_str()]));
            let packets = group(row.id(), &of(MINIMUM_PACKET_RATE), &[vnic.as_str()]);
            let groups: Vec<Value> = bandwidth.into_iter().chain(packets).collect();
            if !groups.is_empty() {
                let ids: Vec<Value> = groups.iter().map(|group| group["id"].clone()).collect();
                row.set(REQUEST, json!({"request_groups": groups, "same_subtree": ids}));
            }
        }
        Ok(())
    }
}

/// The trait of each network's first segment: the one of its physical network, or that of tunnels.
async fn network_traits<'a>(tx: &mut Tx, networks: impl Iterator<Item = &'a str>) -> Result<HashMap<String, String>> {
    let mut networks: Vec<&str> = networks.collect();
    networks.sort_unstable();
    networks.dedup();
    let mut sql = Sql::raw("SELECT network_id, physical_network FROM networksegments WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "network_id", networks)).push(" ORDER BY is_dynamic, segment_index, id");
    let mut traits = HashMap::new();
    for row in tx.select(sql).await? {
        let name = match row.opt_text(1)?.filter(|name| !name.is_empty()) {
            Some(physical) => custom_trait("PHYSNET_", &physical),
            None => "CUSTOM_NETWORK_TUNNEL_PROVIDER".to_owned(),
        };
        traits.entry(row.text(0)?).or_insert(name);
    }
    Ok(traits)
}

/// The class of resources that a rule asks for.
pub fn resource(rule: &Rule) -> &'static str {
    match (rule.kind, rule.direction.as_deref()) {
        (MINIMUM_BANDWIDTH, Some("ingress")) => "NET_BW_IGR_KILOBIT_PER_SEC",
        (MINIMUM_BANDWIDTH, _) => "NET_BW_EGR_KILOBIT_PER_SEC",
        (_, Some("ingress")) => "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
        (_, Some("egress")) => "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
        _ => "NET_PACKET_RATE_KILOPACKET_PER_SEC",
    }
}

/// What the rules ask for; `None` without rules.
fn group(port_id: &str, rules: &[&Rule], traits: &[&str]) -> Option<Value> {
    if rules.is_empty() {
        return None;
    }
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let id = resource_request_group_uuid(&Uuid::parse_str(port_id).ok()?, &ids);
    let resources: Map<String, Value> = rules.iter().map(|rule| (resource(rule).to_owned(), rule.value().into())).collect();
    Some(json!({"id": id.to_string(), "required": traits, "resources": resources}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that Neutron 29.0.0 made of the same ids.
    #[test]
    fn a_group_is_named_as_neutron_names_it() {
        let rule = |id: &str, value, direction: &str| Rule {
            kind: MINIMUM_BANDWIDTH,
            id: id.to_owned(),
            policy_id: "p".to_owned(),
            numbers: [Some(value), None],
            direction: Some(direction.to_owned()),
        };
        let egress = rule("710e2715-69a8-4a81-a0a2-1954fd4a6096", 2000, "egress");
        let ingress = rule("6e5eb4d2-0268-4b81-a245-6c61b445f52a", 5000, "ingress");
        let made = group("160c1e71-b9fe-4b12-9f2d-3e4825dbc240", &[&egress, &ingress], &["CUSTOM_VNIC_TYPE_NORMAL"]);
        let expected = json!({"id": "84d0780b-8afe-54a3-9e67-843e27892356", "required": ["CUSTOM_VNIC_TYPE_NORMAL"],
            "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 2000, "NET_BW_IGR_KILOBIT_PER_SEC": 5000}});
        assert_eq!(made, Some(expected));
    }

    #[test]
    fn traits_have_letters_digits_and_single_underscores() {
        assert_eq!(custom_trait("PHYSNET_", "physnet1"), "CUSTOM_PHYSNET_PHYSNET1");
        assert_eq!(custom_trait("PHYSNET_", "a--b.c"), "CUSTOM_PHYSNET_A_B_C");
        assert_eq!(custom_trait("VNIC_TYPE_", "direct-physical"), "CUSTOM_VNIC_TYPE_DIRECT_PHYSICAL");
    }
}
