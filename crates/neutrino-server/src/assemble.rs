// SPDX-License-Identifier: Apache-2.0
//! The explicit list of what is loaded, in the order of its hooks.

use std::sync::Arc;

use neutrino_api::dispatch::{Api, ApiOptions};
use neutrino_core::{Builder, Engine, Policy, Registry};
use neutrino_db::Db;
use neutrino_rpc::Rpc;
use oslo_config::{Config, Opt};

/// The options of every feature that can be loaded, whether it is on or not.
#[must_use]
pub fn feature_options() -> Vec<&'static [Opt]> {
    [
        &[neutrino_core::plugins::OPTIONS, neutrino_core::policy::OPTIONS, oslo_messaging::OPTIONS, neutrino_rpc::OPTIONS][..],
        neutrino_ml2::OPTIONS,
        neutrino_services::OPTIONS,
        neutrino_l3::OPTIONS,
    ]
    .concat()
}

/// Everything that this configuration turns on.
///
/// # Errors
/// A sentence for the operator: what was asked for and is not known, or does not fit.
pub fn registry(config: &Config) -> Result<Registry, String> {
    build(config, Builder::default())
}

fn build(config: &Config, mut builder: Builder) -> Result<Registry, String> {
    neutrino_ml2::register(&mut builder, config)?;
    neutrino_l3::register(&mut builder, config)?;
    neutrino_services::register(&mut builder, config)?;
    neutrino_ovo::register(&mut builder);
    builder.build()
}

/// The API and the message bus over a database whose schema is in place, with the features' start-up work done. `program`: the name of this
/// process for the broker's operator.
///
/// # Errors
/// As [`registry`]; what the start-up work meets.
pub async fn api(config: &Config, db: Db, options: ApiOptions, program: &str) -> Result<(Arc<Engine>, Arc<Api>, Arc<Rpc>), String> {
    let mut builder = Builder::default();
    let rpc = neutrino_rpc::register(&mut builder, config, program).map_err(|error| error.to_string())?;
    let registry = build(config, builder)?;
    let (source, rules) = neutrino_core::policy::from_config(config)?;
    let policy = Policy::start(&registry, source, rules, neutrino_core::policy::Remote::from_config(config)?)?;
    let engine = Arc::new(Engine::new(db, registry, policy));
    engine.start().await.map_err(|error| error.log().unwrap_or_else(|| error.message()).to_owned())?;
    let api = Arc::new(Api::new(engine.clone(), options));
    Ok((engine, api, rpc))
}
