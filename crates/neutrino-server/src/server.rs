// SPDX-License-Identifier: Apache-2.0
//! The life of the process, from arguments to exit code.
//!
//! Owns: the order of the start (command line, configuration, checks, logging, runtime, parts, listeners, readiness) and of the
//! end. Invariants: whatever keeps the server from starting is said in sentences on standard error, and the exit is 1; it is
//! ready only when it listens; 0 is the exit of a server that was told to stop.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use neutrino_api::app::App;
use neutrino_api::http::Listener;
use neutrino_api::metrics::{HttpMetrics, Metrics, MetricsListener};
use neutrino_core::{Engine, Worker};
use neutrino_rpc::Rpc;
use oslo_config::{Config, Origin};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::logging::Logging;
use crate::notify::{self, Notifier};
use crate::policy;
use crate::role::Role;
use crate::standalone::{Plan, Surroundings};
use crate::start::{StartError, Started, start};
use crate::supervisor::{Event, Place, Supervisor};
use crate::{assemble, banner, cli, keystone, known, logging, number, options, pipeline, preflight, retelling, standalone};

/// What the supervisor grants beyond `graceful_shutdown_timeout`, so that a listener ends its own draining.
const GRACE_MARGIN: Duration = Duration::from_secs(2);

/// How long blocking work may hold up the exit.
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(1);

