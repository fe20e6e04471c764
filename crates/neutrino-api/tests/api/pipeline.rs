// SPDX-License-Identifier: Apache-2.0
//! The built-in pipeline and the filters in it, called in process; shapes compared with those recorded from the real server.

use std::path::PathBuf;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use neutrino_api::app::{App, Request, Response};
use neutrino_api::filters::request_id;
use neutrino_api::paste::{PasteSource, Pipeline, PipelineOptions, build};
use serde_json::{Value, json};

use crate::harness::{Echo, contract};

fn pipeline(options: PipelineOptions) -> Pipeline {
    build(PasteSource::BuiltIn, "noauth", Arc::new(Echo::default()), options).unwrap()
}

fn custom(filters: &str, sections: &str) -> Pipeline {
    let text = format!(
        "[composite:neutron]\nuse = egg:Paste#urlmap\n/v2.0 = api\n[pipeline:api]\npipeline = {filters} end\n[app:end]\npaste.app_factory = neutron.api.v2.router:APIRouter.factory\n{sections}"
    );
    build(PasteSource::Text { name: "custom.ini".to_owned(), text }, "noauth", Arc::new(Echo::default()), PipelineOptions::default())
        .unwrap()
}

async fn ask(pipeline: &Pipeline, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), target, "");
    request.info.host = "localhost:9696".to_owned();
    for (name, value) in headers {
        request.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    pipeline.call(request).await
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_api_is_mounted_at_its_version() {
    let pipeline = pipeline(PipelineOptions::default());
    for (target, path) in [("/v2.0", ""), ("/v2.0/", "/"), ("/v2.0/networks?x=1", "/networks"), ("//v2.0//ports/%2f", "/ports/%2f")] {
        let response = ask(&pipeline, "GET", target, &[]).await;
        let seen = json_of(&response);
        assert_eq!((seen["script_name"].as_str(), seen["path"].as_str()), (Some("/v2.0"), Some(path)), "{target}");
    }
    // The links that the real server shows at /v2.0/ are made from the request's own host.
    let probe = contract("probes.json")["probes"]["a"].as_array().unwrap().iter().find(|probe| probe["req"] == "GET /").unwrap().clone();
    let mut request = Request::new(Method::GET, "/v2.0/", "");
    request.info.host = "localhost:80".to_owned();
    let base = json_of(&pipeline.call(request).await)["base_url"].as_str().unwrap().to_owned();
    assert_eq!(probe["resp"]["resources"][0]["links"][0]["href"], format!("{base}/networks"));
}

#[tokio::test]
async fn versions_are_listed_at_the_root() {
    let pipeline = pipeline(PipelineOptions::default());
    let response = ask(&pipeline, "GET", "/", &[]).await;
    assert_eq!((response.status.as_u16(), text(&response.headers, "content-type")), (200, Some("application/json")));
    let links = json!([{"rel": "self", "href": "http://localhost:9696/v2.0/"}]);
    assert_eq!(json_of(&response), json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}));
    for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(ask(&pipeline, method, "/", &[]).await.status.as_u16(), 405, "{method}");
    }
    assert_eq!(ask(&pipeline, "GET", "/", &[("accept", "text/html")]).await.status.as_u16(), 406);
    let prefixed = super::pipeline::pipeline(PipelineOptions {
        network_link_prefix: Some("https://n.example/net".to_owned()),
        ..PipelineOptions::default()
    });
    assert_eq!(json_of(&ask(&prefixed, "GET", "/", &[]).await)["versions"][0]["links"][0]["href"], "https://n.example/net/v2.0/");
}

#[tokio::test]
async fn an_unknown_version_is_a_plain_404_in_the_form_that_is_accepted() {
    let pipeline = pipeline(PipelineOptions::default());
    for target in ["/v3/networks", "/v2.0x", "/foo", "/a%20b/<x>"] {
        let response = ask(&pipeline, "GET", target, &[]).await;
        assert_eq!(
            (response.status.as_u16(), text(&response.headers, "content-type")),
            (404, Some("text/plain; charset=UTF-8")),
            "{target}"
        );
        assert!(response.body.starts_with(b"404 Not Found\n\n"));
    }
    let html = ask(&pipeline, "GET", "/foo", &[("accept", "*/*")]).await;
    assert_eq!(text(&html.headers, "content-type"), Some("text/html; charset=UTF-8"));
    let json = ask(&pipeline, "GET", "/foo", &[("accept", "application/json")]).await;
    assert_eq!(json_of(&json)["code"], 404);
}

