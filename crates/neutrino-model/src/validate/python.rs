// SPDX-License-Identifier: Apache-2.0
//! Python's rules where they show in the API: what `int()`, `str()`, `==`, truth, `strip` and `splitlines` make of a JSON value.
//!
//! Owns no rule of Neutron's. Differs from Python in two ways, both narrower: an integer is one that fits 64 bits (no column holds
//! more), and digits are ASCII. Invariant: nothing here panics; output is linear in the input.

use std::fmt::Write as _;

use serde_json::{Number, Value};
use unicode_general_category::{GeneralCategory, get_general_category};

/// White space as Python's `str.isspace` and `re`'s `\s` see it.
#[must_use]
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[must_use]
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// True when `str.splitlines` would give more than one line.
#[must_use]
pub fn is_multi_line(text: &str) -> bool {
    let body = text.strip_suffix("\r\n").unwrap_or_else(|| text.strip_suffix(is_line_break).unwrap_or(text));
    body.contains(is_line_break)
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Printable as Python's `repr` sees it: no control, format, unassigned or separator character except the plain space.
fn is_repr_printable(c: char) -> bool {
    c == ' ' || (!is_other(c) && !is_separator(c))
}

/// Category C*: control, format, surrogate, private use, unassigned.
#[must_use]
pub fn is_other(c: char) -> bool {
    use GeneralCategory as G;
    matches!(get_general_category(c), G::Control | G::Format | G::Surrogate | G::PrivateUse | G::Unassigned)
}

/// Category Z*: space, line and paragraph separators.
#[must_use]
pub fn is_separator(c: char) -> bool {
    use GeneralCategory as G;
    matches!(get_general_category(c), G::SpaceSeparator | G::LineSeparator | G::ParagraphSeparator)
}

/// Category Zs.
#[must_use]
pub fn is_space_separator(c: char) -> bool {
    get_general_category(c) == GeneralCategory::SpaceSeparator
}

/// `bool(value)`.
#[must_use]
pub fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// `int(value)`: booleans count as 0 and 1, floats are cut, strings may carry space, a sign and single underscores.
#[must_use]
pub fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Number(number) => number.as_i64().or_else(|| cut(number)),
        Value::String(text) => int_text(text, 10),
        _ => None,
    }
}

fn cut(number: &Number) -> Option<i64> {
    if !number.is_f64() {
        return None;
    }
    float_to_int(number.as_f64()?)
}

/// The whole part, when it fits.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked first; 2^63 is exact as a float")]
fn float_to_int(float: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let whole = float.trunc();
    (-LIMIT..LIMIT).contains(&whole).then_some(whole as i64)
}

/// `int(text, radix)` for radix 10 and 16 (with an optional `0x`).
#[must_use]
pub fn int_text(text: &str, radix: u32) -> Option<i64> {
    let text = strip(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = if radix == 16 { digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) } else { None };
    let digits = match hex {
        Some(rest) => rest.strip_prefix('_').unwrap_or(rest),
        None => digits,
    };
    let mut total: i64 = 0;
    let mut after_digit = false;
    for c in digits.chars() {
        match c.to_digit(radix) {
            Some(digit) => {
                let digit = if negative { -i64::from(digit) } else { i64::from(digit) };
                total = total.checked_mul(i64::from(radix))?.checked_add(digit)?;
                after_digit = true;
            }
            None if c == '_' && after_digit => after_digit = false,
            None => return None,
        }
    }
    after_digit.then_some(total)
}

/// `float(value)`, finite values only (JSON has no other).
#[must_use]
pub fn float(value: &Value) -> Option<f64> {
    let float = match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => float_text(strip(text))?,
        _ => return None,
    };
    float.is_finite().then_some(float)
}

fn float_text(text: &str) -> Option<f64> {
    let mut plain = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '_' {
            let between = previous.is_ascii_digit() && rest.peek().is_some_and(char::is_ascii_digit);
            if !between {
                return None;
            }
        } else if c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E') {
            plain.push(c);
        } else {
            return None;
        }
        previous = c;
    }
    plain.parse().ok()
}

/// True when `float(value) == int(value)` holds exactly, with the integer.
#[must_use]
pub fn exact_int(value: &Value) -> Option<i64> {
    let whole = int(value)?;
    match value {
        Value::Number(number) if number.is_f64() => (number.as_f64()?.fract() == 0.0).then_some(whole),
        _ => is_exact_float(whole).then_some(whole),
    }
}

