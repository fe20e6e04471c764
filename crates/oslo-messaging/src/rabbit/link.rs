// SPDX-License-Identifier: Apache-2.0
//! A connection that comes back: to one broker after the other, with growing pauses, until it is closed.
//!
//! Invariants: at most one connection at a time; who waits for it gets the new one; the log says what happens in one line each, without
//! credentials. A pause ends early when a broker that did not listen listens again: what agents publish between its start and the declaration
//! of our queues is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lapin::{
    Connection, ConnectionProperties,
    tcp::OwnedTLSConfig,
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    ids,
    options::{Options, TlsFiles},
    stats::{self, Stats},
    transport::Return,
    url::{Host, TransportUrl},
};

/// How long a broker may take to accept us.
const CONNECT: Duration = Duration::from_secs(30);
/// How often a connection that nobody uses is looked at, and a port that is closed.
const LOOK: Duration = Duration::from_millis(250);

/// The bytes of a frame that we ask for. The client keeps room for 32 of them in each direction: with the 128 KiB that brokers offer, 8 MiB for each
/// connection, of which a server that is not busy needs nothing.
const FRAME_MAX: u32 = 32 * 1024;

/// See the module's documentation.
#[derive(Clone)]
pub(super) struct Link {
    current: watch::Receiver<Option<Arc<Connection>>>,
    returns: watch::Receiver<Option<Return>>,
    stop: CancellationToken,
}

impl Link {
    pub fn new(url: &TransportUrl, options: Arc<Options>, stats: Arc<Stats>, purpose: &'static str) -> Self {
        let (sender, current) = watch::channel(None);
        let (returned, returns) = watch::channel(None);
        let stop = CancellationToken::new();
        let keeper = Keeper { brokers: brokers(url, &options), options, stats, purpose, sender, returned };
        tokio::spawn(keeper.run(stop.clone()));
        Self { current, returns, stop }
    }

    /// The connection, as soon as there is one; `None` after the end.
    pub async fn connection(&self) -> Option<Arc<Connection>> {
        let mut current = self.current.clone();
        tokio::select! {
            found = current.wait_for(|connection| connection.as_ref().is_some_and(|open| open.status().connected())) => {
                found.ok().and_then(|connection| connection.clone())
            }
            () = self.stop.cancelled() => None,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|open| open.status().connected())
    }

    /// Each return of a broker that was away; the first connection is one when it did not succeed at once.
    pub fn returns(&self) -> watch::Receiver<Option<Return>> {
        self.returns.clone()
    }

    pub async fn close(&self) {
        self.stop.cancel();
        let connection = self.current.borrow().clone();
        if let Some(connection) = connection {
            // A broker that is gone has nothing to be told.
            let _ = tokio::time::timeout(Duration::from_secs(2), connection.close(200, "OK".into())).await;
        }
    }
}

