// SPDX-License-Identifier: Apache-2.0
//! `GET /auto-allocated-topology/{project}`: a network with subnets and a router that leads out, made when it is first asked for.
//!
//! Owns `auto_allocated_topologies`. Needs a default external network and a default subnet pool. Everything is made in one transaction, so
//! that a part that fails leaves nothing behind, and the key of the table lets one request of a race win; the others answer with what it
//! made. Refuses to own: which network and which pools are the default ones.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Op, Place, routers::RouterService, service_plugin};
use neutrino_db::{Tx, args};
use neutrino_model::{Attribute, Body, Extension, Methods, Record, Resource, Validator, Visibility};
use neutrino_types::{Error, Kind, Result, error::kinds};
use oslo_config::Config;
use serde_json::{Value, json};

const COLLECTION: &str = "auto_allocated_topologies";
const FAILURE: Kind = Kind::new("AutoAllocationFailure", 409);
const NOT_AUTHORIZED: Kind = Kind::new("NotAuthorized", 403);

/// The field by which a request only asks whether it could be done.
const DRY_RUN: &str = "dry-run";
/// The id in its answer.
const PASSED: &str = "dry-run=pass";
/// `project_id` takes no more.
const MAX_PROJECT: usize = 255;

static RESOURCE: Resource = Resource::new(
    COLLECTION,
    "auto_allocated_topology",
    "auto-allocated-topology",
    "",
    kinds::NOT_FOUND,
    &[Attribute::new("id").validate(Validator::Uuid), Attribute::new("tenant_id").validate(Validator::Uuid)],
)
.virtual_rows()
.no_bulk()
.whole_answers()
.visibility(Visibility::Everyone)
.methods(Methods { list: false, show: true, create: false, update: false, delete: true });

static EXTENSION: Extension = Extension::new(
    "auto-allocated-topology",
    "Auto Allocated Topology Services",
    "Auto Allocated Topology Services.",
    "2016-01-01T00:00:00-00:00",
)
.requires(&["subnet_allocation", "external-net", "router"])
.resources(&[&RESOURCE]);

/// Always loaded, but of use only with routers.
pub fn register(builder: &mut Builder, config: &Config) {
    if service_plugin(config, "auto_allocate") && service_plugin(config, "router") {
        builder.extension(&EXTENSION).behaviour(COLLECTION, Topologies);
    }
}

fn failure(sentence: &str) -> Error {
    FAILURE.error(format!("Deployment error: {sentence}."))
}

/// What every topology is built on.
#[derive(Clone)]
struct Ground {
    external_network_id: String,
    /// Id and IP version of each default pool.
    pools: Vec<(String, i64)>,
}

impl Ground {
    async fn find(tx: &mut Tx) -> Result<Self> {
        let external =
            tx.query_one("SELECT network_id FROM externalnetworks WHERE is_default = ? ORDER BY network_id", args![true]).await?;
        let external = external.ok_or_else(|| failure("No default router:external network"))?;
        let pools = tx.query("SELECT id, ip_version FROM subnetpools WHERE is_default = ? ORDER BY ip_version, id", args![true]).await?;
        let pools: Vec<(String, i64)> = pools.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<_>>()?;
        if pools.is_empty() {
            return Err(failure("No default subnetpools defined"));
        }
        Ok(Self { external_network_id: external.text(0)?, pools })
    }
}

async fn found(tx: &mut Tx, project_id: &str) -> Result<Option<(String, Option<String>)>> {
    let row = tx.query_one("SELECT network_id, router_id FROM auto_allocated_topologies WHERE project_id = ?", args![project_id]).await?;
    row.map(|row| Ok((row.text(0)?, row.opt_text(1)?))).transpose()
}

async fn create(op: &mut Op<'_>, collection: &str, request: Value) -> Result<String> {
    let engine = op.engine;
    let request = request.as_object().cloned().unwrap_or_default();
    let mut body = Body::create(engine.entry(collection)?.table.clone(), &request, None, &engine.registry.limits)?;
    op.create_object(collection, &mut body).await
}

/// What a rule refuses while the topology is built is the deployment's fault, not the caller's.
fn blame(what: &'static str) -> impl FnOnce(Error) -> Error {
    move |error| if (400..500).contains(&error.status()) { failure(what).with_log(error.to_string()) } else { error }
}

