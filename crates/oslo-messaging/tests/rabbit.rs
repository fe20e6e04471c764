// SPDX-License-Identifier: Apache-2.0
//! Against a real RabbitMQ. `scripts/rpc` starts one and names its folder in `NEUTRINO_TEST_BROKER`; without it these tests do nothing.
//! One at a time: some of them stop the broker.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, options::BasicPublishOptions};
use oslo_config::{Config, Opt};
use oslo_messaging::{CallError, Failure, Handler, Options, Request, Serving, Target, Transport, TransportUrl, options::GROUP};
use serde_json::{Value, json};

/// A virtual host of its own.
struct Broker {
    folder: String,
    vhost: String,
    url: String,
}

fn script(folder: &str, words: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/broker");
    let output = Command::new(path).arg(words[0]).arg(folder).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "broker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Broker {
    /// `None` where no broker was started for the tests.
    fn get(name: &str) -> Option<Self> {
        let folder = std::env::var("NEUTRINO_TEST_BROKER").ok()?;
        let vhost = format!("{name}-{}", std::process::id());
        script(&folder, &["vhost", &vhost]);
        let url = format!("{}/{vhost}", script(&folder, &["url"]));
        Some(Self { folder, vhost, url })
    }

    fn ctl(&self, words: &[&str]) -> String {
        script(&self.folder, &[&["ctl"], words].concat())
    }

    fn transport(&self, values: &[(&str, &str)]) -> Arc<Transport> {
        static URL: &[Opt] = &[Opt::str("DEFAULT", "transport_url").secret().help("x")];
        let values: Vec<_> = values.iter().map(|(name, value)| (GROUP, *name, *value)).collect();
        let conf = Config::for_test(&[oslo_messaging::OPTIONS, URL], &values).unwrap();
        let url = TransportUrl::parse(&self.url).unwrap();
        Transport::start(&url, Options::read(&conf, &url, "test").unwrap())
    }

    async fn channel(&self) -> (Connection, Channel) {
        let uri = self.url.replace("rabbit://", "amqp://");
        let connection = Connection::connect(&uri, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }
}

/// Remembers what it was asked.
#[derive(Default)]
struct Server(Mutex<Vec<Request>>);

impl Server {
    fn count(&self, method: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|request| request.method == method).count()
    }
}

#[async_trait]
impl Handler for Server {
    async fn handle(&self, request: Request) -> Result<Value, Failure> {
        self.0.lock().unwrap().push(request.clone());
        match request.method.as_str() {
            "fail" => Err(Failure::new("PortNotFound", "neutron_lib.exceptions", "there is no port")),
            "sleep" => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                Ok("slept".into())
            }
            _ => Ok(json!({"args": request.args, "context": request.context})),
        }
    }
}

fn request(method: &str) -> Request {
    let object = |value: Value| value.as_object().cloned().unwrap();
    Request {
        method: method.into(),
        namespace: None,
        version: "1.0".into(),
        args: object(json!({"x": "ä"})),
        context: object(json!({"is_admin": true})),
    }
}

