// SPDX-License-Identifier: Apache-2.0
//! `neutron-server`, and every other program by its name. Everything is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    neutrino_server::programs::main(std::env::args_os().collect())
}
