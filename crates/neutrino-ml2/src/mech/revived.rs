// SPDX-License-Identifier: Apache-2.0
//! Ports that could not be bound while the agent of their host was silent are tried again when it is back.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook};
use neutrino_model::Record;
use neutrino_types::Result;

use super::{bind::rebind_failed, manager};

struct Revived;

#[async_trait]
impl Hook for Revived {
    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, record: &Record) -> Result<()> {
        let is_back = !original.bool("alive") && record.bool("alive") && record.bool("admin_state_up");
        if is_back && manager(engine).knows_agent_type(record.str("agent_type")) {
            let count = rebind_failed(engine, cx, record.str("host")).await?;
            if count > 0 {
                tracing::info!(host = record.str("host"), "{count} port(s) are bound anew: the agent is back");
            }
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.hook_where_served("agents", Revived);
}
