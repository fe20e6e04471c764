// SPDX-License-Identifier: Apache-2.0
//! Access rules of application credentials: the only requests that such a token may make.
//!
//! Invariant: paths are compared after decoding, as a router sees them; a rule that cannot be read is an error, never ignored.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Longer paths match no rule: matching takes time in proportion to path and pattern.
const LONGEST_PATH: usize = 4_096;
const LONGEST_PATTERN: usize = 1_024;

/// One permitted kind of request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    pub service: String,
    pub method: String,
    /// `{name}` and `*` stand for one part of a path, `**` for any number of parts.
    pub path: String,
}

impl AccessRule {
    /// `None`: the token is not restricted; an empty list: nothing is permitted.
    pub(crate) fn parse_all(value: Option<&Value>) -> Result<Option<Vec<Self>>, String> {
        let items = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err("its access rules are not a list".to_owned()),
        };
        let rules: Option<Vec<Self>> = items.iter().map(Self::parse).collect();
        rules.map(Some).ok_or_else(|| "one of its access rules cannot be read".to_owned())
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self { service: text("service")?, method: text("method")?, path: text("path")? })
    }

    /// Whether it permits the request. `path` is as the client sent it, without the query.
    pub(crate) fn permits(&self, service: &str, method: &str, path: &str) -> bool {
        self.service == service && self.method == method && matches(&self.path, path)
    }

    pub(crate) fn weight(&self) -> usize {
        self.service.len() + self.method.len() + self.path.len() + size_of::<Self>()
    }
}

#[derive(Clone, Copy)]
enum Piece {
    Byte(u8),
    /// One byte or more, without a slash.
    Part,
    /// Anything, also nothing.
    Rest,
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut found = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(first) = rest.bytes().next() {
        let (piece, length) = match first {
            b'{' => match rest.find('}') {
                Some(end) => (Piece::Part, end + 1),
                None => (Piece::Byte(b'{'), 1),
            },
            b'*' if rest.starts_with("**") => (Piece::Rest, 2),
            b'*' => (Piece::Part, 1),
            byte => (Piece::Byte(byte), 1),
        };
        found.push(piece);
        // By bytes: a multi-byte character is matched byte by byte, so that slicing must not cut it.
        match rest.get(length..) {
            Some(next) => rest = next,
            None => {
                let tail = rest.bytes().skip(1);
                let width = rest.chars().next().map_or(1, char::len_utf8);
                found.extend(tail.take(width - 1).map(Piece::Byte));
                rest = rest.get(width..).unwrap_or_default();
            }
        }
    }
    found
}

fn matches(pattern: &str, path: &str) -> bool {
    if pattern.len() > LONGEST_PATTERN || path.len() > LONGEST_PATH {
        return false;
    }
    let path: Vec<u8> = percent_decode_str(path).collect();
    // reached[i]: the pieces so far can match the first i bytes.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for piece in pieces(pattern) {
        let mut next = vec![false; path.len() + 1];
        if matches!(piece, Piece::Rest) {
            next[0] = reached[0];
        }
        for (index, byte) in path.iter().enumerate() {
            next[index + 1] = match piece {
                Piece::Byte(wanted) => reached[index] && wanted == *byte,
                Piece::Part => (reached[index] || next[index]) && *byte != b'/',
                Piece::Rest => next[index] || reached[index + 1],
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/v2.0/networks", "/v2.0/networks", true),
            ("/v2.0/networks", "/v2x0/networks", false),
            ("/v2.0/networks", "/v2.0/networks/", false),
            ("/v2.0/networks/*", "/v2.0/networks/a", true),
            ("/v2.0/networks/*", "/v2.0/networks/", false),
            ("/v2.0/networks/*", "/v2.0/networks/a/b", false),
            ("/v2.0/networks/*", "/v2.0/networks/a%2Fb", false),
            ("/v2.0/networks/*/tags", "/v2.0/networks/a/tags", true),
            ("/v2.0/networks/{network_id}", "/v2.0/networks/a", true),
            ("/v2.0/networks/{network_id}", "/v2.0/networks/a/b", false),
            ("/v2.0/**", "/v2.0/", true),
            ("/v2.0/**", "/v2.0/a/b/c", true),
            ("/v2.0/**/tags", "/v2.0/a/b/tags", true),
            ("/v2.0/**/tags", "/v2.0/a/b/tag", false),
            ("**", "/anything/at/all", true),
            ("/v2.0/%6eetworks", "/v2.0/networks", false),
            ("/v2.0/networks", "/v2.0/%6eetworks", true),
            ("/é/*", "/%C3%A9/x", true),
            ("/{open", "/{open", true),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(!matches("**", &"/".repeat(LONGEST_PATH + 1)));
        let hard = "*a".repeat(500);
        assert!(!matches(&hard, &"a".repeat(900)));
    }

    #[test]
    fn reading() {
        let parse = |text: &str| AccessRule::parse_all(Some(&serde_json::from_str::<Value>(text).unwrap()));
        assert_eq!(parse("null"), Ok(None));
        assert_eq!(parse("[]"), Ok(Some(Vec::new())));
        assert!(parse(r#"[{"service": "network", "method": "GET"}]"#).is_err());
        let rules = parse(r#"[{"id": "1", "service": "network", "method": "GET", "path": "/v2.0/ports"}]"#).unwrap().unwrap();
        assert!(rules[0].permits("network", "GET", "/v2.0/ports"));
        assert!(!rules[0].permits("compute", "GET", "/v2.0/ports") && !rules[0].permits("network", "PUT", "/v2.0/ports"));
    }
}
