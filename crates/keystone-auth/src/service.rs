// SPDX-License-Identifier: Apache-2.0
//! Requests to another service of the deployment, in the server's own name ([`Service`]) or in that of a caller ([`Site`]).
//!
//! The service is found in the catalog of the server's own token, unless the operator names its address. Invariants: as for questions to
//! Keystone; a request is sent a second time only after a 401, with a new token; a caller's token is neither kept nor logged, and goes to
//! an address that the operator named only.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};

use crate::client::{Call, Client};
use crate::clock::{Clock, SystemClock};
use crate::keystone::{Keystone, auth_url};
use crate::options::{Limits, OptionError, Options};
use crate::tls;
use crate::url::BaseUrl;

/// Headers beside those that every request has.
pub type Headers<'a> = &'a [(&'static str, &'a str)];

fn headers(more: Headers<'_>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in more {
        let value = HeaderValue::from_str(value).map_err(|_| format!("the value of {name} cannot be sent"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn address(option: &'static str, text: &str) -> Result<BaseUrl, OptionError> {
    BaseUrl::exact(text).map_err(|reason| OptionError::new(option, reason))
}

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
        self.send(Method::POST, path, &[], body).await
    }

    /// Any request. Names of headers are in lower case.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn send(&self, method: Method, path: &str, more: Headers<'_>, body: Bytes) -> Result<(u16, Bytes), String> {
        self.0.request(method, path, &headers(more)?, body).await
    }

    /// The same service at this address, whatever the catalog says. `option` is the name of what the operator wrote it in.
    ///
    /// # Errors
    /// It is no address.
    pub fn at(self, option: &'static str, url: &str) -> Result<Self, OptionError> {
        Ok(Self(self.0.at(address(option, url)?)))
    }
}

/// A service at an address that the operator names, used with the tokens of others.
pub struct Site {
    client: Client,
    address: BaseUrl,
}

impl Site {
    /// Of the options only those of the connection count. `option` is the name of what the operator wrote the address in.
    ///
    /// # Errors
    /// It is no address; files of the options cannot be used. Nobody is asked.
    pub fn new(options: &Options, option: &'static str, url: &str) -> Result<Self, OptionError> {
        let address = address(option, url)?;
        let client = Client::new(tls::config(options, address.origin.tls)?, options, &Limits::default());
        Ok(Self { client, address })
    }

    /// Sends a request with this token; gives the status and the body of the answer.
    ///
    /// # Errors
    /// A sentence for the log: there was no answer.
    pub async fn send(&self, token: &str, method: Method, path: &str, more: Headers<'_>, body: Bytes) -> Result<(u16, Bytes), String> {
        let mut headers = headers(more)?;
        let mut token = HeaderValue::from_str(token).map_err(|_| "a token that is no header value".to_owned())?;
        token.set_sensitive(true);
        headers.insert("x-auth-token", token);
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let call = Call { method, base: &self.address, path: &self.address.join(path), headers, body };
        let place = &self.address.origin.authority;
        let answer = self.client.send(&call).await.map_err(|failure| format!("{place}: {failure}"))?;
        Ok((answer.status.as_u16(), answer.body))
    }
}
