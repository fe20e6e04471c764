// SPDX-License-Identifier: Apache-2.0
//! Which service plugins the operator turned on, and the server's own name.

use oslo_config::{Config, Opt};

pub static OPTIONS: &[Opt] = &[
    Opt::list("DEFAULT", "service_plugins").default("").help("Service plugins, in order."),
    Opt::str("DEFAULT", "host").help("The name of this server for agents and in notifications; its host name if unset."),
    crate::dns::DRIVER,
];

/// Neutron loads these whatever the option says (`neutron/plugins/common/constants.py`).
const ALWAYS: [&str; 6] = ["auto_allocate", "tag", "timestamp", "network_ip_availability", "flavors", "revisions"];

/// Is the service plugin of this short name on?
#[must_use]
pub fn service_plugin(config: &Config, name: &str) -> bool {
    ALWAYS.contains(&name) || config.list("DEFAULT", "service_plugins").iter().any(|on| on == name)
}

/// The name of this server for agents and in notifications: `[DEFAULT] host`, else the machine's.
#[must_use]
pub fn host(config: &Config) -> String {
    let named = config.str("DEFAULT", "host").filter(|host| !host.is_empty());
    let of_machine = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    named.or_else(of_machine).unwrap_or_else(|| "localhost".to_owned())
}
