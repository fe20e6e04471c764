// SPDX-License-Identifier: Apache-2.0
//! `[keystone_authtoken]`: from the configuration to a checker of tokens.
//!
//! Owns: the declaration of the group's options and where a wrong one stands in the files. Refuses to own: their names, types and
//! meaning, which are `keystone-auth`'s.

use std::sync::LazyLock;

use keystone_auth::{OPTION_NAMES, OptionError, OptionInfo, Options, Support, Validator};
use oslo_config::{Config, ConfigError, Opt};

const GROUP: &str = "keystone_authtoken";

static OPTIONS: LazyLock<Vec<Opt>> = LazyLock::new(|| OPTION_NAMES.iter().map(declare).collect());

/// The options of the group.
#[must_use]
pub fn options() -> &'static [Opt] {
    &OPTIONS
}

/// All are declared as texts: `keystone-auth` reads them.
fn declare(info: &'static OptionInfo) -> Opt {
    let mut option = Opt::str(GROUP, info.name).help(match info.support {
        Support::Obeyed => "As Keystone's auth_token middleware has it.",
        Support::NoEffect => "Known, and without effect.",
    });
    if !info.deprecated.is_empty() {
        // Once in the life of the process.
        let names: Vec<(&'static str, &'static str)> = info.deprecated.iter().map(|name| (GROUP, *name)).collect();
        option = option.deprecated(names.leak());
    }
    if let Some(default) = info.default {
        option = option.default(default);
    }
    if info.secret { option.secret() } else { option }
}

fn in_use(conf: &Config) -> bool {
    conf.text("DEFAULT", "auth_strategy") == "keystone"
}

fn read(conf: &Config) -> Result<Options, ConfigError> {
    let section = conf.text(GROUP, "auth_section");
    if !section.is_empty() && section != GROUP {
        let reason = "credentials in another group are not supported; write them into [keystone_authtoken]";
        return Err(conf.refuse::<&str>(GROUP, "auth_section", &section, reason, &[]));
    }
    Options::read(|info| conf.str(GROUP, info.name)).map_err(|error| refuse(conf, &error))
}

fn refuse(conf: &Config, error: &OptionError) -> ConfigError {
    conf.refuse::<&str>(GROUP, error.option, "", &error.message, &[])
}

/// What is wrong with the options, if tokens are to be checked. Does not ask Keystone.
#[must_use]
pub fn check(conf: &Config) -> Option<ConfigError> {
    if !in_use(conf) {
        return None;
    }
    read(conf).and_then(|options| Validator::new(options).map_err(|error| refuse(conf, &error))).err()
}

/// The checker of tokens, if `auth_strategy = keystone`.
///
/// # Errors
/// As [`check`].
pub fn validator(conf: &Config) -> Result<Option<Validator>, ConfigError> {
    if !in_use(conf) {
        return Ok(None);
    }
    let options = read(conf)?;
    options.warnings.iter().for_each(|sentence| tracing::warn!("{sentence}"));
    Validator::new(options).map(Some).map_err(|error| refuse(conf, &error))
}

/// Gets the server's own token, so that wrong credentials stand in the log before the first request.
pub async fn sign_in(validator: Validator) {
    match validator.sign_in().await {
        Ok(()) => tracing::info!("Keystone accepts the credentials of [keystone_authtoken]"),
        Err(error) => tracing::error!(reason = %error, "no token can be checked yet; the server asks again with each request"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str, &str)] = &[
        ("DEFAULT", "auth_strategy", "keystone"),
        (GROUP, "auth_type", "password"),
        (GROUP, "auth_url", "http://keystone:5000"),
        (GROUP, "user_name", "neutron"),
        (GROUP, "password", "hunter2"),
        (GROUP, "user_domain_id", "default"),
        (GROUP, "project_name", "service"),
        (GROUP, "project_domain_id", "default"),
    ];

    fn refusal(more: &[(&str, &str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("neutron.conf");
        let text: String = GOOD.iter().chain(more).map(|(group, name, value)| format!("[{group}]\n{name} = {value}\n")).collect();
        std::fs::write(&file, text).unwrap();
        let conf = Config::load(&oslo_config::Sources::new().config_file(&file), &crate::options::tables()).unwrap();
        check(&conf).map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_suffices_passes_with_an_older_name_too() {
        assert_eq!(refusal(&[]), "");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line_and_without_secrets() {
        let text = refusal(&[(GROUP, "insecure", "perhaps")]);
        assert!(text.contains("neutron.conf:18: [keystone_authtoken] insecure"), "{text}");
        let text = refusal(&[(GROUP, "auth_section", "other")]);
        assert!(text.contains("[keystone_authtoken] auth_section = other: credentials in another group"), "{text}");
        let text = refusal(&[(GROUP, "auth_type", "kerberos")]);
        assert!(text.contains("neutron.conf:18: [keystone_authtoken] auth_type") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn without_keystone_nothing_is_asked_for() {
        let values = [("DEFAULT", "auth_strategy", "noauth"), (GROUP, "auth_type", "kerberos")];
        assert!(check(&Config::for_test(&crate::options::tables(), &values).unwrap()).is_none());
    }
}
