// SPDX-License-Identifier: Apache-2.0
//! A network that is shared with every project, and when it may cease to be.
//!
//! Rule: a network cannot be unshared while a project that would lose sight of it has ports or subnets there.

use neutrino_core::{Op, rbac};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Kind as ErrorKind, Result};

pub const INVALID_SHARED_SETTING: ErrorKind = ErrorKind::new("InvalidSharedSetting", 409);

pub const RBACS: &str = "networkrbacs";
pub const ACCESS_SHARED: &str = "access_as_shared";

/// Shares or unshares with everyone; nothing happens if that is how it is.
pub async fn change(op: &mut Op<'_>, original: &Record, shared: bool) -> Result<()> {
    let id = original.id();
    let is = op
        .tx
        .count(
            "SELECT count(*) FROM networkrbacs WHERE object_id = ? AND action = ? AND target_project = ?",
            args![id, ACCESS_SHARED, rbac::EVERYONE],
        )
        .await?
        > 0;
    match (is, shared) {
        (false, true) => rbac::share_with_everyone(op, RBACS, id, original.project_id(), ACCESS_SHARED).await?,
        (true, false) => {
            // No port may come in after the look.
            op.lock("networks", id).await?;
            ensure_no_stranger(op, original).await?;
            rbac::unshare_with_everyone(op, RBACS, id, ACCESS_SHARED).await?;
        }
        _ => return Ok(()),
    }
    op.touch(original.standard_attr_id);
    Ok(())
}

async fn ensure_no_stranger(op: &mut Op<'_>, original: &Record) -> Result<()> {
    let id = original.id();
    let sql = "SELECT count(*) FROM (\
                 SELECT p.project_id FROM ports p WHERE p.network_id = ? AND p.device_owner NOT LIKE 'network:%' \
                 UNION SELECT s.project_id FROM subnets s WHERE s.network_id = ?) users \
               WHERE users.project_id <> ? AND users.project_id NOT IN (\
                 SELECT r.target_project FROM networkrbacs r WHERE r.object_id = ? AND r.action = ? AND r.target_project <> ?)";
    let strangers = op.tx.count(sql, args![id, id, original.project_id(), id, ACCESS_SHARED, rbac::EVERYONE]).await?;
    if strangers == 0 {
        return Ok(());
    }
    Err(INVALID_SHARED_SETTING.error(format!(
        "Unable to stop sharing network {id}: {strangers} other project(s) have ports or subnets on it; remove those, or share it with each of them."
    )))
}
