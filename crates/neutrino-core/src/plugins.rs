// SPDX-License-Identifier: Apache-2.0
//! Which service plugins the operator turned on.

use oslo_config::{Config, Opt};

pub static OPTIONS: &[Opt] = &[Opt::list("DEFAULT", "service_plugins").default("").help("Service plugins, in order."), crate::dns::DRIVER];

/// Neutron loads these whatever the option says (`neutron/plugins/common/constants.py`).
const ALWAYS: [&str; 6] = ["auto_allocate", "tag", "timestamp", "network_ip_availability", "flavors", "revisions"];

/// Is the service plugin of this short name on?
#[must_use]
pub fn service_plugin(config: &Config, name: &str) -> bool {
    ALWAYS.contains(&name) || config.list("DEFAULT", "service_plugins").iter().any(|on| on == name)
}
