// SPDX-License-Identifier: Apache-2.0
//! The names that may stand in `service_plugins`.
//!
//! Owns: Neutron's names and the extension by which one sees that a plugin is on. Refuses to own: loading. Invariant: a name
//! that turned nothing on is refused, so a feature that a crate does not register yet cannot be taken for one that is served.

use neutrino_core::Registry;
use oslo_config::{Config, ConfigError, ConfigErrors};

/// Name, and the alias of its main extension; empty for plugins that have none.
const NAMES: [(&str, &str); 23] = [
    ("auto_allocate", "auto-allocated-topology"),
    ("conntrack_helper", "l3-conntrack-helper"),
    ("evpn", "evpn"),
    ("flavors", "flavors"),
    ("local_ip", "local_ip"),
    ("log", "logging"),
    ("loki", ""),
    ("metering", "metering"),
    ("ndp_proxy", "l3-ndp-proxy"),
    ("network_ip_availability", "network-ip-availability"),
    ("network_segment_range", "network-segment-range"),
    ("ovn-bgp", "ovn-bgp"),
    ("ovn-router", ""),
    ("placement", ""),
    ("port_forwarding", "floating-ip-port-forwarding"),
    ("pvlan", "pvlan"),
    ("qos", "qos"),
    ("revisions", "standard-attr-revisions"),
    ("router", "router"),
    ("segments", "segment"),
    ("tag", "standard-attr-tag"),
    ("timestamp", "standard-attr-timestamp"),
    ("trunk", "trunk"),
];

/// Refuses names that are not known and plugins that nothing has loaded.
///
/// # Errors
/// One fault for each such name.
pub fn check(conf: &Config, registry: &Registry) -> Result<(), ConfigErrors> {
    let names = conf.list("DEFAULT", "service_plugins");
    let faults: Vec<ConfigError> = names
        .iter()
        .filter(|name| !name.is_empty())
        .filter_map(|name| fault(conf, name, |alias| registry.has_extension(alias) || registry.has_plugin(name)))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(ConfigErrors(faults)) }
}

fn fault(conf: &Config, name: &str, is_on: impl Fn(&str) -> bool) -> Option<ConfigError> {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    let refuse = |reason: &str, known: &[&str]| Some(conf.refuse("DEFAULT", "service_plugins", name, reason, known));
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, alias)) if is_on(alias) => None,
        Some(_) => refuse("this service plugin is not supported yet; take it out of service_plugins", &[]),
        None if name.contains('.') => refuse("write the service plugin's short name, not its class", &known),
        None => refuse("no such service plugin", &known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(name: &str) -> Option<String> {
        let conf = Config::for_test(&crate::options::tables(), &[("DEFAULT", "service_plugins", name)]).unwrap();
        fault(&conf, name, |alias| alias == "router").map(|error| error.to_string())
    }

    #[test]
    fn what_is_on_passes_and_the_rest_is_refused() {
        assert_eq!(sentence("router"), None);
        assert!(sentence("qos").unwrap().contains("not supported yet"));
        assert!(sentence("rooter").unwrap().ends_with("did you mean 'router'?"));
        assert!(sentence("neutron.services.qos.qos_plugin.QoSPlugin").unwrap().contains("short name"));
    }
}