#[tokio::test]
async fn every_answer_of_the_api_names_its_request() {
    let pipeline = pipeline(PipelineOptions::default());
    let given = "req-11111111-2222-3333-4444-55555555555f";
    let response = ask(&pipeline, "GET", "/v2.0/x", &[("x-openstack-request-id", given)]).await;
    let (seen, id) = (json_of(&response), text(&response.headers, "x-openstack-request-id").unwrap());
    assert!(request_id::is_valid(id) && id != given);
    assert_eq!((seen["request_id"].as_str(), seen["global_request_id"].as_str()), (Some(id), Some(given)));
    let response = ask(&pipeline, "GET", "/v2.0/x", &[("x-openstack-request-id", "req-nonsense")]).await;
    assert_eq!(json_of(&response)["global_request_id"], Value::Null);
    assert_eq!(text(&ask(&pipeline, "GET", "/", &[]).await.headers, "x-openstack-request-id"), None);
}

#[tokio::test]
async fn a_panic_passes_the_outer_filters_as_an_answer() {
    let pipeline = pipeline(PipelineOptions::default());
    let response = ask(&pipeline, "GET", "/v2.0/panic", &[]).await;
    assert_eq!(response.status.as_u16(), 500);
    assert_eq!(json_of(&response)["NeutronError"]["type"], "HTTPInternalServerError");
    assert!(response.headers.contains_key("x-openstack-request-id"));
}

