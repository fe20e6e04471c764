// SPDX-License-Identifier: Apache-2.0
//! A Keystone of few words: it gives the server its own token, describes the tokens it was told of, and can be slow, failing, or gone.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keystone_auth::{Clock, Limits, Options, Secret, Validator};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How the fake behaves. Changed by tests at any time.
#[derive(Debug, Default)]
pub struct Mood {
    /// Answers come after this long.
    pub delay: Duration,
    /// Answer to questions about tokens, whatever the token.
    pub status: Option<u16>,
    /// The body of a valid token's description, as it is sent.
    pub garbage: Option<String>,
    /// How many more questions with an own token are answered with 401.
    pub refuse_own: usize,
    /// The server's credentials are wrong.
    pub refuse_credentials: bool,
    /// How many more connections are cut without an answer.
    pub cut: usize,
}

#[derive(Debug, Default)]
struct Seen {
    questions: usize,
    sign_ins: usize,
    allow_expired: usize,
}

#[derive(Debug, Default)]
struct State {
    tokens: HashMap<String, Value>,
    mood: Mood,
    seen: Seen,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Fake {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct SetClock(Mutex<Duration>);

impl SetClock {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        "2030-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// A time in Keystone's form, so many seconds after the beginning of [`SetClock`].
pub fn at(seconds: i64) -> String {
    let start: DateTime<Utc> = "2030-01-01T00:00:00Z".parse().unwrap();
    (start + chrono::TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What Keystone says of a token that is valid for an hour.
pub fn token(roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|name| json!({"id": format!("id-{name}"), "name": name})).collect();
    json!({
        "methods": ["password"], "expires_at": at(3600), "issued_at": at(-60), "roles": roles,
        "user": {"id": "u1", "name": "ann", "domain": {"id": "d1", "name": "Default"}},
        "project": {"id": "p1", "name": "blue", "domain": {"id": "d1", "name": "Default"}},
    })
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let shared = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if shared.cuts() {
                    continue;
                }
                let fake = shared.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let fake = fake.clone();
                        async move { Ok::<_, Infallible>(fake.answer(&request).await) }
                    });
                    // The client may go away at any moment.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        fake
    }

    pub fn knows(&self, name: &str, token: Value) {
        self.state.lock().unwrap().tokens.insert(name.to_owned(), token);
    }

    pub fn forgets(&self, name: &str) {
        self.state.lock().unwrap().tokens.remove(name);
    }

    pub fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.state.lock().unwrap().mood);
    }

    pub fn questions(&self) -> usize {
        self.state.lock().unwrap().seen.questions
    }

    pub fn sign_ins(&self) -> usize {
        self.state.lock().unwrap().seen.sign_ins
    }

    pub fn allow_expired(&self) -> usize {
        self.state.lock().unwrap().seen.allow_expired
    }

    pub fn options(&self) -> Options {
        let text = |value: &str| Some(value.to_owned());
        Options {
            auth_type: text("password"),
            auth_url: Some(format!("http://{}/v3", self.address)),
            username: text("neutron"),
            password: Some(Secret::new("sesame")),
            user_domain_id: text("default"),
            project_name: text("service"),
            project_domain_id: text("default"),
            www_authenticate_uri: text("http://keystone.example:5000"),
            ..Options::default()
        }
    }

    /// With a clock that stands still, and short pauses.
    pub fn validator(&self, options: Options) -> (Validator, Arc<SetClock>) {
        let clock = Arc::new(SetClock::default());
        let limits = Limits { retry_pause: Duration::from_millis(5), total_time: Duration::from_secs(2), ..Limits::default() };
        (Validator::with(options, limits, clock.clone()).unwrap(), clock)
    }

    fn cuts(&self) -> bool {
        let cut = &mut self.state.lock().unwrap().mood.cut;
        let cuts = *cut > 0;
        *cut = cut.saturating_sub(1);
        cuts
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let delay = self.state.lock().unwrap().mood.delay;
        tokio::time::sleep(delay).await;
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/v3/auth/tokens") => self.sign_in(),
            (&Method::GET, "/v3/auth/tokens") => self.describe(request.headers(), request.uri().query().unwrap_or_default()),
            _ => plain(404, &Value::Null),
        }
    }

    fn sign_in(&self) -> Response<Full<Bytes>> {
        let mut state = self.state.lock().unwrap();
        state.seen.sign_ins += 1;
        if state.mood.refuse_credentials {
            return plain(401, &Value::Null);
        }
        let endpoint = json!({"interface": "internal", "region": "R", "url": format!("http://{}/v3", self.address)});
        let catalog = json!([{"type": "identity", "endpoints": [endpoint]}]);
        let mut response = plain(201, &json!({"token": {"expires_at": at(24 * 3600), "catalog": catalog}}));
        let own = format!("own-{}", state.seen.sign_ins);
        response.headers_mut().insert("x-subject-token", own.parse().unwrap());
        response
    }

    fn describe(&self, headers: &HeaderMap, query: &str) -> Response<Full<Bytes>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut state = self.state.lock().unwrap();
        state.seen.questions += 1;
        let expired = query.contains("allow_expired=1");
        state.seen.allow_expired += usize::from(expired);
        if state.mood.refuse_own > 0 {
            state.mood.refuse_own -= 1;
            return plain(401, &Value::Null);
        }
        if !text("x-auth-token").starts_with("own-") {
            return plain(403, &Value::Null);
        }
        if let Some(status) = state.mood.status {
            return plain(status, &Value::Null);
        }
        match state.tokens.get(text("x-subject-token")) {
            Some(_) if state.mood.garbage.is_some() => Response::new(Full::from(state.mood.garbage.clone().unwrap_or_default())),
            Some(token) if token["only_expired"] != true || expired => plain(200, &json!({"token": token})),
            _ => plain(404, &Value::Null),
        }
    }
}

fn plain(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
