// SPDX-License-Identifier: Apache-2.0
//! The options that the process itself obeys, and the list of all tables.
//!
//! Owns: options of the listener, the process, logging, the database connection and the choice of plugins. A feature's
//! options stand beside the feature, as its crate's `OPTIONS`; [`tables`] lists all. Names, types and defaults are Neutron's
//! where Neutron has the option; the group `[neutrino]` is ours.

use oslo_config::Opt;

use crate::logging::format;

/// All tables of declared options.
#[must_use]
pub fn tables() -> Vec<&'static [Opt]> {
    let own: [&'static [Opt]; 8] = [PROCESS, LISTENER, API, TLS, PIPELINE, LOGGING, DATABASE, NEUTRINO];
    own.into_iter().chain([crate::keystone::options()]).chain(crate::assemble::feature_options()).collect()
}

pub static PROCESS: &[Opt] = &[
    Opt::str("DEFAULT", "state_path").default("/var/lib/neutron").help("Folder for what the server keeps beside the database."),
    Opt::str("DEFAULT", "auth_strategy").default("keystone").help("noauth, or keystone."),
    Opt::str("DEFAULT", "core_plugin").help("The core plugin: ml2."),
    Opt::str("DEFAULT", "transport_url")
        .secret()
        .help("Message bus: rabbit://user:password@host:5672/vhost; unset or fake:// is inside the process, without agents."),
    Opt::int("DEFAULT", "api_workers").min(1).max(1024).help("Threads that serve requests; the number of processors if unset."),
    Opt::int("DEFAULT", "graceful_shutdown_timeout")
        .default("60")
        .min(0)
        .help("Seconds that requests in flight get when the server stops; 0 is without limit."),
];

pub static LISTENER: &[Opt] = &[
    Opt::host_address("DEFAULT", "bind_host").default("0.0.0.0").help("Address of the API."),
    Opt::port("DEFAULT", "bind_port").default("9696").help("Port of the API."),
    Opt::int("DEFAULT", "backlog").default("4096").min(1).max(65535).help("Connections that wait to be accepted."),
    Opt::int("DEFAULT", "tcp_keepidle").default("600").min(1).max(32767).help("Seconds of silence before a keepalive probe."),
    Opt::int("DEFAULT", "client_socket_timeout")
        .default("900")
        .min(0)
        .max(86400 * 365)
        .help("Seconds a client may be silent; 0 is for ever."),
    Opt::int("DEFAULT", "max_header_line").default("16384").min(1024).max(1 << 20).help("Bytes of one header line."),
    Opt::int("DEFAULT", "wsgi_default_pool_size").default("100").min(1).max(100_000).help("Requests that are served at one time."),
    Opt::bool("DEFAULT", "wsgi_keep_alive").default("true").help("Whether a connection serves more than one request."),
    Opt::bool("DEFAULT", "use_ssl").default("false").help("Whether the API is served over TLS."),
    Opt::str("DEFAULT", "api_paste_config")
        .default("api-paste.ini")
        .help("The pipeline; ours is built in and used if there is no such file."),
];

pub static API: &[Opt] = &[
    Opt::bool("DEFAULT", "allow_bulk").default("true").help("Whether one request may create several objects."),
    Opt::str("DEFAULT", "pagination_max_limit")
        .default("-1")
        .check(check_limit)
        .help("Most objects of one page; -1 or infinite is without limit."),
    Opt::str("DEFAULT", "network_link_prefix").help("What links begin with, instead of the address that was asked."),
    Opt::bool("DEFAULT", "filter_validation").default("true").help("Whether a filter by an unknown attribute is refused."),
];

fn check_limit(text: &str) -> Result<(), String> {
    let good = text.eq_ignore_ascii_case("infinite") || text.parse::<i64>().is_ok();
    if good { Ok(()) } else { Err("must be a number, -1 or infinite".to_owned()) }
}

pub static TLS: &[Opt] = &[
    Opt::str("ssl", "cert_file").deprecated(&[("DEFAULT", "ssl_cert_file")]).help("Certificate chain of the API, PEM."),
    Opt::str("ssl", "key_file").deprecated(&[("DEFAULT", "ssl_key_file")]).help("Private key of the API, PEM."),
    Opt::str("ssl", "ca_file").deprecated(&[("DEFAULT", "ssl_ca_file")]).help("Authorities whose client certificates are required."),
    Opt::str("ssl", "version").help("Lowest TLS version."),
    Opt::str("ssl", "ciphers").help("OpenSSL's list of ciphers."),
];

