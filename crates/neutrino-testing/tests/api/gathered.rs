// SPDX-License-Identifier: Apache-2.0
//! Shows that are asked for at the same time may share statements, and each gets what it would get alone.

use futures::future::join_all;
use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

async fn show(s: &Server, project: &str, path: &str) -> Answer {
    let identity =
        Identity { project_id: Some(project.to_owned()), roles: vec!["member".to_owned(), "reader".to_owned()], ..Identity::default() };
    s.send_as(identity, Method::GET, path, "", &[]).await
}

#[tokio::test]
async fn shows_at_the_same_time_see_what_each_sees_alone() {
    let s = Server::full().await;
    let network = s.post("/networks", json!({"network": {"project_id": "owner"}})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let ports: Vec<Value> = (0..40)
        .map(|n| json!({"network_id": network, "project_id": "owner", "name": format!("p{n}"), "tags": [format!("t{n}")]}))
        .collect();
    let made = s.post("/ports", json!({"ports": ports})).await;
    let mut paths: Vec<String> =
        made.body["ports"].as_array().unwrap().iter().map(|port| format!("/ports/{}", port["id"].as_str().unwrap())).collect();
    paths.push("/ports/00000000-0000-4000-8000-000000000000".to_owned());
    paths.push("/ports/no%00id".to_owned());
    paths.push(paths[0].clone());

    let everybody = || ["owner", "stranger"].into_iter().flat_map(|project| paths.iter().map(move |path| (project, path)));

    let mut alone = Vec::new();
    for (project, path) in everybody() {
        alone.push(show(&s, project, path).await);
    }
    assert_eq!(alone.iter().filter(|answer| answer.status == 200).count(), 41);
    let together = join_all(everybody().map(|(project, path)| show(&s, project, path))).await;
    for ((who, alone), together) in everybody().zip(&alone).zip(&together) {
        assert_eq!((alone.status, &alone.body), (together.status, &together.body), "{who:?}");
    }
    let before = s.statements();
    // An administrator's, whose rules ask nothing. How many share depends on who meets whom; a share never costs more.
    join_all(paths[..40].iter().map(|path| s.get(path))).await;
    let statements = s.statements() - before;
    assert!(statements <= 40, "{statements} statements for 40 shows");
}
