// SPDX-License-Identifier: Apache-2.0
//! Transport URLs: `rabbit://user:password@host:5672,user:password@other:5672/vhost?option=value`.
//!
//! Owns: reading them as oslo.messaging does: several hosts separated by commas, everything percent-encoded, IPv6 in brackets. Invariants:
//! the debug form and errors show no credential.

use std::fmt;

use percent_encoding::percent_decode_str;

/// One broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<String>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.name, self.port)
    }
}

/// See the module's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportUrl {
    /// `rabbit` or `fake`; `kombu` is an older name of the first.
    pub transport: String,
    /// As written; empty means the local broker.
    pub hosts: Vec<Host>,
    /// Without the slash that separates it; empty is the broker's `/`.
    pub virtual_host: String,
    /// Options of the driver that go before those of the configuration.
    pub query: Vec<(String, String)>,
}

impl TransportUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence that says what is wrong and shows nothing of the URL beyond its scheme.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').ok_or("it has no scheme, like rabbit://")?;
        let transport = scheme.to_lowercase();
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.strip_prefix("//").ok_or_else(|| format!("{transport}: must be followed by //"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts = authority.split(',').filter(|host| !host.is_empty()).map(host).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { transport, hosts, virtual_host: decode(path)?, query: pairs(query)? })
    }

    /// The value of an option that the URL itself sets; of several the last.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "a percent-encoded part of it is not UTF-8")?;
    Ok(text.into_owned())
}

fn host(text: &str) -> Result<Host, String> {
    let (credentials, address) = text.rsplit_once('@').map_or((None, text), |(before, after)| (Some(before), after));
    let (user, password) = match credentials.map(|both| both.split_once(':').map_or((both, None), |(user, word)| (user, Some(word)))) {
        Some((user, password)) => (Some(decode(user)?), password.map(decode).transpose()?),
        None => (None, None),
    };
    let (name, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']').ok_or("a bracket of an address is not closed")?;
            (name, after.strip_prefix(':'))
        }
        None if address.matches(':').count() > 1 => (address, None),
        None => address.split_once(':').map_or((address, None), |(name, port)| (name, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty()).map(str::parse).transpose().map_err(|_| format!("the port of {name} is no port"))?;
    Ok(Host { name: name.to_owned(), port, user, password })
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, String> {
    let plain = |text: &str| decode(&text.replace('+', " "));
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Ok((plain(name)?, plain(value)?))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_credentials_and_virtual_host_are_read() {
        let url =
            TransportUrl::parse("rabbit://u%40x:p%2F%3a@h1:5673,b:c@[::1]:5672,h3/v%2Fh?ssl=1&heartbeat_timeout_threshold=30").unwrap();
        assert_eq!((url.transport.as_str(), url.virtual_host.as_str()), ("rabbit", "v/h"));
        let host = |name: &str, port, user: Option<&str>, password: Option<&str>| Host {
            name: name.into(),
            port,
            user: user.map(Into::into),
            password: password.map(Into::into),
        };
        let expected =
            [host("h1", Some(5673), Some("u@x"), Some("p/:")), host("::1", Some(5672), Some("b"), Some("c")), host("h3", None, None, None)];
        assert_eq!(url.hosts, expected);
        assert_eq!((url.option("ssl"), url.option("heartbeat_timeout_threshold"), url.option("x")), (Some("1"), Some("30"), None));
    }

    #[test]
    fn what_may_be_left_out() {
        let url = TransportUrl::parse("rabbit://").unwrap();
        assert!(url.hosts.is_empty() && url.virtual_host.is_empty());
        let url = TransportUrl::parse("rabbit://guest:guest@h//").unwrap();
        assert_eq!(url.virtual_host, "/");
        assert_eq!(TransportUrl::parse("fake:///x").unwrap().virtual_host, "x");
    }

    #[test]
    fn faults_are_told_without_credentials() {
        for text in ["rabbit", "rabbit:h", "rabbit://u:hunter2@h:99999/", "rabbit://u:hunter2@[::1/", "rabbit://u:%ff@h/"] {
            let error = TransportUrl::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", TransportUrl::parse("rabbit://u:hunter2@h").unwrap()).contains("hunter2"));
    }
}
