// SPDX-License-Identifier: Apache-2.0
//! Who asks, and the operation's own time, randomness and ids, so that a test can fix them.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{NaiveDateTime, Timelike as _, Utc};
use rand::Rng as _;

use crate::delivery::Tickets;

/// The token of a caller, to be sent to other services in the caller's name. Never shown, never stored.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who asks. Made by the identity filters of the pipeline, or by [`Context::internal`]. Names are oslo.context's.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub token: Option<Token>,
    pub user_id: Option<String>,
    pub user_name: Option<String>,
    pub user_domain_id: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub project_domain_id: Option<String>,
    /// The domain a domain-scoped token is for.
    pub domain_id: Option<String>,
    /// `all` for a token scoped to the whole deployment.
    pub system_scope: Option<String>,
    pub roles: Vec<String>,
    pub service_user_id: Option<String>,
    pub service_project_id: Option<String>,
    /// Of the service that passed the request on.
    pub service_roles: Vec<String>,
    pub is_admin_project: bool,
    /// By the rule `context_is_admin`.
    pub is_admin: bool,
    /// By the rules `service_api` and `context_is_advsvc`.
    pub is_service: bool,
    /// By the rule `context_with_global_access`.
    pub has_global_access: bool,
    /// By the rule `context_can_set_project_id`.
    pub can_set_project_id: bool,
}

/// Sources of time and randomness.
pub trait Chance: Send + Sync {
    fn now(&self) -> NaiveDateTime;
    fn random(&self) -> u64;
}

struct RealChance;

impl Chance for RealChance {
    fn now(&self) -> NaiveDateTime {
        let now = Utc::now().naive_utc();
        // Neutron's columns keep whole seconds.
        now.with_nanosecond(0).unwrap_or(now)
    }

    fn random(&self) -> u64 {
        if let Some(place) = SEEDED.get() {
            return scrambled(place.fetch_add(1, Ordering::Relaxed));
        }
        #[expect(clippy::disallowed_methods, reason = "this is the source that everything else goes through")]
        rand::rng().next_u64()
    }
}

/// Where this process is in a fixed row of numbers, in tests.
static SEEDED: OnceLock<AtomicU64> = OnceLock::new();

/// For tests: from here on this process draws the numbers of this row instead of random ones, so that it allocates the same addresses each time
/// that it does the same. Only the first call of a process counts.
pub fn seed_for_tests(row: u64) {
    _ = SEEDED.set(AtomicU64::new(scrambled(row)));
}

/// The number at a place of a row that looks random (the output function of SplitMix64).
fn scrambled(place: u64) -> u64 {
    let mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The context of one operation. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub request_id: Arc<str>,
    pub caller: Arc<Caller>,
    chance: Arc<dyn Chance>,
    pub(crate) tickets: Tickets,
}

impl Context {
    #[must_use]
    pub fn new(request_id: &str, caller: Caller) -> Self {
        Self { request_id: request_id.into(), caller: Arc::new(caller), chance: Arc::new(RealChance), tickets: Tickets::None }
    }

    /// The server's own work (a periodic task, a start-up step): an administrator of no project.
    #[must_use]
    pub fn internal(name: &str) -> Self {
        Self::new(name, Caller { is_admin: true, ..Caller::default() })
    }

    /// The same operation in the sight of a project without any privilege.
    #[must_use]
    pub fn of_project(&self, project_id: &str) -> Self {
        let caller = Caller { project_id: Some(project_id.to_owned()), ..Caller::default() };
        Self { caller: Arc::new(caller), ..self.clone() }
    }

    /// The same operation with administrator's sight, for guards that must see what the caller may not.
    #[must_use]
    pub fn elevated(&self) -> Self {
        let mut caller = (*self.caller).clone();
        caller.is_admin = true;
        Self { caller: Arc::new(caller), ..self.clone() }
    }

    /// For tests: fixed time and randomness.
    #[must_use]
    pub fn with_chance(mut self, chance: Arc<dyn Chance>) -> Self {
        self.chance = chance;
        self
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.caller.is_admin
    }

    /// Does SQL show the caller the objects of every project? The rules of the policy still judge each of them.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.caller.is_admin || self.caller.is_service || self.caller.has_global_access
    }

    /// May the caller create objects for other projects?
    #[must_use]
    pub fn can_set_project_id(&self) -> bool {
        self.caller.is_admin || self.caller.is_service || self.caller.can_set_project_id
    }

    /// The caller's project, empty without one.
    #[must_use]
    pub fn project_id(&self) -> &str {
        self.caller.project_id.as_deref().unwrap_or_default()
    }

    /// UTC, in whole seconds.
    #[must_use]
    pub fn now(&self) -> NaiveDateTime {
        self.chance.now()
    }

    #[must_use]
    pub fn random(&self) -> u64 {
        self.chance.random()
    }

    /// A random UUID (version 4), in lower case with hyphens.
    #[must_use]
    pub fn new_id(&self) -> String {
        let bytes = (u128::from(self.random()) << 64) | u128::from(self.random());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
    }
}
