// SPDX-License-Identifier: Apache-2.0
//! From the text of a value to the value.
//!
//! Owns: the conversion for each [`Kind`], with ranges, choices and checks. Refuses to own: where a text comes
//! from. Invariant: total; the error is a sentence that reads on after "name = value: ".

use crate::net;
use crate::opt::{Kind, Opt};

/// A converted value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not set, and no default; also an empty number.
    None,
    Str(String),
    Bool(bool),
    Int(i64),
    Float(f64),
    List(Vec<Value>),
    /// In the operator's order.
    Dict(Vec<(String, Value)>),
    /// First and last number.
    Range(i64, i64),
}

impl Value {
    /// The form in which a reference to the value is substituted.
    pub(crate) fn text(&self) -> String {
        match self {
            Value::None => String::new(),
            Value::Str(text) => text.clone(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::List(items) => items.iter().map(Value::text).collect::<Vec<_>>().join(","),
            Value::Dict(pairs) => pairs.iter().map(|(key, value)| format!("{key}:{}", value.text())).collect::<Vec<_>>().join(","),
            Value::Range(first, last) => format!("{first}-{last}"),
        }
    }
}

/// `true`, `1`, `on`, `yes` and their opposites, in any case.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
    }
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub reason: String,
    pub choices: &'static [&'static str],
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Refused { reason, choices: &[] }
    }
}

/// Converts one text for an option. A multi-valued option is converted text by text.
pub(crate) fn convert(opt: &Opt, text: &str) -> Result<Value, Refused> {
    let value = parse(&opt.kind, text)?;
    if !opt.choices.is_empty() {
        let known = opt.choices.iter().any(|choice| match &value {
            Value::None => true,
            Value::Int(number) => choice.parse() == Ok(*number),
            _ if opt.ignore_case => choice.to_lowercase() == value.text().to_lowercase(),
            _ => **choice == value.text(),
        });
        if !known {
            return Err(Refused { reason: "not one of the known values".to_owned(), choices: opt.choices });
        }
    }
    if let (Some(check), Value::Str(text)) = (opt.check, &value) {
        check(text)?;
    }
    Ok(value)
}

pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    let same = |checked: Result<(), String>| checked.map(|()| Value::Str(text.to_owned()));
    match *kind {
        Kind::Str { max_length } => string(text, max_length),
        Kind::MultiStr => Ok(Value::Str(text.to_owned())),
        Kind::Bool => {
            parse_bool(text).map(Value::Bool).ok_or_else(|| "must be a boolean: true, yes, on, 1, false, no, off or 0".to_owned())
        }
        Kind::Int { min, max } => integer(text, min, max),
        Kind::Port => integer(text, 0, 65535),
        Kind::Float { min, max } => float(text, min, max),
        Kind::List { item, bounds } => list(text, item, bounds),
        Kind::Dict { item, bounds } => dict(text, item, bounds),
        Kind::Ip => same(net::ip(text)),
        Kind::Hostname => same(net::hostname(text, false)),
        Kind::HostAddress => same(net::host(text, false)),
        Kind::HostDomain => same(net::host(text, true)),
        Kind::Uri { schemes } => same(net::uri(text, schemes)),
        Kind::Range { min, max } => range(text, min, max),
    }
}

fn string(text: &str, max_length: usize) -> Result<Value, String> {
    if max_length > 0 && text.chars().count() > max_length {
        return Err(format!("must be at most {max_length} characters long"));
    }
    Ok(Value::Str(text.to_owned()))
}

/// Digits as Python reads them: single underscores between digits are allowed.
fn plain_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let well_placed = bytes.iter().enumerate().all(|(at, byte)| {
        let digit_at = |index: Option<usize>| index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_digit);
        *byte != b'_' || (digit_at(at.checked_sub(1)) && digit_at(at.checked_add(1)))
    });
    well_placed.then(|| text.replace('_', ""))
}

fn integer(text: &str, min: i64, max: i64) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::None);
    }
    let number: i64 = plain_digits(text).and_then(|digits| digits.parse().ok()).ok_or_else(|| "must be a whole number".to_owned())?;
    within(number, min, max)?;
    Ok(Value::Int(number))
}

fn within(number: i64, min: i64, max: i64) -> Result<(), String> {
    if (min..=max).contains(&number) {
        return Ok(());
    }
    Err(match (min, max) {
        (i64::MIN, max) => format!("must be at most {max}"),
        (min, i64::MAX) => format!("must be at least {min}"),
        (min, max) => format!("must be between {min} and {max}"),
    })
}

