// SPDX-License-Identifier: Apache-2.0
//! Notifications of API requests.

use neutrino_services::notifications::Notifier;
use neutrino_testing::Server;
use serde_json::{Value, json};

const TEST: &[(&str, &str, &str)] = &[("oslo_messaging_notifications", "driver", "test"), ("DEFAULT", "host", "h")];

fn kept(server: &Server) -> Vec<(String, Value)> {
    let kept = server.engine.registry.service::<Notifier>().unwrap().kept();
    kept.iter().map(|message| (message["event_type"].as_str().unwrap().to_owned(), message["payload"].clone())).collect()
}

#[tokio::test]
async fn a_request_is_told_of_before_and_after() {
    let server = Server::with(TEST).await;
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.body;
    let id = network["network"]["id"].clone();
    let path = format!("/networks/{}", id.as_str().unwrap());
    let changed = server.put(&path, json!({"network": {"name": "m"}})).await.body;
    server.delete(&path).await;
    let told = kept(&server);
    let events: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    let both = |verb: &str| [format!("network.{verb}.start"), format!("network.{verb}.end")];
    assert_eq!(events, ["create", "update", "delete"].map(both).concat());
    assert_eq!(told[0].1, json!({"network": {"name": "n"}}));
    assert_eq!(told[1].1, network);
    assert_eq!(told[2].1, json!({"network": {"name": "m"}, "id": id}));
    assert_eq!(told[3].1, changed);
    assert_eq!(told[4].1, json!({"network_id": id}));
    assert_eq!((&told[5].1["network_id"], &told[5].1["network"]["name"]), (&id, &json!("m")));
    let message = &server.engine.registry.service::<Notifier>().unwrap().kept()[0];
    assert_eq!((&message["publisher_id"], &message["priority"]), (&json!("network.h"), &json!("INFO")));
}

#[tokio::test]
async fn a_refusal_has_no_end_and_a_look_is_not_told() {
    let server = Server::with(TEST).await;
    server.post("/networks", json!({"network": {"nonsense": 1}})).await.refused(400, "HTTPBadRequest");
    server.get("/networks").await;
    server.delete("/networks/x").await;
    let events: Vec<String> = kept(&server).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, ["network.create.start", "network.delete.start"]);
    // Several at once are told of as they were asked for.
    server.post("/networks", json!({"networks": [{}, {}]})).await;
    assert_eq!(kept(&server).last().unwrap().1["networks"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn what_is_for_a_bus_waits_for_whoever_carries_it() {
    let group = "oslo_messaging_notifications";
    let options = [(group, "driver", "messagingv2"), (group, "topics", "a,b"), ("DEFAULT", "host", "h")];
    let server = Server::with(&options).await;
    server.post("/networks", json!({"network": {"name": "n"}})).await;
    let outlet = server.engine.registry.service::<neutrino_core::notifications::Outlet>().unwrap();
    let notices: Vec<_> = std::iter::from_fn(|| outlet.take()).collect();
    let events: Vec<_> = notices.iter().map(|notice| notice.message["event_type"].as_str().unwrap()).collect();
    assert_eq!(events, ["network.create.start", "network.create.end"]);
    assert!(notices[0].envelope && notices[0].topics == ["a.info", "b.info"]);
    // Without such a driver nothing is kept for it.
    assert!(Server::with(TEST).await.engine.registry.service::<neutrino_core::notifications::Outlet>().is_none());
}

#[tokio::test]
async fn a_bus_that_is_not_there_is_refused() {
    for (driver, said) in [("routing", "not supported"), ("nonsense", "no such driver")] {
        let told = crate::ports::refused_at_start(&[("oslo_messaging_notifications", "driver", driver)]);
        assert!(told.contains(said) && told.contains("[oslo_messaging_notifications] driver"), "{told}");
    }
    let quiet = Server::with(&[("oslo_messaging_notifications", "driver", "noop")]).await;
    assert!(quiet.engine.registry.service::<Notifier>().is_none());
}
