// SPDX-License-Identifier: Apache-2.0
//! Pushes: after every commit agents are told what the objects are now, once for each version in use.
//!
//! Which change is told, and by which word, is Neutron's (`neutron/plugins/ml2/ovo_rpc.py` and the service plugins): ports, networks, subnets,
//! groups and rules are always "updated", and when they are gone nothing but their id is said. The others say what they were.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use async_trait::async_trait;
use chrono::NaiveDateTime;
use neutrino_core::{
    Change, Changes, Context, Engine, Hook, Op, Verb, Watcher, Worker, changes,
    rpc::{self, BusService, Message},
    versions::ResourceVersions,
};
use neutrino_db::{Sql, args};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, watch};

use crate::{
    kinds::{
        self, ADDRESS_GROUP, CONNTRACK_HELPER, LOCAL_IP_ASSOCIATION, LOG, NDP_PROXY, NETWORK, PORT, PORT_FORWARDING, QOS_POLICY,
        SECURITY_GROUP, SECURITY_GROUP_RULE, SUB_PORT, SUBNET, TRUNK,
    },
    load,
    object::{Data, Object},
    queue::{Batch, Event, Queue},
    versions::{self, Tracker},
};

/// Objects in one message.
const CHUNK: usize = 50;
/// Objects that are loaded at once: of them all there can be more than fit into memory.
const LOAD: usize = 250;
/// Before what failed is tried again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Which changes of a collection are told.
struct Told {
    collection: &'static str,
    object: &'static Object,
    /// The word for a new object, if it is told at all.
    created: Option<Event>,
    updated: bool,
    /// Is it read again, and said to be gone when it is not there? Otherwise [`Going`] says what it was.
    reread: bool,
}

const fn told(collection: &'static str, object: &'static Object, created: Option<Event>, updated: bool) -> Told {
    Told { collection, object, created, updated, reread: false }
}

const fn reread(collection: &'static str, object: &'static Object) -> Told {
    Told { collection, object, created: Some(Event::Updated), updated: true, reread: true }
}

static TOLD: [Told; 14] = [
    reread("ports", &PORT),
    reread("networks", &NETWORK),
    reread("subnets", &SUBNET),
    reread("security_groups", &SECURITY_GROUP),
    reread("security_group_rules", &SECURITY_GROUP_RULE),
    reread("address_groups", &ADDRESS_GROUP),
    // A new policy has no rules.
    told("policies", &QOS_POLICY, None, true),
    told("trunks", &TRUNK, Some(Event::Created), false),
    told("subports", &SUB_PORT, Some(Event::Created), false),
    told("logs", &LOG, Some(Event::Created), true),
    told("floatingips/port_forwardings", &PORT_FORWARDING, Some(Event::Created), true),
    told("routers/conntrack_helpers", &CONNTRACK_HELPER, Some(Event::Created), true),
    told("local_ips/port_associations", &LOCAL_IP_ASSOCIATION, Some(Event::Created), false),
    told("ndp_proxies", &NDP_PROXY, Some(Event::Created), false),
];

/// The kinds that agents hear of as they were when they are deleted, by collection.
pub static WHOLE: [(&str, &Object); 6] = [
    ("policies", &QOS_POLICY),
    ("trunks", &TRUNK),
    ("logs", &LOG),
    ("floatingips/port_forwardings", &PORT_FORWARDING),
    ("routers/conntrack_helpers", &CONNTRACK_HELPER),
    ("ndp_proxies", &NDP_PROXY),
];

/// The kinds that are told whenever their revision rises: parts of them change by other features' SQL. Others whose revision rises for a
/// part of theirs (a network for its subnets, a group for its rules) are not: the part is told itself.
static BY_REVISION: [&Object; 3] = [&PORT, &QOS_POLICY, &ADDRESS_GROUP];