/// True when the integer survives the way through a double.
#[expect(clippy::cast_precision_loss, reason = "the loss is what is asked for")]
fn is_exact_float(whole: i64) -> bool {
    float_to_int(whole as f64) == Some(whole)
}

/// A text that is equal for two values exactly when Python's `==` holds for them (`1 == 1.0 == True`, `1 != "1"`).
#[must_use]
pub fn key(value: &Value) -> String {
    let mut out = String::new();
    write_key(value, &mut out);
    out
}

fn write_key(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push('N'),
        Value::Bool(flag) => out.push_str(if *flag { "i1;" } else { "i0;" }),
        Value::Number(number) => write_number_key(number, out),
        Value::String(text) => {
            let _ = write!(out, "s{}:{text}", text.len());
        }
        Value::Array(items) => {
            out.push('[');
            items.iter().for_each(|item| write_key(item, out));
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| name.as_str());
            out.push('{');
            for (name, item) in entries {
                let _ = write!(out, "s{}:{name}", name.len());
                write_key(item, out);
            }
            out.push('}');
        }
    }
}

fn write_number_key(number: &Number, out: &mut String) {
    if number.is_f64() {
        let float = number.as_f64().unwrap_or_default();
        let _ = match float_to_int(float) {
            Some(whole) if float.fract() == 0.0 => write!(out, "i{whole};"),
            _ => write!(out, "f{:x};", float.to_bits()),
        };
    } else {
        let _ = write!(out, "i{number};");
    }
}

/// Python's `==`.
#[must_use]
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::String(_), _) | (_, Value::String(_)) => false,
        _ => key(left) == key(right),
    }
}

/// `str(value)`.
#[must_use]
pub fn str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut out = String::new();
            write_repr(other, &mut out);
            out
        }
    }
}

fn write_repr(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(flag) => out.push_str(if *flag { "True" } else { "False" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_repr(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (position, (name, item)) in map.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_quoted(name, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
    }
}

fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        let code = u32::from(c);
        let _ = match c {
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            _ if c == quote => write!(out, "\\{c}"),
            _ if is_repr_printable(c) => write!(out, "{c}"),
            _ if code <= 0xff => write!(out, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
    out.push(quote);
}

/// A number as Python writes it: floats always show a point or an exponent.
#[must_use]
pub fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_repr(float),
        _ => number.to_string(),
    }
}

fn float_repr(float: f64) -> String {
    let text = format!("{float:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `json.dumps(value)`: ASCII only, a space after commas and colons. The database holds lists in this form.
#[must_use]
pub fn json_dumps(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_json_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (position, (name, item)) in map.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_json_text(name, out);
                out.push_str(": ");
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases =
            [(5.0, "5.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1.5e-5, "1.5e-05"), (0.0001, "0.0001"), (1e300, "1e+300")];
        for (float, text) in cases {
            assert_eq!(float_repr(float), text);
        }
    }

    #[test]
    fn equality_is_pythons() {
        assert!(equal(&json!(1), &json!(true)));
        assert!(equal(&json!([1, 0.0]), &json!([1.0, false])));
        assert!(!equal(&json!("1"), &json!(1)));
        assert!(equal(&json!({"a": 1, "b": 2}), &json!({"b": 2.0, "a": true})));
        assert_ne!(key(&json!(["a", "b"])), key(&json!(["as1:b"])));
    }

    #[test]
    fn integers_beyond_64_bits_are_refused() {
        assert_eq!(int(&json!("9223372036854775807")), Some(i64::MAX));
        assert_eq!(int(&json!("-9223372036854775808")), Some(i64::MIN));
        assert_eq!(int(&json!("9223372036854775808")), None);
        assert_eq!(int(&json!(18_446_744_073_709_551_615_u64)), None);
        assert_eq!(int(&json!(1e19)), None);
    }

    #[test]
    fn repr_quotes_like_python() {
        assert_eq!(str(&json!(["it's", "a\"b'c", "\u{7f}\u{200b}"])), r#"["it's", 'a"b\'c', '\x7f\u200b']"#);
        assert_eq!(str(&json!({"a": null})), "{'a': None}");
    }
}
