// SPDX-License-Identifier: Apache-2.0
//! Quotas: how many objects of each kind a project may have (`neutron/db/quota`, `neutron/extensions/quotasv2*.py`).
//!
//! Owns the table `quotas` and its API. Limits come from there, else from the options, else from `default_quota`; -1 is no limit. What is
//! counted is the rows themselves, and reservations that a Neutron server beside this one may hold; nothing is tallied, so nothing leaks.
//!
//! Never exceeded: the count is made in the transaction of the create, before anything is written, while the transaction holds what no
//! other create of that kind and project can have: on SQLite the one writer; elsewhere the row of (kind, project) in `quotausages`, which
//! it changes first. Who comes second waits for the commit (READ COMMITTED: its count then sees the new rows), and between nodes of a Galera
//! cluster fails at its commit and is tried again, as for any two writes of one row. That row is written as dirty, so a Neutron server
//! with its older quota driver, the only reader of that table, counts anew. Kinds without a limit are neither claimed nor counted.

mod api;
mod enforce;
mod store;

use std::sync::Arc;

use neutrino_core::{Builder, Engine};
use neutrino_model::Extension;
use neutrino_types::Kind as ErrorKind;
use oslo_config::{Config, Opt};

const OVER_QUOTA: ErrorKind = ErrorKind::new("OverQuota", 409);
const NOT_FOUND: ErrorKind = ErrorKind::new("TenantQuotaNotFound", 404);
const MISSING_PROJECT: ErrorKind = ErrorKind::new("QuotaMissingTenant", 400);
const ADMIN_REQUIRED: ErrorKind = ErrorKind::new("AdminRequired", 403);

const UNLIMITED: i64 = -1;

const NO_LOCK: &str = "neutron.db.quota.driver_nolock.DbQuotaNoLockDriver";
const LOCKING: &str = "neutron.db.quota.driver.DbQuotaDriver";
const NONE: &str = "neutron.db.quota.driver_null.DbQuotaDriverNull";
const DRIVERS: [&str; 3] = [NO_LOCK, LOCKING, NONE];

pub static OPTIONS: &[Opt] = &[
    Opt::int("quotas", "default_quota").default("-1").help("Objects per project of a kind that has no option of its own; -1: any number."),
    Opt::int("quotas", "quota_network").default("100").help("Networks per project; -1: any number."),
    Opt::int("quotas", "quota_subnet").default("100").help("Subnets per project; -1: any number."),
    Opt::int("quotas", "quota_port").default("500").help("Ports per project; -1: any number."),
    Opt::int("quotas", "quota_rbac_policy").default("10").help("RBAC policies per project; -1: any number."),
    Opt::int("quotas", "quota_security_group").default("10").help("Security groups per project; -1: any number."),
    Opt::int("quotas", "quota_security_group_rule").default("100").help("Security group rules per project; -1: any number."),
    Opt::int("quotas", "quota_router").default("10").help("Routers per project; -1: any number."),
    Opt::int("quotas", "quota_floatingip").default("50").help("Floating IPs per project; -1: any number."),
    Opt::int("quotas", "quota_router_route").default("30").help("Routes per router; -1: any number."),
    Opt::str("quotas", "quota_driver").default(NO_LOCK).help("How quotas are enforced; the null driver knows no limits."),
    Opt::bool("quotas", "track_quota_usage").default("true").help("Without effect: what a project has is always counted."),
];

/// A kind of object with a quota.
#[derive(Debug)]
struct Bounded {
    /// In the API.
    name: &'static str,
    /// It has a quota where this collection is on.
    collection: &'static str,
    option: Option<&'static str>,
    /// SELECTs of one number each, for the project `?`: their sum is what it has.
    counts: &'static [&'static str],
}

