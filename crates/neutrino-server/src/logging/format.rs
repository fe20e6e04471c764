// SPDX-License-Identifier: Apache-2.0
//! The form of a log line: oslo.log's `%(name)s` templates, or JSON.
//!
//! Owns: templates, their names, and the escaping of control characters (a message cannot forge a line). The time is local.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Local};
use oslo_config::Config;
use serde_json::{Map, Value, json};
use tracing::{Level, Metadata};

use super::layer::Fields;

pub const CONTEXT_FORMAT: &str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(global_request_id)s %(request_id)s %(user_identity)s] %(instance)s%(message)s";
pub const DEFAULT_FORMAT: &str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s";
pub const IDENTITY_FORMAT: &str = "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s";

/// Names that a template may use. Those that are not in [`value_of`] are empty here: `color`, `instance`, ...
const NAMES: [&str; 36] = [
    "asctime",
    "isotime",
    "msecs",
    "created",
    "process",
    "processName",
    "thread",
    "threadName",
    "levelname",
    "levelno",
    "name",
    "message",
    "pathname",
    "filename",
    "module",
    "lineno",
    "funcName",
    "global_request_id",
    "request_id",
    "user_identity",
    "user",
    "user_id",
    "user_name",
    "project",
    "project_id",
    "project_name",
    "tenant",
    "domain",
    "system_scope",
    "user_domain",
    "project_domain",
    "instance",
    "color",
    "resource",
    "error_summary",
    "hostname",
];

/// One piece of a template.
enum Piece {
    Text(String),
    /// Name, width (negative: left-aligned), filled with zeros.
    Field {
        name: String,
        width: i32,
        zeros: bool,
    },
}

/// Reads `%(name)s`, `%(name)-8s`, `%(name)03d` and `%%`.
fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(rest[..at].to_owned()));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            pieces.push(Piece::Text("%".to_owned()));
            rest = after;
            continue;
        }
        let wrong = || "every % must start %(name)s or %%".to_owned();
        let (name, after) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')).ok_or_else(wrong)?;
        if !NAMES.contains(&name) {
            return Err(format!("%({name}) is not a known name; known are {}", NAMES.join(", ")));
        }
        let end = after.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (flags, conversion) = (&after[..end], &after[end..=end]);
        let width: i32 = if flags.is_empty() { 0 } else { flags.split('.').next().unwrap_or_default().parse().map_err(|_| wrong())? };
        if !["s", "d", "i", "r", "f"].contains(&conversion) || width.abs() > 100 {
            return Err(wrong());
        }
        pieces.push(Piece::Field { name: name.to_owned(), width, zeros: flags.starts_with('0') });
        rest = &after[end + 1..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

/// Whether a template can be used; for the option's declaration.
///
/// # Errors
/// What is wrong with it.
pub fn check_template(template: &str) -> Result<(), String> {
    pieces(template).map(|_| ())
}

/// Whether a form of the time can be used; for the option's declaration.
///
/// # Errors
/// What is wrong with it.
pub fn check_date(format: &str) -> Result<(), String> {
    let wrong = StrftimeItems::new(format).any(|item| matches!(item, Item::Error));
    if wrong { Err("must be a form that strftime knows".to_owned()) } else { Ok(()) }
}

/// What is logged once.
pub(super) struct Line<'a> {
    pub metadata: &'a Metadata<'static>,
    pub fields: &'a Fields,
    /// The fields of the request around it; empty outside.
    pub request: &'a [(&'static str, Value)],
}

/// The chosen form.
pub(super) struct Style {
    json: bool,
    date: String,
    inside: Vec<Piece>,
    outside: Vec<Piece>,
    identity: Vec<Piece>,
    hostname: String,
}

impl Style {
    pub(super) fn new(conf: &Config) -> Style {
        // The declarations checked the templates, so none of them is refused here.
        let template = |name: &str| pieces(&conf.text("DEFAULT", name)).unwrap_or_default();
        Style {
            json: conf.bool("DEFAULT", "use_json"),
            date: conf.text("DEFAULT", "log_date_format"),
            inside: template("logging_context_format_string"),
            outside: template("logging_default_format_string"),
            identity: template("logging_user_identity_format"),
            hostname: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        }
    }

    pub(super) fn render(&self, line: &Line<'_>) -> String {
        let now = Local::now();
        if self.json { self.json(line, now) } else { self.text(line, now) }
    }

