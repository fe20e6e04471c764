// SPDX-License-Identifier: Apache-2.0
//! Addresses of Keystone (`auth_url`, the catalog's identity endpoint), and of other services in the catalog.
//!
//! Invariant: a [`BaseUrl`] is http or https, has a host, no credentials, and, if it is Keystone's, a path that ends in `/v3`.

use http::Uri;

/// The root of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    pub(crate) origin: Origin,
    path: String,
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` header.
    pub(crate) authority: String,
}

impl BaseUrl {
    /// Reads an address as operators and catalogs write them: with or without a version, with or without a final slash.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Self::exact(text)?;
        Ok(Self { path: versioned(&url.path), ..url })
    }

    /// An address as it is, but for a final slash: that of another service.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn exact(text: &str) -> Result<Self, String> {
        let uri: Uri = text.trim().parse().map_err(|error| format!("is not a URL ({error})"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err("is neither an http nor an https URL".to_owned()),
            None => return Err("is not a URL: it must begin with http:// or https://".to_owned()),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err("names no host".to_owned());
        };
        if authority.as_str().contains('@') {
            return Err("must not carry credentials; use username and password".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let origin = Origin { tls, host, port, authority: authority.as_str().to_owned() };
        Ok(Self { origin, path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The path of a resource below the root.
    pub(crate) fn join(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }
}

fn versioned(path: &str) -> String {
    let path = path.trim_end_matches('/');
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    match last {
        "v3" => path.to_owned(),
        "v2.0" => format!("{parent}/v3"),
        _ => format!("{path}/v3"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_operators_write_them() {
        for (text, path, port, tls) in [
            ("http://keystone:5000", "/v3/auth/tokens", 5000, false),
            ("http://keystone:5000/", "/v3/auth/tokens", 5000, false),
            ("https://keystone/identity", "/identity/v3/auth/tokens", 443, true),
            ("https://keystone/identity/v3/", "/identity/v3/auth/tokens", 443, true),
            ("http://keystone/v2.0", "/v3/auth/tokens", 80, false),
            (" http://[::1]:35357/v3", "/v3/auth/tokens", 35357, false),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!((url.join("/auth/tokens").as_str(), url.origin.port, url.origin.tls), (path, port, tls), "{text}");
        }
        assert_eq!(BaseUrl::parse("http://[::1]:1/").unwrap().origin.host, "::1");
        for bad in ["", "keystone", "keystone:5000", "ftp://keystone", "http://", "http://me:secret@keystone", "http://a b/"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
