// SPDX-License-Identifier: Apache-2.0
//! oslo.policy's language: who may do what, written as rules that an operator can override.
//!
//! Owns the check language ([`parse()`]), the credentials and targets a check looks at, the defaults a program registers, the files
//! an operator writes ([`Source`]), their compilation into one indexed tree ([`Rules`]), its evaluation, and what a person may ask about
//! it: the effective rules, a sample file, why a decision came out so ([`Rules::explain`]).
//!
//! Refuses to own: which rules exist, what a parent resource is, any network or file access during a decision. Evaluation is synchronous;
//! where it meets something that only the embedder can fetch (an attribute of a parent, a remote check) it stops with
//! [`Decision::Needs`] or [`Decision::NeedsHttp`], and the embedder asks again with the answer at hand.
//!
//! ```
//! use oslo_policy::{Credentials, Decision, DefaultRule, Language, Options, Overrides, Question, Rules};
//!
//! let defaults = [
//!     DefaultRule::new("owner", "project_id:%(project_id)s"),
//!     DefaultRule::new("get_thing", "role:admin or rule:owner"),
//! ];
//! let rules = Rules::build(&defaults, &Overrides::default(), &Language::new(), &Options::default())?;
//! let creds = Credentials { project_id: Some("p1".into()), ..Credentials::default() };
//! let target = serde_json::Map::from_iter([("project_id".to_owned(), "p1".into())]);
//! let id = rules.find("get_thing").ok_or("get_thing is registered")?;
//! assert_eq!(rules.decide(id, &Question::new(&creds, &target)), Decision::Allowed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: compiled rules hold no broken, undefined or circular reference; a decision that cannot be reached is never an approval;
//! nesting, references and the work of one decision are bounded when the rules are built.

mod build;
mod check;
mod creds;
mod eval;
mod explain;
mod field;
mod files;
mod language;
mod link;
mod literal;
mod nearest;
mod owner;
mod parse;
mod problem;
mod reload;
mod rules;
mod sample;
mod target;
mod template;
mod yaml;

pub use check::{Check, Leaf};
pub use creds::{Credentials, Scope};
pub use eval::{Decision, HttpCall, Need, Question, Stop};
pub use explain::{Explanation, Verdict};
pub use field::{Convert, Field, Related};
pub use files::{FileRule, Overrides, RuleText, Source, Stamp};
pub use language::{Custom, Kind, Language};
pub use owner::{Owner, Parent};
pub use parse::{SyntaxError, parse, parse_lenient};
pub use problem::{Problem, Problems};
pub use reload::Live;
pub use rules::{DefaultRule, DeprecatedRule, EVERYTHING, Listed, Operation, Options, Origin, Removal, RuleId, Rules};
pub use sample::sample;
pub use target::{Attr, Target};
