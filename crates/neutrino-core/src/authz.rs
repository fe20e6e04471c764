// SPDX-License-Identifier: Apache-2.0
//! The proof that somebody was allowed to do something.
//!
//! Every entry point of the engine takes one. It is made by [`authorize`], which the HTTP layer calls once per operation, or by
//! [`Authorized::internal`], which names its reason and can be searched for.

use neutrino_types::{Result, error::kinds};

use crate::Context;

/// See the module's documentation. Cannot be made outside this module.
#[derive(Debug)]
pub struct Authorized {
    _action: String,
}

impl Authorized {
    /// The server's own work, with the reason.
    #[must_use]
    pub fn internal(reason: &'static str) -> Self {
        Self { _action: reason.to_owned() }
    }
}

/// May the caller of `cx` do `action` (`create_network`)? Without an identity service every request is an administrator's; any
/// other caller is refused until the policy engine can judge it.
///
/// # Errors
/// 403 `PolicyNotAuthorized`.
pub fn authorize(cx: &Context, action: &str) -> Result<Authorized> {
    if cx.is_admin() {
        return Ok(Authorized { _action: action.to_owned() });
    }
    Err(kinds::POLICY_NOT_AUTHORIZED.error(format!("{action} is disallowed by policy.")))
}
