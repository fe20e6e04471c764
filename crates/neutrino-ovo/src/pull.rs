// SPDX-License-Identifier: Apache-2.0
//! `pull` and `bulk_pull` on `q-plugin`: an agent asks for objects that its cache lacks.

use neutrino_core::{
    Context, Engine, RpcEndpoint,
    rpc::{self, Args},
};
use neutrino_db::{Sql, args};
use neutrino_types::{Kind, Result, error::kinds as errors};
use serde_json::Value;

use crate::{
    kinds,
    load::{condition, load, load_ids},
    object::{Data, Object},
};

/// Of `pull`, from `neutron_lib.callbacks.exceptions`.
const INVALID: Kind = Kind::new("Invalid", 400);
/// Of `bulk_pull`.
const INVALID_TYPE: Kind = Kind::new("InvalidResourceTypeClass", 400);

pub static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &["q-plugin"],
    namespace: None,
    version: (1, 1),
    methods: &[
        ("pull", |engine, cx, args| Box::pin(pull(engine, cx, args))),
        ("bulk_pull", |engine, cx, args| Box::pin(bulk_pull(engine, cx, args))),
    ],
};

fn asked(args: &Args, unknown: Kind) -> Result<(&'static Object, u32)> {
    let name = rpc::text(args, "resource_type")?;
    let object = kinds::find(name).ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        unknown.error(format!("There is no type of resource '{name}'."))
    })?;
    Ok((object, object.minor(rpc::text(args, "version")?)?))
}

async fn pull(engine: &Engine, _cx: &Context, args: &Args) -> Result<Value> {
    let (object, minor) = asked(args, INVALID)?;
    let id = rpc::text(args, "resource_id")?;
    let mut tx = engine.db.reader().await?;
    // A trunk is asked for by the port that carries it.
    let found = if object.name == kinds::TRUNK.name {
        load(&mut tx, object, Sql::new("t.port_id = ?", args![id])).await?
    } else {
        load_ids(&mut tx, object, &[id]).await?
    };
    Ok(found.first().map_or(Value::Null, |data| object.at(data, minor)))
}

async fn bulk_pull(engine: &Engine, _cx: &Context, args: &Args) -> Result<Value> {
    let (object, minor) = asked(args, INVALID_TYPE)?;
    let none = Data::new();
    let filters = match args.get("filter_kwargs") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(filters)) => filters,
        Some(_) => return Err(errors::INVALID_INPUT.error("The argument 'filter_kwargs' of the call is no dictionary.")),
    };
    let mut tx = engine.db.reader().await?;
    let condition = condition(object, tx.dialect(), filters)?;
    let found = load(&mut tx, object, condition).await?;
    Ok(found.iter().map(|data| object.at(data, minor)).collect())
}
