// SPDX-License-Identifier: Apache-2.0
//! One supervisor for all that runs in the process.
//!
//! Owns: named tasks, the order in which they stop, and the exit. Refuses to own: what they do, and signals as such.
//! Invariants: a task that ends before it was told to is a failure and stops all others; those in front (listeners) drain
//! before those behind (workers, queues) are told to stop, because requests in flight may need them, and the wire goes last; the time that draining
//! may take is bounded by `graceful_shutdown_timeout`, and a second request to stop ends it at once.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// When a task is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// First: takes requests from outside.
    Front,
    /// Once all in front have ended.
    Behind,
    /// Once all others have ended: what they may have left to be sent.
    Last,
}

/// What comes from outside while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Stop; the text says why.
    Stop(&'static str),
    Reload,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A sentence for each task that failed.
    pub failures: Vec<String>,
    /// Tasks that had not ended when the time was over.
    pub cut_off: Vec<String>,
}

impl Outcome {
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Told to the operator when a task ends by itself.
pub type TaskResult = Result<(), String>;

#[derive(Default)]
pub struct Supervisor {
    tasks: JoinSet<TaskResult>,
    running: HashMap<Id, (Place, String)>,
    front: CancellationToken,
    behind: CancellationToken,
    last: CancellationToken,
    outcome: Outcome,
}

/// The time after which what still runs is cut off.
struct Deadline {
    grace: Option<Duration>,
    end: Option<Instant>,
}

impl Deadline {
    fn start(&mut self) {
        if self.end.is_none() {
            self.end = self.grace.map(|grace| Instant::now() + grace);
        }
    }

    async fn over(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

impl Supervisor {
    #[must_use]
    pub fn new() -> Supervisor {
        Supervisor::default()
    }

    /// Starts a task. It gets the token that tells it to stop; it must end soon after.
    pub fn spawn<F>(&mut self, place: Place, name: impl Into<String>, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = TaskResult> + Send + 'static,
    {
        let token = match place {
            Place::Front => &self.front,
            Place::Behind => &self.behind,
            Place::Last => &self.last,
        };
        let handle = self.tasks.spawn(task(token.clone()));
        self.running.insert(handle.id(), (place, name.into()));
    }

    /// Runs until all tasks have ended. `grace` is how long draining may take, `None` without limit.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>, grace: Option<Duration>, mut reload: impl FnMut()) -> Outcome {
        let mut deadline = Deadline { grace, end: None };
        let mut listening = true;
        while !self.running.is_empty() {
            self.release_those_behind();
            tokio::select! {
                ended = self.tasks.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => break,
                },
                event = events.recv(), if listening => match event {
                    Some(Event::Reload) => reload(),
                    Some(Event::Stop(why)) if self.front.is_cancelled() => {
                        tracing::warn!("{why} again: stopping at once");
                        self.cut_off();
                    }
                    Some(Event::Stop(why)) => {
                        tracing::info!("{why}: stopping, requests in flight are finished first");
                        self.front.cancel();
                    }
                    None => listening = false,
                },
                () = deadline.over() => self.cut_off(),
            }
            if self.front.is_cancelled() {
                deadline.start();
            }
        }
        self.outcome
    }

    fn release_those_behind(&self) {
        let runs = |wanted: Place| self.running.values().any(|(place, _)| *place == wanted);
        if self.front.is_cancelled() && !runs(Place::Front) {
            self.behind.cancel();
            if !runs(Place::Behind) {
                self.last.cancel();
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, TaskResult), JoinError>) {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(format!("it broke off: {error}"))),
        };
        let Some((_, name)) = self.running.remove(&id) else { return };
        let sentence = match result {
            Ok(()) if self.front.is_cancelled() => return tracing::debug!("{name} has ended"),
            Ok(()) => format!("{name} ended by itself"),
            Err(reason) => format!("{name} failed: {reason}"),
        };
        tracing::error!("{sentence}; stopping the server");
        self.outcome.failures.push(sentence);
        self.front.cancel();
    }