struct Keeper {
    brokers: Vec<AMQPUri>,
    options: Arc<Options>,
    stats: Arc<Stats>,
    purpose: &'static str,
    sender: watch::Sender<Option<Arc<Connection>>>,
    returned: watch::Sender<Option<Return>>,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let work = self.keep();
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    }

    async fn keep(&mut self) {
        let (mut next, mut failures) = (0, 0);
        let mut away_since: Option<Instant> = None;
        loop {
            let broker = self.brokers[next % self.brokers.len()].clone();
            let place = format!("{}:{}", broker.authority.host, broker.authority.port);
            match self.connect(broker).await {
                Ok(connection) => {
                    tracing::info!("connected to the AMQP server on {place} for {}", self.purpose);
                    stats::add(&self.stats.connections, 1);
                    failures = 0;
                    let connection = Arc::new(connection);
                    self.sender.send_replace(Some(connection.clone()));
                    if let Some(since) = away_since {
                        let at = Instant::now();
                        self.returned.send_replace(Some(Return { at, away: at.duration_since(since) }));
                    }
                    while connection.status().connected() {
                        tokio::time::sleep(LOOK).await;
                    }
                    self.sender.send_replace(None);
                    // It was lost after the last look but one.
                    away_since = Instant::now().checked_sub(LOOK);
                    tracing::error!("the connection to the AMQP server on {place} for {} is lost; connecting again", self.purpose);
                }
                Err(reason) => {
                    away_since.get_or_insert_with(Instant::now);
                    let pause = if (next + 1) % self.brokers.len() == 0 { self.options.backoff.pause(failures) } else { Duration::ZERO };
                    tracing::error!("the AMQP server on {place} is unreachable: {reason}. Trying again in {} seconds", pause.as_secs());
                    if !pause.is_zero() {
                        failures += 1;
                        self.pause(pause).await;
                    }
                    next += 1;
                    if self.options.shuffle && next % self.brokers.len() == 0 {
                        ids::shuffle(&mut self.brokers);
                    }
                }
            }
        }
    }

    /// Waits, but no longer than until a port opens that is closed now. Brokers that listen and refuse us are left alone for all the time.
    async fn pause(&self, pause: Duration) {
        let mut closed = Vec::new();
        for broker in &self.brokers {
            if !listens(broker).await {
                closed.push(broker);
            }
        }
        let opens = async {
            while !closed.is_empty() {
                tokio::time::sleep(LOOK).await;
                for broker in &closed {
                    if listens(broker).await {
                        return;
                    }
                }
            }
            std::future::pending().await
        };
        // The end of the pause is what was planned; the other outcome is better.
        let _ = tokio::time::timeout(pause, opens).await;
    }

    async fn connect(&self, broker: AMQPUri) -> Result<Connection, String> {
        let tls = tls(self.options.tls.as_ref())?;
        let properties =
            ConnectionProperties::default().with_connection_name(format!("{}:{}", self.options.connection_name, self.purpose).into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| error.to_string())?;
        let connecting = Connection::connect_uri_with_config(broker, properties, tls, runtime);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} seconds", CONNECT.as_secs())),
        }
    }
}

/// Does anybody listen there?
async fn listens(broker: &AMQPUri) -> bool {
    let place = (broker.authority.host.as_str(), broker.authority.port);
    matches!(tokio::time::timeout(LOOK, tokio::net::TcpStream::connect(place)).await, Ok(Ok(_)))
}

/// The brokers of the URL, in an order of chance so that many servers share them.
fn brokers(url: &TransportUrl, options: &Options) -> Vec<AMQPUri> {
    let local = [Host { name: "localhost".to_owned(), port: None, user: None, password: None }];
    let hosts = if url.hosts.is_empty() { &local[..] } else { &url.hosts };
    let mut brokers: Vec<_> = hosts.iter().map(|host| broker(host, &url.virtual_host, options)).collect();
    ids::shuffle(&mut brokers);
    brokers
}

fn broker(host: &Host, virtual_host: &str, options: &Options) -> AMQPUri {
    let guest = || "guest".to_owned();
    let scheme = if options.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP };
    let mechanism = match options.login_method.as_str() {
        "PLAIN" => SASLMechanism::Plain,
        "EXTERNAL" => SASLMechanism::External,
        "RABBIT-CR-DEMO" => SASLMechanism::RabbitCrDemo,
        _ => SASLMechanism::AMQPlain,
    };
    let name = if host.name.is_empty() { "localhost".to_owned() } else { host.name.clone() };
    AMQPUri {
        scheme,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: host.user.clone().unwrap_or_else(guest),
                password: host.password.clone().unwrap_or_else(guest),
            },
            host: name,
            // The port of TLS must be named, as with oslo.messaging.
            port: host.port.unwrap_or(5672),
        },
        vhost: if virtual_host.is_empty() { "/".to_owned() } else { virtual_host.to_owned() },
        query: AMQPQueryString {
            heartbeat: Some(options.heartbeat_s),
            frame_max: Some(FRAME_MAX),
            auth_mechanism: Some(mechanism),
            ..AMQPQueryString::default()
        },
    }
}

fn tls(files: Option<&TlsFiles>) -> Result<OwnedTLSConfig, String> {
    let Some(files) = files else { return Ok(OwnedTLSConfig::default()) };
    let read = |file: &str| std::fs::read(file).map_err(|error| format!("{file}: {error}"));
    let cert_chain = match files.ca_file.as_str() {
        "" => None,
        file => Some(String::from_utf8(read(file)?).map_err(|_| format!("{file} is no PEM file"))?),
    };
    let identity = match (files.cert_file.as_str(), files.key_file.as_str()) {
        ("", _) | (_, "") => None,
        (certificate, key) => Some(lapin::tcp::OwnedIdentity::PKCS8 { pem: read(certificate)?, key: read(key)? }),
    };
    Ok(OwnedTLSConfig { identity, cert_chain })
}
