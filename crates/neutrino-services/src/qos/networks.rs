// SPDX-License-Identifier: Apache-2.0
//! Policies of networks. A new network that names none has its project's default policy.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_model::{Body, Record};
use neutrino_types::Result;

use super::{
    bindings::{self, NETWORK},
    drivers::Drivers,
    errors::NOT_SUPPORTED_BY_NETWORK,
    placed, policies,
    ports::{self, POLICY},
    rule::{self, Rule},
};

pub struct Networks {
    pub drivers: Arc<Drivers>,
}

impl Networks {
    async fn rules(&self, op: &mut Op<'_>, network_id: &str, policy_id: &str) -> Result<Vec<Rule>> {
        let rules = rule::of_policy(op.tx, policy_id).await?;
        match rules.iter().find(|rule| !self.drivers.serve_network(rule)) {
            None => Ok(rules),
            Some(rule) => Err(NOT_SUPPORTED_BY_NETWORK.error(format!(
                "Rule {} of QoS policy {policy_id} is not supported by network {network_id}: no loaded driver enforces it.",
                rule.kind().name
            ))),
        }
    }
}

#[async_trait]
impl Hook for Networks {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let policy = match body.str(POLICY) {
            Some(asked) => Some(asked.to_owned()),
            None => policies::default_of(op, body.project_id()).await?,
        };
        let Some(policy) = policy else { return Ok(()) };
        bindings::attach(op, &NETWORK, id, &policy).await?;
        self.rules(op, id, &policy).await.map(drop)
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, original: &Record, body: &mut Body) -> Result<()> {
        let Some(asked) = body.get(POLICY) else { return Ok(()) };
        let (old, new) = (original.opt_str(POLICY), asked.as_str());
        if old == new || old.is_none() || !placed::is_on(engine) {
            return Ok(());
        }
        let changes = {
            let mut tx = engine.db.reader().await?;
            placed::of_network(&mut tx, original.id(), old, new).await?
        };
        placed::ask_all(engine, cx, &changes).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.get(POLICY) else { return Ok(()) };
        let (id, old, new) = (original.id(), original.opt_str(POLICY), asked.as_str());
        if !bindings::change(op, &NETWORK, id, old, new).await? {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        let users = ports::by_network(op, id).await?;
        ports::ensure_not_placed(op, old, &users).await?;
        if placed::is_on(op.engine) {
            for (port, change) in placed::of_network(op.tx, id, old, new).await? {
                placed::write(op, &port, &change).await?;
            }
        }
        if let Some(new) = new {
            let rules = self.rules(op, id, new).await?;
            ports::ensure_enforced(&self.drivers, &rules, &users)?;
        }
        Ok(())
    }
}
