// SPDX-License-Identifier: Apache-2.0
//! The HTTP side, from outside: real sockets on ports that the system chooses, and pipelines called in process.
#![expect(clippy::unwrap_used, reason = "tests")]

mod authtoken;
mod connections;
mod drain;
mod harness;
mod limits;
mod metrics;
mod paste;
mod pipeline;
mod tls;
