// SPDX-License-Identifier: Apache-2.0
//! What features ask of an external DNS service: to publish names of addresses, and to withdraw them.
//!
//! A driver offers it as a service of the registry ([`ExternalDnsService`]), if the operator named one. It talks to a remote system: never
//! in a transaction.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::{Kind, Result};
use oslo_config::{Config, Opt};

use crate::Context;

pub const DRIVER: Opt = Opt::str("DEFAULT", "external_dns_driver").help("The driver for an external DNS service: designate.");

/// The service has no such domain, or the caller may not see it.
pub const DOMAIN_NOT_FOUND: Kind = Kind::new("DNSDomainNotFound", 404);
/// The name is there already.
pub const DUPLICATE: Kind = Kind::new("DuplicateRecordSet", 409);
pub const OVER_QUOTA: Kind = Kind::new("ExternalDNSOverQuota", 409);

/// A name in a domain, and the addresses that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// With its final dot.
    pub domain: String,
    pub name: String,
    pub addresses: Vec<String>,
}

/// See the module's documentation.
#[async_trait]
pub trait ExternalDns: Send + Sync {
    /// Publishes a name, in the caller's name.
    ///
    /// # Errors
    /// [`DOMAIN_NOT_FOUND`], [`DUPLICATE`], [`OVER_QUOTA`]; 503 when the service does not answer as it should.
    async fn publish(&self, cx: &Context, set: &RecordSet) -> Result<()>;

    /// Withdraws it.
    ///
    /// # Errors
    /// [`DOMAIN_NOT_FOUND`]; 503.
    async fn withdraw(&self, cx: &Context, set: &RecordSet) -> Result<()>;
}

/// The service, by its type.
pub struct ExternalDnsService(pub Arc<dyn ExternalDns>);

/// Did the operator name a driver?
#[must_use]
pub fn is_on(config: &Config) -> bool {
    !config.text("DEFAULT", "external_dns_driver").is_empty()
}