/// Takes note of changes, and sends them. One per process.
#[derive(Clone, Default)]
pub struct Pusher(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    tracker: Mutex<Tracker>,
    wake: Notify,
    /// True when the end is asked for.
    stop: OnceLock<watch::Receiver<bool>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pusher {
    /// Objects that wait to be pushed.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        locked(&self.0.queue).len()
    }

    /// Changes that did not fit into the queue, and were looked up by their time instead.
    #[must_use]
    pub fn overflows(&self) -> u64 {
        locked(&self.0.queue).overflows
    }

    /// Batches that had to be tried again.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        locked(&self.0.queue).put_back
    }

    pub(crate) fn tracker(&self) -> MutexGuard<'_, Tracker> {
        locked(&self.0.tracker)
    }

    /// Sends all that waits. The worker does it; a test may.
    ///
    /// # Errors
    /// The database's; then what was not sent waits again.
    pub async fn flush(&self, engine: &Engine) -> Result<()> {
        let batch = locked(&self.0.queue).take();
        if batch.is_empty() || engine.registry.service::<BusService>().is_none() {
            return Ok(());
        }
        let cx = Context::internal("");
        let cx = Context::internal(&format!("req-{}", cx.new_id())).carrying(&batch.tickets);
        let mut batch = batch;
        let sent = self.send(engine, &cx, &mut batch).await;
        if sent.is_err() {
            locked(&self.0.queue).put_back(batch);
        }
        sent
    }

    /// Sends kind by kind; what was sent leaves the batch.
    async fn send(&self, engine: &Engine, cx: &Context, batch: &mut Batch) -> Result<()> {
        versions::refresh(self, engine, cx).await?;
        if self.tracker().is_idle() {
            *batch = Batch::default();
            return Ok(());
        }
        resolve(engine, batch).await?;
        let mut order: Vec<&'static Object> = Vec::new();
        for (name, _) in batch.items.keys() {
            if !order.iter().any(|object| object.name == *name) {
                order.extend(kinds::find(name));
            }
        }
        for object in order {
            let of_kind: Vec<(&str, &Event)> =
                batch.items.iter().filter(|((name, _), _)| *name == object.name).map(|((_, id), event)| (id.as_str(), event)).collect();
            for some in of_kind.chunks(LOAD) {
                self.room(engine).await;
                self.send_some(engine, cx, object, some).await?;
            }
            batch.items.retain(|(name, _), _| *name != object.name);
        }
        Ok(())
    }

    /// While the bus takes nothing, what waits is ids.
    async fn room(&self, engine: &Engine) {
        let Some(stop) = self.0.stop.get() else { return };
        let mut stop = stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = rpc::room(engine) => {}
        }
    }

    async fn send_some(&self, engine: &Engine, cx: &Context, object: &'static Object, some: &[(&str, &Event)]) -> Result<()> {
        let minors = self.tracker().minors(object);
        let ids: Vec<&str> = some.iter().filter(|(_, event)| !matches!(event, Event::Deleted(_))).map(|(id, _)| *id).collect();
        let mut now: HashMap<String, Data> = HashMap::new();
        if !ids.is_empty() {
            let mut tx = engine.db.reader().await?;
            for data in load::load_ids(&mut tx, object, &ids).await? {
                if let Some(id) = data.get(object.id).and_then(Value::as_str) {
                    now.insert(id.to_owned(), data);
                }
            }
        }
        let is_reread = TOLD.iter().any(|told| told.object.name == object.name && told.reread);
        for minor in minors {
            let mut lists: [Vec<Value>; 3] = Default::default();
            for (id, event) in some {
                match (event, now.get(*id)) {
                    (Event::Deleted(data), _) => lists[2].push(object.at(data, minor)),
                    (Event::Created, Some(data)) => lists[0].push(object.at(data, minor)),
                    (Event::Updated, Some(data)) => lists[1].push(object.at(data, minor)),
                    (_, None) if is_reread => lists[2].push(object.gone(id, minor)),
                    // Its deletion is told by who deleted it.
                    (_, None) => {}
                }
            }
            for (list, word) in lists.into_iter().zip(["created", "updated", "deleted"]) {
                for chunk in list.chunks(CHUNK) {
                    let topic = format!("neutron-vo-{}-{}.{minor}", object.name, object.version.0);
                    let args = json!({"resource_list": chunk, "event_type": word});
                    let mut message = Message::new(topic, "1.1", "push", args).to_all();
                    // Other keys can come again.
                    message.lasting = word == "deleted" && object.id == "id" && !object.pair;
                    rpc::cast(engine, cx, message);
                }
            }
        }
        Ok(())
    }

    /// Notes what changed since then: a server that was killed may not have told it, agents may not have heard it.
    pub fn recall(&self, since: NaiveDateTime) {
        locked(&self.0.queue).look_up_since(since);
        self.0.wake.notify_one();
    }

    fn note(&self, cx: &Context, change: &Change, has_new_group: bool) {
        let Some(told) = TOLD.iter().find(|told| told.collection == change.collection) else { return };
        let event = match change.verb {
            // The rules that a new group begins with are in it.
            Verb::Created if has_new_group && told.object.name == SECURITY_GROUP_RULE.name => None,
            Verb::Created => told.created.clone(),
            Verb::Updated => told.updated.then_some(Event::Updated),
            Verb::Deleted => told.reread.then_some(Event::Updated),
        };
        let Some(event) = event else { return };
        // A server that starts finds again what is there; see `recall`.
        let ticket = if told.reread && change.verb != Verb::Deleted { None } else { cx.ticket() };
        let mut queue = locked(&self.0.queue);
        queue.note(cx.now(), told.object, &change.id, event);
        queue.hold(ticket);
    }
}

/// The logs of security groups: agents ask again what they log when rules change, which raises their group's revision.
const LOGS_OF_GROUPS: &str = "SELECT DISTINCT l.id FROM logs l JOIN securitygroups g ON l.resource_id = g.id \
    OR (l.resource_id IS NULL AND l.target_id IS NULL AND l.project_id = g.project_id) \
    OR EXISTS (SELECT 1 FROM securitygroupportbindings b WHERE b.port_id = l.target_id AND b.security_group_id = g.id) \
    WHERE l.resource_type = 'security_group' AND l.enabled = ";

