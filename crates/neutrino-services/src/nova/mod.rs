// SPDX-License-Identifier: Apache-2.0
//! Telling Nova what happens to the ports of its servers: `os-server-external-events` (`neutron/notifiers/nova.py`).
//!
//! Owns: the group `[nova]`, which changes Nova hears of, the queue of events and its sender. A change only puts an event in the queue,
//! after its commit; a worker sends what has gathered, one request at a time. Invariants: the queue is bounded, and what does not fit or
//! cannot be delivered after several tries is dropped with a line in the log; no request of a client waits for Nova.

mod events;
mod queue;
mod sender;

use std::sync::Arc;

use keystone_auth::{Options, Service};
use neutrino_core::{Builder, arrivals::ArrivalService};
use oslo_config::{Config, Opt};

use queue::Queue;

pub const GROUP: &str = "nova";

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "notify_nova_on_port_status_changes")
        .default("true")
        .help("Tell Nova when a port becomes active, or ceases to be; it needs the credentials of [nova]."),
    Opt::bool("DEFAULT", "notify_nova_on_port_data_changes")
        .default("true")
        .help("Tell Nova when a port or its floating IP changes; it needs the credentials of [nova]."),
    Opt::int("DEFAULT", "send_events_interval").default("2").min(0).max(3600).help("Seconds in which events for Nova gather."),
    Opt::int("DEFAULT", "http_retries").default("3").min(0).max(100).help("How often a request to Nova is repeated."),
    Opt::str(GROUP, "auth_type").help("How to sign in at Keystone for Nova: password, v3password or v3applicationcredential."),
    Opt::str(GROUP, "auth_url").help("Where Keystone gives tokens."),
    Opt::str(GROUP, "username").deprecated(&[(GROUP, "user-name"), (GROUP, "user_name")]).help("The user that tells Nova."),
    Opt::str(GROUP, "user_id").help("The user's id, instead of its name."),
    Opt::str(GROUP, "password").secret().help("The user's password."),
    Opt::str(GROUP, "user_domain_id").help("The domain of the user."),
    Opt::str(GROUP, "user_domain_name").help("The domain of the user, by its name."),
    Opt::str(GROUP, "project_id").deprecated(&[(GROUP, "tenant_id")]).help("The project of the token."),
    Opt::str(GROUP, "project_name").deprecated(&[(GROUP, "tenant_name")]).help("The project of the token, by its name."),
    Opt::str(GROUP, "project_domain_id").help("The domain of the project."),
    Opt::str(GROUP, "project_domain_name").help("The domain of the project, by its name."),
    Opt::str(GROUP, "default_domain_id").help("The domain of user and project, if they name none."),
    Opt::str(GROUP, "default_domain_name").help("The domain of user and project by its name, if they name none."),
    Opt::str(GROUP, "system_scope").help("all: a token for the whole deployment."),
    Opt::str(GROUP, "application_credential_id").help("The id of an application credential."),
    Opt::str(GROUP, "application_credential_name").help("The name of an application credential."),
    Opt::str(GROUP, "application_credential_secret").secret().help("The secret of an application credential."),
    Opt::str(GROUP, "region_name").help("The region of Nova in the catalog."),
    Opt::str(GROUP, "endpoint_type").default("public").choices(&["public", "admin", "internal"]).help("Which address of Nova to use."),
    Opt::str(GROUP, "cafile").help("Certificates to trust."),
    Opt::str(GROUP, "certfile").help("The certificate of this server."),
    Opt::str(GROUP, "keyfile").help("The key of that certificate."),
    Opt::bool(GROUP, "insecure").default("false").help("Whether certificates are not checked."),
    Opt::str(GROUP, "timeout").help("Seconds that a request may take."),
];

/// What Nova hears of.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub status_changes: bool,
    pub data_changes: bool,
}

/// # Errors
/// A sentence for the operator: credentials that do not suffice, or none where the operator asked for notifications.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let [status, data] = ["notify_nova_on_port_status_changes", "notify_nova_on_port_data_changes"];
    let wanted = Wanted { status_changes: config.bool("DEFAULT", status), data_changes: config.bool("DEFAULT", data) };
    if !wanted.status_changes && !wanted.data_changes {
        return Ok(());
    }
    if config.text(GROUP, "auth_type").is_empty() {
        // Both are on by default; only who asked for them is told that they cannot be.
        let asked = [status, data].into_iter().find(|name| config.is_set("DEFAULT", name) && config.bool("DEFAULT", name));
        return asked.map_or(Ok(()), |name| {
            let reason = "Nova cannot be told: [nova] auth_type and the credentials are not set";
            Err(config.refuse::<&str>("DEFAULT", name, "True", reason, &[]).to_string())
        });
    }
    let refuse = |error: &keystone_auth::OptionError| config.refuse::<&str>(GROUP, error.option, "", &error.message, &[]).to_string();
    let options = Options::read(|info| match info.name {
        "interface" => config.str(GROUP, "endpoint_type"),
        "http_connect_timeout" => config.str(GROUP, "timeout"),
        "insecure" => Some(config.bool(GROUP, "insecure").to_string()),
        name if config.is_declared(GROUP, name) => config.str(GROUP, name),
        _ => None,
    });
    let service = options.and_then(|options| Service::new(&options, "compute")).map_err(|error| refuse(&error))?;
    let queue = Arc::new(Queue::default());
    builder.hook("ports", events::Ports { queue: queue.clone(), wanted });
    if wanted.status_changes {
        builder.service(Arc::new(ArrivalService(Arc::new(events::Moving { queue: queue.clone() }))));
    }
    if wanted.data_changes {
        builder.hook_where_served("floatingips", events::FloatingIps { queue: queue.clone() });
    }
    let number = |name: &str| u64::try_from(config.int("DEFAULT", name)).unwrap_or_default();
    builder.worker(sender::Sender { queue, service, interval_s: number("send_events_interval"), retries: number("http_retries") });
    Ok(())
}
