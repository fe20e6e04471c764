// SPDX-License-Identifier: Apache-2.0
//! The options of a transport: `[oslo_messaging_rabbit]` and those of `[DEFAULT]` beside them.
//!
//! Owns: their declarations, and which values are obeyed. Names, types and defaults are oslo.messaging's. Invariant: a value that would not
//! be obeyed is refused. Some options only tune parts that are made differently here (pools of connections, polling): any value is right.

use std::time::Duration;

use oslo_config::{Config, ConfigError, Opt, parse_bool};

use crate::{backoff::Backoff, url::TransportUrl};

pub const GROUP: &str = "oslo_messaging_rabbit";

/// Of the transport; the URL itself is declared by the program.
pub static OPTIONS: &[Opt] = &[
    Opt::int("DEFAULT", "rpc_response_timeout").default("60").min(1).max(86_400).help("Seconds to wait for the answer of a call."),
    Opt::str("DEFAULT", "control_exchange").default("neutron").help("The exchange of topics."),
    Opt::int("DEFAULT", "executor_thread_pool_size")
        .default("64")
        .min(1)
        .max(100_000)
        .deprecated(&[("DEFAULT", "rpc_thread_pool_size")])
        .help("Requests of a topic that one worker handles at a time."),
    Opt::bool("DEFAULT", "rpc_ping_enabled").default("false").help("Whether oslo_rpc_server_ping is answered on each topic."),
    Opt::bool(GROUP, "amqp_durable_queues").default("false").help("Whether exchanges and queues of topics are durable."),
    Opt::bool(GROUP, "amqp_auto_delete").default("false").help("Whether they are deleted with their last user."),
    Opt::int(GROUP, "rpc_conn_pool_size").default("30").min(1).help("No effect: one connection sends, one receives."),
    Opt::int(GROUP, "conn_pool_min_size").default("2").help("No effect, as rpc_conn_pool_size."),
    Opt::int(GROUP, "conn_pool_ttl").default("1200").help("No effect, as rpc_conn_pool_size."),
    Opt::bool(GROUP, "ssl").default("false").deprecated(&[(GROUP, "rabbit_use_ssl")]).help("Whether brokers are spoken to over TLS."),
    Opt::str(GROUP, "ssl_version").default("").deprecated(&[(GROUP, "kombu_ssl_version")]).help("TLS 1.2 and later are spoken."),
    Opt::str(GROUP, "ssl_key_file").default("").deprecated(&[(GROUP, "kombu_ssl_keyfile")]).help("Our private key, PEM."),
    Opt::str(GROUP, "ssl_cert_file").default("").deprecated(&[(GROUP, "kombu_ssl_certfile")]).help("Our certificate, PEM."),
    Opt::str(GROUP, "ssl_ca_file")
        .default("")
        .deprecated(&[(GROUP, "kombu_ssl_ca_certs")])
        .help("Authorities of the brokers' certificates, PEM; the system's if empty."),
    Opt::bool(GROUP, "ssl_enforce_hostname_verification").default("true").help("The name in the certificate is always checked."),
    Opt::bool(GROUP, "ssl_enforce_fips_mode").default("false").help("Not supported."),
    Opt::float(GROUP, "kombu_reconnect_delay").default("1.0").float_limits(0.0, 4.5).help("Seconds before a lost queue is declared anew."),
    Opt::float(GROUP, "kombu_reconnect_splay").default("0.0").float_limits(0.0, 3600.0).help("Not supported."),
    Opt::str(GROUP, "kombu_compression").help("Not supported."),
    Opt::int(GROUP, "kombu_missing_consumer_retry_timeout")
        .default("60")
        .min(0)
        .max(86_400)
        .deprecated(&[(GROUP, "kombu_reconnect_timeout")])
        .help("Seconds for which an answer is tried again whose queue is not there."),
    Opt::str(GROUP, "kombu_failover_strategy")
        .default("round-robin")
        .choices(&["round-robin", "shuffle"])
        .help("How the next broker is chosen."),
    Opt::str(GROUP, "rabbit_login_method")
        .default("AMQPLAIN")
        .choices(&["PLAIN", "AMQPLAIN", "EXTERNAL", "RABBIT-CR-DEMO"])
        .help("How we sign in."),
    Opt::int(GROUP, "rabbit_retry_interval").default("1").min(1).max(86_400).help("Seconds before the first new try to connect."),
    Opt::int(GROUP, "rabbit_retry_backoff").default("2").min(0).max(86_400).help("Seconds by which the pause grows with each try."),
    Opt::int(GROUP, "rabbit_interval_max").default("30").min(1).max(86_400).help("Longest pause between tries, in seconds."),
    Opt::bool(GROUP, "rabbit_ha_queues").default("false").help("Whether queues are declared with x-ha-policy."),
    Opt::bool(GROUP, "rabbit_quorum_queue").default("false").help("Whether queues of topics are quorum queues."),
    Opt::bool(GROUP, "rabbit_transient_quorum_queue").default("false").help("Whether queues of answers and fanouts are quorum queues."),
    Opt::int(GROUP, "rabbit_quorum_delivery_limit").default("0").min(0).help("x-delivery-limit of quorum queues; 0 is none."),
    Opt::int(GROUP, "rabbit_quorum_max_memory_length").default("0").min(0).help("x-max-in-memory-length of quorum queues."),
    Opt::int(GROUP, "rabbit_quorum_max_memory_bytes").default("0").min(0).help("x-max-in-memory-bytes of quorum queues."),
    Opt::int(GROUP, "rabbit_transient_queues_ttl")
        .default("1800")
        .min(0)
        .max(4_000_000)
        .help("Seconds after which the broker deletes an unused queue of answers or fanouts; 0 is never."),
    Opt::int(GROUP, "rabbit_qos_prefetch_count")
        .default("0")
        .min(0)
        .max(65_535)
        .help("Messages that the broker sends ahead; 0 leaves it to us."),
    Opt::int(GROUP, "heartbeat_timeout_threshold")
        .default("60")
        .min(0)
        .max(65_535)
        .help("Seconds of silence after which a broker is gone; 0 is never."),
    Opt::int(GROUP, "heartbeat_rate").default("3").help("No effect: heartbeats are sent twice in the time."),
    Opt::bool(GROUP, "direct_mandatory_flag").default("true").help("Whether the broker tells when the queue of an answer is not there."),
    Opt::bool(GROUP, "enable_cancel_on_failover").default("false").help("Whether consumers ask for x-cancel-on-ha-failover."),
    Opt::bool(GROUP, "use_queue_manager")
        .default("false")
        .help("Whether queues of answers and fanouts have the same names after a restart."),
    Opt::str(GROUP, "hostname").help("In those names; the machine's if unset."),
    Opt::str(GROUP, "processname").help("In those names; the program's if unset."),
    Opt::bool(GROUP, "rabbit_stream_fanout").default("false").help("Whether a fanout is one stream instead of a queue for each server."),
];

