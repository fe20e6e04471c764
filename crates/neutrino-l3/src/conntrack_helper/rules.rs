// SPDX-License-Identifier: Apache-2.0
//! The rules of conntrack helpers.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Op};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, error::kinds};

use super::{NOT_ALLOWED, WRONG_PROTOCOL};
use crate::routers::ROUTER_NOT_FOUND;

pub(super) struct ConntrackHelpers {
    /// Helper and protocol.
    pub allowed: Vec<(String, String)>,
}

impl ConntrackHelpers {
    fn ensure_allowed(&self, helper: &str, protocol: &str) -> Result<()> {
        let protocols: Vec<&str> = self.allowed.iter().filter(|(name, _)| name == helper).map(|(_, protocol)| protocol.as_str()).collect();
        if protocols.is_empty() {
            return Err(NOT_ALLOWED.error(format!("Conntrack helper {helper} is not allowed.")));
        }
        if !protocols.contains(&protocol) {
            return Err(WRONG_PROTOCOL.error(format!(
                "Conntrack helper {helper} does not support: {protocol}. Supported protocols are: {}.",
                protocols.join(", ")
            )));
        }
        Ok(())
    }
}

/// Holds the router, and raises its revision.
async fn touch(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    let standard = op.lock("routers", router_id).await?;
    op.touch(standard.ok_or_else(|| ROUTER_NOT_FOUND.error(format!("Router {router_id} could not be found.")))?);
    Ok(())
}

fn refused(error: Error) -> Error {
    if error.is_duplicate("") {
        return kinds::BAD_REQUEST_PLUGIN
            .error("Bad conntrack_helper request: the router has a conntrack helper with this protocol, port and helper already.");
    }
    error
}

#[async_trait]
impl Behaviour for ConntrackHelpers {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        self.ensure_allowed(body.str("helper").unwrap_or_default(), body.str("protocol").unwrap_or_default())?;
        let router_id = body.str("router_id").unwrap_or_default().to_owned();
        touch(op, &router_id).await?;
        op.insert(id, body, &[]).await.map_err(refused)
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let becomes = |name: &str| body.str(name).unwrap_or_else(|| original.str(name)).to_owned();
        self.ensure_allowed(&becomes("helper"), &becomes("protocol"))?;
        let changes = ["protocol", "port", "helper"].iter().any(|name| body.get(name).is_some_and(|value| value != original.get(name)));
        if changes {
            touch(op, original.str("router_id")).await?;
        }
        op.update(original, body).await.map_err(refused)
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        touch(op, original.str("router_id")).await?;
        op.delete(original).await
    }
}
