// SPDX-License-Identifier: Apache-2.0
//! What is checked once the configuration is read and before anything starts.
//!
//! Owns: refusals that need more than the type of one option: what this version does not do yet, and options that need one
//! another. Refuses to own: names of drivers, which their loaders know. Every refusal names file and line.

use oslo_config::{Config, ConfigError, ConfigErrors};

use crate::keystone;

const AUTH_STRATEGIES: [&str; 2] = ["noauth", "keystone"];
/// The entry point's name, and the class that older files name.
const CORE_PLUGINS: [&str; 2] = ["ml2", "neutron.plugins.ml2.plugin.Ml2Plugin"];

/// Refuses what cannot be obeyed.
///
/// # Errors
/// All that is wrong.
pub fn check(conf: &Config) -> Result<(), ConfigErrors> {
    let bus = neutrino_rpc::Settings::read(conf, "").err();
    let single = [auth_strategy(conf), keystone::check(conf), core_plugin(conf), bus, connection(conf)];
    let found: Vec<ConfigError> = single.into_iter().flatten().chain(tls(conf)).collect();
    if found.is_empty() { Ok(()) } else { Err(ConfigErrors(found)) }
}

fn auth_strategy(conf: &Config) -> Option<ConfigError> {
    let strategy = conf.text("DEFAULT", "auth_strategy");
    let known = AUTH_STRATEGIES.contains(&strategy.as_str());
    (!known).then(|| conf.refuse("DEFAULT", "auth_strategy", &strategy, "no such way of authentication", &AUTH_STRATEGIES))
}

fn core_plugin(conf: &Config) -> Option<ConfigError> {
    let name = conf.text("DEFAULT", "core_plugin");
    let reason = if name.is_empty() { "must be set" } else { "no such core plugin" };
    let good = CORE_PLUGINS.contains(&name.as_str());
    (!good).then(|| conf.refuse("DEFAULT", "core_plugin", &name, reason, &CORE_PLUGINS))
}

fn connection(conf: &Config) -> Option<ConfigError> {
    let reason = "must be set, for instance to sqlite:////var/lib/neutron/neutron.sqlite or mysql+pymysql://user:password@host/neutron";
    let unset = conf.text("database", "connection").is_empty();
    unset.then(|| conf.refuse::<&str>("database", "connection", "", reason, &[]))
}

fn tls(conf: &Config) -> Vec<ConfigError> {
    if !conf.bool("DEFAULT", "use_ssl") {
        return Vec::new();
    }
    let mut errors = Vec::new();
    for name in ["cert_file", "key_file", "ca_file"] {
        let file = conf.text("ssl", name);
        if file.is_empty() && name != "ca_file" {
            errors.push(conf.refuse::<&str>("ssl", name, "", "must be set, because use_ssl is on", &[]));
        } else if !file.is_empty() && !std::path::Path::new(&file).exists() {
            errors.push(conf.refuse::<&str>("ssl", name, &file, "there is no such file", &[]));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use oslo_config::Sources;

    fn refusals(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("neutron.conf");
        std::fs::write(&file, text).unwrap();
        let conf = Config::load(&Sources::new().config_file(&file), &crate::options::tables()).unwrap();
        check(&conf).err().map(|errors| errors.to_string()).unwrap_or_default()
    }

    const GOOD: &str = "[database]\nconnection = sqlite:////x\n[DEFAULT]\ncore_plugin = ml2\n";

    #[test]
    fn what_can_be_served_passes() {
        assert_eq!(refusals(&format!("{GOOD}auth_strategy = noauth\ntransport_url = fake://\n")), "");
        assert_eq!(refusals(&format!("{GOOD}auth_strategy = noauth\n")), "");
        assert_eq!(refusals(&format!("{GOOD}auth_strategy = noauth\ntransport_url = rabbit://u:p@h1:5672,u:p@h2:5672/v\n")), "");
    }

    #[test]
    fn refusals_name_the_line_and_hide_secrets() {
        let text = refusals(&format!("{GOOD}auth_strategy = keystone\ntransport_url = kafka://u:hunter2@h\n"));
        assert!(text.contains("[keystone_authtoken] auth_url: is not set"), "{text}");
        assert!(text.contains("neutron.conf:6: [DEFAULT] transport_url: messaging over kafka"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(refusals(&format!("{GOOD}auth_strategy = keystonne\n")).ends_with("(known: noauth, keystone); did you mean 'keystone'?"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = refusals("[DEFAULT]\nauth_strategy = noauth\n");
        assert!(text.starts_with("[DEFAULT] core_plugin: must be set (known: ml2,"), "{text}");
        assert!(text.contains("\n[database] connection: must be set"), "{text}");
        let text = refusals(&format!("{GOOD}auth_strategy = noauth\nuse_ssl = yes\n[ssl]\nkey_file = /nowhere\n"));
        assert!(text.contains("[ssl] cert_file: must be set") && text.contains("neutron.conf:8: [ssl] key_file = /nowhere"), "{text}");
    }
}
