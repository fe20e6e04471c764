// SPDX-License-Identifier: Apache-2.0
//! `neutron-db-manage`: `neutron-server` under this name.

mod beside;

fn main() -> std::process::ExitCode {
    beside::become_server("neutron-db-manage")
}