#[tokio::test]
async fn without_authentication_a_caller_without_a_project_gets_the_fake_one() {
    let pipeline = pipeline(PipelineOptions::default());
    let seen = json_of(&ask(&pipeline, "GET", "/v2.0/x", &[("x-user-id", "u"), ("x-roles", "member, other")]).await);
    assert_eq!((&seen["project_id"], &seen["user_id"], &seen["is_admin"]), (&json!("fake_project_id"), &json!("u"), &json!(true)));
    assert_eq!(seen["roles"], json!(["member", "other", "admin", "reader"]));
    // As Neutron: the filter makes no context for a caller with a project, and without one the caller is the admin in no project.
    let seen = json_of(&ask(&pipeline, "GET", "/v2.0/x", &[("x-project-id", "p")]).await);
    assert_eq!((&seen["project_id"], &seen["is_admin"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn keystonecontext_reads_the_caller_from_headers() {
    let pipeline = custom("ks", "[filter:ks]\npaste.filter_factory = neutron.auth:NeutronKeystoneContext.factory\n");
    let response = ask(&pipeline, "GET", "/v2.0/x", &[("x-project-id", "p")]).await;
    assert_eq!((response.status.as_u16(), text(&response.headers, "content-type")), (401, Some("text/plain; charset=UTF-8")));
    let headers = [("x-user-id", "u"), ("x-tenant-id", "p"), ("x-roles", "member,reader")];
    let seen = json_of(&ask(&pipeline, "GET", "/v2.0/x", &headers).await);
    assert_eq!((&seen["project_id"], &seen["roles"], &seen["is_admin"]), (&json!("p"), &json!(["member", "reader"]), &Value::Null));
}

fn with_origins() -> PipelineOptions {
    let mut options = PipelineOptions::default();
    options.cors.allowed_origin = vec!["http://a.example".to_owned(), "http://b.example".to_owned()];
    options
}

#[tokio::test]
async fn a_preflight_of_a_known_origin_is_granted() {
    let pipeline = pipeline(with_origins());
    let wanted = [
        ("origin", "http://a.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "X-Auth-Token, accept"),
    ];
    for target in ["/v2.0/networks", "/", "/nowhere"] {
        let response = ask(&pipeline, "OPTIONS", target, &wanted).await;
        assert_eq!(response.status.as_u16(), 200, "{target}");
        let header = |name| text(&response.headers, name);
        assert_eq!(header("access-control-allow-origin"), Some("http://a.example"));
        assert_eq!(header("access-control-allow-methods"), Some("PUT"));
        assert_eq!(header("access-control-allow-headers"), Some("X-Auth-Token,accept"));
        assert_eq!((header("access-control-max-age"), header("access-control-allow-credentials")), (Some("3600"), Some("true")));
        assert_eq!(header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_preflight_that_asks_too_much_gets_no_grant() {
    let pipeline = pipeline(with_origins());
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("origin", "http://evil.example"), ("access-control-request-method", "GET")],
        &[("origin", "http://a.example")],
        &[("origin", "http://a.example"), ("access-control-request-method", "TRACE")],
        &[("origin", "http://a.example"), ("access-control-request-method", "GET"), ("access-control-request-headers", "x-other")],
    ];
    for headers in cases {
        let response = ask(&pipeline, "OPTIONS", "/nowhere", headers).await;
        assert_eq!(response.status.as_u16(), 200, "a refused preflight is an empty 200: {headers:?}");
        assert!(response.body.is_empty() && !response.headers.contains_key("access-control-allow-origin"), "{headers:?}");
    }
}

#[tokio::test]
async fn answers_are_shared_with_known_origins_only() {
    let pipeline = pipeline(with_origins());
    let response = ask(&pipeline, "GET", "/v2.0/x", &[("origin", "http://b.example")]).await;
    assert_eq!(text(&response.headers, "access-control-allow-origin"), Some("http://b.example"));
    assert_eq!(text(&response.headers, "vary"), Some("Origin"));
    assert!(text(&response.headers, "access-control-expose-headers").unwrap().contains("X-OpenStack-Request-ID"));
    for options in [with_origins(), PipelineOptions::default()] {
        let pipeline = super::pipeline::pipeline(options);
        let response = ask(&pipeline, "GET", "/v2.0/x", &[("origin", "http://evil.example")]).await;
        assert!(!response.headers.contains_key("access-control-allow-origin"));
    }
    let mut any = PipelineOptions::default();
    any.cors.allowed_origin = vec!["*".to_owned()];
    let response = ask(&super::pipeline::pipeline(any), "GET", "/v2.0/x", &[("origin", "http://evil.example")]).await;
    assert_eq!(text(&response.headers, "access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_proxy_is_believed_only_when_told_so() {
    let family = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "pub.example"),
        ("x-forwarded-prefix", "/net"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let doubting = pipeline(PipelineOptions::default());
    let seen = json_of(&ask(&doubting, "GET", "/v2.0/x", &family).await);
    assert_eq!((&seen["base_url"], &seen["remote"]), (&json!("http://localhost:9696/v2.0"), &json!("127.0.0.1")));

    let believing = pipeline(PipelineOptions { enable_proxy_headers_parsing: true, ..PipelineOptions::default() });
    let seen = json_of(&ask(&believing, "GET", "/v2.0/x", &family).await);
    assert_eq!((&seen["base_url"], &seen["remote"]), (&json!("https://pub.example/net/v2.0"), &json!("192.0.2.1")));
    let versions = json_of(&ask(&believing, "GET", "/", &family).await);
    assert_eq!(versions["versions"][0]["links"][0]["href"], "https://pub.example/net/v2.0/");

    let forwarded =
        [("forwarded", "for=192.0.2.60;proto=https;host=\"x.example:8\", for=192.0.2.1;proto=http"), ("x-forwarded-host", "ignored")];
    let seen = json_of(&ask(&believing, "GET", "/v2.0/x", &forwarded).await);
    assert_eq!((&seen["base_url"], &seen["remote"]), (&json!("https://x.example:8/v2.0"), &json!("192.0.2.60")));
}

#[tokio::test]
async fn the_health_check_answers_in_the_accepted_form() {
    let pipeline = pipeline(PipelineOptions::default());
    let cases = [
        (None, "text/plain; charset=UTF-8"),
        (Some("*/*"), "text/plain; charset=UTF-8"),
        (Some("application/xml"), "text/plain; charset=UTF-8"),
        (Some("text/html"), "text/html; charset=UTF-8"),
        (Some("application/json"), "application/json"),
    ];
    for (accept, kind) in cases {
        let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let response = ask(&pipeline, "GET", "/healthcheck", &headers).await;
        assert_eq!((response.status.as_u16(), text(&response.headers, "content-type")), (200, Some(kind)), "{accept:?}");
    }
    assert_eq!(ask(&pipeline, "GET", "/healthcheck", &[]).await.body, "OK");
    let json = json_of(&ask(&pipeline, "GET", "/healthcheck/", &[("accept", "application/json")]).await);
    assert_eq!(json, json!({"detailed": false, "reasons": ["OK"]}));
    let head = ask(&pipeline, "HEAD", "/healthcheck", &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (204, 0));
}

fn health(settings: &str) -> Pipeline {
    let text = format!(
        "[composite:neutron]\nuse = egg:Paste#urlmap\n/healthcheck = h\n[app:h]\nuse = egg:oslo.middleware#healthcheck\n{settings}\n"
    );
    build(PasteSource::Text { name: "health.ini".to_owned(), text }, "noauth", Arc::new(Echo::default()), PipelineOptions::default())
        .unwrap()
}

#[tokio::test]
async fn the_health_check_follows_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("flag");
    let status = async |settings: String, method| ask(&health(&settings), method, "/healthcheck", &[]).await.status.as_u16();
    let disable = format!("backends = disable_by_file\ndisable_by_file_path = {}", file.display());
    let enable = format!("backends = enable_by_files\nenable_by_file_paths = {}", file.display());
    let port = format!("backends = disable_by_files_ports\ndisable_by_file_paths = 1:/, 9696:{}", file.display());
    assert_eq!(
        (status(disable.clone(), "GET").await, status(enable.clone(), "GET").await, status(port.clone(), "GET").await),
        (200, 503, 200)
    );
    std::fs::write(&file, "").unwrap();
    assert_eq!((status(disable.clone(), "GET").await, status(enable, "GET").await, status(port, "GET").await), (503, 200, 503));
    assert_eq!(status(disable.clone(), "HEAD").await, 503);
    let response = ask(&health(&format!("{disable}\ndetailed = yes")), "GET", "/healthcheck", &[("accept", "application/json")]).await;
    let reason = json_of(&response)["reasons"][0].clone();
    assert_eq!((reason["reason"].as_str(), reason["class"].as_str()), (Some("DISABLED BY FILE"), Some("HealthcheckResult")));
}

#[tokio::test]
async fn the_health_check_can_be_kept_from_others() {
    let from =
        async |settings: &str, headers: &[(&str, &str)]| ask(&health(settings), "GET", "/healthcheck", headers).await.status.as_u16();
    assert_eq!(from("allowed_source_ranges = 127.0.0.0/8, ::1", &[]).await, 200);
    assert_eq!(from("allowed_source_ranges = 192.0.2.0/24", &[]).await, 404);
    assert_eq!(from("ignore_proxied_requests = true", &[("x-forwarded-for", "192.0.2.1")]).await, 404);
    assert_eq!(from("ignore_proxied_requests = true", &[]).await, 200);
}

#[tokio::test]
async fn sizelimit_and_the_other_optional_filters_can_be_put_in() {
    let sections = "[filter:small]\npaste.filter_factory = oslo_middleware:RequestBodySizeLimiter.factory\nmax_request_body_size = 10\n\
        [filter:log]\nuse = egg:oslo.middleware#debug\n[filter:id]\nuse = egg:oslo.middleware#correlation_id\n";
    let pipeline = custom("small log id", sections);
    for (body, status) in [("0123456789", 200), ("0123456789a", 413)] {
        assert_eq!(pipeline.call(Request::new(Method::POST, "/v2.0/x", body)).await.status.as_u16(), status);
    }
}
