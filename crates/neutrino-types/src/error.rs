// SPDX-License-Identifier: Apache-2.0
//! The one error type of the server.
//!
//! An error carries the HTTP status and the `NeutronError` type as data ([`Kind`]), a sentence for the caller, and, apart from
//! it, a text for the log. There is no way to print the second to the first: [`Error::message`] never includes it.
//! Invariant: an error made by [`Error::internal`] or [`Error::database`] shows the caller a fixed sentence only.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

/// A type of error in Neutron's API: the `type` of the `NeutronError` body and the HTTP status it is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Neutron's exception name, the `type` in the body.
    pub name: &'static str,
    /// HTTP status code.
    pub status: u16,
}

impl Kind {
    #[must_use]
    pub const fn new(name: &'static str, status: u16) -> Self {
        Self { name, status }
    }

    /// An error of this kind with a sentence for the caller.
    #[must_use]
    pub fn error(self, message: impl Into<String>) -> Error {
        Error::new(self, message)
    }
}

/// The kinds that belong to no feature: raised by the HTTP layer, the tables and the storage.
pub mod kinds {
    use super::Kind;

    pub const BAD_REQUEST: Kind = Kind::new("HTTPBadRequest", 400);
    pub const INVALID_INPUT: Kind = Kind::new("InvalidInput", 400);
    pub const BAD_REQUEST_PLUGIN: Kind = Kind::new("BadRequest", 400);
    pub const MALFORMED_BODY: Kind = Kind::new("MalformedRequestBody", 400);
    pub const UNAUTHORIZED: Kind = Kind::new("HTTPUnauthorized", 401);
    pub const FORBIDDEN: Kind = Kind::new("HTTPForbidden", 403);
    pub const POLICY_NOT_AUTHORIZED: Kind = Kind::new("PolicyNotAuthorized", 403);
    pub const NOT_FOUND: Kind = Kind::new("HTTPNotFound", 404);
    pub const METHOD_NOT_ALLOWED: Kind = Kind::new("HTTPMethodNotAllowed", 405);
    pub const NOT_ACCEPTABLE: Kind = Kind::new("HTTPNotAcceptable", 406);
    pub const CONFLICT: Kind = Kind::new("Conflict", 409);
    pub const REVISION_MISMATCH: Kind = Kind::new("RevisionNumberConstraintFailed", 412);
    pub const TOO_LARGE: Kind = Kind::new("HTTPRequestEntityTooLarge", 413);
    pub const URI_TOO_LONG: Kind = Kind::new("HTTPRequestURITooLong", 414);
    pub const INTERNAL: Kind = Kind::new("HTTPInternalServerError", 500);
    pub const NOT_IMPLEMENTED: Kind = Kind::new("HTTPNotImplemented", 501);
    pub const UNAVAILABLE: Kind = Kind::new("HTTPServiceUnavailable", 503);
}

/// What the code that sees an error may do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The request is at fault, or a rule refuses it: the answer is final.
    Caller,
    /// The server or the database is at fault: logged, answered with 500.
    Internal,
    /// Running the same transaction again may succeed (deadlock, busy, serialization failure, stale revision).
    Transient,
    /// The answer to a COMMIT was lost, and whether it took place is not known; its owner said that running the transaction again is right
    /// in either case.
    Repeatable,
    /// A unique key refused a row. The text names the key as the database reports it (`table.column` on SQLite, the index elsewhere).
    Duplicate(String),
    /// A foreign key refused a row.
    ForeignKey,
}

struct Inner {
    kind: Kind,
    message: String,
    log: Option<String>,
    class: Class,
}

/// See the module's documentation.
pub struct Error(Box<Inner>);

impl Error {
    /// A refusal for the caller: `message` is one or two full sentences that name the object and what to do.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), log: None, class: Class::Caller }))
    }

    /// A fault of the server: the caller sees a fixed sentence, the log sees `log`.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        Self::database(Class::Internal, log)
    }

    /// A failure that the database reported, by class.
    #[must_use]
    pub fn database(class: Class, log: impl Into<String>) -> Self {
        let message = "The server could not complete the request. The details are in its log under this request's id.".to_owned();
        Self(Box::new(Inner { kind: kinds::INTERNAL, message, log: Some(log.into()), class }))
    }

    /// The transaction met a row that another one changed in between: run it again.
    #[must_use]
    pub fn stale(log: impl Into<String>) -> Self {
        Self::database(Class::Transient, log)
    }

    /// The answer to a COMMIT was lost, and nothing tells whether it took place.
    #[must_use]
    pub fn undecided(log: impl Into<String>) -> Self {
        let mut error = Self::internal(log);
        "The connection to the database broke while the change was being stored, and whether it was stored cannot be known. Look at the object \
         before the request is repeated."
            .clone_into(&mut error.0.message);
        error
    }

    /// The same failure when nobody tries any more: 503 with what the caller can do. What is no passing failure stays as it is.
    #[must_use]
    pub fn given_up(mut self) -> Self {
        if self.is_transient() {
            self.0.kind = kinds::UNAVAILABLE;
            "The database cannot be reached, or is too busy. Try again later.".clone_into(&mut self.0.message);
            self.0.class = Class::Internal;
        }
        self
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.kind.status
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The text for the log only.
    #[must_use]
    pub fn log(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    #[must_use]
    pub fn class(&self) -> &Class {
        &self.0.class
    }

    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.0.class, Class::Transient | Class::Repeatable)
    }

    /// True when a unique key refused a row; with a non-empty `part`, only when the key's name contains it.
    #[must_use]
    pub fn is_duplicate(&self, part: &str) -> bool {
        matches!(&self.0.class, Class::Duplicate(key) if key.contains(part))
    }

    #[must_use]
    pub fn is_foreign_key(&self) -> bool {
        self.0.class == Class::ForeignKey
    }

    /// True when the error is of this kind.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.0.kind == kind
    }

    /// The same error with a text for the log.
    #[must_use]
    pub fn with_log(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind.name)
            .field("status", &self.0.kind.status)
            .field("message", &self.0.message)
            .field("class", &self.0.class)
            .field("log", &self.0.log)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name, self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_text_never_reaches_the_caller() {
        let error = Error::internal("secret dsn mysql://root:pw@db");
        assert!(!error.message().contains("secret"));
        assert!(!error.to_string().contains("secret"));
        assert_eq!(error.log(), Some("secret dsn mysql://root:pw@db"));
        assert_eq!(error.status(), 500);
    }

    #[test]
    fn duplicates_are_told_apart_by_key() {
        let error = Error::database(Class::Duplicate("ports.network_id, ports.mac_address".into()), "x");
        assert!(error.is_duplicate("mac_address"));
        assert!(error.is_duplicate(""));
        assert!(!error.is_duplicate("ipallocations"));
    }
}
