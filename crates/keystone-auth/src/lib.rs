// SPDX-License-Identifier: Apache-2.0
//! Tokens of OpenStack's Identity service, checked for a server: what Keystone's `auth_token` middleware does, as a library.
//!
//! Owns: the options of `[keystone_authtoken]`, the HTTP conversation with Keystone, the server's own token, the cache of
//! answers, the decision about a request's `X-Auth-Token` and `X-Service-Token`, and requests to other services with the own token. Refuses to own: configuration files,
//! responses to users, policy. It knows nothing of the server that uses it.
//!
//! Invariants: nothing grows without bound (cache, callers that wait, connections, answers, time); a token is never
//! logged nor kept (the cache knows digests only); what Keystone did not clearly confirm is not accepted.

mod access_rules;
mod authenticate;
mod cache;
mod client;
mod clock;
mod flight;
mod headers;
mod keystone;
mod memcached;
mod option_names;
mod options;
mod sealed;
mod service;
mod tls;
mod token;
mod url;
mod validator;

pub use access_rules::AccessRule;
pub use authenticate::{Identity, Outcome, Target, Undecided, rejection_body, unavailable_body};
pub use clock::{Clock, SystemClock};
pub use headers::{is_identity_header, strip_identity_headers};
pub use memcached::Memcached;
pub use option_names::{OPTION_NAMES, OptionInfo, OptionKind, Support};
pub use options::{Limits, OptionError, Options, Secret};
pub use sealed::Protection;
pub use service::{Headers, Service, Site};
pub use token::TokenInfo;
pub use validator::{Rejection, Stats, Unavailable, Validator};
