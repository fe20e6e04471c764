// SPDX-License-Identifier: Apache-2.0
//! Links to the next and the previous page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::query_string::pairs;
use crate::app::Request;

/// What `urllib.parse.urlencode` leaves as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// The `<collection>_links` of a page. `ids` are those of its first and last row, if it has any: what follows an empty page is
/// the whole from its other end. `short`: it has fewer rows than asked for, so nothing follows in the direction of paging.
pub fn page(request: &Request, prefix: Option<&str>, ids: Option<(&str, &str)>, short: bool, reverse: bool) -> Option<Value> {
    let mut links = Vec::new();
    if !short || reverse {
        links.push(json!({"rel": "next", "href": href(request, prefix, ids.map(|ids| ids.1), false)}));
    }
    if !(short && reverse) {
        links.push(json!({"rel": "previous", "href": href(request, prefix, ids.map(|ids| ids.0), true)}));
    }
    if links.is_empty() { None } else { Some(Value::Array(links)) }
}

fn href(request: &Request, prefix: Option<&str>, marker: Option<&str>, reverse: bool) -> String {
    let mut query: Vec<(String, String)> = pairs(request.query.as_deref().unwrap_or_default()).unwrap_or_default();
    query.retain(|(key, _)| key != "marker" && key != "page_reverse");
    query.extend(marker.map(|marker| ("marker".to_owned(), marker.to_owned())));
    if reverse {
        query.push(("page_reverse".to_owned(), "True".to_owned()));
    }
    let text: Vec<String> =
        query.iter().map(|(k, v)| format!("{}={}", utf8_percent_encode(k, KEPT), utf8_percent_encode(v, KEPT))).collect();
    let base = match prefix {
        Some(prefix) => format!("{}{}{}", prefix.trim_end_matches('/'), request.script_name, request.path),
        None => request.path_url(),
    };
    format!("{base}?{}", text.join("&"))
}
