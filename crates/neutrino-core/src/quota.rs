// SPDX-License-Identifier: Apache-2.0
//! Where a create meets the quota: the engine asks, in the transaction and before anything is written; a feature answers.
//!
//! Counts the objects of a request by project. Knows no limit and no table of limits. Objects that the server makes itself
//! ([`Op::create_object`]) are not asked about, as in Neutron; they count all the same once they are there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use neutrino_model::Body;
use neutrino_types::Result;

use crate::Op;

/// Decides whether projects may have more objects.
#[async_trait]
pub trait Quota: Send + Sync {
    /// Refuses (409 `OverQuota`), or claims for this transaction whatever makes the answer stay true until it commits. `wanted`: new
    /// objects of the collection, by project.
    async fn reserve(&self, op: &mut Op<'_>, collection: &str, wanted: &BTreeMap<&str, i64>) -> Result<()>;
}

/// The new objects of a request by the project that will own them; nothing for a collection without owners.
pub(crate) fn by_project(bodies: &[Body]) -> BTreeMap<&str, i64> {
    let mut wanted = BTreeMap::new();
    for body in bodies.iter().filter(|body| body.table().find("project_id").is_some()) {
        *wanted.entry(body.project_id()).or_default() += 1;
    }
    wanted
}
