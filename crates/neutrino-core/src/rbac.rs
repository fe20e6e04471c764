// SPDX-License-Identifier: Apache-2.0
//! Sharing: the rows of Neutron's `*rbacs` tables that features write when an object is made shared.

use neutrino_db::{Pending, args};

use crate::Op;

/// The wildcard target: every project.
pub const EVERYONE: &str = "*";

/// Gives every project `action` (`access_as_shared`, `access_as_external`) on an object; nothing happens if it has it.
///
/// # Errors
/// The database's.
#[inline(never)]
pub fn share_with_everyone<'a>(
    op: &'a mut Op<'_>,
    table: &'static str,
    object_id: &'a str,
    project_id: &'a str,
    action: &'a str,
) -> Pending<'a, ()> {
    Box::pin(async move {
        let known = op
            .tx
            .count(
                &format!("SELECT count(*) FROM {table} WHERE object_id = ? AND action = ? AND target_project = ?"),
                args![object_id, action, EVERYONE],
            )
            .await?;
        if known == 0 {
            let id = op.cx.new_id();
            let columns = vec![
                ("id", id.into()),
                ("project_id", project_id.into()),
                ("object_id", object_id.into()),
                ("target_project", EVERYONE.into()),
                ("action", action.into()),
            ];
            op.insert_row(table, columns).await?;
        }
        Ok(())
    })
}

/// Takes the wildcard back.
///
/// # Errors
/// The database's.
#[inline(never)]
pub fn unshare_with_everyone<'a>(op: &'a mut Op<'_>, table: &'static str, object_id: &'a str, action: &'a str) -> Pending<'a, ()> {
    Box::pin(async move {
        let text = format!("DELETE FROM {table} WHERE object_id = ? AND action = ? AND target_project = ?");
        op.tx.execute(&text, args![object_id, action, EVERYONE]).await?;
        Ok(())
    })
}