fn float(text: &str, min: f64, max: f64) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::None);
    }
    let number: f64 = plain_digits(text).and_then(|digits| digits.parse().ok()).ok_or_else(|| "must be a number".to_owned())?;
    if number < min {
        return Err(format!("must be at least {min}"));
    }
    if number > max {
        return Err(format!("must be at most {max}"));
    }
    Ok(Value::Float(number))
}

fn inside(text: &str, bounds: bool, open: char, close: char) -> Result<&str, String> {
    if !bounds {
        return Ok(text);
    }
    text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).ok_or_else(|| format!("must stand between '{open}' and '{close}'"))
}

/// Most comma-separated parts of one value; joining parts costs a conversion each.
const MOST_PARTS: usize = 10_000;

fn parts(text: &str) -> Result<Vec<&str>, String> {
    let parts: Vec<&str> = text.split(',').take(MOST_PARTS + 1).collect();
    if parts.len() > MOST_PARTS { Err(format!("must have at most {MOST_PARTS} items")) } else { Ok(parts) }
}

/// Takes parts from `at` on, joined by commas, until `accept` takes them; so an item may itself hold commas.
/// The error is that of the part alone.
fn shortest<T>(parts: &[&str], at: &mut usize, accept: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    let mut candidate = String::new();
    let mut refused = String::new();
    for (offset, part) in parts.iter().skip(*at).enumerate() {
        if offset > 0 {
            candidate.push(',');
        }
        candidate.push_str(part);
        match accept(&candidate) {
            Ok(value) => {
                *at += offset + 1;
                return Ok(value);
            }
            Err(reason) if offset == 0 => refused = reason,
            Err(_) => {}
        }
        if offset >= JOINED_PARTS {
            break;
        }
    }
    Err(refused)
}

/// Most parts that are joined to one item.
const JOINED_PARTS: usize = 64;

fn list(text: &str, item: &Kind, bounds: bool) -> Result<Value, String> {
    let inner = inside(text.trim().trim_end_matches(','), bounds, '[', ']')?;
    if inner.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    let parts = parts(inner)?;
    let (mut at, mut items) = (0, Vec::new());
    while at < parts.len() {
        items.push(shortest(&parts, &mut at, |candidate| parse(item, candidate.trim()))?);
    }
    Ok(Value::List(items))
}

fn dict(text: &str, item: &Kind, bounds: bool) -> Result<Value, String> {
    let inner = inside(text.trim(), bounds, '{', '}')?;
    if inner.is_empty() {
        return Ok(Value::Dict(Vec::new()));
    }
    let parts = parts(inner)?;
    let (mut at, mut pairs) = (0, Vec::<(String, Value)>::new());
    let mut seen = std::collections::HashSet::new();
    while at < parts.len() {
        let (key, value) = shortest(&parts, &mut at, |candidate| pair(candidate, item))?;
        if key.is_empty() {
            return Err("a key must not be empty".to_owned());
        }
        if !seen.insert(key.clone()) {
            return Err(format!("the key '{key}' stands twice"));
        }
        pairs.push((key, value));
    }
    Ok(Value::Dict(pairs))
}

fn pair(text: &str, item: &Kind) -> Result<(String, Value), String> {
    let (key, value) = text.split_once(':').ok_or_else(|| "must be key:value pairs separated by commas".to_owned())?;
    Ok((key.trim().to_owned(), parse(item, value.trim())?))
}

