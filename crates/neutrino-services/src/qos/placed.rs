// SPDX-License-Identifier: Apache-2.0
//! The allocation in Placement of a machine's port whose policy changes (`_change_placement_allocation` in Neutron's QoS plugin).
//!
//! A port that was scheduled with guaranteed resources names in `binding:profile`, under `allocation`, which provider gives each group of
//! them. When its policy becomes another, Placement is asked for the difference before anything is written; without its consent the request
//! fails. Kinds of rules that the old policy had not are enforced by agents only, as nobody has chosen a provider for them.

use std::collections::BTreeMap;

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Tx, args};
use neutrino_model::convert::binding_profile::resource_request_group_uuid;
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    errors::{ALLOCATION_CONFLICT, ALLOCATION_RACED, ALLOCATION_REMOVED, NOT_ALLOCATED},
    resource_request::resource,
    rule::{self, PLACED, Rule},
};
use crate::placement::{Client, Diff, Failure};

/// A machine's port, as it is bound.
#[derive(Clone, Debug)]
pub struct Placed {
    pub port_id: String,
    /// The machine, which consumes what is allocated.
    pub device_id: String,
    pub profile: Value,
}

/// What a change of the policy means.
#[derive(Debug, PartialEq)]
pub struct Change {
    pub diff: Diff,
    /// The new `allocation` of the port's profile.
    pub allocation: Map<String, Value>,
}

fn of_kind(rules: &[Rule], kind: usize) -> Vec<&Rule> {
    rules.iter().filter(|rule| rule.kind == kind).collect()
}

fn group(port: &Uuid, rules: &[&Rule]) -> String {
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    resource_request_group_uuid(port, &ids).to_string()
}

/// `None`: nothing is allocated that could change. The rules are those of [`PLACED`] kinds.
///
/// # Errors
/// 501 for a change between packet rates with and without direction.
pub fn change(port: &Placed, old: &[Rule], new: &[Rule]) -> Result<Option<Change>> {
    let (Some(allocation), Ok(id)) = (port.profile["allocation"].as_object(), Uuid::parse_str(&port.port_id)) else { return Ok(None) };
    if old.is_empty() {
        return Ok(None);
    }
    let (mut providers, mut updated) = (BTreeMap::new(), Map::new());
    for (name, provider) in allocation {
        let found = PLACED.iter().copied().find(|kind| {
            let rules = of_kind(old, *kind);
            !rules.is_empty() && group(&id, &rules) == *name
        });
        if let (Some(kind), Some(text)) = (found, provider.as_str()) {
            providers.insert(kind, text.to_owned());
            let rules = of_kind(new, kind);
            if !rules.is_empty() {
                updated.insert(group(&id, &rules), provider.clone());
            }
        }
    }
    let mut diff = Diff::new();
    for (kind, provider) in &providers {
        let changes = diff.entry(provider.clone()).or_default();
        let (before, after) = (of_kind(old, *kind), of_kind(new, *kind));
        ensure_directions_fit(&before, &after)?;
        let signed = before.iter().map(|rule| (rule, -1)).chain(after.iter().map(|rule| (rule, 1)));
        for (rule, sign) in signed {
            *changes.entry(resource(rule)).or_default() += sign * rule.value();
        }
    }
    for changes in diff.values_mut() {
        changes.retain(|_, change| *change != 0);
    }
    diff.retain(|_, changes| !changes.is_empty());
    Ok(Some(Change { diff, allocation: updated }))
}

fn ensure_directions_fit(before: &[&Rule], after: &[&Rule]) -> Result<()> {
    let is_any = |rule: &&Rule| resource(rule) == "NET_PACKET_RATE_KILOPACKET_PER_SEC";
    let is_packet_rate = |rule: &&Rule| rule.kind == rule::MINIMUM_PACKET_RATE;
    let mixed = before.iter().filter(|rule| is_packet_rate(rule)).any(|old| after.iter().any(|new| is_any(old) != is_any(new)));
    if mixed {
        let sentence = "A minimum packet rate without direction cannot become one with a direction while it is allocated, nor the reverse.";
        return Err(kinds::NOT_IMPLEMENTED.error(sentence));
    }
    Ok(())
}