    fn cut_off(&mut self) {
        self.behind.cancel();
        self.last.cancel();
        self.tasks.abort_all();
        for (_, (_, name)) in self.running.drain() {
            tracing::warn!("{name} did not end in time and is cut off");
            self.outcome.cut_off.push(name);
        }
        self.outcome.cut_off.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    async fn until_told(token: CancellationToken) -> TaskResult {
        token.cancelled().await;
        Ok(())
    }

    fn events() -> (mpsc::Sender<Event>, mpsc::Receiver<Event>) {
        mpsc::channel(8)
    }

    #[tokio::test]
    async fn a_worker_that_ends_stops_the_rest() {
        let (_sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", until_told);
        supervisor.spawn(Place::Behind, "queue", until_told);
        supervisor.spawn(Place::Behind, "periodic", |_| async { Ok(()) });
        let outcome = supervisor.run(receiver, SECOND, || ()).await;
        assert_eq!(outcome.failures, ["periodic ended by itself"]);
        assert!(!outcome.is_success() && outcome.cut_off.is_empty());
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_are_named() {
        let (_sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", until_told);
        supervisor.spawn(Place::Behind, "queue", |_| async { Err("no bus".to_owned()) });
        assert_eq!(supervisor.run(receiver, SECOND, || ()).await.failures, ["queue failed: no bus"]);

        let (_sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", until_told);
        supervisor.spawn(Place::Behind, "queue", |_| async { panic!("broken") });
        let outcome = supervisor.run(receiver, SECOND, || ()).await;
        assert!(outcome.failures[0].starts_with("queue failed: it broke off"), "{outcome:?}");
    }

    #[tokio::test]
    async fn those_in_front_drain_before_those_behind_are_told() {
        let (sender, receiver) = events();
        let order = Arc::new(AtomicUsize::new(0));
        let mut supervisor = Supervisor::new();
        let (front, behind) = (Arc::clone(&order), Arc::clone(&order));
        supervisor.spawn(Place::Front, "API", |token| async move {
            token.cancelled().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            front.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).map(|_| ()).map_err(|_| "late".to_owned())
        });
        supervisor.spawn(Place::Behind, "queue", |token| async move {
            token.cancelled().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            behind.compare_exchange(1, 2, Ordering::SeqCst, Ordering::SeqCst).map(|_| ()).map_err(|_| "early".to_owned())
        });
        let last = Arc::clone(&order);
        supervisor.spawn(Place::Last, "wire", |token| async move {
            token.cancelled().await;
            last.compare_exchange(2, 3, Ordering::SeqCst, Ordering::SeqCst).map(|_| ()).map_err(|_| "early".to_owned())
        });
        sender.send(Event::Stop("SIGTERM")).await.unwrap();
        assert_eq!(supervisor.run(receiver, SECOND, || ()).await, Outcome::default());
        assert_eq!(order.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn draining_is_bounded() {
        let (sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", |_| std::future::pending());
        supervisor.spawn(Place::Behind, "queue", until_told);
        sender.send(Event::Stop("SIGTERM")).await.unwrap();
        let started = Instant::now();
        let outcome = supervisor.run(receiver, Some(Duration::from_millis(100)), || ()).await;
        assert!((100..5000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
        assert_eq!((outcome.is_success(), outcome.cut_off), (true, vec!["API".to_owned(), "queue".to_owned()]));
    }

    #[tokio::test]
    async fn a_second_request_to_stop_is_obeyed_at_once() {
        let (sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", |_| std::future::pending());
        sender.send(Event::Stop("SIGINT")).await.unwrap();
        sender.send(Event::Stop("SIGINT")).await.unwrap();
        assert_eq!(supervisor.run(receiver, None, || ()).await.cut_off, ["API"]);
    }

    #[tokio::test]
    async fn a_reload_leaves_all_running() {
        let (sender, receiver) = events();
        let mut supervisor = Supervisor::new();
        supervisor.spawn(Place::Front, "API", until_told);
        for event in [Event::Reload, Event::Reload, Event::Stop("SIGTERM")] {
            sender.send(event).await.unwrap();
        }
        let mut reloads = 0;
        assert!(supervisor.run(receiver, SECOND, || reloads += 1).await.is_success());
        assert_eq!(reloads, 2);
    }
}
