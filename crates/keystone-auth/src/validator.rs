// SPDX-License-Identifier: Apache-2.0
//! Whether a token is valid, and whose it is.
//!
//! Owns: cache, shared questions, time limits, and the log about Keystone's being away. Invariant: `Ok` means that Keystone
//! confirmed this very token not longer ago than `token_cache_time`, and that it has not expired. Hence what comes from memcached,
//! whose age is unknown here, is not kept a second time in this process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::HeaderValue;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::authenticate::BindMode;
use crate::cache::{Cache, Digest, Digester, Known};
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::flight::{Flights, Lost};
use crate::keystone::{Keystone, auth_url};
use crate::memcached::Shared;
use crate::options::{Limits, OptionError, Options};
use crate::tls;
use crate::token::TokenInfo;

/// Why a token was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Keystone does not know it, or it has expired or been revoked: 401.
    Invalid,
    /// Nobody could say: 503.
    Unavailable(Unavailable),
}

/// Keystone could not be asked. The reason is for the log, not for users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    pub reason: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// Counts since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Answered from the cache: valid.
    pub hits: u64,
    /// Answered from memcached.
    pub shared_hits: u64,
    /// Answered from the cache: invalid.
    pub refusal_hits: u64,
    /// Not in the cache.
    pub misses: u64,
    /// Questions put to Keystone about a token.
    pub questions: u64,
    /// Questions without an answer that counts.
    pub failures: u64,
    /// Callers turned away because too many were waiting.
    pub turned_away: u64,
    pub cached_tokens: usize,
    pub cached_refusals: usize,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    shared_hits: AtomicU64,
    refusal_hits: AtomicU64,
    misses: AtomicU64,
    questions: AtomicU64,
    failures: AtomicU64,
    turned_away: AtomicU64,
    /// Whether the last question failed: the log speaks of changes.
    away: AtomicBool,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Answer to a question, shared by all who asked.
type Answer = Result<Known, Unavailable>;

/// What a question needs; it may outlive the caller.
struct Desk {
    keystone: Keystone,
    cache: Cache,
    shared: Option<Shared>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    counters: Counters,
}

struct Inner {
    desk: Arc<Desk>,
    digester: Digester,
    flights: Arc<Flights<(Digest, bool), Answer>>,
    waiting: Semaphore,
    options: Options,
    bind: BindMode,
    www_authenticate: HeaderValue,
    warned: AtomicBool,
}

/// Checks tokens. Cheap to clone; all clones share cache and connections. Needs a Tokio runtime.
#[derive(Clone)]
pub struct Validator(Arc<Inner>);

impl Validator {
    /// # Errors
    /// The options do not suffice, contradict each other, or name files that cannot be used. Keystone is not asked.
    pub fn new(options: Options) -> Result<Self, OptionError> {
        Self::with(options, Limits::default(), Arc::new(SystemClock::new()))
    }

    /// As [`Self::new`], with bounds and a clock of one's own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(options: Options, limits: Limits, clock: Arc<dyn Clock>) -> Result<Self, OptionError> {
        let tls = tls::config(&options, auth_url(&options)?.origin.tls)?;
        let client = Client::new(tls, &options, &limits);
        let shared = match (&options.memcached, options.token_cache_time) {
            (Some(memcached), Some(life)) => Some(Shared::new(memcached, life, limits.response_bytes, Arc::clone(&clock))?),
            _ => None,
        };
        let desk = Desk {
            shared,
            keystone: Keystone::new(client, Arc::clone(&clock), &options, &limits)?,
            cache: Cache::new(options.token_cache_time, &limits),
            clock,
            counters: Counters::default(),
            limits: limits.clone(),
        };
        Ok(Self(Arc::new(Inner {
            desk: Arc::new(desk),
            digester: Digester::new()?,
            flights: Flights::new(limits.flights),
            waiting: Semaphore::new(limits.waiting_callers),
            bind: BindMode::parse(&options.enforce_token_bind),
            www_authenticate: www_authenticate(&options)?,
            warned: AtomicBool::new(false),
            options,
        })))
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// It is not valid, or Keystone cannot say.
    pub async fn validate(&self, token: &str) -> Result<Arc<TokenInfo>, Rejection> {
        self.validate_with(token, false).await
    }

