// SPDX-License-Identifier: Apache-2.0
//! From changes to messages.

use std::collections::{BTreeSet, HashMap};

use neutrino_core::{
    Change, Context, Engine, Filter, ListQuery, Verb, listing,
    rpc::{self, Message},
};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Value, json};

use super::{
    TOPIC, VERSION, cast, priority,
    recipients::{Address, Recipients},
};

/// What agents serve of a port. A change of anything else, as of its status, is none to them.
const SERVED: [&str; 6] = ["fixed_ips", "mac_address", "extra_dhcp_opts", "dns_name", "dns_assignment", "dns_domain"];
const ROUTER_INTERFACES: [&str; 3] =
    ["network:router_interface", "network:router_interface_distributed", "network:ha_router_replicated_interface"];

/// Has a port changed in what agents serve, or become the interface of a router?
pub fn port_matters(before: &Record, after: &Record) -> bool {
    SERVED.iter().any(|name| before.get(name) != after.get(name)) || becomes_interface(before, after)
}

fn becomes_interface(before: &Record, after: &Record) -> bool {
    before.str("device_owner") != after.str("device_owner") && ROUTER_INTERFACES.contains(&after.str("device_owner"))
}

/// Tells agents of changes, in their order.
///
/// # Errors
/// The database's; then nothing was told.
pub async fn tell(engine: &Engine, batch: &[(Context, Change)]) -> Result<()> {
    let loaded = load_missing(engine, batch).await?;
    let seen: Vec<Seen<'_>> = batch.iter().filter_map(|(cx, change)| Seen::of(cx, change, &loaded)).collect();
    let networks: BTreeSet<&str> = seen.iter().filter(|seen| !seen.goes_to_all()).map(|seen| seen.network_id).collect();
    let segments: BTreeSet<&str> = seen.iter().filter_map(|seen| seen.segment_id).collect();
    let recipients = Recipients::of(engine, &networks, &segments).await?;
    let networks = if recipients.any() { networks_of_new(engine, &seen, &recipients).await? } else { HashMap::new() };
    for one in seen {
        one.tell(engine, &recipients, &networks)?;
    }
    Ok(())
}

type Loaded = HashMap<(String, String), Record>;

/// The objects that the changes do not show as they are. A list for each collection.
async fn load_missing(engine: &Engine, batch: &[(Context, Change)]) -> Result<Loaded> {
    let mut missing: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for (_, change) in batch.iter().filter(|(_, change)| change.verb != Verb::Deleted && change.after.is_none()) {
        missing.entry(&change.collection).or_default().insert(&change.id);
    }
    let mut loaded = Loaded::new();
    for (collection, ids) in missing {
        for record in by_ids(engine, collection, &ids).await? {
            loaded.insert((collection.to_owned(), record.id().to_owned()), record);
        }
    }
    Ok(loaded)
}

async fn by_ids(engine: &Engine, collection: &str, ids: &BTreeSet<&str>) -> Result<Vec<Record>> {
    let mut query = ListQuery::default();
    if let Some(attribute) = engine.entry(collection)?.table.find("id") {
        query.filters.push(Filter { attribute, values: ids.iter().map(|id| (*id).into()).collect() });
    }
    let auth = neutrino_core::Authorized::internal("what agents are told of");
    engine.list(&Context::internal("DHCP notifications"), &auth, collection, None, &query).await
}