/// How queues are made, for `declare`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueOptions {
    pub durable: bool,
    pub auto_delete: bool,
    pub ha: bool,
    pub quorum: bool,
    pub transient_quorum: bool,
    /// Of quorum queues; 0 is none.
    pub delivery_limit: i64,
    pub max_memory_length: i64,
    pub max_memory_bytes: i64,
    pub transient_ttl_s: i64,
    pub stream_fanout: bool,
    pub cancel_on_failover: bool,
}

/// TLS to the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    pub ca_file: String,
    pub cert_file: String,
    pub key_file: String,
}

/// What a transport obeys.
#[derive(Clone, Debug)]
pub struct Options {
    pub exchange: String,
    pub response_timeout: Duration,
    pub queues: QueueOptions,
    pub tls: Option<TlsFiles>,
    pub login_method: String,
    pub heartbeat_s: u16,
    pub prefetch: u16,
    pub missing_consumer_timeout: Duration,
    pub redeclare_delay: Duration,
    /// A lost queue is declared at once the first time: what is sent before that is lost, and its sender waits for its timeout.
    pub redeclare_at_once: bool,
    pub shuffle: bool,
    pub mandatory_replies: bool,
    pub ping: bool,
    /// Host and process in the names of queues, with `use_queue_manager`.
    pub queue_manager: Option<(String, String)>,
    pub(crate) backoff: Backoff,
    /// Shown to the broker's operator beside the connection.
    pub connection_name: String,
}

/// Values of the configuration with those of the URL before them.
struct Source<'a> {
    conf: &'a Config,
    url: &'a TransportUrl,
}

impl Source<'_> {
    fn bool(&self, name: &str) -> bool {
        self.url.option(name).and_then(parse_bool).unwrap_or_else(|| self.conf.bool(GROUP, name))
    }

    fn int(&self, name: &str) -> i64 {
        self.url.option(name).and_then(|text| text.parse().ok()).unwrap_or_else(|| self.conf.int(GROUP, name))
    }

    fn float(&self, name: &str) -> f64 {
        self.url.option(name).and_then(|text| text.parse().ok()).unwrap_or_else(|| self.conf.float(GROUP, name))
    }

    fn text(&self, name: &str) -> String {
        self.url.option(name).map_or_else(|| self.conf.text(GROUP, name), str::to_owned)
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(u64::try_from(self.int(name)).unwrap_or_default())
    }
}

