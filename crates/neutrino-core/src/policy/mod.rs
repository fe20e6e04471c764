// SPDX-License-Identifier: Apache-2.0
//! Who may do what: the rules in force, bound to the collections and attributes that are on, and what they decide.
//!
//! Owns the options of `[oslo_policy]`, what rules mean for Neutron's objects (owners, parents, fields), and every decision. An
//! [`crate::Authorized`] is made here and nowhere else. Rules are evaluated as `neutron/policy.py` does: the rule of the operation, and the rule
//! of each attribute (and of each key of an attribute that is a dictionary) that a write names. What has no rule of its own is judged by the
//! default rule.
//!
//! Invariants: a decision that cannot be reached is a refusal; rows of a list are judged by groups that are equal in what the rule
//! reads, with one statement for each kind of parent, so that a page costs no more statements when it grows.

mod bind;
#[rustfmt::skip]
pub mod defaults;
mod judge;
mod reading;
mod remote;
mod subject;

use std::{
    cell::OnceCell,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use oslo_config::{Config, Opt};
use oslo_policy::{Credentials, DefaultRule, EVERYTHING, Field, Language, Live, Options, Owner, Parent, Question, Related, Rules, Source};
use serde_json::Value;

use crate::{Caller, Registry};

pub use bind::{Bound, CollectionRules};
pub use judge::Judge;
pub(crate) use reading::Reading;
pub use remote::Remote;

pub static OPTIONS: &[Opt] = &[
    Opt::bool("oslo_policy", "enforce_scope").default("true").help("Refuse tokens of a scope that a rule is not meant for."),
    Opt::bool("oslo_policy", "enforce_new_defaults")
        .default("true")
        .help("Without it, what the deprecated form of a default allowed stays allowed, and administrators are not judged."),
    Opt::str("oslo_policy", "policy_file").default("policy.yaml").help("Rules that replace defaults; looked for beside the configuration."),
    Opt::str("oslo_policy", "policy_default_rule").default("default").help("The rule for everything that has none of its own."),
    Opt::multi("oslo_policy", "policy_dirs").default("policy.d").help("Folders of further files with rules."),
    Opt::str("oslo_policy", "remote_content_type")
        .default("application/x-www-form-urlencoded")
        .choices(&["application/x-www-form-urlencoded", "application/json"])
        .help("How http: and https: checks are sent."),
    Opt::bool("oslo_policy", "remote_ssl_verify_server_crt")
        .default("false")
        .help("Whether the certificates of https: checks are verified."),
    Opt::str("oslo_policy", "remote_ssl_ca_crt_file").help("Authorities for https: checks, PEM."),
    Opt::str("oslo_policy", "remote_ssl_client_crt_file").help("Own certificate for https: checks, PEM."),
    Opt::str("oslo_policy", "remote_ssl_client_key_file").help("Its private key, PEM."),
    Opt::float("oslo_policy", "remote_timeout")
        .default("60")
        .float_limits(0.0, f64::MAX)
        .help("Seconds that an http: or https: check may take."),
];

const CALLER_RULES: [&str; 5] =
    ["context_is_admin", "service_api", "context_is_advsvc", "context_with_global_access", "context_can_set_project_id"];

/// Every rule that this server registers.
#[must_use]
pub fn defaults() -> Vec<DefaultRule<'static>> {
    [&defaults::NEUTRON[..], &defaults::LIB].concat()
}

/// Where an operator's rules are, and how they are read.
///
/// # Errors
/// Never today; a place for options that cannot be obeyed.
pub fn from_config(config: &Config) -> Result<(Source, Options), String> {
    let name = config.text("oslo_policy", "policy_file");
    let find = |name: &str| config.find_file(name);
    // The older form is taken where the newer is not there, as oslo.policy does.
    let policy_file = find(&name).or_else(|| if name == "policy.yaml" { find("policy.json") } else { None });
    if policy_file.is_none() && config.is_set("oslo_policy", "policy_file") {
        tracing::warn!("[oslo_policy] policy_file = {name}: there is no such file; the defaults are in force");
    }
    let policy_dirs = config.multi("oslo_policy", "policy_dirs").iter().filter_map(|name| find(name)).collect::<Vec<PathBuf>>();
    let options = Options {
        default_rule: config.text("oslo_policy", "policy_default_rule"),
        enforce_new_defaults: config.bool("oslo_policy", "enforce_new_defaults"),
        enforce_scope: config.bool("oslo_policy", "enforce_scope"),
        lenient: false,
    };
    Ok((Source { policy_file, policy_dirs }, options))
}