/// The rules of two policies that matter to Placement.
///
/// # Errors
/// The database's.
pub async fn rules(tx: &mut Tx, old: Option<&str>, new: Option<&str>) -> Result<(Vec<Rule>, Vec<Rule>)> {
    let ids: Vec<&str> = old.into_iter().chain(new).collect();
    if ids.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let all = rule::of_policies(tx, &ids, PLACED).await?;
    let of = |policy: Option<&str>| all.iter().filter(|rule| Some(rule.policy_id.as_str()) == policy).cloned().collect::<Vec<_>>();
    Ok((of(old), of(new)))
}

/// Is there a Placement to be asked?
pub fn is_on(engine: &Engine) -> bool {
    engine.registry.service::<Client>().is_some()
}

/// Asks Placement for the difference.
///
/// # Errors
/// 409 when so much is not left, or others change it all the time; 400 when nothing is allocated; 503 when it does not answer.
pub async fn ask(engine: &Engine, _cx: &Context, port: &Placed, diff: &Diff) -> Result<()> {
    let Some(client) = engine.registry.service::<Client>().filter(|_| !diff.is_empty()) else { return Ok(()) };
    client.change_allocation(&port.device_id, diff).await.map_err(|failure| refusal(port, failure))
}

fn refusal(port: &Placed, failure: Failure) -> Error {
    let machine = &port.device_id;
    match failure {
        Failure::Conflict(_) => ALLOCATION_CONFLICT
            .error(format!("The resources that the QoS policy asks for port {} of {machine} are not available on its host.", port.port_id)),
        Failure::Raced => {
            ALLOCATION_RACED.error(format!("The allocation of {machine} in Placement is being changed by others; try again."))
        }
        Failure::AllocationRemoved => ALLOCATION_REMOVED.error(format!("{machine} has no allocation in Placement any more.")),
        Failure::NoSuchProvider(id) => NOT_ALLOCATED.error(format!("{machine} has no allocation of the resource provider {id}.")),
        other => kinds::UNAVAILABLE
            .error("Placement did not do what it was asked for; the QoS policy stays as it was.")
            .with_log(format!("Placement, allocation of {machine}: {other}")),
    }
}

/// The contrary of a difference.
fn back(diff: &Diff) -> Diff {
    diff.iter().map(|(provider, changes)| (provider.clone(), changes.iter().map(|(class, n)| (*class, -n)).collect())).collect()
}

/// Asks for several ports; when one is refused, those before it get back what they had.
///
/// # Errors
/// As [`ask`].
pub async fn ask_all(engine: &Engine, cx: &Context, changes: &[(Placed, Change)]) -> Result<()> {
    for (at, (port, change)) in changes.iter().enumerate() {
        if let Err(error) = ask(engine, cx, port, &change.diff).await {
            for (port, change) in &changes[..at] {
                if let Err(lost) = ask(engine, cx, port, &back(&change.diff)).await {
                    let log = lost.log().unwrap_or_default();
                    tracing::error!(log, "the allocation of {} in Placement could not be put back: {lost}", port.device_id);
                }
            }
            return Err(error);
        }
    }
    Ok(())
}

const BOUND: &str = "SELECT p.id, p.device_id, b.profile FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
                     WHERE p.network_id = ? AND p.device_owner LIKE 'compute:%' AND b.profile LIKE '%allocation%' \
                     AND NOT EXISTS (SELECT 1 FROM qos_port_policy_bindings o WHERE o.port_id = p.id)";

