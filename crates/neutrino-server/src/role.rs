// SPDX-License-Identifier: Apache-2.0
//! Which parts of the server a program runs: all of them, or one of those that operators deploy apart.

/// The parts of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The API's listener.
    pub api: bool,
    /// The topics of agents.
    pub rpc: bool,
    /// What looks after the whole deployment from time to time.
    pub periodic: bool,
}

impl Role {
    /// By the name of the program: `neutron-server` does it all.
    #[must_use]
    pub fn of(program: &str) -> Self {
        match program {
            "neutron-api" => Self { api: true, rpc: false, periodic: false },
            "neutron-rpc-server" => Self { api: false, rpc: true, periodic: false },
            "neutron-periodic-workers" => Self { api: false, rpc: false, periodic: true },
            _ => Self { api: true, rpc: true, periodic: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_together_do_what_the_server_does_alone() {
        let parts = ["neutron-api", "neutron-rpc-server", "neutron-periodic-workers"].map(Role::of);
        let once = |part: fn(&Role) -> bool| parts.iter().filter(|role| part(role)).count() == 1;
        assert!(once(|role| role.api) && once(|role| role.rpc) && once(|role| role.periodic));
        assert_eq!(Role::of("neutron-server"), Role { api: true, rpc: true, periodic: true });
    }
}
