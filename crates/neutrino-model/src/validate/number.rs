// SPDX-License-Identifier: Apache-2.0
//! Integers, ranges and port ranges. An integer here fits 64 bits.

use serde_json::Value;

use super::invalid::{Invalid, shown};
use super::python;
use super::spec::Choice;
use super::text;

type Checked = Result<(), Invalid>;

fn not_an_integer(v: &Value) -> Invalid {
    Invalid::reason(format!("{} is not an integer", shown(v)))
}

pub(super) fn integer(v: &Value, choices: Option<&[Choice]>) -> Checked {
    if let Some(choices) = choices {
        text::values(v, choices)?;
    }
    if v.is_boolean() {
        return Err(not_an_integer(v));
    }
    python::exact_int(v).map(drop).ok_or_else(|| not_an_integer(v))
}

pub(super) fn range(v: &Value, min: Option<i64>, max: Option<i64>) -> Checked {
    let number = python::int(v).ok_or_else(|| not_an_integer(v))?;
    match (min, max) {
        (Some(min), _) if number < min => Err(Invalid::reason(format!("{number} is too small: the least is {min}"))),
        (_, Some(max)) if number > max => Err(Invalid::reason(format!("{number} is too large: the most is {max}"))),
        _ => Ok(()),
    }
}

pub(super) fn non_negative(v: &Value) -> Checked {
    let number = python::int(v).ok_or_else(|| not_an_integer(v))?;
    if number < 0 {
        return Err(Invalid::reason(format!("{number} is negative")));
    }
    Ok(())
}

/// `None`, one port, or two joined by a colon, within `[min, max]`.
pub(super) fn port_range(v: &Value, bounds: Option<(i64, i64)>) -> Checked {
    const LONGEST: usize = 64;
    if v.is_null() {
        return Ok(());
    }
    let (min, max) = bounds.unwrap_or((0, i64::from(u16::MAX)));
    let wrong_form = || Invalid::reason(format!("{} is not a port or two ports joined by a colon", shown(v)));
    if matches!(v, Value::Array(_) | Value::Object(_)) {
        return Err(wrong_form());
    }
    let text = python::str(v);
    if text.len() > LONGEST {
        return Err(wrong_form());
    }
    let mut ports = Vec::new();
    for part in text.split(':') {
        let port = python::int_text(part, 10).filter(|port| (0..=i64::from(u16::MAX)).contains(port)).ok_or_else(wrong_form)?;
        if !(min..=max).contains(&port) {
            return Err(Invalid::reason(format!("port {port} is not between {min} and {max}")));
        }
        ports.push(port);
    }
    match ports[..] {
        [_] => Ok(()),
        [first, last] if first <= last => Ok(()),
        [_, _] => Err(Invalid::reason("the first port of a range must not be above the last")),
        _ => Err(wrong_form()),
    }
}