/// What another policy of a network means for the machines' ports on it that have none of their own.
///
/// # Errors
/// As [`change`]; the database's.
pub async fn of_network(tx: &mut Tx, network_id: &str, old: Option<&str>, new: Option<&str>) -> Result<Vec<(Placed, Change)>> {
    let (old, new) = rules(tx, old, new).await?;
    if old.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for row in tx.query(BOUND, args![network_id]).await? {
        let profile = serde_json::from_str(&row.opt_text(2)?.unwrap_or_default()).unwrap_or_default();
        let port = Placed { port_id: row.text(0)?, device_id: row.text(1)?, profile };
        if let Some(change) = change(&port, &old, &new)? {
            found.push((port, change));
        }
    }
    Ok(found)
}

/// Writes the new allocation of a port's profile.
///
/// # Errors
/// The database's.
pub async fn write(op: &mut Op<'_>, port: &Placed, change: &Change) -> Result<()> {
    let text = profile_with(port, change).to_string();
    op.tx
        .execute("UPDATE ml2_port_bindings SET profile = ? WHERE port_id = ? AND status = 'ACTIVE'", args![text, &port.port_id])
        .await
        .map(drop)
}

pub fn profile_with(port: &Placed, change: &Change) -> Value {
    let mut profile = port.profile.clone();
    profile["allocation"] = Value::Object(change.allocation.clone());
    profile
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::qos::rule::{MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE};

    fn rule(kind: usize, id: &str, value: i64, direction: &str) -> Rule {
        Rule { kind, id: id.to_owned(), policy_id: "p".to_owned(), numbers: [Some(value), None], direction: Some(direction.to_owned()) }
    }

    fn placed(allocation: &Value) -> Placed {
        let port_id = "160c1e71-b9fe-4b12-9f2d-3e4825dbc240".to_owned();
        Placed { port_id, device_id: "vm".to_owned(), profile: json!({ "allocation": allocation }) }
    }

    #[test]
    fn the_difference_goes_to_the_provider_of_the_group() {
        let old = [
            rule(MINIMUM_BANDWIDTH, "710e2715-69a8-4a81-a0a2-1954fd4a6096", 2000, "egress"),
            rule(MINIMUM_BANDWIDTH, "6e5eb4d2-0268-4b81-a245-6c61b445f52a", 5000, "ingress"),
        ];
        // Neutron's own name of that group.
        let port = placed(&json!({"84d0780b-8afe-54a3-9e67-843e27892356": "rp"}));
        let new = [rule(MINIMUM_BANDWIDTH, "x", 3000, "egress"), rule(MINIMUM_PACKET_RATE, "y", 9, "any")];
        let made = change(&port, &old, &new).unwrap().unwrap();
        let expected: Diff =
            [("rp".to_owned(), [("NET_BW_EGR_KILOBIT_PER_SEC", 1000), ("NET_BW_IGR_KILOBIT_PER_SEC", -5000)].into())].into();
        assert_eq!((made.diff, made.allocation.len(), made.allocation.values().next().cloned()), (expected, 1, Some(json!("rp"))));
        let none = change(&port, &old, &[]).unwrap().unwrap();
        assert!(none.allocation.is_empty());
        assert_eq!(change(&port, &[], &new).unwrap(), None);
        assert_eq!(change(&placed(&Value::Null), &old, &new).unwrap(), None);
    }

    #[test]
    fn packet_rates_keep_having_a_direction_or_not() {
        let id = Uuid::parse_str("160c1e71-b9fe-4b12-9f2d-3e4825dbc240").unwrap();
        let old = [rule(MINIMUM_PACKET_RATE, "y", 9, "any")];
        let name = group(&id, &[&old[0]]);
        let port = placed(&json!({ name: "rp" }));
        assert!(change(&port, &old, &[rule(MINIMUM_PACKET_RATE, "z", 9, "egress")]).is_err());
        assert!(change(&port, &old, &[rule(MINIMUM_PACKET_RATE, "z", 9, "any")]).unwrap().is_some_and(|made| made.diff.is_empty()));
    }
}
