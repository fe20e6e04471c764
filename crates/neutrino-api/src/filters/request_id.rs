// SPDX-License-Identifier: Apache-2.0
//! `request_id`: names each request to its caller, and takes over the id of a calling service.

/// A new request id: `req-` and a random UUID.
#[must_use]
pub fn generate() -> String {
    format!("req-{}", uuid::Uuid::new_v4())
}
