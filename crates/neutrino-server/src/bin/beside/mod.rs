// SPDX-License-Identifier: Apache-2.0
//! Becoming the `neutron-server` that lies beside this program. All programs are one: these small ones only bear their names, so that the whole is
//! built, linked and kept once. A link (`ln -s neutron-server neutron-api`) does the same.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Replaces this process (the process id stays); comes back only when that fails.
pub fn become_server(name: &str) -> ExitCode {
    let server = match std::env::current_exe() {
        Ok(own) => own.with_file_name("neutron-server"),
        Err(error) => {
            eprintln!("{name}: cannot find out where it lies: {error}");
            return ExitCode::FAILURE;
        }
    };
    let error = Command::new(&server).arg0(name).args(std::env::args_os().skip(1)).exec();
    eprintln!("{name}: {} cannot be started ({error}); it must lie beside {name}", server.display());
    ExitCode::FAILURE
}
