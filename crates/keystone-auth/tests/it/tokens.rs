// SPDX-License-Identifier: Apache-2.0
//! What becomes of valid, expired, revoked, forged, oversized and service tokens while Keystone is well.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use keystone_auth::{AccessRule, Identity, Options, Outcome, Rejection, Target, Validator, is_identity_header, strip_identity_headers};
use serde_json::json;

use crate::fake::{Fake, at, token};

const GET: Target<'static> = Target { method: "GET", path: "/v2.0/networks" };

async fn ask(validator: &Validator, headers: &[(&'static str, &str)]) -> Outcome {
    let map: HeaderMap =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect();
    validator.authenticate(&map, GET).await
}

async fn identity(validator: &Validator, headers: &[(&'static str, &str)]) -> Identity {
    match ask(validator, headers).await {
        Outcome::Accepted(identity) => identity,
        other => panic!("not accepted: {other:?}"),
    }
}

async fn is_rejected(validator: &Validator, headers: &[(&'static str, &str)]) -> bool {
    matches!(ask(validator, headers).await, Outcome::Rejected { .. })
}

#[tokio::test]
async fn a_valid_token_says_who_asks_and_is_asked_about_once() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member", "reader"]));
    let (validator, _) = fake.validator(fake.options());
    for _ in 0..20 {
        let user = identity(&validator, &[("x-auth-token", "good")]).await.user;
        assert_eq!(
            (user.user_id.as_str(), user.user_name.as_deref(), user.user_domain_name.as_deref()),
            ("u1", Some("ann"), Some("Default"))
        );
        assert_eq!((user.project_id.as_deref(), user.project_domain_id.as_deref()), (Some("p1"), Some("d1")));
        assert_eq!((user.roles.as_slice(), user.system_scope.as_deref()), (&["member".to_owned(), "reader".to_owned()][..], None));
    }
    assert_eq!((fake.questions(), fake.sign_ins()), (1, 1));
    let stats = validator.stats();
    assert_eq!((stats.misses, stats.hits, stats.questions, stats.cached_tokens), (1, 19, 1, 1));
}

#[tokio::test]
async fn the_scope_of_a_token_is_told() {
    let fake = Fake::start().await;
    let mut system = token(&["admin"]);
    let object = system.as_object_mut().unwrap();
    object.remove("project");
    object.insert("system".to_owned(), json!({"all": true}));
    fake.knows("system", system);
    let mut domain = token(&["admin"]);
    let object = domain.as_object_mut().unwrap();
    object.remove("project");
    object.insert("domain".to_owned(), json!({"id": "d7", "name": "Seven"}));
    fake.knows("domain", domain);
    let (validator, _) = fake.validator(fake.options());
    let user = identity(&validator, &[("x-auth-token", "system")]).await.user;
    assert_eq!((user.system_scope.as_deref(), user.project_id.as_deref()), (Some("all"), None));
    let user = identity(&validator, &[("x-auth-token", "domain")]).await.user;
    assert_eq!((user.domain_id.as_deref(), user.domain_name.as_deref(), user.project_id.as_deref()), (Some("d7"), Some("Seven"), None));
}

#[tokio::test]
async fn without_a_valid_token_the_answer_says_where_to_get_one() {
    let fake = Fake::start().await;
    let (validator, _) = fake.validator(fake.options());
    for headers in [&[][..], &[("x-auth-token", "")], &[("x-auth-token", "forged")], &[("x-service-token", "forged")]] {
        let Outcome::Rejected { www_authenticate } = ask(&validator, headers).await else { panic!("{headers:?}") };
        assert_eq!(www_authenticate, "Keystone uri=\"http://keystone.example:5000\"");
    }
}

#[tokio::test]
async fn nonsense_is_refused_without_a_question() {
    let fake = Fake::start().await;
    let (validator, _) = fake.validator(fake.options());
    let huge = "x".repeat(9000);
    for text in [huge.as_str(), "two words", "tab\there", "  "] {
        assert_eq!(validator.validate(text).await, Err(Rejection::Invalid));
        assert!(is_rejected(&validator, &[("x-auth-token", text)]).await, "{:.20}", text);
    }
    assert!(is_rejected(&validator, &[("x-auth-token", "\u{e4}")]).await);
    // Two headers may be read in two ways.
    fake.knows("good", token(&["member"]));
    assert!(is_rejected(&validator, &[("x-auth-token", "good"), ("x-auth-token", "good")]).await);
    assert_eq!(fake.questions(), 0);
}

#[tokio::test]
async fn a_refusal_is_remembered_for_a_short_time() {
    let fake = Fake::start().await;
    let (validator, clock) = fake.validator(fake.options());
    for _ in 0..10 {
        assert!(is_rejected(&validator, &[("x-auth-token", "late")]).await);
    }
    assert_eq!((fake.questions(), validator.stats().refusal_hits), (1, 9));
    // Keystone comes to know it.
    fake.knows("late", token(&["member"]));
    clock.advance(Duration::from_secs(6));
    identity(&validator, &[("x-auth-token", "late")]).await;
}

#[tokio::test]
async fn a_token_that_expires_while_it_is_cached_is_refused_at_that_moment() {
    let fake = Fake::start().await;
    let mut short = token(&["member"]);
    short["expires_at"] = at(100).into();
    fake.knows("short", short);
    let (validator, clock) = fake.validator(fake.options());
    identity(&validator, &[("x-auth-token", "short")]).await;
    clock.advance(Duration::from_secs(99));
    identity(&validator, &[("x-auth-token", "short")]).await;
    clock.advance(Duration::from_secs(1));
    assert!(is_rejected(&validator, &[("x-auth-token", "short")]).await);
    // Keystone describes it although it has expired: the clocks differ, and ours counts.
    let mut old = token(&["member"]);
    old["expires_at"] = at(-1).into();
    fake.knows("old", old);
    assert!(is_rejected(&validator, &[("x-auth-token", "old")]).await);
}

#[tokio::test]
async fn a_revoked_token_works_no_longer_than_the_cache_time() {
    let fake = Fake::start().await;
    fake.knows("gone", token(&["member"]));
    let (validator, clock) = fake.validator(fake.options());
    identity(&validator, &[("x-auth-token", "gone")]).await;
    fake.forgets("gone");
    clock.advance(Duration::from_secs(299));
    identity(&validator, &[("x-auth-token", "gone")]).await;
    clock.advance(Duration::from_secs(2));
    assert!(is_rejected(&validator, &[("x-auth-token", "gone")]).await);
    // Without a cache at once.
    fake.knows("gone", token(&["member"]));
    let (uncached, _) = fake.validator(Options { token_cache_time: None, ..fake.options() });
    identity(&uncached, &[("x-auth-token", "gone")]).await;
    fake.forgets("gone");
    assert!(is_rejected(&uncached, &[("x-auth-token", "gone")]).await);
}

#[tokio::test]
async fn a_service_token_must_be_valid_and_of_a_service() {
    let fake = Fake::start().await;
    fake.knows("user", token(&["member"]));
    fake.knows("nova", token(&["service"]));
    let (validator, _) = fake.validator(fake.options());
    let both = identity(&validator, &[("x-auth-token", "user"), ("x-service-token", "nova")]).await;
    assert_eq!(both.service.unwrap().roles, ["service"]);
    assert!(is_rejected(&validator, &[("x-auth-token", "user"), ("x-service-token", "forged")]).await);
    assert!(is_rejected(&validator, &[("x-auth-token", "user"), ("x-service-token", "user")]).await);
    let tolerant = Options { service_token_roles_required: false, ..fake.options() };
    let (validator, _) = fake.validator(tolerant);
    assert!(identity(&validator, &[("x-auth-token", "user"), ("x-service-token", "user")]).await.service.is_some());
}

#[tokio::test]
async fn a_service_may_go_on_with_a_token_that_expired_meanwhile_and_nobody_else_may() {
    let fake = Fake::start().await;
    let mut expired = token(&["member"]);
    expired["expires_at"] = at(-60).into();
    expired["only_expired"] = true.into();
    fake.knows("expired", expired);
    fake.knows("nova", token(&["service"]));
    let (validator, _) = fake.validator(fake.options());
    assert!(is_rejected(&validator, &[("x-auth-token", "expired")]).await);
    identity(&validator, &[("x-auth-token", "expired"), ("x-service-token", "nova")]).await;
    assert_eq!(fake.allow_expired(), 1);
    // What was accepted for the service is not accepted without it.
    assert!(is_rejected(&validator, &[("x-auth-token", "expired")]).await);
    let tolerant = Options { service_token_roles_required: false, ..fake.options() };
    let (validator, _) = fake.validator(tolerant);
    fake.knows("user", token(&["member"]));
    assert!(is_rejected(&validator, &[("x-auth-token", "expired"), ("x-service-token", "user")]).await);
}

#[tokio::test]
async fn a_later_stage_may_decide() {
    let fake = Fake::start().await;
    fake.knows("user", token(&["member"]));
    let (validator, _) = fake.validator(Options { delay_auth_decision: true, ..fake.options() });
    identity(&validator, &[("x-auth-token", "user")]).await;
    let Outcome::Undecided(undecided) = ask(&validator, &[("x-auth-token", "forged")]).await else { panic!("decided") };
    assert!(undecided.user.is_none() && undecided.service.is_none());
    fake.mood(|mood| mood.status = Some(500));
    assert!(matches!(ask(&validator, &[("x-auth-token", "another")]).await, Outcome::Undecided(_)));
}

#[tokio::test]
async fn an_application_credential_does_what_its_access_rules_permit() {
    let fake = Fake::start().await;
    let mut restricted = token(&["member"]);
    restricted["application_credential"] = json!({"id": "ac", "name": "x", "restricted": true, "access_rules": [
        {"id": "1", "path": "/v2.0/networks", "method": "GET", "service": "network"},
    ]});
    restricted["catalog"] = json!([{"type": "network", "endpoints": []}]);
    fake.knows("restricted", restricted);
    let (validator, _) = fake.validator(Options { service_type: Some("network".to_owned()), ..fake.options() });
    let headers: HeaderMap = [(HeaderName::from_static("x-auth-token"), HeaderValue::from_static("restricted"))].into_iter().collect();
    let accepted = |outcome: Outcome| matches!(outcome, Outcome::Accepted(_));
    assert!(accepted(validator.authenticate(&headers, GET).await));
    assert!(!accepted(validator.authenticate(&headers, Target { method: "DELETE", path: "/v2.0/networks" }).await));
    assert!(!accepted(validator.authenticate(&headers, Target { method: "GET", path: "/v2.0/ports" }).await));
    // Without knowing which service this is, nothing is permitted.
    let (validator, _) = fake.validator(fake.options());
    assert!(!accepted(validator.authenticate(&headers, GET).await));
    let rules: Option<Vec<AccessRule>> = validator.validate("restricted").await.unwrap().access_rules.clone();
    assert_eq!(rules.map(|rules| rules.len()), Some(1));
}

#[test]
fn no_spelling_of_an_identity_header_survives() {
    let names = ["x-user-id", "X-Roles", "x_project_id", "X-Service-Roles", "OpenStack-System-Scope", "x-is-admin-project", "X-Tenant"];
    let mut headers = HeaderMap::new();
    for name in names {
        assert!(is_identity_header(name), "{name}");
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("admin"));
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("again"));
    }
    headers.insert("x-auth-token", HeaderValue::from_static("t"));
    headers.insert("x-openstack-request-id", HeaderValue::from_static("r"));
    strip_identity_headers(&mut headers);
    assert_eq!(headers.len(), 2);
}