fn any(topic: &str) -> Target {
    Target { topic: topic.into(), ..Target::default() }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(40);
    while !done() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Serves a topic, and waits until it can be called.
async fn served(transport: &Transport, topic: &str, concurrency: usize) -> (Arc<Server>, Serving) {
    let server = Arc::new(Server::default());
    let serving = transport.serve(topic, "host1", concurrency, server.clone());
    let end = Instant::now() + Duration::from_secs(30);
    while transport.call(any(topic), request("ready"), Some(Duration::from_millis(500))).await.is_err() {
        assert!(Instant::now() < end, "the topic is not served");
    }
    (server, serving)
}

async fn end(transport: &Transport, serving: Serving) {
    serving.stop().await;
    transport.close(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_casts_and_fanouts_go_through() {
    let Some(broker) = Broker::get("calls") else { return };
    let (here, there) = (broker.transport(&[("kombu_missing_consumer_retry_timeout", "2")]), broker.transport(&[]));
    let (server, serving) = served(&there, "t", 4).await;
    let expected = json!({"args": {"x": "ä"}, "context": {"is_admin": true}});
    assert_eq!(here.call(any("t"), request("m"), None).await, Ok(expected.clone()));
    let host = Target { server: Some("host1".into()), ..any("t") };
    assert_eq!(here.call(host, request("m"), None).await, Ok(expected));
    let failure = Failure::new("PortNotFound", "neutron_lib.exceptions", "there is no port");
    assert_eq!(here.call(any("t"), request("fail"), None).await, Err(CallError::Failed(failure)));
    let began = Instant::now();
    assert_eq!(here.call(any("t"), request("sleep"), Some(Duration::from_secs(1))).await, Err(CallError::Timeout));
    assert!(began.elapsed() < Duration::from_millis(1500));
    for index in 0..1000 {
        let args = json!({"n": index}).as_object().cloned().unwrap();
        here.send(any("t"), Request { args, ..request("cast") }, None).await;
    }
    here.send(Target { fanout: true, ..any("t") }, request("all"), None).await;
    here.send(Target { fanout: true, ..any("nobody") }, request("all"), None).await;
    here.send(any("nobody"), request("lost"), None).await;
    until("casts and the fanout arrive", || (server.count("cast"), server.count("all")) == (1000, 1)).await;
    until("all is confirmed", || here.stats().outgoing.load(Ordering::Relaxed) == 0).await;
    here.close(Duration::from_secs(5)).await;
    end(&there, serving).await;
    // The cast that nobody came for.
    assert_eq!(here.stats().given_up.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_and_exchanges_are_those_of_agents() {
    let Some(broker) = Broker::get("queues") else { return };
    let transport = broker.transport(&[]);
    let (_, serving) = served(&transport, "t", 1).await;
    let queues = broker.ctl(&["list_queues", "-p", &broker.vhost, "name", "durable", "auto_delete", "arguments", "--no-table-headers"]);
    for line in queues.lines() {
        let ttl = line.starts_with("t_fanout_") || line.starts_with("reply_");
        let arguments = if ttl { "[{\"x-expires\",1800000}]" } else { "[]" };
        let words: Vec<_> = line.split('\t').collect();
        assert_eq!(words[1..], ["false", "false", arguments], "{queues}");
    }
    assert_eq!(queues.lines().count(), 4, "{queues}");
    let exchanges = broker.ctl(&["list_exchanges", "-p", &broker.vhost, "name", "type", "durable", "auto_delete", "--no-table-headers"]);
    assert!(exchanges.lines().any(|line| line == "neutron\ttopic\tfalse\tfalse"), "{exchanges}");
    assert!(exchanges.lines().any(|line| line == "t_fanout\tfanout\tfalse\ttrue"), "{exchanges}");
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quorum_queues_and_streams_serve_as_well() {
    let Some(broker) = Broker::get("quorum") else { return };
    let values = [
        ("rabbit_quorum_queue", "true"),
        ("rabbit_transient_quorum_queue", "true"),
        ("rabbit_stream_fanout", "true"),
        ("rabbit_qos_prefetch_count", "10"),
    ];
    let transport = broker.transport(&values);
    let (server, serving) = served(&transport, "t", 4).await;
    for _ in 0..25 {
        transport.send(Target { fanout: true, ..any("t") }, request("all"), None).await;
    }
    until("a stream is read", || server.count("all") >= 25).await;
    let queues = broker.ctl(&["list_queues", "-p", &broker.vhost, "name", "type", "--no-table-headers"]);
    assert!(queues.contains("t\tquorum") && queues.contains("t_fanout\tstream"), "{queues}");
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn durable_queues_beside_those_that_are_not_fall_back() {
    let Some(broker) = Broker::get("durable") else { return };
    let first = broker.transport(&[]);
    let (_, serving) = served(&first, "t", 1).await;
    let second = broker.transport(&[("amqp_durable_queues", "true")]);
    let (server, serving2) = served(&second, "u", 1).await;
    assert!(server.count("ready") > 0);
    end(&second, serving2).await;
    end(&first, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_are_handled_at_a_time_than_was_said() {
    let Some(broker) = Broker::get("bound") else { return };
    let transport = broker.transport(&[]);
    let (server, serving) = served(&transport, "t", 2).await;
    for _ in 0..5 {
        transport.send(any("t"), request("sleep"), None).await;
    }
    until("two are handled", || transport.stats().handling.load(Ordering::Relaxed) == 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((transport.stats().handling.load(Ordering::Relaxed), server.count("sleep")), (2, 2));
    // What was not taken stays with the broker.
    end(&transport, serving).await;
    let left = broker.ctl(&["list_queues", "-p", &broker.vhost, "name", "messages", "--no-table-headers"]);
    assert!(left.lines().any(|line| line == "t\t3"), "{left}");
}

#[test]
fn what_a_killed_server_was_at_is_answered_by_another_one() {
    let Some(broker) = Broker::get("killed") else { return };
    let (killed, other) = (tokio::runtime::Runtime::new().unwrap(), tokio::runtime::Runtime::new().unwrap());
    let (first, _serving) = killed.block_on(async { served(&broker.transport(&[]), "t", 4).await });
    other.block_on(async {
        let client = broker.transport(&[]);
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call(any("t"), request("sleep"), Some(Duration::from_secs(20))).await })
            })
            .collect();
        until("all are at work", || first.count("sleep") == 3).await;
        killed.shutdown_background();
        let (second, serving) = served(&client, "t", 4).await;
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok("slept".into()));
        }
        assert_eq!((first.count("sleep"), second.count("sleep")), (3, 3));
        end(&client, serving).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_come_back() {
    let Some(broker) = Broker::get("cut") else { return };
    let transport = broker.transport(&[]);
    let (server, serving) = served(&transport, "t", 4).await;
    let mut returns = transport.returns();
    assert!(returns.borrow().is_none(), "it was not away yet");
    let cast = |n: u64| {
        let args = json!({"n": n}).as_object().cloned().unwrap();
        transport.send(any("t"), Request { args, ..request("cast") }, None)
    };
    let sent = AtomicU64::new(0);
    let sending = async {
        while sent.load(Ordering::Relaxed) < 2000 {
            cast(sent.fetch_add(1, Ordering::Relaxed)).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let cutting = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            tokio::task::block_in_place(|| broker.ctl(&["close_all_connections", "--vhost", &broker.vhost, "cut"]));
        }
    };
    let returning = async {
        for _ in 0..2 {
            returns.changed().await.unwrap();
            let last = returns.borrow_and_update().unwrap();
            assert!(last.away < Duration::from_secs(10), "{last:?}");
        }
    };
    tokio::join!(sending, cutting, returning);
    until("each cast is handled once", || server.count("cast") >= 2000).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut numbers: Vec<u64> = server
        .0
        .lock()
        .unwrap()
        .iter()
        .filter(|request| request.method == "cast")
        .filter_map(|request| request.args["n"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
    assert!(transport.call(any("t"), request("m"), Some(Duration::from_secs(20))).await.is_ok());
    assert!(transport.stats().connections.load(Ordering::Relaxed) >= 4);
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_anew() {
    let Some(broker) = Broker::get("deleted") else { return };
    let transport = broker.transport(&[]);
    let (_, serving) = served(&transport, "t", 4).await;
    broker.ctl(&["delete_queue", "-p", &broker.vhost, "t"]);
    until("it is noticed", || transport.stats().queues_lost.load(Ordering::Relaxed) == 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(transport.call(any("t"), request("m"), Some(Duration::from_secs(10))).await.is_ok());
    // The queue of answers too.
    let queues = broker.ctl(&["list_queues", "-p", &broker.vhost, "name", "--no-table-headers"]);
    let replies = queues.lines().find(|name| name.starts_with("reply_")).unwrap();
    broker.ctl(&["delete_queue", "-p", &broker.vhost, replies]);
    assert!(transport.call(any("t"), request("m"), Some(Duration::from_secs(10))).await.is_ok());
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_twice_is_handled_once() {
    let Some(broker) = Broker::get("twice") else { return };
    let transport = broker.transport(&[]);
    let (server, serving) = served(&transport, "t", 4).await;
    let (connection, channel) = broker.channel().await;
    let inner = json!({"method": "twice", "args": {}, "_unique_id": "same"}).to_string();
    let body = json!({"oslo.version": "2.0", "oslo.message": inner}).to_string();
    let publish = |body: String| {
        let channel = channel.clone();
        async move {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish("neutron".into(), "t".into(), options, body.as_bytes(), properties).await.unwrap().await.unwrap();
        }
    };
    for body in [&body, &body, "nonsense", &body.replace("same", "other")] {
        publish(body.to_owned()).await;
    }
    until("the last one is handled", || server.count("twice") == 2).await;
    let stats = transport.stats();
    assert_eq!((stats.duplicates.load(Ordering::Relaxed), stats.unreadable.load(Ordering::Relaxed)), (1, 1));
    connection.close(200, "OK".into()).await.unwrap();
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_waits_for_holds_up_no_other() {
    let Some(broker) = Broker::get("gone") else { return };
    let transport = broker.transport(&[("kombu_missing_consumer_retry_timeout", "2")]);
    let (server, serving) = served(&transport, "t", 4).await;
    let (connection, channel) = broker.channel().await;
    let inner = json!({"method": "m", "args": {}, "_msg_id": "x", "_reply_q": "reply_gone", "_unique_id": "1"}).to_string();
    let body = json!({"oslo.version": "2.0", "oslo.message": inner}).to_string();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("neutron".into(), "t".into(), options, body.as_bytes(), properties).await.unwrap().await.unwrap();
    until("it is handled", || server.count("m") == 1).await;
    assert!(transport.call(any("t"), request("m"), Some(Duration::from_secs(2))).await.is_ok());
    until("it is given up", || transport.stats().given_up.load(Ordering::Relaxed) == 1).await;
    assert!(transport.call(any("t"), request("m"), Some(Duration::from_secs(2))).await.is_ok());
    connection.close(200, "OK".into()).await.unwrap();
    end(&transport, serving).await;
}

/// An agent declares its queue a few seconds after its broker was restarted: what it was told before reaches it, in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_cast_waits_for_the_queue_of_its_receiver() {
    let Some(broker) = Broker::get("later") else { return };
    let transport = broker.transport(&[("kombu_missing_consumer_retry_timeout", "2")]);
    let agent = || Target { topic: "agent".into(), server: Some("host1".into()), ..Target::default() };
    let cast = async |index: u64| {
        let args = json!({"n": index}).as_object().cloned().unwrap();
        transport.send(agent(), Request { args, ..request("cast") }, None).await;
    };
    for index in 0..20 {
        cast(index).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let server = Arc::new(Server::default());
    let serving = transport.serve("agent", "host1", 1, server.clone());
    for index in 20..60 {
        cast(index).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("all casts arrived", || server.count("cast") == 60).await;
    let heard: Vec<_> = server.0.lock().unwrap().iter().map(|request| request.args["n"].as_u64().unwrap()).collect();
    assert!(heard.is_sorted(), "{heard:?}");
    until("all is confirmed", || transport.stats().outgoing.load(Ordering::Relaxed) == 0).await;
    // One that never comes is given up.
    transport.send(Target { server: Some("nobody".into()), ..agent() }, request("cast"), None).await;
    until("it is given up", || transport.stats().given_up.load(Ordering::Relaxed) == 1).await;
    end(&transport, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_and_starts_loses_nothing_that_waited_here() {
    let Some(broker) = Broker::get("restart") else { return };
    let values = [("rabbit_interval_max", "1")];
    let transport = broker.transport(&values);
    let (server, serving) = served(&transport, "t", 4).await;
    tokio::task::block_in_place(|| script(&broker.folder, &["pause"]));
    for index in 0..100 {
        let args = json!({"n": index}).as_object().cloned().unwrap();
        transport.send(any("t"), Request { args, ..request("cast") }, None).await;
    }
    let waiting = transport.call(any("t"), request("early"), Some(Duration::from_millis(300))).await;
    assert_eq!(waiting, Err(CallError::Timeout));
    tokio::task::block_in_place(|| script(&broker.folder, &["start"]));
    // Casts that come before the queue is there again are tried again, too; the call whose time was over must not arrive.
    let end_of_wait = Instant::now() + Duration::from_secs(30);
    while transport.call(any("t"), request("m"), Some(Duration::from_secs(1))).await.is_err() {
        assert!(Instant::now() < end_of_wait, "the topic is not served again");
    }
    assert_eq!(server.count("early"), 0);
    until("all casts arrived", || server.count("cast") == 100).await;
    until("all is confirmed", || transport.stats().outgoing.load(Ordering::Relaxed) == 0).await;
    assert!(transport.returns().borrow().unwrap().away > Duration::from_millis(300));
    // A transport that begins while the broker is away connects later.
    tokio::task::block_in_place(|| script(&broker.folder, &["pause"]));
    let late = broker.transport(&values);
    let serving2 = late.serve("u", "host1", 1, Arc::new(Server::default()));
    tokio::task::block_in_place(|| script(&broker.folder, &["start"]));
    let end_of_wait = Instant::now() + Duration::from_secs(30);
    while late.call(any("u"), request("m"), Some(Duration::from_secs(1))).await.is_err() {
        assert!(Instant::now() < end_of_wait, "the late topic is not served");
    }
    assert!(late.returns().borrow().is_some(), "it was away from the beginning");
    end(&late, serving2).await;
    end(&transport, serving).await;
}
