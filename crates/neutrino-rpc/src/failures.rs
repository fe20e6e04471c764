// SPDX-License-Identifier: Apache-2.0
//! Errors as the exceptions that agents know, and back.
//!
//! Agents ask for the name of an exception (`exc_type`): the name of our kind is Neutron's. Where Neutron's own exceptions cannot be made
//! again from their sentence, an agent gets oslo.messaging's RemoteError with that name, as it does from Neutron.

use neutrino_core::rpc::Unserved;
use neutrino_types::{
    Error,
    error::{Class, kinds},
};
use oslo_messaging::{CallError, Failure};

/// The module in which agents look for exceptions of Neutron.
const NEUTRON: &str = "neutron_lib.exceptions";

/// What a caller gets for a method that failed.
pub(crate) fn of_error(error: &Error) -> Failure {
    match error.class() {
        Class::Caller if error.kind().status < 500 => Failure::new(name(error), NEUTRON, error.message()),
        _ => Failure::new(name(error), "neutron.server", error.message()),
    }
}

/// The HTTP layer's own words mean nothing to an agent.
fn name(error: &Error) -> &'static str {
    let name = error.kind().name;
    if error.is(kinds::INTERNAL) { "NeutronException" } else { name.strip_prefix("HTTP").unwrap_or(name) }
}

/// What a caller gets when nothing answers to its request.
pub(crate) fn of_unserved(unserved: Unserved, method: &str, version: &str) -> Failure {
    match unserved {
        Unserved::NoSuchMethod => Failure::no_such_method(method),
        Unserved::UnsupportedVersion => Failure::unsupported_version(version, method),
    }
}

/// A call of ours that failed.
pub(crate) fn of_call(error: &CallError, method: &str, place: &str) -> Error {
    Error::internal(format!("{method} of {place}: {error}"))
}

#[cfg(test)]
mod tests {
    use neutrino_types::error::Kind;

    use super::*;

    #[test]
    fn agents_get_the_names_that_they_know() {
        let failure = of_error(&Kind::new("NetworkNotFound", 404).error("no network"));
        assert_eq!((failure.class.as_str(), failure.module.as_str(), failure.message.as_str()), ("NetworkNotFound", NEUTRON, "no network"));
        let failure = of_error(&Error::internal("secret"));
        assert!(failure.class == "NeutronException" && !failure.message.contains("secret"));
        assert_eq!(of_error(&kinds::CONFLICT.error("x")).class, "Conflict");
    }

    #[test]
    fn what_is_not_served_is_told_in_oslos_words() {
        assert_eq!(of_unserved(Unserved::NoSuchMethod, "m", "1.0").class, "NoSuchMethod");
        assert_eq!(of_unserved(Unserved::UnsupportedVersion, "m", "9.0").class, "UnsupportedVersion");
        assert!(of_call(&CallError::Timeout, "m", "l3_agent.h").log().is_some_and(|text| text.contains("l3_agent.h")));
    }
}
