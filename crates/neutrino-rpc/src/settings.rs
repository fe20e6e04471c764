// SPDX-License-Identifier: Apache-2.0
//! What the operator says of the bus.

use std::time::Duration;

use oslo_config::{Config, ConfigError, Opt};
use oslo_messaging::{Options, TransportUrl};

const NOTIFICATIONS: &str = "oslo_messaging_notifications";

/// Transports that are spoken, and the older name of one.
const KNOWN: [&str; 3] = ["rabbit", "kombu", "fake"];

pub static OPTIONS: &[Opt] = &[
    Opt::int("DEFAULT", "rpc_workers")
        .min(0)
        .max(1024)
        .help("Workers that serve agents; half the number of processors if unset, 0 for none."),
    Opt::int("DEFAULT", "rpc_state_report_workers")
        .default("1")
        .min(0)
        .max(1024)
        .help("Workers that serve the reports of agents; with 0 the other workers do."),
    Opt::str(NOTIFICATIONS, "transport_url").secret().help("The bus of notifications; that of agents if unset."),
    Opt::int(NOTIFICATIONS, "retry").default("-1").min(-1).help("How often a notification is tried again; -1 is without limit."),
];

/// See the module's documentation.
#[derive(Debug)]
pub struct Settings {
    pub(crate) url: TransportUrl,
    pub(crate) options: Options,
    /// A bus of their own.
    pub(crate) notifications: Option<(TransportUrl, Options)>,
    pub(crate) notification_retries: Option<u32>,
    /// The name of this server on its topics.
    pub(crate) host: String,
    /// Requests of a topic that are handled at a time; `None`: topics are not served.
    pub(crate) concurrency: Option<usize>,
    pub(crate) report_concurrency: Option<usize>,
    /// How long the end may take; zero is without limit.
    pub(crate) grace: Duration,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// What cannot be obeyed.
    pub fn read(conf: &Config, program: &str) -> Result<Self, ConfigError> {
        let (url, options) = transport(conf, "DEFAULT", program)?.unwrap_or((local()?, Options::read(conf, &local()?, program)?));
        let pool = usize::try_from(conf.int("DEFAULT", "executor_thread_pool_size")).unwrap_or(64);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let workers = conf.opt_int("DEFAULT", "rpc_workers").map_or((processors / 2).max(1), count);
        let at_a_time = |workers: usize| (workers > 0).then(|| workers.saturating_mul(pool));
        let concurrency = at_a_time(workers);
        let retry = conf.int(NOTIFICATIONS, "retry");
        Ok(Self {
            url,
            options,
            notifications: transport(conf, NOTIFICATIONS, program)?,
            notification_retries: u32::try_from(retry).ok(),
            host: neutrino_core::plugins::host(conf),
            concurrency,
            report_concurrency: at_a_time(count(conf.int("DEFAULT", "rpc_state_report_workers"))).or(concurrency),
            grace: Duration::from_secs(u64::try_from(conf.int("DEFAULT", "graceful_shutdown_timeout")).unwrap_or(60)),
        })
    }

    /// For the log.
    pub(crate) fn describe(&self) -> String {
        if self.url.transport == "fake" {
            return "inside the process, no agents".to_owned();
        }
        let hosts: Vec<_> = self.url.hosts.iter().map(|host| format!("{}:{}", host.name, host.port.unwrap_or(5672))).collect();
        format!("RabbitMQ on {}", if hosts.is_empty() { "localhost".to_owned() } else { hosts.join(", ") })
    }
}

/// Without a URL everything stays in the process.
fn local() -> Result<TransportUrl, ConfigError> {
    Ok(TransportUrl { transport: "fake".to_owned(), hosts: Vec::new(), virtual_host: String::new(), query: Vec::new() })
}

fn transport(conf: &Config, group: &str, program: &str) -> Result<Option<(TransportUrl, Options)>, ConfigError> {
    let Some(text) = conf.str(group, "transport_url").filter(|text| !text.is_empty()) else { return Ok(None) };
    let refuse = |reason: &str| conf.refuse::<&str>(group, "transport_url", "", reason, &[]);
    let url = TransportUrl::parse(&text).map_err(|reason| refuse(&format!("the URL cannot be read: {reason}")))?;
    if url.transport == "kafka" {
        return Err(refuse("messaging over kafka:// is not supported"));
    }
    if !KNOWN.contains(&url.transport.as_str()) {
        return Err(refuse(&format!("no such transport: {}://; rabbit:// and fake:// are supported", url.transport)));
    }
    let options = Options::read(conf, &url, program)?;
    Ok(Some((url, options)))
}

#[cfg(test)]
mod tests {
    use super::*;

    static OTHERS: &[Opt] = &[
        Opt::str("DEFAULT", "transport_url").secret().help(""),
        Opt::str("DEFAULT", "host").help(""),
        Opt::int("DEFAULT", "graceful_shutdown_timeout").default("60").help(""),
    ];

    fn read(values: &[(&str, &str, &str)]) -> Settings {
        let conf = Config::for_test(&[oslo_messaging::OPTIONS, OPTIONS, OTHERS], values).unwrap();
        Settings::read(&conf, "test").unwrap()
    }

    #[test]
    fn workers_are_requests_at_a_time() {
        let of = |workers: &str, reports: &str| {
            let settings = read(&[("DEFAULT", "rpc_workers", workers), ("DEFAULT", "rpc_state_report_workers", reports)]);
            (settings.concurrency, settings.report_concurrency)
        };
        assert_eq!(of("2", "1"), (Some(128), Some(64)));
        assert_eq!(of("2", "0"), (Some(128), Some(128)), "the other workers do it");
        assert_eq!(of("0", "1"), (None, Some(64)));
        assert_eq!(of("0", "0"), (None, None));
        let unset = read(&[("DEFAULT", "executor_thread_pool_size", "10")]);
        assert!(unset.concurrency.is_some_and(|all| all >= 10) && unset.report_concurrency == Some(10));
    }
}
