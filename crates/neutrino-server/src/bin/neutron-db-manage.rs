// SPDX-License-Identifier: Apache-2.0
//! `neutron-db-manage`. Everything is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    neutrino_server::db_manage::main(std::env::args_os())
}
