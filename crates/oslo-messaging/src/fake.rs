// SPDX-License-Identifier: Apache-2.0
//! `fake://`: a broker inside the process, for tests and for servers without agents.
//!
//! What is sent to a topic that nobody serves is gone, as with a broker that has no such queue; a call of it fails at once, since nobody can come.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    dispatch::Dispatcher,
    parcel::{Address, Parcel},
    stats::{self, Stats},
    transport::Waiters,
};

/// Messages that a server has not taken yet, before the sender waits.
const WAITING: usize = 1000;

#[derive(Default)]
struct Places {
    servers: Vec<(Address, mpsc::Sender<Vec<u8>>)>,
    answers: HashMap<String, Arc<Waiters>>,
    turn: usize,
}

#[derive(Default)]
pub(crate) struct Fake(Mutex<Places>);

impl Fake {
    fn lock(&self) -> std::sync::MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn answers(&self, queue: &str, waiters: Arc<Waiters>) {
        self.lock().answers.insert(queue.to_owned(), waiters);
    }

    /// Who gets a message: one of the servers of a topic in turn, or all.
    fn receivers(&self, address: &Address) -> Vec<mpsc::Sender<Vec<u8>>> {
        let mut places = self.lock();
        places.servers.retain(|(_, sender)| !sender.is_closed());
        let mut all: Vec<_> = places.servers.iter().filter(|(known, _)| known == address).map(|(_, sender)| sender.clone()).collect();
        if !matches!(address, Address::Fanout(_)) && !all.is_empty() {
            places.turn = places.turn.wrapping_add(1);
            all = vec![all.swap_remove(places.turn % all.len())];
        }
        all
    }

    pub fn serves(&self, address: &Address) -> bool {
        self.lock().servers.iter().any(|(known, sender)| known == address && !sender.is_closed())
    }

    /// Carries messages until the transport is closed and none is left.
    pub async fn carry(self: Arc<Self>, mut receiver: mpsc::Receiver<Parcel>, stats: Arc<Stats>, stop: CancellationToken) {
        loop {
            let parcel = tokio::select! {
                biased;
                parcel = receiver.recv() => parcel,
                () = stop.cancelled() => None,
            };
            let Some(parcel) = parcel else { return };
            if let Address::Reply(queue) = &parcel.address {
                let waiters = self.lock().answers.get(queue).cloned();
                if let Some(waiters) = waiters {
                    waiters.take(&parcel.body, &stats);
                }
            }
            for server in self.receivers(&parcel.address) {
                // A server that just stopped gets nothing.
                let _ = server.send(parcel.body.clone()).await;
            }
            stats::subtract(&stats.outgoing, 1);
            stats::add(&stats.sent, 1);
        }
    }

    /// Serves some addresses until told to stop.
    pub fn serve(
        self: Arc<Self>,
        addresses: Vec<Address>,
        dispatcher: Arc<Dispatcher>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(WAITING);
        // At once, not when the task first runs: a call made right after `serve` finds its server.
        self.lock().servers.extend(addresses.into_iter().map(|address| (address, sender.clone())));
        drop(sender);
        async move {
            loop {
                let body = tokio::select! {
                    body = receiver.recv() => body,
                    () = stop.cancelled() => None,
                };
                let (Some(body), Some(permit)) = (body, dispatcher.room().await) else { return };
                dispatcher.take(&body, permit, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::Ordering, time::Duration};

    use async_trait::async_trait;
    use serde_json::{Value, json};

    use crate::{CallError, Failure, Handler, Request, Target, Transport, options::tests::options, url::TransportUrl};

    struct Echo(&'static str, std::sync::Mutex<Vec<String>>);

    #[async_trait]
    impl Handler for Echo {
        async fn handle(&self, request: Request) -> Result<Value, Failure> {
            self.1.lock().unwrap().push(request.method.clone());
            match request.method.as_str() {
                "panic" => panic!("on purpose"),
                "fail" => Err(Failure::new("PortNotFound", "m", "no port")),
                "sleep" => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok(Value::Null)
                }
                _ => Ok(json!([self.0, request.args["x"]])),
            }
        }
    }

    fn transport() -> std::sync::Arc<Transport> {
        Transport::start(&TransportUrl::parse("fake://").unwrap(), options("fake://", &[]).unwrap())
    }

    fn request(method: &str) -> Request {
        Request { method: method.into(), version: "1.0".into(), args: json!({"x": 1}).as_object().cloned().unwrap(), ..Request::default() }
    }

    fn to(server: Option<&str>, fanout: bool) -> Target {
        Target { topic: "t".into(), server: server.map(Into::into), fanout }
    }

    #[tokio::test]
    async fn calls_are_answered_and_fail_typed_and_time_out() {
        let transport = transport();
        let echo = std::sync::Arc::new(Echo("h", std::sync::Mutex::default()));
        let serving = transport.serve("t", "h", 4, echo.clone());
        let call = |target, method, timeout| {
            let transport = transport.clone();
            async move { transport.call(target, request(method), Some(Duration::from_millis(timeout))).await }
        };
        assert_eq!(call(to(None, false), "m", 5000).await, Ok(json!(["h", 1])));
        assert_eq!(call(to(Some("h"), false), "m", 5000).await, Ok(json!(["h", 1])));
        assert_eq!(call(to(None, false), "fail", 5000).await, Err(CallError::Failed(Failure::new("PortNotFound", "m", "no port"))));
        assert!(matches!(call(to(None, false), "panic", 5000).await, Err(CallError::Failed(failure)) if failure.class == "RuntimeError"));
        assert_eq!(call(to(None, false), "sleep", 50).await, Err(CallError::Timeout));
        assert_eq!(call(to(Some("other"), false), "m", 60_000).await, Err(CallError::Closed));
        transport.send(to(None, true), request("told"), None).await;
        assert_eq!(call(to(None, false), "m", 5000).await, Ok(json!(["h", 1])));
        serving.stop().await;
        assert!(echo.1.lock().unwrap().contains(&"told".to_owned()));
        assert_eq!(transport.stats().handling.load(Ordering::Relaxed), 0);
        transport.close(Duration::from_secs(1)).await;
    }

    #[tokio::test]
    async fn a_fanout_reaches_all_and_a_cast_one() {
        let transport = transport();
        let echoes = ["a", "b"].map(|name| std::sync::Arc::new(Echo(name, std::sync::Mutex::default())));
        let servings: Vec<_> = echoes.iter().map(|echo| transport.serve("t", echo.0, 1, echo.clone())).collect();
        transport.send(to(None, true), request("all"), None).await;
        transport.send(to(None, false), request("one"), None).await;
        transport.send(to(Some("b"), false), request("b"), None).await;
        assert_eq!(transport.call(to(Some("a"), false), request("m"), None).await, Ok(json!(["a", 1])));
        assert_eq!(transport.call(to(Some("b"), false), request("m"), None).await, Ok(json!(["b", 1])));
        for serving in servings {
            serving.stop().await;
        }
        let told = |index: usize, what: &str| echoes[index].1.lock().unwrap().iter().filter(|method| *method == what).count();
        assert_eq!((told(0, "all"), told(1, "all"), told(0, "one") + told(1, "one"), told(1, "b")), (1, 1, 1, 1));
    }
}
