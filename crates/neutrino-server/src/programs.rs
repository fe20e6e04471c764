// SPDX-License-Identifier: Apache-2.0
//! The programs of this server: one binary, which does what the name says that it is started under.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::{db_manage, server};

/// Programs that serve, by what [`crate::role::Role`] knows them as; the first is what any other name means.
const SERVERS: [&str; 4] = ["neutron-server", "neutron-api", "neutron-rpc-server", "neutron-periodic-workers"];

/// Runs the program that `args` begins with.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    #[cfg(debug_assertions)]
    seed();
    let name = args.first().and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str()).unwrap_or_default();
    if name == "neutron-db-manage" {
        return db_manage::main(args);
    }
    let server = SERVERS.into_iter().find(|known| *known == name).unwrap_or(SERVERS[0]);
    server::main(server, args)
}

/// A debug build that is started with `NEUTRINO_TEST_SEED=N` draws the same addresses, segments and ids each time: tests that compare it with
/// recorded answers pass always or never.
#[cfg(debug_assertions)]
fn seed() {
    if let Some(row) = std::env::var("NEUTRINO_TEST_SEED").ok().and_then(|row| row.parse().ok()) {
        neutrino_core::context::seed_for_tests(row);
    }
}