    fn text(&self, line: &Line<'_>, now: DateTime<Local>) -> String {
        let template = if line.request.is_empty() { &self.outside } else { &self.inside };
        let mut out = String::with_capacity(200);
        for piece in template {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field { name, width, zeros } if name == "user_identity" => {
                    let identity = self.identity(line, now);
                    pad(&mut out, &identity, *width, *zeros);
                }
                Piece::Field { name, width, zeros } => pad(&mut out, &self.value_of(name, line, now), *width, *zeros),
            }
        }
        out.push('\n');
        out
    }

    fn identity(&self, line: &Line<'_>, now: DateTime<Local>) -> String {
        let mut out = String::new();
        for piece in &self.identity {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field { name, width, zeros } => {
                    let value = self.value_of(name, line, now);
                    pad(&mut out, if value.is_empty() { "-" } else { &value }, *width, *zeros);
                }
            }
        }
        out
    }

    fn value_of<'a>(&self, name: &str, line: &Line<'a>, now: DateTime<Local>) -> Cow<'a, str> {
        let metadata = line.metadata;
        let request = |field: &str| request_text(line, field);
        match name {
            "asctime" => now.format(&self.date).to_string().into(),
            "isotime" => now.to_rfc3339_opts(chrono::SecondsFormat::Micros, false).into(),
            "msecs" => now.timestamp_subsec_millis().to_string().into(),
            "created" => format!("{}.{:06}", now.timestamp(), now.timestamp_subsec_micros()).into(),
            "process" => std::process::id().to_string().into(),
            "levelname" => level_name(*metadata.level()).into(),
            "levelno" => level_number(*metadata.level()).to_string().into(),
            "name" | "module" | "funcName" => metadata.target().replace("::", ".").into(),
            "message" => message(line).into(),
            "pathname" | "filename" => metadata.file().unwrap_or_default().into(),
            "lineno" => metadata.line().unwrap_or(0).to_string().into(),
            "global_request_id" => request("global_request_id").unwrap_or("None".into()),
            "request_id" | "user_name" | "project_name" | "system_scope" => request(name).unwrap_or_default(),
            "user" | "user_id" => request("user_id").unwrap_or_default(),
            "project" | "project_id" | "tenant" => request("project_id").unwrap_or_default(),
            "domain" => request("domain_id").unwrap_or_default(),
            "user_domain" => request("user_domain_id").unwrap_or_default(),
            "project_domain" => request("project_domain_id").unwrap_or_default(),
            "hostname" => self.hostname.clone().into(),
            _ => "".into(),
        }
    }

    fn json(&self, line: &Line<'_>, now: DateTime<Local>) -> String {
        let metadata = line.metadata;
        let object = |values: &[(&'static str, Value)]| -> Map<String, Value> {
            values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let record = json!({
            "message": line.fields.message,
            "asctime": now.format(&self.date).to_string(),
            "name": metadata.target().replace("::", "."),
            "levelname": level_name(*metadata.level()),
            "levelno": level_number(*metadata.level()),
            "pathname": metadata.file(),
            "lineno": metadata.line(),
            "created": now.timestamp_micros() as f64 / 1e6,
            "msecs": now.timestamp_subsec_millis(),
            "process": std::process::id(),
            "hostname": self.hostname,
            "traceback": null,
            "context": object(line.request),
            "extra": object(&line.fields.values),
        });
        format!("{record}\n")
    }
}

fn request_text<'a>(line: &Line<'a>, field: &str) -> Option<Cow<'a, str>> {
    let (_, value) = line.request.iter().find(|(name, _)| *name == field)?;
    let text = match value {
        Value::String(text) if !text.is_empty() => Cow::Borrowed(text.as_str()),
        Value::String(_) | Value::Null => return None,
        other => other.to_string().into(),
    };
    Some(escape(text))
}

/// The message, then the event's fields as `name=value`.
fn message(line: &Line<'_>) -> String {
    let mut out = escape(Cow::Borrowed(&line.fields.message)).into_owned();
    for (name, value) in &line.fields.values {
        let plain = value.as_str().filter(|text| !text.is_empty() && !text.contains(|c: char| c == ' ' || c == '"' || c.is_control()));
        // Writing to a string does not fail.
        let _ = match plain {
            Some(text) => write!(out, " {name}={text}"),
            None => write!(out, " {name}={value}"),
        };
    }
    out
}

fn escape(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect::<String>().into()
    } else {
        text
    }
}

fn pad(out: &mut String, text: &str, width: i32, zeros: bool) {
    let missing = (width.unsigned_abs() as usize).saturating_sub(text.chars().count());
    let fill = if zeros { "0" } else { " " }.repeat(missing);
    let (before, after) = if width < 0 { ("", fill.as_str()) } else { (fill.as_str(), "") };
    out.push_str(before);
    out.push_str(text);
    out.push_str(after);
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

fn level_number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}