    /// As [`Self::validate`]; with `allow_expired` also for a token that expired a while ago (Keystone's `allow_expired_window`).
    /// Only on behalf of a trusted service.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub async fn validate_with(&self, token: &str, allow_expired: bool) -> Result<Arc<TokenInfo>, Rejection> {
        let desk = &self.0.desk;
        let token = token.trim();
        if token.is_empty() || token.len() > desk.limits.token_bytes || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Rejection::Invalid);
        }
        let digest = self.0.digester.digest(token);
        let known = match desk.cache.get(digest, allow_expired, desk.clock.elapsed()) {
            Some(known) => {
                count(if known == Known::Invalid { &desk.counters.refusal_hits } else { &desk.counters.hits });
                known
            }
            None => {
                count(&desk.counters.misses);
                self.ask(token, digest, allow_expired).await.map_err(Rejection::Unavailable)?
            }
        };
        match known {
            Known::Valid(info) if allow_expired || !info.is_expired(desk.clock.now()) => Ok(info),
            Known::Valid(_) | Known::Invalid => Err(Rejection::Invalid),
        }
    }

    /// Gets the server's own token, so that wrong credentials show before the first request.
    ///
    /// # Errors
    /// Keystone is away or refuses the credentials.
    pub async fn sign_in(&self) -> Result<(), Unavailable> {
        let desk = &self.0.desk;
        let result = timeout(desk.limits.total_time, desk.keystone.sign_in()).await;
        result.unwrap_or_else(|_| Err(too_slow())).map_err(|reason| Unavailable { reason })
    }

    /// The value of `WWW-Authenticate`, for every 401 that the server gives.
    #[must_use]
    pub fn www_authenticate(&self) -> HeaderValue {
        self.0.www_authenticate.clone()
    }

    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.0.desk.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (cached_tokens, cached_refusals) = self.0.desk.cache.len();
        Stats {
            hits: read(&counters.hits),
            shared_hits: read(&counters.shared_hits),
            refusal_hits: read(&counters.refusal_hits),
            misses: read(&counters.misses),
            questions: read(&counters.questions),
            failures: read(&counters.failures),
            turned_away: read(&counters.turned_away),
            cached_tokens,
            cached_refusals,
        }
    }

    pub(crate) fn bind(&self) -> &BindMode {
        &self.0.bind
    }

    /// True once.
    pub(crate) fn warn_once(&self) -> bool {
        !self.0.warned.swap(true, Ordering::Relaxed)
    }

    async fn ask(&self, token: &str, digest: Digest, allow_expired: bool) -> Answer {
        let desk = &self.0.desk;
        let full = || {
            count(&desk.counters.turned_away);
            Unavailable { reason: "too many requests wait for Keystone".to_owned() }
        };
        let _place = self.0.waiting.try_acquire().map_err(|_| full())?;
        let question = || {
            let (desk, token) = (Arc::clone(desk), token.to_owned());
            async move { desk.question(&token, digest, allow_expired).await }
        };
        match self.0.flights.join((digest, allow_expired), question).await {
            Ok(answer) => answer,
            Err(Lost::Full) => Err(full()),
            Err(Lost::Died) => Err(Unavailable { reason: "the question to Keystone was abandoned".to_owned() }),
        }
    }
}

impl Desk {
    async fn shared_answer(&self, token: &str) -> Option<TokenInfo> {
        let answer = self.shared.as_ref()?.get(token).await?;
        TokenInfo::parse(&answer).inspect_err(|reason| tracing::warn!(%reason, "an entry in memcached is passed over")).ok()
    }

    /// One question, for however many callers.
    async fn question(&self, token: &str, digest: Digest, allow_expired: bool) -> Answer {
        // Another question may have ended between the caller's look and this one's beginning.
        if let Some(known) = self.cache.get(digest, allow_expired, self.clock.elapsed()) {
            return Ok(known);
        }
        if let Some(info) = self.shared_answer(token).await {
            count(&self.counters.shared_hits);
            return Ok(Known::Valid(Arc::new(info)));
        }
        count(&self.counters.questions);
        // The answer's age counts from before the question.
        let asked = self.clock.elapsed();
        let verdict = timeout(self.limits.total_time, self.keystone.read_token(token, allow_expired)).await;
        match verdict.unwrap_or_else(|_| Err(too_slow())) {
            Ok(answer) => {
                let known = match answer {
                    None => Known::Invalid,
                    Some((info, body)) => {
                        if let Some(shared) = &self.shared {
                            shared.set(token, &body).await;
                        }
                        Known::Valid(Arc::new(info))
                    }
                };
                self.cache.put(digest, allow_expired, &known, asked);
                if self.counters.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("Keystone answers again");
                }
                Ok(known)
            }
            Err(reason) => {
                count(&self.counters.failures);
                if self.counters.away.swap(true, Ordering::Relaxed) {
                    tracing::debug!(%reason, "a token could not be checked");
                } else {
                    tracing::error!(%reason, "tokens cannot be checked; requests are answered with 503 until Keystone answers");
                }
                Err(Unavailable { reason })
            }
        }
    }
}

fn too_slow() -> String {
    "Keystone did not answer in time".to_owned()
}

fn www_authenticate(options: &Options) -> Result<HeaderValue, OptionError> {
    let (option, uri) = match &options.www_authenticate_uri {
        Some(uri) => ("www_authenticate_uri", uri.as_str()),
        None => ("auth_url", options.auth_url.as_deref().unwrap_or_default()),
    };
    if uri.contains('"') {
        return Err(OptionError::new(option, "holds a quotation mark"));
    }
    HeaderValue::from_str(&format!("Keystone uri=\"{uri}\"")).map_err(|_| OptionError::new(option, "holds characters that no URL has"))
}
