// SPDX-License-Identifier: Apache-2.0
//! `neutron-periodic-workers`: `neutron-server` under this name.

mod beside;

fn main() -> std::process::ExitCode {
    beside::become_server("neutron-periodic-workers")
}
