// SPDX-License-Identifier: Apache-2.0
//! The API, in process, against a real database. One module for each collection, named as in the URL.

#![expect(clippy::unwrap_used, reason = "tests")]

mod address_scopes;
mod bad_input;
mod networks;
mod networks_provider;
mod ports;
mod subnetpools;
mod subnets;
mod tables;