impl Options {
    /// Reads them. `program`: the name of this process for the broker's operator.
    ///
    /// # Errors
    /// What cannot be obeyed, with its place in the configuration.
    pub fn read(conf: &Config, url: &TransportUrl, program: &str) -> Result<Self, ConfigError> {
        let source = Source { conf, url };
        refusal(conf, &source)?;
        let queues = QueueOptions {
            durable: source.bool("amqp_durable_queues") || source.bool("rabbit_quorum_queue"),
            auto_delete: source.bool("amqp_auto_delete"),
            ha: source.bool("rabbit_ha_queues"),
            quorum: source.bool("rabbit_quorum_queue"),
            transient_quorum: source.bool("rabbit_transient_quorum_queue"),
            delivery_limit: source.int("rabbit_quorum_delivery_limit"),
            max_memory_length: source.int("rabbit_quorum_max_memory_length"),
            max_memory_bytes: source.int("rabbit_quorum_max_memory_bytes"),
            transient_ttl_s: source.int("rabbit_transient_queues_ttl"),
            stream_fanout: source.bool("rabbit_stream_fanout"),
            cancel_on_failover: source.bool("enable_cancel_on_failover"),
        };
        let file = |name| source.text(name);
        let tls = source.bool("ssl").then(|| TlsFiles {
            ca_file: file("ssl_ca_file"),
            cert_file: file("ssl_cert_file"),
            key_file: file("ssl_key_file"),
        });
        let named = |name: &str, fallback: &str| Some(source.text(name)).filter(|text| !text.is_empty()).unwrap_or(fallback.to_owned());
        let machine = machine();
        let number = |name| u64::try_from(source.int(name)).unwrap_or(1);
        Ok(Self {
            exchange: conf.text("DEFAULT", "control_exchange"),
            response_timeout: Duration::from_secs(u64::try_from(conf.int("DEFAULT", "rpc_response_timeout")).unwrap_or(60)),
            tls,
            queues,
            login_method: source.text("rabbit_login_method"),
            heartbeat_s: u16::try_from(source.int("heartbeat_timeout_threshold")).unwrap_or(u16::MAX),
            prefetch: u16::try_from(source.int("rabbit_qos_prefetch_count")).unwrap_or(u16::MAX),
            missing_consumer_timeout: source.seconds("kombu_missing_consumer_retry_timeout"),
            redeclare_delay: Duration::from_secs_f64(source.float("kombu_reconnect_delay").clamp(0.0, 4.5)),
            redeclare_at_once: !conf.is_set(GROUP, "kombu_reconnect_delay") && url.option("kombu_reconnect_delay").is_none(),
            shuffle: source.text("kombu_failover_strategy") == "shuffle",
            mandatory_replies: source.bool("direct_mandatory_flag"),
            ping: conf.bool("DEFAULT", "rpc_ping_enabled"),
            queue_manager: source.bool("use_queue_manager").then(|| (named("hostname", &machine), named("processname", program))),
            backoff: Backoff {
                first_s: number("rabbit_retry_interval"),
                step_s: number("rabbit_retry_backoff"),
                most_s: number("rabbit_interval_max"),
            },
            connection_name: format!("{program}:{}:{machine}", std::process::id()),
        })
    }
}

/// The machine's name, as the kernel knows it.
fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_else(|_| "localhost".to_owned())
}