const fn kind(name: &'static str, collection: &'static str, option: Option<&'static str>, counts: &'static [&'static str]) -> Bounded {
    Bounded { name, collection, option, counts }
}

/// In the order of Neutron's answers.
static BOUNDED: &[Bounded] = &[
    kind("network", "networks", Some("quota_network"), &["SELECT count(*) FROM networks WHERE project_id = ?"]),
    kind("subnet", "subnets", Some("quota_subnet"), &["SELECT count(*) FROM subnets WHERE project_id = ?"]),
    kind("subnetpool", "subnetpools", None, &["SELECT count(*) FROM subnetpools WHERE project_id = ?"]),
    kind("port", "ports", Some("quota_port"), &["SELECT count(*) FROM ports WHERE project_id = ?"]),
    // A limit for each router, which routers ask for with the number of routes that one is to have.
    kind("router_route", "routers", Some("quota_router_route"), &[]),
    kind("router", "routers", Some("quota_router"), &["SELECT count(*) FROM routers WHERE project_id = ?"]),
    kind("floatingip", "floatingips", Some("quota_floatingip"), &["SELECT count(*) FROM floatingips WHERE project_id = ?"]),
    kind(
        "rbac_policy",
        "rbac_policies",
        Some("quota_rbac_policy"),
        &[
            "SELECT count(*) FROM networkrbacs WHERE project_id = ?",
            "SELECT count(*) FROM qospolicyrbacs WHERE project_id = ?",
            "SELECT count(*) FROM securitygrouprbacs WHERE project_id = ?",
            "SELECT count(*) FROM addressscoperbacs WHERE project_id = ?",
            "SELECT count(*) FROM subnetpoolrbacs WHERE project_id = ?",
            "SELECT count(*) FROM addressgrouprbacs WHERE project_id = ?",
        ],
    ),
    kind("security_group", "security_groups", Some("quota_security_group"), &["SELECT count(*) FROM securitygroups WHERE project_id = ?"]),
    kind(
        "security_group_rule",
        "security_group_rules",
        Some("quota_security_group_rule"),
        &["SELECT count(*) FROM securitygrouprules WHERE project_id = ?"],
    ),
    kind("trunk", "trunks", None, &["SELECT count(*) FROM trunks WHERE project_id = ?"]),
];

/// The kinds and their limits by default.
#[derive(Debug)]
struct Quotas {
    /// By position in [`BOUNDED`].
    defaults: Vec<i64>,
}

impl Quotas {
    /// The kinds whose collection is on, with the limit of a project that has none of its own.
    fn on<'a>(&'a self, engine: &'a Engine) -> impl Iterator<Item = (&'static Bounded, i64)> + 'a {
        let all = BOUNDED.iter().zip(self.defaults.iter().copied());
        all.filter(|(bounded, _)| engine.registry.entry(bounded.collection).is_some())
    }

    /// The kind that a create of this collection makes; a kind that is not counted is asked for by its name.
    fn of(&self, collection: &str) -> Option<(&'static Bounded, i64)> {
        let at = BOUNDED.iter().position(|b| collection == if b.counts.is_empty() { b.name } else { b.collection })?;
        Some((&BOUNDED[at], *self.defaults.get(at)?))
    }
}

static EXTENSION: Extension =
    Extension::new("quotas", "Quota management support", "Expose functions for quotas management per project", "2012-07-29T10:00:00-00:00");
static DETAILS: Extension = Extension::new(
    "quota_details",
    "Quota details management support",
    "Expose functions for quotas usage statistics per project",
    "2017-02-10T10:00:00-00:00",
)
.requires(&["quotas"]);
static CHECK_LIMIT: Extension = Extension::new(
    "quota-check-limit",
    "Quota engine limit check",
    "Support for checking the resource usage before applying a new quota limit",
    "2021-09-08T16:00:00-00:00",
)
.requires(&["quotas"]);
static CHECK_LIMIT_DEFAULT: Extension = Extension::new(
    "quota-check-limit-default",
    "Quota engine limit check by default",
    "By default, the Neutron quota engine checks the resource usage before applying a new quota limit",
    "2024-08-21T16:00:00-00:00",
)
.requires(&["quota-check-limit"]);

/// # Errors
/// A sentence for the operator: a driver that is not known.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let driver = config.text("quotas", "quota_driver");
    if !DRIVERS.contains(&driver.as_str()) {
        return Err(config.refuse("quotas", "quota_driver", &driver, "is no quota driver", &DRIVERS).to_string());
    }
    builder.extension(&EXTENSION).extension(&CHECK_LIMIT).extension(&CHECK_LIMIT_DEFAULT);
    if driver == NONE {
        builder.endpoint(api::Api { quotas: None });
        return Ok(());
    }
    let general = config.int("quotas", "default_quota");
    let limit = |b: &Bounded| b.option.map_or(general, |option| config.int("quotas", option)).max(UNLIMITED);
    let quotas = Arc::new(Quotas { defaults: BOUNDED.iter().map(limit).collect() });
    builder.extension(&DETAILS).quota(enforce::Enforce(quotas.clone())).endpoint(api::Api { quotas: Some(quotas) });
    Ok(())
}
