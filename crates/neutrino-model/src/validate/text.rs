// SPDX-License-Identifier: Apache-2.0
//! Strings, names, choices, booleans, UUIDs and patterns.

use serde_json::Value;

use super::invalid::{Invalid, raised, shown, shown_text};
use super::python;
use super::spec::{Choice, Pattern};

type Checked = Result<(), Invalid>;

/// The string itself, at most `max` code points long.
pub(super) fn text(v: &Value, max: Option<usize>) -> Result<&str, Invalid> {
    let Value::String(text) = v else {
        return Err(Invalid::reason(format!("{} is not a string", shown(v))));
    };
    match max {
        Some(max) if text.chars().count() > max => Err(Invalid::reason(format!("{} is longer than {max} characters", shown_text(text)))),
        _ => Ok(text),
    }
}

pub(super) fn string(v: &Value, max: Option<usize>) -> Checked {
    text(v, max).map(drop)
}

pub(super) fn not_empty_string(v: &Value, max: Option<usize>) -> Checked {
    if python::strip(text(v, max)?).is_empty() {
        return Err(Invalid::reason("a string that is empty or only spaces is not allowed here"));
    }
    Ok(())
}

pub(super) fn oneline_not_empty_string(v: &Value, max: Option<usize>) -> Checked {
    not_empty_string(v, max)?;
    if python::is_multi_line(text(v, max)?) {
        return Err(Invalid::reason(format!("{} has more than one line", shown(v))));
    }
    Ok(())
}

pub(super) fn name_string(v: &Value, max: Option<usize>) -> Checked {
    let name = text(v, max)?;
    if is_name(name) {
        return Ok(());
    }
    Err(Invalid::reason(format!(
        "{} is not a name: every character must be printable and within Unicode's basic plane, and the first and last not a space",
        shown_text(name)
    )))
}

/// True when every character is printable (see `type:name_string`) and no space stands at an end. One last newline is let through,
/// as in Neutron.
fn is_name(name: &str) -> bool {
    let body = name.strip_suffix('\n').unwrap_or(name);
    if body.is_empty() {
        return name.is_empty();
    }
    body.chars().all(is_name_char) && !body.starts_with(python::is_space_separator) && !body.ends_with(python::is_space_separator)
}

fn is_name_char(c: char) -> bool {
    let printable = c.is_ascii_graphic() || (!python::is_other(c) && (!python::is_separator(c) || python::is_space_separator(c)));
    c < '\u{ffff}' && printable
}

pub(super) fn not_empty_name_string(v: &Value, max: Option<usize>) -> Checked {
    not_empty_string(v, max)?;
    name_string(v, max)
}

pub(super) fn name_string_not_default(v: &Value, max: Option<usize>) -> Checked {
    name_string(v, max)?;
    not_default(v)
}

pub(super) fn name_not_default(v: &Value, max: Option<usize>) -> Checked {
    string(v, max)?;
    not_default(v)
}

fn not_default(v: &Value) -> Checked {
    if v.as_str().is_some_and(|name| name.to_lowercase() == "default") {
        return Err(Invalid::kind(
            raised::SECURITY_GROUP_DEFAULT_ALREADY_EXISTS,
            "The name 'default' is kept for the security group that every project has already. Choose another name.",
        ));
    }
    Ok(())
}

pub(super) fn boolean(v: &Value) -> Checked {
    match to_bool(v) {
        Some(_) => Ok(()),
        None => Err(Invalid::reason(format!("{} is not a boolean", shown(v)))),
    }
}

/// The boolean that a value spells: `true`, `"yes"`, `1`, `"off"`, ...
#[must_use]
pub fn to_bool(v: &Value) -> Option<bool> {
    let word = match v {
        Value::Bool(flag) => return Some(*flag),
        Value::Number(number) => python::number_text(number),
        Value::String(text) => python::strip(text).to_lowercase(),
        _ => return None,
    };
    match word.as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

pub(super) fn values(v: &Value, choices: &[Choice]) -> Checked {
    if choices.iter().any(|choice| python::equal(v, &choice.to_value())) {
        return Ok(());
    }
    let known: Vec<String> = choices.iter().map(|choice| shown(&choice.to_value())).collect();
    Err(Invalid::reason(format!("{} is not one of {}", shown(v), known.join(", "))))
}

pub(super) fn uuid(v: &Value) -> Checked {
    if v.as_str().is_some_and(is_uuid_like) {
        return Ok(());
    }
    Err(Invalid::reason(format!("{} is not a UUID", shown(v))))
}

/// True for a UUID with or without hyphens, in any case, in braces, or after `urn:` and `uuid:`.
#[must_use]
pub fn is_uuid_like(text: &str) -> bool {
    const LONGEST: usize = 512;
    if text.len() > LONGEST {
        return false;
    }
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let mut digits = 0;
    bare.trim_matches(['{', '}']).bytes().filter(|byte| *byte != b'-').all(|byte| {
        digits += 1;
        byte.is_ascii_hexdigit()
    }) && digits == 32
}

pub(super) fn subnetpool_id(v: &Value) -> Checked {
    if v.is_null() || v == "prefix_delegation" { Ok(()) } else { uuid(v) }
}

pub(super) fn valid_target_project(v: &Value) -> Checked {
    if v == "*" || v.as_str().is_some_and(is_uuid_like) {
        return Ok(());
    }
    Err(Invalid::input(format!("{} is not a target project: give a project's UUID, or '*' for all projects.", shown(v))))
}

pub(super) fn regex(v: &Value, pattern: &Pattern) -> Checked {
    if v.as_str().is_some_and(|text| pattern.matches(text)) {
        return Ok(());
    }
    Err(Invalid::reason(format!("{} does not have the form {}", shown(v), pattern.text())))
}