fn refusal(conf: &Config, source: &Source<'_>) -> Result<(), ConfigError> {
    let refuse = |name: &str, value: &str, reason: &str| Err(conf.refuse::<&str>(GROUP, name, value, reason, &[]));
    for (name, value) in &source.url.query {
        if !conf.is_declared(GROUP, name) {
            return Err(conf.refuse::<&str>(
                "DEFAULT",
                "transport_url",
                "",
                &format!("it sets {name}, which is no option of [{GROUP}]"),
                &[],
            ));
        }
        let number = value.parse::<f64>().is_ok();
        let good = match OPTIONS.iter().find(|opt| opt.group == GROUP && opt.name == name).map(|opt| &opt.kind) {
            Some(oslo_config::Kind::Bool) => parse_bool(value).is_some(),
            Some(oslo_config::Kind::Str { .. }) | None => true,
            Some(_) => number,
        };
        if !good {
            return Err(conf.refuse::<&str>("DEFAULT", "transport_url", "", &format!("its value of {name} cannot be read"), &[]));
        }
    }
    let ssl = source.bool("ssl");
    if ssl && !cfg!(feature = "tls") {
        return refuse("ssl", "true", "this program was built without TLS to brokers");
    }
    if ssl && !source.bool("ssl_enforce_hostname_verification") {
        return refuse("ssl_enforce_hostname_verification", "false", "the broker's name is always checked");
    }
    if source.bool("ssl_enforce_fips_mode") {
        return refuse("ssl_enforce_fips_mode", "true", "there is no FIPS mode");
    }
    for name in ["ssl_ca_file", "ssl_cert_file", "ssl_key_file"] {
        let file = source.text(name);
        if ssl && !file.is_empty() && !std::path::Path::new(&file).exists() {
            return refuse(name, &file, "there is no such file");
        }
    }
    if ssl && source.text("ssl_cert_file").is_empty() != source.text("ssl_key_file").is_empty() {
        return refuse("ssl_key_file", "", "ssl_cert_file and ssl_key_file are needed together");
    }
    let version = source.text("ssl_version");
    if ssl && !["", "TLSv1_2", "SSLv23", "TLSv1"].contains(&version.as_str()) {
        return refuse("ssl_version", &version, "TLS 1.2 and 1.3 are spoken, whichever the broker prefers");
    }
    if source.float("kombu_reconnect_splay") > 0.0 {
        return refuse("kombu_reconnect_splay", "", "is not supported; kombu_reconnect_delay is");
    }
    let compression = source.text("kombu_compression");
    if !compression.is_empty() {
        return refuse("kombu_compression", &compression, "compressed messages are not supported");
    }
    if source.bool("rabbit_quorum_queue") && source.bool("rabbit_ha_queues") {
        return refuse("rabbit_quorum_queue", "true", "a queue is a quorum queue or mirrored (rabbit_ha_queues), not both");
    }
    if source.bool("rabbit_stream_fanout") && source.int("rabbit_qos_prefetch_count") == 0 {
        return refuse("rabbit_stream_fanout", "true", "needs rabbit_qos_prefetch_count to be greater than 0");
    }
    if source.bool("rabbit_stream_fanout") && !source.bool("rabbit_transient_quorum_queue") {
        return refuse("rabbit_stream_fanout", "true", "needs rabbit_transient_quorum_queue = true");
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn options(url: &str, values: &[(&str, &str)]) -> Result<Options, String> {
        static URL: &[Opt] = &[Opt::str("DEFAULT", "transport_url").secret().help("x")];
        let values: Vec<_> = values.iter().map(|(name, value)| (GROUP, *name, *value)).collect();
        let conf = Config::for_test(&[OPTIONS, URL], &values).map_err(|errors| errors.to_string())?;
        Options::read(&conf, &TransportUrl::parse(url)?, "test").map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_oslo_messaging() {
        let options = options("rabbit://", &[]).unwrap();
        assert_eq!((options.exchange.as_str(), options.response_timeout.as_secs(), options.heartbeat_s), ("neutron", 60, 60));
        assert_eq!(options.queues, QueueOptions { transient_ttl_s: 1800, ..QueueOptions::default() });
        assert_eq!((options.login_method.as_str(), options.tls, options.queue_manager), ("AMQPLAIN", None, None));
    }

    #[test]
    fn the_url_goes_before_the_configuration() {
        let values = [("heartbeat_timeout_threshold", "10"), ("rabbit_quorum_queue", "false")];
        let options = options("rabbit://h/?heartbeat_timeout_threshold=20&rabbit_quorum_queue=true", &values).unwrap();
        assert_eq!((options.heartbeat_s, options.queues.quorum, options.queues.durable), (20, true, true));
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused() {
        for (name, value) in [
            ("kombu_compression", "gzip"),
            ("kombu_reconnect_splay", "1.5"),
            ("rabbit_stream_fanout", "true"),
            ("ssl_enforce_fips_mode", "true"),
            ("rabbit_login_method", "MAGIC"),
        ] {
            let error = options("rabbit://", &[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(options("rabbit://h/?nonsense=1", &[]).unwrap_err().contains("nonsense"));
        assert!(options("rabbit://h/?ssl=perhaps", &[]).unwrap_err().contains("ssl"));
        let both = [("rabbit_quorum_queue", "1"), ("rabbit_ha_queues", "1")];
        assert!(options("rabbit://", &both).unwrap_err().contains("not both"));
        assert!(options("rabbit://", &[("ssl", "true"), ("ssl_ca_file", "/nowhere")]).unwrap_err().contains("/nowhere"));
    }
}