pub static PIPELINE: &[Opt] = &[
    Opt::list("cors", "allowed_origin").help("Origins that browsers may call from: scheme://host[:port], or *."),
    Opt::bool("cors", "allow_credentials").default("true").help("Whether browsers may send credentials."),
    Opt::list("cors", "expose_headers")
        .default("X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID,OpenStack-Volume-microversion")
        .help("Headers of answers that scripts may read."),
    Opt::int("cors", "max_age").default("3600").min(0).help("Seconds a browser may keep a preflight's answer."),
    Opt::list("cors", "allow_methods").default("GET,PUT,POST,DELETE,PATCH").help("Methods that scripts may use."),
    Opt::list("cors", "allow_headers")
        .default("X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Tenant-Id,X-OpenStack-Request-ID")
        .help("Headers that scripts may send."),
    Opt::bool("healthcheck", "detailed").default("false").help("Whether /healthcheck tells more than OK."),
    Opt::list("healthcheck", "backends").default("").help("Checks of /healthcheck."),
    Opt::list("healthcheck", "allowed_source_ranges").default("").help("Networks that may ask; empty is all."),
    Opt::bool("healthcheck", "ignore_proxied_requests").default("false").help("Whether requests through a proxy get 404."),
    Opt::str("healthcheck", "disable_by_file_path").help("Unhealthy while this file exists."),
    Opt::list("healthcheck", "disable_by_file_paths").default("").help("port:path; unhealthy on the port while the file exists."),
    Opt::list("healthcheck", "enable_by_file_paths").default("").help("Unhealthy unless these files exist."),
    Opt::bool("oslo_middleware", "enable_proxy_headers_parsing").default("false").help("Whether X-Forwarded-* headers are believed."),
    Opt::int("oslo_middleware", "max_request_body_size")
        .default("114688")
        .min(0)
        .deprecated(&[("DEFAULT", "max_request_body_size"), ("DEFAULT", "osapi_max_request_body_size")])
        .help("Bytes of a body, for pipelines with the sizelimit filter."),
];

pub static LOGGING: &[Opt] = &[
    Opt::bool("DEFAULT", "debug").default("false").mutable().help("Log at DEBUG rather than INFO."),
    Opt::str("DEFAULT", "log_file").deprecated(&[("DEFAULT", "logfile")]).help("File to log to, in log_dir if that is set."),
    Opt::str("DEFAULT", "log_dir").deprecated(&[("DEFAULT", "logdir")]).help("Folder of the log file."),
    Opt::bool("DEFAULT", "use_stderr").default("false").help("Log to standard error."),
    Opt::bool("DEFAULT", "use_json").default("false").help("Log one JSON object a line."),
    Opt::str("DEFAULT", "log_date_format").default("%Y-%m-%d %H:%M:%S").check(format::check_date).help("Form of the time."),
    Opt::str("DEFAULT", "logging_context_format_string")
        .default(format::CONTEXT_FORMAT)
        .check(format::check_template)
        .help("Line inside a request."),
    Opt::str("DEFAULT", "logging_default_format_string")
        .default(format::DEFAULT_FORMAT)
        .check(format::check_template)
        .help("Line outside a request."),
    Opt::str("DEFAULT", "logging_user_identity_format")
        .default(format::IDENTITY_FORMAT)
        .check(format::check_template)
        .help("Who asks, inside a line."),
    Opt::list("DEFAULT", "default_log_levels").default("").mutable().help("Levels of parts: name=LEVEL, separated by commas."),
];

pub static DATABASE: &[Opt] = &[
    Opt::str("database", "connection")
        .secret()
        .deprecated(&[("DEFAULT", "sql_connection"), ("DATABASE", "sql_connection"), ("sql", "connection")])
        .help("sqlite:///path, mysql+pymysql://..., postgresql://..."),
    Opt::int("database", "max_pool_size").default("5").min(0).max(10_000).help("Connections that are kept; 0 is without limit."),
    Opt::int("database", "max_overflow").default("50").min(-1).max(10_000).help("Connections beyond those; -1 is without limit."),
    Opt::int("database", "pool_timeout").min(1).max(86_400).help("Seconds to wait for a connection; 30 if unset."),
    Opt::int("database", "connection_recycle_time").default("3600").min(-1).help("Seconds after which a connection is made anew."),
    Opt::str("database", "connection_parameters").default("").help("Parameters (name=value, with &) that are added to the URL."),
    Opt::str("database", "slave_connection").secret().help("Where reads may go that may be behind; no request of the API's is one."),
    Opt::str("database", "mysql_sql_mode").default("TRADITIONAL").help("sql_mode of MySQL's sessions; what the server needs is added."),
    Opt::int("database", "mysql_wsrep_sync_wait").min(0).max(15).help("wsrep_sync_wait of sessions on a Galera cluster."),
    Opt::int("database", "max_retries").default("10").min(-1).help("Tries to reach the database at start; -1 is without limit."),
    Opt::int("database", "retry_interval").default("10").min(0).max(86_400).help("Seconds between these tries."),
];

pub static NEUTRINO: &[Opt] = &[
    Opt::ip("neutrino", "metrics_host").default("127.0.0.1").help("Address of the metrics for Prometheus."),
    Opt::port("neutrino", "metrics_port").default("9695").help("Port of the metrics; 0 turns them off."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use oslo_config::Config;

    #[test]
    fn all_tables_agree_and_their_defaults_are_good() {
        let conf = Config::for_test(&tables(), &[]).unwrap();
        assert_eq!(conf.int("DEFAULT", "bind_port"), 9696);
        assert!(conf.options().all(|opt| !opt.help.is_empty()), "an option without help");
    }
}