async fn build(op: &mut Op<'_>, project_id: &str, ground: &Ground) -> Result<String> {
    let network = json!({"name": "auto_allocated_network", "project_id": project_id});
    let network_id = create(op, "networks", network).await.map_err(blame("Unable to provide project private network"))?;
    // Who comes second learns it here, before the rest is built.
    let columns = vec![("project_id", project_id.into()), ("network_id", network_id.as_str().into())];
    op.insert_row("auto_allocated_topologies", columns).await?;
    let mut subnets = Vec::new();
    for (pool_id, version) in &ground.pools {
        let name = format!("auto_allocated_subnet_v{version}");
        let subnet =
            json!({"name": name, "network_id": network_id, "project_id": project_id, "ip_version": version, "subnetpool_id": pool_id});
        subnets.push(create(op, "subnets", subnet).await.map_err(blame("Unable to provide project private network"))?);
    }
    let gateway = json!({"network_id": ground.external_network_id});
    let router = json!({"name": "auto_allocated_router", "project_id": project_id, "external_gateway_info": gateway});
    let router_id = create(op, "routers", router).await.map_err(blame("Unable to provide external connectivity"))?;
    let routers = service(op.engine)?;
    for subnet_id in &subnets {
        routers.0.plug(op, &router_id, subnet_id).await.map_err(blame("Unable to provide external connectivity"))?;
    }
    let sql = "UPDATE auto_allocated_topologies SET router_id = ? WHERE project_id = ?";
    op.tx.execute(sql, args![&router_id, project_id]).await?;
    Ok(network_id)
}

fn service(engine: &Engine) -> Result<Arc<RouterService>> {
    engine.registry.service::<RouterService>().ok_or_else(|| Error::internal("routers are on and offer no service"))
}

/// Takes a topology apart: what is still there of it.
async fn remove(op: &mut Op<'_>, project_id: &str) -> Result<()> {
    let Some((network_id, router_id)) = found(op.tx, project_id).await? else { return Ok(()) };
    op.tx.execute("DELETE FROM auto_allocated_topologies WHERE project_id = ?", args![project_id]).await?;
    if let Some(router_id) = router_id {
        service(op.engine)?.0.unplug(op, &router_id).await?;
        let router = op.find("routers", &router_id).await?;
        op.delete_object("routers", &router).await?;
    }
    let network = op.find("networks", &network_id).await?;
    op.delete_object("networks", &network).await
}

struct Topologies;

impl Topologies {
    /// The project that is meant; `None` stands for the caller's own.
    fn project(cx: &Context, id: &str) -> Result<String> {
        let project = if id == "None" { cx.project_id() } else { id };
        if !cx.is_admin() && project != cx.project_id() {
            return Err(NOT_AUTHORIZED.error("Only an administrator sees or builds the topology of another project."));
        }
        if project.is_empty() || project.chars().count() > MAX_PROJECT {
            return Err(kinds::BAD_REQUEST.error(format!("A project's id has 1 to {MAX_PROJECT} characters.")));
        }
        Ok(project.to_owned())
    }

    fn record(engine: &Engine, project_id: &str, id: &str) -> Result<Record> {
        let mut record = Record::new(engine.entry(COLLECTION)?.table.clone());
        record.set("id", id);
        record.set("project_id", project_id);
        Ok(record)
    }
}

#[async_trait]
impl Behaviour for Topologies {
    async fn show_row(&self, engine: &Engine, cx: &Context, place: Place<'_>, fields: Option<&[String]>) -> Result<Record> {
        let project_id = Self::project(cx, place.id)?;
        // Looking builds, so the rule is asked before.
        engine.judge(cx).project("get_auto_allocated_topology", &project_id).await?;
        match fields {
            Some([field]) if field == DRY_RUN => {
                Ground::find(&mut engine.db.reader().await?).await?;
                return Self::record(engine, &project_id, PASSED);
            }
            Some(_) => return Err(kinds::BAD_REQUEST_PLUGIN.error(format!("Unrecognized field: the only one is {DRY_RUN}."))),
            None => {}
        }
        let (known, ground) = {
            let mut tx = engine.db.reader().await?;
            match found(&mut tx, &project_id).await? {
                Some((network_id, _)) => (Some(network_id), None),
                None => (None, Some(Ground::find(&mut tx).await?)),
            }
        };
        let (Some(ground), None) = (ground, &known) else { return Self::record(engine, &project_id, &known.unwrap_or_default()) };
        // The parts belong to the project, whoever asks; the pools and the external network are the operator's.
        let cx = cx.elevated();
        let built = engine.transact(&cx, "networks", "auto-allocate a topology", |op| {
            let (project_id, ground) = (project_id.clone(), ground.clone());
            Box::pin(async move { build(op, &project_id, &ground).await })
        });
        let network_id = match built.await {
            Err(error) if error.is_duplicate("auto_allocated_topologies") || error.is_duplicate("PRIMARY") => {
                let other = found(&mut engine.db.reader().await?, &project_id).await?;
                other.map(|(network_id, _)| network_id).ok_or(error)?
            }
            built => built?,
        };
        Self::record(engine, &project_id, &network_id)
    }

    /// A delete does not build.
    async fn original_row(&self, engine: &Engine, cx: &Context, place: Place<'_>) -> Result<Record> {
        let project_id = Self::project(cx, place.id)?;
        let known = found(&mut engine.db.reader().await?, &project_id).await?;
        Self::record(engine, &project_id, &known.map(|(network_id, _)| network_id).unwrap_or_default())
    }

    async fn delete_row(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        let (cx, project_id) = (cx.elevated(), original.project_id().to_owned());
        engine
            .transact(&cx, "networks", "delete an auto-allocated topology", |op| {
                let project_id = project_id.clone();
                Box::pin(async move { remove(op, &project_id).await })
            })
            .await
    }
}
