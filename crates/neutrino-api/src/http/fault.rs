// SPDX-License-Identifier: Apache-2.0
//! Plain HTTP errors: those that arise before a request reaches the API, in the form that the caller accepts.
//!
//! Neutron answers these by WebOb: plain text for a caller that names no type, else HTML or JSON. Errors of the API itself have
//! another form ([`Response::neutron_error`]).

use http::StatusCode;
use serde_json::{Value, json};

use super::accept;
use crate::app::{Request, Response};

/// An error page for `request`, as text, HTML or JSON by its `Accept` header.
#[must_use]
pub fn fault(request: &Request, status: StatusCode, sentence: &str) -> Response {
    page(request, status, sentence, |code, title| json!({"code": code, "title": title, "description": sentence}))
}

/// As [`fault`], with the JSON that Neutron's routes to extensions have.
#[must_use]
pub fn routed_fault(request: &Request, status: StatusCode, sentence: &str) -> Response {
    page(request, status, sentence, |code, title| json!({"code": format!("{code} {title}"), "title": title, "message": sentence}))
}

fn page(request: &Request, status: StatusCode, sentence: &str, as_json: impl Fn(u16, &str) -> Value) -> Response {
    let accepted = request.header("accept").filter(|value| !value.is_empty());
    let kind = accepted.and_then(|value| accept::best(Some(value), &["text/html", "application/json"]));
    let (code, title) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    match kind {
        Some("text/html") => {
            let text = escape_html(sentence);
            let page = format!(
                "<html>\n <head>\n  <title>{code} {title}</title>\n </head>\n <body>\n  <h1>{code} {title}</h1>\n  {text}\n </body>\n</html>\n"
            );
            Response::new(status, "text/html; charset=UTF-8", page)
        }
        Some(_) => Response::json(status, &as_json(code, title)),
        None => Response::text(status, format!("{code} {title}\n\n{sentence}\n")),
    }
}

/// Text that is safe inside an HTML element or a quoted attribute.
#[must_use]
pub fn escape_html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
