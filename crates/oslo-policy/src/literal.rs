// SPDX-License-Identifier: Apache-2.0
//! The left side of a check that is no registered kind: a constant (`'member'`, `True`, `7`) or the path of a credential
//! (`user_id`, `token.project.domain.id`).

use crate::target::python_float;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Constant(Box<str>),
    Path(Box<[Box<str>]>),
}

impl Subject {
    /// # Errors
    /// Why the text is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if matches!(text, "None" | "True" | "False") {
            return Ok(Self::Constant(text.into()));
        }
        match text.chars().next() {
            None => Err("there is nothing before the colon".to_owned()),
            Some(quote @ ('\'' | '"')) => quoted(text, quote).map(|s| Self::Constant(s.into())),
            Some('0'..='9' | '-') => number(text).map(|s| Self::Constant(s.into())),
            Some(_) => path(text),
        }
    }
}

fn quoted(text: &str, quote: char) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars().skip(1);
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | '\'' | '"')) => out.push(c),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                _ => return Err(format!("{text} has a backslash that is not \\\\, \\', \\\", \\n, \\r or \\t")),
            },
            c if c == quote => {
                return if chars.next().is_none() { Ok(out) } else { Err(format!("{text} goes on after its closing quote")) };
            }
            c => out.push(c),
        }
    }
    Err(format!("{text} has no closing quote before the colon"))
}

fn number(text: &str) -> Result<String, String> {
    let refused = || format!("{text} is not a whole or decimal number");
    let digits = text.strip_prefix('-').unwrap_or(text);
    let well_formed = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some((whole, fraction)) = digits.split_once('.') {
        if !well_formed(whole) || !(fraction.is_empty() || well_formed(fraction)) {
            return Err(refused());
        }
        return text.parse().map(python_float).map_err(|_| refused());
    }
    if !well_formed(digits) {
        return Err(refused());
    }
    if digits.bytes().all(|b| b == b'0') {
        return Ok("0".to_owned());
    }
    if digits.starts_with('0') {
        return Err(format!("{text} starts with a zero"));
    }
    Ok(text.to_owned())
}

fn path(text: &str) -> Result<Subject, String> {
    for segment in text.split('.') {
        let mut chars = segment.chars();
        let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !first || !chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return Err(format!("{text} is neither a kind of check, nor the name of a credential, nor a quoted constant"));
        }
    }
    Ok(Subject::Path(text.split('.').map(Box::from).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_paths() {
        for (text, constant) in [
            ("None", "None"),
            ("True", "True"),
            ("'member'", "member"),
            ("\"a'b\"", "a'b"),
            ("'it\\'s'", "it's"),
            ("7", "7"),
            ("-7", "-7"),
            ("-0", "0"),
            ("00", "0"),
            ("1.50", "1.5"),
            ("1.", "1.0"),
            ("-2.0", "-2.0"),
        ] {
            assert_eq!(Subject::parse(text), Ok(Subject::Constant(constant.into())), "{text}");
        }
        assert_eq!(Subject::parse("token.project.id"), Ok(Subject::Path(["token", "project", "id"].map(Box::from).into())));
        assert_eq!(Subject::parse("none"), Ok(Subject::Path([Box::from("none")].into())));
    }

    #[test]
    fn the_rest_is_refused() {
        for text in ["", "'a", "'a'b", "'\\x41'", "01", "1x", "-", "1.x", ".5", "a..b", "a.", "a.1", "[1]", "{}", "a$", "é!"] {
            assert!(Subject::parse(text).is_err(), "{text}");
        }
    }
}