fn range(text: &str, min: i64, max: i64) -> Result<Value, String> {
    let wrong = || "must be a whole number or two of them as first-last".to_owned();
    let split = text.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
    let (first, last) = split.map_or((text, text), |at| (&text[..at], &text[at + 1..]));
    let number = |part: &str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        let canonical = part == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
        canonical.then(|| part.parse::<i64>().ok()).flatten().ok_or_else(wrong)
    };
    let (first, last) = (number(first)?, number(last)?);
    within(first, min, max)?;
    within(last, min, max)?;
    Ok(Value::Range(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strings(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| Value::Str((*item).to_owned())).collect())
    }

    const LIST: Kind = Kind::List { item: &Kind::TEXT, bounds: false };
    const INT: Kind = Kind::Int { min: 1, max: 10 };

    #[test]
    fn booleans() {
        for (text, expected) in
            [("True", Some(true)), ("YES", Some(true)), ("on", Some(true)), ("0", Some(false)), ("", None), (" true", None)]
        {
            assert_eq!(parse_bool(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers() {
        let any = Kind::Int { min: i64::MIN, max: i64::MAX };
        assert_eq!(parse(&any, "1_000"), Ok(Value::Int(1000)));
        assert_eq!(parse(&any, " +5 "), Ok(Value::Int(5)));
        assert_eq!(parse(&any, ""), Ok(Value::None));
        for bad in ["_1", "1_", "1__0", "1.0", "x", "99999999999999999999"] {
            assert_eq!(parse(&any, bad), Err("must be a whole number".to_owned()), "{bad}");
        }
        assert_eq!(parse(&INT, "11"), Err("must be between 1 and 10".to_owned()));
        assert_eq!(parse(&Kind::Int { min: 1, max: i64::MAX }, "0"), Err("must be at least 1".to_owned()));
        assert_eq!(parse(&Kind::Port, "65536"), Err("must be between 0 and 65535".to_owned()));
        assert_eq!(parse(&Kind::Float { min: 0.0, max: 4.5 }, "1e0"), Ok(Value::Float(1.0)));
        assert_eq!(parse(&Kind::Float { min: 0.0, max: 4.5 }, "5"), Err("must be at most 4.5".to_owned()));
    }

    #[test]
    fn lists_and_dicts() {
        assert_eq!(parse(&LIST, "a,,b,"), Ok(strings(&["a", "", "b"])));
        assert_eq!(parse(&LIST, ","), Ok(strings(&[])));
        assert_eq!(parse(&LIST, "\na,\nb"), Ok(strings(&["a", "b"])));
        assert_eq!(parse(&Kind::List { item: &Kind::TEXT, bounds: true }, "[x]"), Ok(strings(&["x"])));
        assert!(parse(&Kind::List { item: &Kind::TEXT, bounds: true }, "[").is_err());
        assert!(parse(&Kind::List { item: &INT, bounds: false }, "1,11").is_err());
        let dict = Kind::Dict { item: &Kind::TEXT, bounds: false };
        let pair = |key: &str, value: &str| (key.to_owned(), Value::Str(value.to_owned()));
        assert_eq!(parse(&dict, "a:b, c:d"), Ok(Value::Dict(vec![pair("a", "b"), pair("c", "d")])));
        assert_eq!(parse(&dict, "a:b:c"), Ok(Value::Dict(vec![pair("a", "b:c")])));
        for bad in ["a", ":b", "a:b,a:c"] {
            assert!(parse(&dict, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_item_may_hold_commas() {
        static DICT: Kind = Kind::Dict { item: &Kind::TEXT, bounds: true };
        let kind = Kind::List { item: &DICT, bounds: false };
        let Ok(Value::List(items)) = parse(&kind, "{tftp: udp, x:y},{ftp:tcp}") else { panic!("not a list") };
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].text(), "tftp:udp,x:y");
    }

    #[test]
    fn ranges() {
        let kind = Kind::Range { min: -5, max: 100 };
        assert_eq!(parse(&kind, "1-10"), Ok(Value::Range(1, 10)));
        assert_eq!(parse(&kind, "-5--1"), Ok(Value::Range(-5, -1)));
        assert_eq!(parse(&kind, "7"), Ok(Value::Range(7, 7)));
        for bad in ["", "-", "01", "1-", "a-b", "1-101", "1-2-3", "é"] {
            assert!(parse(&kind, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn choices_and_checks() {
        let opt = Opt::int("g", "n").choices(&["4", "6"]);
        assert_eq!(convert(&opt, "4"), Ok(Value::Int(4)));
        assert_eq!(convert(&opt, "5").unwrap_err().choices, ["4", "6"]);
        let opt = Opt::str("g", "n").choices(&["Days"]).ignore_case();
        assert_eq!(convert(&opt, "days"), Ok(Value::Str("days".to_owned())));
        let opt = Opt::str("g", "n").check(|text| if text == "x" { Err("must not be x".to_owned()) } else { Ok(()) });
        assert_eq!(convert(&opt, "x").unwrap_err().reason, "must not be x");
        assert!(convert(&opt, "y").is_ok());
        assert!(convert(&Opt::str("g", "n").max_length(2), "éàü").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            static DICT: Kind = Kind::Dict { item: &Kind::TEXT, bounds: true };
            for kind in [Kind::TEXT, Kind::Bool, INT, Kind::Float { min: 0.0, max: 1.0 }, Kind::Port, LIST,
                Kind::List { item: &DICT, bounds: true }, DICT, Kind::Ip, Kind::Hostname, Kind::HostAddress, Kind::HostDomain,
                Kind::Uri { schemes: &["http"] }, Kind::Range { min: -9, max: 9 }] {
                let _ = parse(&kind, &text);
            }
        }

        #[test]
        fn a_list_is_what_was_joined(items in proptest::collection::vec("[a-z0-9:_.-]{1,8}", 0..20)) {
            let expected: Vec<&str> = items.iter().map(String::as_str).collect();
            prop_assert_eq!(parse(&LIST, &items.join(", ")), Ok(strings(&expected)));
        }
    }
}