/// The whole program.
#[must_use]
pub fn main(program: &'static str, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match cli::parse(program, arguments) {
        Ok(line) => line,
        Err(error) => {
            // Help and version go to standard output, faults to standard error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    if let Some(command) = &line.policy {
        return ask(program, &line, |conf| policy::run(conf, command, &mut std::io::stdout().lock()));
    }
    if line.openapi {
        return ask(program, &line, |conf| {
            let document = neutrino_api::openapi::document(&assemble::registry(conf)?);
            let printed = writeln!(std::io::stdout(), "{document:#}");
            printed.map(|()| ExitCode::SUCCESS).map_err(|error| format!("the answer cannot be printed: {error}"))
        });
    }
    match run(program, &line, &Surroundings::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tracing::error!("the server does not start: {error}");
            for sentence in error.0.lines() {
                let _ = writeln!(std::io::stderr(), "{program}: {sentence}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Answers a question about the configuration, without serving.
fn ask(program: &'static str, line: &cli::CommandLine, answer: impl FnOnce(&Config) -> Result<ExitCode, String>) -> ExitCode {
    let asked = || -> Result<ExitCode, StartError> {
        let Plan { sources, .. } = standalone::plan(line, program, &Surroundings::of_process())?;
        let conf = Config::load(&sources, &options::tables())?;
        Ok(answer(&conf)?)
    };
    asked().unwrap_or_else(|error| {
        for sentence in error.0.lines() {
            let _ = writeln!(std::io::stderr(), "{program}: {sentence}");
        }
        ExitCode::FAILURE
    })
}

/// True when the server was told to stop, false when a part of it failed.
fn run(program: &'static str, line: &cli::CommandLine, surroundings: &Surroundings) -> Result<bool, StartError> {
    let Plan { sources, standalone } = standalone::plan(line, program, surroundings)?;
    let conf = Config::load(&sources, &options::tables())?;
    preflight::check(&conf)?;
    if let Some(folder) = &standalone {
        make_private_folder(folder)?;
    }
    let logging = logging::init(&conf, program)?;
    log_panics();
    tracing::info!("{program} version {}", crate::VERSION);
    conf.warnings().iter().chain(&known::warnings(&conf)).for_each(|sentence| tracing::warn!("{sentence}"));
    log_values(&conf);
    let threads = conf.opt_int("DEFAULT", "api_workers").and_then(|count| usize::try_from(count).ok());
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().thread_name(program).build().map_err(|error| format!("no threads can be started: {error}"))?;
    let notifier = Notifier::new(surroundings.variables.iter().find(|(name, _)| name == "NOTIFY_SOCKET").map(|(_, value)| value.as_str()));
    let result = runtime.block_on(serve(program, &conf, standalone.as_deref(), &logging, &notifier));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    result
}

async fn serve(
    program: &str,
    conf: &Config,
    standalone: Option<&Path>,
    logging: &Logging,
    notifier: &Notifier,
) -> Result<bool, StartError> {
    let events = listen_to_signals().map_err(|error| format!("signals cannot be caught: {error}"))?;
    let metrics = Metrics::new();
    let role = Role::of(program);
    let Started { app, authtoken, engine, collections, rpc, loaded } = start(conf, standalone.is_some(), &metrics, program).await?;
    let mut supervisor = Supervisor::new();
    let messaging = rpc.describe();
    tracing::info!("messaging: {messaging}");
    if role.api {
        let front =
            Front { app, http_metrics: HttpMetrics::register(&metrics, collections), standalone, loaded: &loaded, messaging: &messaging };
        serve_api(&mut supervisor, conf, front, authtoken.is_some())?;
    }
    spawn_bus(&mut supervisor, role, &rpc, &engine);
    if let Some(listener) = bind_metrics(conf)? {
        supervisor.spawn(Place::Behind, "metrics listener", |stop| async move {
            listener.serve(metrics, stop).await;
            Ok(())
        });
    }
    supervisor.spawn(Place::Behind, "policy files", |stop| {
        let engine = Arc::clone(&engine);
        async move {
            policy::follow(engine, stop).await;
            Ok(())
        }
    });
    if let Some(validator) = authtoken {
        tokio::spawn(keystone::sign_in(validator));
    }
    for worker in engine.registry.workers().iter().filter(|worker| role.periodic || !worker.is_periodic()) {
        spawn_worker(&mut supervisor, Arc::clone(worker), Arc::clone(&engine));
    }
    notifier.tell(notify::READY);
    let seconds: u64 = number(conf, "DEFAULT", "graceful_shutdown_timeout");
    let grace = (seconds > 0).then(|| Duration::from_secs(seconds) + GRACE_MARGIN);
    let outcome = supervisor.run(events, grace, || reload(conf, logging, &engine)).await;
    notifier.tell(notify::STOPPING);
    tracing::info!("stopped");
    Ok(outcome.is_success())
}

/// What the API's listener is made of.
struct Front<'a> {
    app: Arc<dyn App>,
    http_metrics: Arc<HttpMetrics>,
    standalone: Option<&'a Path>,
    loaded: &'a str,
    messaging: &'a str,
}

fn serve_api(supervisor: &mut Supervisor, conf: &Config, front: Front<'_>, authenticated: bool) -> Result<(), StartError> {
    let Front { app, http_metrics, standalone, loaded, messaging } = front;
    let listener = bind_api(conf)?;
    let address = listener.local_addr().map_err(|error| format!("the API's socket is gone: {error}"))?;
    let scheme = listener.scheme();
    supervisor.spawn(Place::Front, "API listener", |stop| async move {
        listener.serve(app, Some(http_metrics), stop).await;
        Ok(())
    });
    tracing::info!("the API is served at {scheme}://{address}, loaded: {loaded}");
    if let Some(state_folder) = standalone {
        let ours = conf.origin("database", "connection") == Origin::Override;
        let database = ours.then(|| state_folder.join("neutron.sqlite").display().to_string());
        // Nobody may be there to read it.
        let _ = banner::write(&mut std::io::stdout(), &banner::Choices { scheme, address, database, loaded, messaging });
    } else if !authenticated && !address.ip().is_loopback() {
        tracing::warn!("auth_strategy = noauth: whoever reaches {address} is an administrator");
    }
    Ok(())
}

/// Agents are served in front; what they are told goes out last, when nobody is left who could tell more.
fn spawn_bus(supervisor: &mut Supervisor, role: Role, rpc: &Arc<Rpc>, engine: &Arc<Engine>) {
    if role.rpc {
        let (rpc, engine) = (Arc::clone(rpc), Arc::clone(engine));
        supervisor.spawn(Place::Front, "topics of agents", |stop| rpc.serve(engine, stop));
    }
    let (again, to) = (Arc::clone(rpc), Arc::clone(engine));
    supervisor.spawn(Place::Behind, "what agents missed", |stop| async move {
        tokio::select! {
            () = retelling::run(&again, &to) => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    });
    let (rpc, engine) = (Arc::clone(rpc), Arc::clone(engine));
    supervisor.spawn(Place::Last, "messages to agents", |stop| rpc.send(engine, stop));
}

fn spawn_worker(supervisor: &mut Supervisor, worker: Arc<dyn Worker>, engine: Arc<Engine>) {
    supervisor.spawn(Place::Behind, format!("worker {}", worker.name()), |stop| async move {
        let (sender, receiver) = watch::channel(false);
        let mut work = Box::pin(worker.run(engine, receiver));
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = stop.cancelled() => {
                // The worker may have dropped its receiver; then it is ending anyway.
                let _ = sender.send(true);
                work.await
            }
        };
        ended.map_err(|error| error.log().unwrap_or_else(|| error.message()).to_owned())
    });
}

fn bind_api(conf: &Config) -> Result<Listener, StartError> {
    Listener::bind(pipeline::listen_config(conf)).map_err(|error| {
        let (host, port) = (conf.text("DEFAULT", "bind_host"), conf.int("DEFAULT", "bind_port"));
        StartError(format!("the API cannot be served at {host}:{port} (bind_host, bind_port): {error}"))
    })
}

/// An address that the operator wrote must be bound; the default one may be taken by another server on the machine.
fn bind_metrics(conf: &Config) -> Result<Option<MetricsListener>, StartError> {
    let port: u16 = number(conf, "neutrino", "metrics_port");
    let Ok(host) = conf.text("neutrino", "metrics_host").parse() else { return Ok(None) };
    if port == 0 {
        return Ok(None);
    }
    match MetricsListener::bind(SocketAddr::new(host, port)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if conf.is_set("neutrino", "metrics_port") || conf.is_set("neutrino", "metrics_host") => {
            let reason = format!("the metrics cannot be served there: {error}");
            Err(conf.refuse::<&str>("neutrino", "metrics_port", &port.to_string(), &reason, &[]).into())
        }
        Err(error) => {
            tracing::warn!("no metrics: {host}:{port} cannot be bound ({error}); [neutrino] metrics_port chooses another port");
            Ok(None)
        }
    }
}

/// SIGTERM and SIGINT stop, SIGHUP reloads.
fn listen_to_signals() -> std::io::Result<mpsc::Receiver<Event>> {
    let (sender, receiver) = mpsc::channel(16);
    for (kind, event) in [
        (SignalKind::terminate(), Event::Stop("SIGTERM")),
        (SignalKind::interrupt(), Event::Stop("SIGINT")),
        (SignalKind::hangup(), Event::Reload),
    ] {
        tokio::spawn(forward(signal(kind)?, event, sender.clone()));
    }
    Ok(receiver)
}

async fn forward(mut signal: Signal, event: Event, sender: mpsc::Sender<Event>) {
    while signal.recv().await.is_some() {
        if sender.send(event).await.is_err() {
            return;
        }
    }
}

fn reload(conf: &Config, logging: &Logging, engine: &Engine) {
    policy::reload(engine);
    let changes = match conf.reload() {
        Ok(changes) => changes,
        Err(errors) => return tracing::error!("SIGHUP: the configuration stays as it was, because it has faults: {errors}"),
    };
    for change in changes {
        let (group, name) = (change.group, change.name);
        if change.applied {
            tracing::info!("SIGHUP: [{group}] {name} has changed");
        } else {
            tracing::warn!("SIGHUP: [{group}] {name} takes effect only after a restart");
        }
    }
    if let Err(error) = logging.reload(conf) {
        tracing::error!("SIGHUP: the log stays as it was: {error}");
    }
}

fn log_values(conf: &Config) {
    for (group, name, value) in conf.dump() {
        tracing::debug!("[{group}] {name} = {value}");
    }
}

/// A panic is a defect: it goes to the log, with its place.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic: {message}");
    }));
}

/// The database of a standalone server is its owner's.
fn make_private_folder(folder: &PathBuf) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        StartError(format!("the state folder {} cannot be made: {error}; choose another with --state-dir", folder.display()))
    })
}