/// The parts of trunks that changed since then: which part is new is not known, and agents take what they have.
const SUBPORTS_SINCE: &str = "SELECT x.port_id FROM subports x JOIN trunks t ON t.id = x.trunk_id \
    JOIN standardattributes a ON a.id = t.standard_attr_id WHERE a.updated_at >= ?";

/// Finds the objects of raised revisions, and those that did not fit into the queue.
async fn resolve(engine: &Engine, batch: &mut Batch) -> Result<()> {
    if batch.raised.is_empty() && batch.since.is_none() {
        return Ok(());
    }
    let raised: Vec<i64> = batch.raised.iter().copied().collect();
    let mut tx = engine.db.reader().await?;
    let (mut found, mut subports) = (Vec::new(), Vec::new());
    if !raised.is_empty() {
        if engine.registry.entry("logs").is_some() {
            for some in raised.chunks(LOAD) {
                let mut sql = Sql::raw(LOGS_OF_GROUPS);
                sql.bind(true).push(" AND ").append(Sql::in_ints(tx.dialect(), "g.standard_attr_id", some));
                for row in tx.select(sql).await? {
                    found.push((&LOG, row.text(0)?));
                }
            }
        }
        for object in BY_REVISION {
            for some in raised.chunks(LOAD) {
                let mut sql = Sql::raw(format!("SELECT id FROM {} WHERE ", object.table()));
                sql.append(Sql::in_ints(tx.dialect(), "standard_attr_id", some));
                for row in tx.select(sql).await? {
                    found.push((object, row.text(0)?));
                }
            }
        }
    }
    if let Some(since) = batch.since {
        // Those that agents take as they are, however often they hear of them.
        for told in TOLD.iter().filter(|told| told.reread || [QOS_POLICY.name, LOG.name].contains(&told.object.name)) {
            let mut sql = Sql::raw(format!(
                "SELECT t.id FROM {} t JOIN standardattributes a ON a.id = t.standard_attr_id WHERE a.updated_at >= ",
                told.object.table()
            ));
            sql.bind(since);
            for row in tx.select(sql).await? {
                found.push((told.object, row.text(0)?));
            }
        }
        if engine.registry.entry("trunks").is_some() {
            for row in tx.query(SUBPORTS_SINCE, args![since]).await? {
                subports.push(row.text(0)?);
            }
        }
    }
    for (object, id) in found {
        batch.note(object, &id, Event::Updated);
    }
    for id in subports {
        batch.note(&SUB_PORT, &id, Event::Created);
    }
    batch.raised.clear();
    batch.since = None;
    Ok(())
}

impl Watcher for Pusher {
    fn changed(&self, _engine: &Engine, cx: &Context, changes: &Changes) {
        let has_new_group = changes.objects.iter().any(|change| change.collection == "security_groups" && change.verb == Verb::Created);
        for change in &changes.objects {
            self.note(cx, change, has_new_group);
        }
        if !changes.raised.is_empty() {
            locked(&self.0.queue).raise(cx.now(), &changes.raised);
        }
        self.0.wake.notify_one();
    }
}

#[async_trait]
impl ResourceVersions for Pusher {
    fn reported(&self, engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>) {
        if versions.is_empty() {
            return;
        }
        self.tracker().set(cx.now(), agent_type, host, versions);
        versions::tell(engine, cx, agent_type, host, versions);
    }

    async fn going(&self, op: &mut Op<'_>, kind: &str, ids: &[&str]) -> Result<()> {
        let Some(object) = kinds::find(kind).filter(|_| !self.tracker().is_idle()) else { return Ok(()) };
        let found = load::load_ids(op.tx, object, ids).await?;
        let (pusher, cx) = (self.clone(), op.cx.clone());
        op.tx.after_commit(move || {
            for data in found {
                let id = data.get(object.id).and_then(Value::as_str).unwrap_or_default().to_owned();
                locked(&pusher.0.queue).note(cx.now(), object, &id, Event::Deleted(data));
            }
            locked(&pusher.0.queue).hold(cx.ticket());
            pusher.0.wake.notify_one();
        });
        Ok(())
    }
}

/// Keeps what is about to be deleted, for agents to hear of.
pub struct Going {
    pub pusher: Pusher,
    pub object: &'static Object,
}

#[async_trait]
impl Hook for Going {
    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        self.pusher.going(op, self.object.name, &[original.id()]).await
    }
}

/// Sends what waits, as long as the server runs.
pub struct Sender(pub Pusher);

#[async_trait]
impl Worker for Sender {
    fn name(&self) -> &'static str {
        "versioned objects"
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: watch::Receiver<bool>) -> Result<()> {
        // There is one of it.
        let _ = self.0.0.stop.set(stop.clone());
        match changes::untold_since(&engine, &Context::internal("")).await {
            Ok(since) => self.0.recall(since),
            Err(error) => {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), "what was not told before the last end of a server is not known");
            }
        }
        loop {
            if let Err(error) = self.0.flush(&engine).await {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), "agents could not be told of changes yet");
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    () = tokio::time::sleep(PAUSE) => continue,
                }
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.0.0.wake.notified() => {}
            }
        }
        // What the last requests changed.
        self.0.flush(&engine).await
    }
}
