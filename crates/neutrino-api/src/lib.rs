// SPDX-License-Identifier: Apache-2.0
//! The HTTP side of the server: listener, `api-paste.ini` pipeline, filters, versions, metrics.
//!
//! Owns the way of a request from the socket to the routes and back. Names no resource: the API is an [`app::App`] that the
//! pipeline is given. Invariant: a handler that has started runs to its end, whatever its client does.

pub mod app;
pub mod dispatch;
pub mod filters;
pub mod http;
pub mod metrics;
pub mod openapi;
pub mod paste;
pub mod versions;
