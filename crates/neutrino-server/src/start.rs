// SPDX-License-Identifier: Apache-2.0
//! Reaching the database and putting the parts together.
//!
//! Owns: connection, the check of the schema, the way from a configuration to an application and the workers beside it.
//! Refuses to own: which features there are ([`mod@crate::assemble`]).

use std::sync::Arc;
use std::time::Duration;

use keystone_auth::Validator;
use neutrino_api::app::App;
use neutrino_api::metrics::Metrics;
use neutrino_core::Engine;
use neutrino_db::{Db, DbOptions};
use neutrino_rpc::Rpc;
use neutrino_schema::{SchemaError, State};
use oslo_config::{Config, ConfigError, ConfigErrors};

use crate::{assemble, keystone, number, pipeline, service_plugins};

/// Why the server does not start; one sentence a line.
#[derive(Debug)]
pub struct StartError(pub String);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigErrors> for StartError {
    fn from(errors: ConfigErrors) -> Self {
        StartError(errors.to_string())
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        StartError(error.to_string())
    }
}

impl From<String> for StartError {
    fn from(sentence: String) -> Self {
        StartError(sentence)
    }
}

/// The parts, ready to run.
pub struct Started {
    pub app: Arc<dyn App>,
    /// Checks tokens; `None` with `auth_strategy = noauth`.
    pub authtoken: Option<Validator>,
    pub engine: Arc<Engine>,
    /// Paths of the collections, for the labels of metrics.
    pub collections: Vec<String>,
    pub rpc: Arc<Rpc>,
    /// What is loaded, for the banner and the log.
    pub loaded: String,
}

/// Puts everything together.
///
/// # Errors
/// What cannot be loaded, reached or obeyed.
pub async fn start(conf: &Config, standalone: bool, metrics: &Metrics, program: &str) -> Result<Started, StartError> {
    let db = connect(conf).await?;
    crate::metrics::register_database(metrics, &db);
    check_schema(conf, &db, standalone).await?;
    let (engine, api, rpc) = assemble::api(conf, db, pipeline::api_options(conf), program).await?;
    crate::metrics::register_bus(metrics, &rpc);
    if let Some(pusher) = engine.registry.service::<neutrino_ovo::Pusher>() {
        crate::metrics::register_pusher(metrics, &pusher);
    }
    service_plugins::check(conf, &engine.registry)?;
    let collections = api.collections().map(str::to_owned).collect();
    let authtoken = keystone::validator(conf)?;
    if let Some(validator) = &authtoken {
        crate::metrics::register_keystone(metrics, validator);
    }
    let app = pipeline::build(conf, api, authtoken.clone())?;
    let names = std::iter::once(conf.text("DEFAULT", "core_plugin")).chain(conf.list("DEFAULT", "service_plugins"));
    let loaded = format!("{} ({} extensions)", names.collect::<Vec<_>>().join(", "), engine.registry.extensions().len());
    Ok(Started { app, authtoken, engine, collections, rpc, loaded })
}

/// Sizes and times of the pool, and the sessions' settings.
///
/// # Errors
/// A setting that cannot be obeyed.
pub fn db_options(conf: &Config) -> Result<DbOptions, StartError> {
    let [size, overflow] = ["max_pool_size", "max_overflow"].map(|name| conf.int("database", name));
    let mode = conf.text("database", "mysql_sql_mode");
    if !mode.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c == ',') {
        return Err(conf
            .refuse::<&str>("database", "mysql_sql_mode", &mode, "must be names of modes, in capitals, separated by commas", &[])
            .into());
    }
    Ok(DbOptions {
        // SQLAlchemy takes 0 and -1 for "no limit"; ours is bounded all the same.
        max_connections: if size == 0 || overflow < 0 { 1000 } else { u32::try_from(size.saturating_add(overflow)).unwrap_or(1000) },
        pool_timeout_ms: conf.opt_int("database", "pool_timeout").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(30) * 1000,
        // -1 means that a connection is kept for ever.
        connection_recycle_s: u64::try_from(conf.int("database", "connection_recycle_time")).unwrap_or(u64::from(u32::MAX)),
        mysql_sql_mode: mode,
        mysql_wsrep_sync_wait: conf.opt_int("database", "mysql_wsrep_sync_wait"),
    })
}

/// `[database] connection` with `connection_parameters`, as Neutron puts them together.
#[must_use]
pub fn database_url(conf: &Config) -> String {
    let (url, more) = (conf.text("database", "connection"), conf.text("database", "connection_parameters"));
    let separator = if url.contains('?') { '&' } else { '?' };
    if more.is_empty() { url } else { format!("{url}{separator}{more}") }
}

/// Reaches the database, trying again as `[database] max_retries` and `retry_interval` say.
///
/// # Errors
/// The last failure.
pub async fn connect(conf: &Config) -> Result<Db, StartError> {
    let (url, options) = (database_url(conf), db_options(conf)?);
    if conf.str("database", "slave_connection").is_some() {
        tracing::info!("[database] slave_connection is not used: every read of the API's must see what was written last, as in Neutron");
    }
    let (tries, pause) = (conf.int("database", "max_retries"), Duration::from_secs(number(conf, "database", "retry_interval")));
    let mut tried = 0;
    loop {
        let error = match Db::connect(&url, &options).await {
            Ok(db) => return Ok(db),
            Err(error) => error,
        };
        let reason = error.log().unwrap_or_else(|| error.message());
        // Neither a file nor a wrong URL gets better by waiting.
        if url.starts_with("sqlite") || error.status() < 500 || (tries >= 0 && tried >= tries) {
            let reason = format!("the database cannot be reached: {reason}");
            return Err(conf.refuse::<&str>("database", "connection", "", &reason, &[]).into());
        }
        tried += 1;
        tracing::warn!("the database cannot be reached (try {tried}): {reason}");
        tokio::time::sleep(pause).await;
    }
}

/// A standalone server makes its own tables; otherwise they must be there.
async fn check_schema(conf: &Config, db: &Db, standalone: bool) -> Result<(), StartError> {
    let refuse = |error: SchemaError| conf.refuse::<&str>("database", "connection", "", &error.to_string(), &[]);
    let state = neutrino_schema::state(db).await.map_err(refuse)?;
    if standalone && matches!(state, State::Empty | State::Current { .. }) {
        neutrino_schema::upgrade(db).await.map_err(refuse)?;
        return Ok(());
    }
    Ok(neutrino_schema::ensure_current(db).await.map_err(refuse)?)
}
