// SPDX-License-Identifier: Apache-2.0
//! `neutron-rpc-server`. Everything is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    neutrino_server::server::main("neutron-rpc-server", std::env::args_os())
}