/// What rules may say about Neutron's objects. `registry`: whose attributes give the text of `field:` its type.
#[must_use]
pub fn language(registry: &Registry) -> Language {
    let owner = Arc::new(Owner::new(&[
        Parent { resource: "network", via: Some("network_id") },
        Parent { resource: "security_group", via: Some("security_group_id") },
        Parent { resource: subject::EXT_PARENT, via: None },
    ]));
    let booleans: Vec<(String, String)> = registry
        .entries()
        .flat_map(|(collection, entry)| {
            let flags = entry.table.attributes.iter().filter(|a| matches!(a.convert, Some(neutrino_model::Converter::ToBoolean)));
            flags.map(|a| (collection.to_owned(), a.name.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let convert = move |resource: &str, field: &str, text: &str| {
        let is_boolean = subject::is_boolean(resource, field) || booleans.iter().any(|(c, f)| c == resource && f == field);
        Ok(match (is_boolean, text.to_ascii_lowercase().as_str()) {
            (true, "true" | "1") => Value::Bool(true),
            (true, "false" | "0") => Value::Bool(false),
            (true, _) => return Err(format!("\"{text}\" is neither True nor False, which {resource}:{field} is")),
            (false, _) => Value::from(text),
        })
    };
    let related = [
        Related { resource: "networks", field: "shared", via: "network_id" },
        Related { resource: "security_group_rules", field: "belongs_to_default_sg", via: "security_group_id" },
    ];
    let field = Arc::new(Field::new(Arc::new(convert), &related));
    Language::new().with("project_id", owner.clone()).with("tenant_id", owner).with("field", field).with_credentials(&[
        "tenant_id",
        "tenant",
        "project_name",
    ])
}

/// The rules in force. Follows the operator's files.
pub struct Policy {
    live: Live,
    bound: RwLock<Arc<Bound>>,
    names: bind::Names,
    /// Administrators are not judged (`enforce_new_defaults = false`).
    trusts_admin: bool,
    remote: Remote,
}

impl Policy {
    /// Reads and compiles the rules for what is on.
    ///
    /// # Errors
    /// What is wrong with the operator's files, for the operator.
    pub fn start(registry: &Registry, source: Source, options: Options, remote: Remote) -> Result<Self, String> {
        let trusts_admin = !options.enforce_new_defaults;
        let live = Live::start(defaults(), source, language(registry), options).map_err(|problems| problems.to_string())?;
        let names = bind::Names::of(registry);
        let rules = live.current();
        check_remote(&rules)?;
        report(&rules);
        let bound = RwLock::new(Arc::new(Bound::new(rules, &names)));
        Ok(Self { live, bound, names, trusts_admin, remote })
    }

    /// The defaults alone.
    ///
    /// # Errors
    /// As [`Policy::start`].
    pub fn of_defaults(registry: &Registry) -> Result<Self, String> {
        Self::start(registry, Source::default(), Options::default(), Remote::default())
    }

    /// The rules in force now; keep them for the whole of one request.
    #[must_use]
    pub fn current(&self) -> Arc<Bound> {
        Arc::clone(&self.bound.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the operator's files again if they changed. Touches the disk: not for the path of a request.
    ///
    /// # Errors
    /// What is wrong with them; the old rules stay.
    pub fn reload(&self) -> Result<bool, String> {
        if !self.live.poll().map_err(|problems| problems.to_string())? {
            return Ok(false);
        }
        let rules = self.live.current();
        check_remote(&rules)?;
        report(&rules);
        *self.bound.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Bound::new(rules, &self.names));
        Ok(true)
    }

    /// Fills in what the rules about callers say. An administrator by other means (`noauth`) stays one.
    #[must_use]
    pub fn settle(&self, mut caller: Caller) -> Caller {
        let rules = &self.current().rules;
        let credentials = credentials(&caller);
        let target = OnceCell::new();
        let holds = |name: &str| holds(rules, name, &credentials, &target);
        let flags = (holds("context_is_admin"), holds("service_api") || holds("context_is_advsvc"));
        let (global, set_project) = (holds("context_with_global_access"), holds("context_can_set_project_id"));
        caller.is_admin |= flags.0;
        caller.is_service |= flags.1;
        caller.has_global_access |= global;
        caller.can_set_project_id |= set_project;
        caller
    }

    pub(crate) fn remote(&self) -> &Remote {
        &self.remote
    }

    pub(crate) fn trusts(&self, caller: &Caller) -> bool {
        self.trusts_admin && caller.is_admin
    }
}

/// Rules about the caller are asked for every request, before anything else: they cannot wait for another server.
fn check_remote(rules: &Rules) -> Result<(), String> {
    for name in CALLER_RULES {
        if rules.find(name).is_some_and(|id| rules.reads(id).iter().any(|key| **key == *EVERYTHING)) {
            return Err(format!("rule \"{name}\" asks a remote server, which a rule about the caller cannot do"));
        }
    }
    Ok(())
}

/// What an operator should know about rules that work.
fn report(rules: &Rules) {
    for warning in rules.warnings() {
        tracing::warn!("{warning}");
    }
}

/// A rule about the caller alone: the target is the credentials.
fn holds(rules: &Rules, name: &str, credentials: &Credentials, target: &OnceCell<serde_json::Map<String, Value>>) -> bool {
    let Some(id) = rules.find(name) else { return false };
    rules.by_credentials(id, credentials).unwrap_or_else(|| {
        let question = Question::new(credentials, target.get_or_init(|| credentials.to_json()));
        rules.decide(id, &question) == oslo_policy::Decision::Allowed
    })
}

/// What rules may ask of a caller.
#[must_use]
pub fn credentials(caller: &Caller) -> Credentials {
    let mut extra = serde_json::Map::new();
    extra.insert("tenant_id".to_owned(), caller.project_id.clone().map_or(Value::Null, Value::from));
    extra.insert("tenant".to_owned(), caller.project_id.clone().map_or(Value::Null, Value::from));
    extra.insert("project_name".to_owned(), caller.project_name.clone().map_or(Value::Null, Value::from));
    Credentials {
        user_id: caller.user_id.clone(),
        user_domain_id: caller.user_domain_id.clone(),
        project_id: caller.project_id.clone(),
        project_domain_id: caller.project_domain_id.clone(),
        domain_id: caller.domain_id.clone(),
        system_scope: caller.system_scope.clone(),
        roles: caller.roles.clone(),
        is_admin: caller.is_admin,
        is_admin_project: caller.is_admin_project,
        service_user_id: caller.service_user_id.clone(),
        service_project_id: caller.service_project_id.clone(),
        service_roles: caller.service_roles.clone(),
        extra,
        ..Credentials::default()
    }
}
