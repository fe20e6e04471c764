// SPDX-License-Identifier: Apache-2.0
//! Requests to another service of the deployment, in the server's own name.
//!
//! The service is found in the catalog of the server's own token. Invariants: as for questions to Keystone; a request is sent a second
//! time only after a 401, with a new token.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::keystone::{Keystone, auth_url};
use crate::options::{Limits, OptionError, Options};
use crate::tls;

/// See the module's documentation. Needs a Tokio runtime.
pub struct Service(Keystone);

impl Service {
    /// `service_type`: as the catalog names it, `compute`.
    ///
    /// # Errors
    /// The options do not suffice, contradict each other, or name files that cannot be used. Nobody is asked.
    pub fn new(options: &Options, service_type: &str) -> Result<Self, OptionError> {
        Self::with(options, service_type, &Limits::default(), Arc::new(SystemClock::new()))
    }

    /// As [`Self::new`], with bounds and a clock of one's own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(options: &Options, service_type: &str, limits: &Limits, clock: Arc<dyn Clock>) -> Result<Self, OptionError> {
        let client = Client::new(tls::config(options, auth_url(options)?.origin.tls)?, options, limits);
        Ok(Self(Keystone::new(client, clock, options, limits)?.of_service(service_type)))
    }

    /// Sends a body of JSON to a path below the service's address; gives the status and the body of the answer.
    ///
    /// # Errors
    /// A sentence for the log: there was no answer.
    pub async fn post(&self, path: &str, body: Bytes) -> Result<(u16, Bytes), String> {
        self.0.request(Method::POST, path, body).await
    }
}
