// SPDX-License-Identifier: Apache-2.0
//! Which events are logged: `debug` and `default_log_levels`.
//!
//! Owns: the translation of Python's logger names and levels. `a.b` is the target `a::b`; `neutron` is all of ours.

use oslo_config::{Config, ConfigError};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Libraries that say too much; an operator's `default_log_levels` comes after.
const QUIET: [(&str, LevelFilter); 7] = [
    ("lapin", LevelFilter::OFF),
    ("sqlx", LevelFilter::WARN),
    ("hyper", LevelFilter::INFO),
    ("hyper_util", LevelFilter::INFO),
    ("h2", LevelFilter::INFO),
    ("rustls", LevelFilter::WARN),
    ("mio", LevelFilter::INFO),
];

const LEVELS: [&str; 8] = ["TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL", "NOTSET"];

/// The filter that the configuration asks for.
///
/// # Errors
/// A level that is none.
pub fn levels(conf: &Config) -> Result<Targets, ConfigError> {
    let root = if conf.bool("DEFAULT", "debug") { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let mut targets = Targets::new().with_default(root).with_targets(QUIET);
    for pair in conf.list("DEFAULT", "default_log_levels") {
        let (name, level) = pair.split_once('=').unwrap_or((&pair, ""));
        let level = level_filter(level.trim(), root)
            .ok_or_else(|| conf.refuse("DEFAULT", "default_log_levels", &pair, "must be name=LEVEL with a known level", &LEVELS))?;
        targets = targets.with_target(target(name.trim()), level);
    }
    Ok(targets)
}

fn target(name: &str) -> String {
    let target = name.replace('.', "::");
    match target.strip_prefix("neutron") {
        Some("") => "neutrino".to_owned(),
        Some(rest) if rest.starts_with("::") => format!("neutrino{rest}").replacen("::", "_", 1),
        _ => target,
    }
}

/// A name or one of Python's numbers.
fn level_filter(text: &str, root: LevelFilter) -> Option<LevelFilter> {
    if let Ok(number) = text.parse::<u32>() {
        return Some(match number {
            0 => root,
            1..10 => LevelFilter::TRACE,
            10..20 => LevelFilter::DEBUG,
            20..30 => LevelFilter::INFO,
            30..40 => LevelFilter::WARN,
            40..=50 => LevelFilter::ERROR,
            _ => LevelFilter::OFF,
        });
    }
    match text.to_uppercase().as_str() {
        "TRACE" => Some(LevelFilter::TRACE),
        "DEBUG" => Some(LevelFilter::DEBUG),
        "INFO" => Some(LevelFilter::INFO),
        "WARN" | "WARNING" => Some(LevelFilter::WARN),
        "ERROR" | "CRITICAL" | "FATAL" => Some(LevelFilter::ERROR),
        "NOTSET" => Some(root),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn conf(levels: &str) -> Config {
        Config::for_test(&crate::options::tables(), &[("DEFAULT", "default_log_levels", levels)]).unwrap()
    }

    #[test]
    fn pythons_names_are_understood() {
        let targets = levels(&conf("amqp=WARN,a.b=10,neutron.api=DEBUG,sqlx=INFO")).unwrap();
        assert!(targets.would_enable("a::b::c", &Level::DEBUG));
        assert!(targets.would_enable("neutrino_api::http", &Level::DEBUG));
        assert!(!targets.would_enable("neutrino_core", &Level::DEBUG));
        assert!(targets.would_enable("sqlx::query", &Level::INFO));
        assert!(!targets.would_enable("amqp", &Level::INFO));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(levels(&conf("a=LOUD")).unwrap_err().to_string().contains("a=LOUD"));
        assert!(levels(&conf("a")).is_err());
    }
}
