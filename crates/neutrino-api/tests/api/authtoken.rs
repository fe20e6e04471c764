// SPDX-License-Identifier: Apache-2.0
//! `auth_strategy = keystone`: the built-in pipeline in front of an application, with a Keystone of few words behind it.

#[path = "../../../keystone-auth/tests/it/fake.rs"]
#[expect(dead_code, reason = "keystone-auth's own tests use the rest")]
mod fake;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use keystone_auth::Options;
use neutrino_api::app::{App, Request, Response};
use neutrino_api::paste::{PasteSource, Pipeline, PipelineOptions, build};
use serde_json::{Value, json};

use crate::harness::Echo;
use fake::{Fake, token};

fn pipeline(keystone: &Fake, options: Options) -> Pipeline {
    let (validator, _) = keystone.validator(options);
    let options = PipelineOptions { authtoken: Some(validator), ..PipelineOptions::default() };
    build(PasteSource::BuiltIn, "keystone", Arc::new(Echo::default()), options).unwrap()
}

async fn ask(pipeline: &Pipeline, target: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::new(Method::GET, target, "");
    for (name, value) in headers {
        request.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    pipeline.call(request).await
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

const FORGED: &[(&str, &str)] = &[
    ("x-user-id", "root"),
    ("x_user_id", "root"),
    ("X-Roles", "admin"),
    ("x_roles", "admin"),
    ("x-project-id", "theirs"),
    ("x-tenant-id", "theirs"),
    ("x-is-admin-project", "True"),
    ("x-identity-status", "Confirmed"),
    ("openstack-system-scope", "all"),
    ("x-service-roles", "service"),
];

#[tokio::test]
async fn the_caller_is_the_tokens_whatever_the_headers_say() {
    let keystone = Fake::start().await;
    keystone.knows("good", token(&["member"]));
    let pipeline = pipeline(&keystone, keystone.options());
    let seen = json_of(&ask(&pipeline, "/v2.0/networks", &[FORGED, &[("x-auth-token", "good")]].concat()).await);
    assert_eq!((&seen["user_id"], &seen["project_id"], &seen["roles"]), (&json!("u1"), &json!("p1"), &json!(["member"])));
    assert_eq!(seen["is_admin"], Value::Null, "that is for the policy to say");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_served_but_the_versions() {
    let keystone = Fake::start().await;
    let pipeline = pipeline(&keystone, keystone.options());
    for headers in [FORGED.to_vec(), vec![("x-auth-token", "forged")], [FORGED, &[("x-auth-token", "forged")]].concat(), vec![]] {
        let response = ask(&pipeline, "/v2.0/networks", &headers).await;
        assert_eq!(response.status.as_u16(), 401);
        assert_eq!(response.headers["www-authenticate"], "Keystone uri=\"http://keystone.example:5000\"");
        assert_eq!(json_of(&response)["error"]["code"], 401);
    }
    assert_eq!(ask(&pipeline, "/", &[]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_keystone_that_is_away_is_503_and_no_refusal() {
    let keystone = Fake::start().await;
    keystone.knows("good", token(&["member"]));
    let pipeline = pipeline(&keystone, keystone.options());
    keystone.mood(|mood| mood.status = Some(500));
    let response = ask(&pipeline, "/v2.0/networks", &[("x-auth-token", "good")]).await;
    assert_eq!((response.status.as_u16(), json_of(&response)["error"]["code"].as_u64()), (503, Some(503)));
    assert!(!response.headers.contains_key("www-authenticate"));
    keystone.mood(|mood| mood.status = None);
    assert_eq!(ask(&pipeline, "/v2.0/networks", &[("x-auth-token", "good")]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_delayed_decision_falls_at_keystonecontext() {
    let keystone = Fake::start().await;
    let pipeline = pipeline(&keystone, Options { delay_auth_decision: true, ..keystone.options() });
    let response = ask(&pipeline, "/v2.0/networks", &[FORGED, &[("x-auth-token", "forged")]].concat()).await;
    assert_eq!(response.status.as_u16(), 401);
}
