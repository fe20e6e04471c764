// SPDX-License-Identifier: Apache-2.0
//! Host names, addresses and URIs as oslo.config accepts them. Owns these checks only; returns a sentence.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) fn ip(text: &str) -> Result<(), String> {
    text.parse::<IpAddr>().map(|_| ()).map_err(|_| "must be an IPv4 or IPv6 address".to_owned())
}

/// Dot-separated labels of 1 to 63 letters, digits and inner hyphens; the last one not all digits (RFC 1123).
/// `underscore` allows `_` as well.
pub(crate) fn hostname(text: &str, underscore: bool) -> Result<(), String> {
    if text.is_empty() || text.len() > 253 {
        return Err("must be a host name of 1 to 253 characters".to_owned());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or(name);
    if !last.contains(|c: char| c.is_ascii_alphabetic() || c == '-') {
        return Err("must be a host name whose last part is not a number".to_owned());
    }
    if name.split('.').all(|label| is_label(label, underscore)) { Ok(()) } else { Err("must be a valid host name".to_owned()) }
}

fn is_label(label: &str, underscore: bool) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || (underscore && c == '_'))
}

pub(crate) fn host(text: &str, underscore: bool) -> Result<(), String> {
    if ip(text).is_ok() || hostname(text, underscore).is_ok() { Ok(()) } else { Err("must be an IP address or a host name".to_owned()) }
}

/// Scheme and host must be there; the scheme one of `schemes` unless that is empty.
pub(crate) fn uri(text: &str, schemes: &[&str]) -> Result<(), String> {
    let wrong = || "must be a URI with a scheme and a host, such as http://host/path".to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let letters = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letters || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
        return Err(wrong());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if !is_host_port(host_port) || text.contains(char::is_whitespace) {
        return Err(wrong());
    }
    if schemes.is_empty() || schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        Ok(())
    } else {
        Err(format!("must be a URI with the scheme {}", schemes.join(" or ")))
    }
}

fn is_host_port(text: &str) -> bool {
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, port)| {
            address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        });
    }
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let named = host.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=".contains(c));
    !host.is_empty() && is_port(port) && (named || host.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_as_oslo_takes_them() {
        for good in ["1.2.3.4", "a.b.", "::1", "a", "x-1.example"] {
            assert_eq!(host(good, false), Ok(()), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["1.2.3", "a_b", "a-", "-a", long.as_str(), "1.2.3.4.5", "", "h%", "::1%eth0", "a..b"] {
            assert!(host(bad, false).is_err(), "{bad}");
        }
        assert_eq!(host("a_b", true), Ok(()));
    }

    #[test]
    fn uris_as_oslo_takes_them() {
        let web = ["http", "https"];
        for good in ["http://a", "http://[::1]:80/x", "http://a:99999/", "http://u:p@a/b?c", "HTTPS://a_b"] {
            assert_eq!(uri(good, &web), Ok(()), "{good}");
        }
        for bad in ["ftp://a", "http:a", "http://a b", "://", "http://", "a", "http://[::1", "http://[x]/", "http://a:b/"] {
            assert!(uri(bad, &web).is_err(), "{bad}");
        }
        assert_eq!(uri("ftp://a", &[]), Ok(()));
    }
}
