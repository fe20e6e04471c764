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
    let name = args.first().and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str()).unwrap_or_default();
    if name == "neutron-db-manage" {
        return db_manage::main(args);
    }
    let server = SERVERS.into_iter().find(|known| *known == name).unwrap_or(SERVERS[0]);
    server::main(server, args)
}