/// Networks whose new subnets and ports agents hear of: the messages carry them.
async fn networks_of_new(engine: &Engine, seen: &[Seen<'_>], recipients: &Recipients) -> Result<HashMap<String, Value>> {
    let with_network = seen.iter().filter(|seen| seen.is_new() && recipients.serve(seen.network_id));
    let ids: BTreeSet<&str> = with_network.map(|seen| seen.network_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let records = by_ids(engine, "networks", &ids).await?;
    records.iter().map(|record| Ok((record.id().to_owned(), listing::dict(record)?))).collect()
}

/// A change with all that its message needs.
struct Seen<'a> {
    cx: &'a Context,
    change: &'a Change,
    /// As it is, or was before it went.
    record: &'a Record,
    network_id: &'a str,
    segment_id: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// `None` when there is nothing to tell: the object is gone by now, which another change says, or nothing changed that agents serve.
    fn of(cx: &'a Context, change: &'a Change, loaded: &'a Loaded) -> Option<Self> {
        let record = match (change.verb, &change.after) {
            (Verb::Deleted, _) => change.before.as_ref()?,
            (_, Some(after)) => after,
            _ => loaded.get(&(change.collection.clone(), change.id.clone()))?,
        };
        let network_id = if change.collection == "networks" { record.id() } else { record.str("network_id") };
        if let ("ports", Verb::Updated, Some(before)) = (change.collection.as_str(), change.verb, &change.before)
            && !port_matters(before, record)
        {
            return None;
        }
        let segment_id = (change.collection == "subnets" && change.verb != Verb::Deleted).then(|| record.opt_str("segment_id"));
        Some(Self { cx, change, record, network_id, segment_id: segment_id.flatten() })
    }

    fn goes_to_all(&self) -> bool {
        self.change.collection == "networks" && self.change.verb == Verb::Deleted
    }

    /// A port that becomes a router's interface is news to agents, too: they may have to serve metadata no longer.
    fn is_new(&self) -> bool {
        match (self.change.collection.as_str(), self.change.verb, &self.change.before) {
            ("subnets" | "ports", Verb::Created, _) => true,
            ("ports", Verb::Updated, Some(before)) => becomes_interface(before, self.record),
            _ => false,
        }
    }

    fn tell(&self, engine: &Engine, recipients: &Recipients, networks: &HashMap<String, Value>) -> Result<()> {
        if self.goes_to_all() {
            let payload = json!({"payload": {"network_id": self.network_id, "priority": priority::NETWORK_DELETE}});
            rpc::cast(engine, self.cx, Message::new(TOPIC, VERSION, "network_delete_end", payload).to_all().lasting());
            return Ok(());
        }
        let mut agents = recipients.of_network(self.network_id, self.segment_id);
        if agents.is_empty() {
            return Ok(());
        }
        let (method, payload, priority) = self.message(networks)?;
        if method == "port_create_end" {
            let most = u64::try_from(agents.len()).unwrap_or(1);
            let first = agents.swap_remove(usize::try_from(self.cx.random() % most).unwrap_or_default());
            self.cast(engine, first, method, payload.clone(), priority::PORT_CREATE_HIGH);
        }
        for agent in agents {
            self.cast(engine, agent, method, payload.clone(), priority);
        }
        Ok(())
    }

    fn cast(&self, engine: &Engine, agent: &Address, method: &'static str, payload: Value, priority: u8) {
        cast(engine, self.cx, &agent.topic, &agent.host, method, payload, priority);
    }

    fn message(&self, networks: &HashMap<String, Value>) -> Result<(&'static str, Value, u8)> {
        let id = self.record.id();
        Ok(match (self.change.collection.as_str(), self.change.verb) {
            ("networks", _) => ("network_update_end", json!({"network": listing::dict(self.record)?}), priority::NETWORK_UPDATE),
            ("subnets", Verb::Deleted) => {
                ("subnet_delete_end", json!({"subnet_id": id, "network_id": self.network_id}), priority::SUBNET_DELETE)
            }
            ("subnets", verb) => {
                let method = if verb == Verb::Created { "subnet_create_end" } else { "subnet_update_end" };
                (method, json!({"subnet": self.with_network(networks)?}), priority::SUBNET_UPDATE)
            }
            (_, Verb::Deleted) => {
                let payload = json!({"port_id": id, "network_id": self.network_id, "fixed_ips": self.record.get("fixed_ips")});
                ("port_delete_end", payload, priority::PORT)
            }
            _ => {
                let method = if self.is_new() { "port_create_end" } else { "port_update_end" };
                (method, json!({"port": self.with_network(networks)?}), priority::PORT)
            }
        })
    }

    /// The object, and if it is new its network in it.
    fn with_network(&self, networks: &HashMap<String, Value>) -> Result<Value> {
        let mut dict = listing::dict(self.record)?;
        if let Some(network) = networks.get(self.network_id).filter(|_| self.is_new()) {
            dict["network"] = network.clone();
        }
        Ok(dict)
    }
}
