// SPDX-License-Identifier: Apache-2.0
//! What a token that is known already costs a request: `cargo bench -p keystone-auth`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may fail")]

#[path = "../tests/it/fake.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod fake;

use std::time::Instant;

use http::{HeaderMap, HeaderValue};
use keystone_auth::{Outcome, Target, strip_identity_headers};

const TIMES: u32 = 100_000;

#[tokio::main]
async fn main() {
    let keystone = fake::Fake::start().await;
    // As long as a Fernet token of a project is.
    let token = "g".repeat(183);
    keystone.knows(&token, fake::token(&["member", "reader"]));
    let (validator, _) = keystone.validator(keystone.options());
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", "n:9696"), ("user-agent", "openstacksdk"), ("accept", "application/json"), ("x-user-id", "forged")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("x-auth-token", HeaderValue::from_str(&token).unwrap());
    let target = Target { method: "GET", path: "/v2.0/networks" };
    assert!(matches!(validator.authenticate(&headers, target).await, Outcome::Accepted(_)));
    let start = Instant::now();
    for _ in 0..TIMES {
        let mut headers = headers.clone();
        strip_identity_headers(&mut headers);
        assert!(matches!(validator.authenticate(&headers, target).await, Outcome::Accepted(_)));
    }
    println!("a cached token: {:.2} us a request", start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    assert_eq!(keystone.questions(), 1);
}
