// SPDX-License-Identifier: Apache-2.0
//! A policy file to start from: every default, as a comment, with what it is for.

use std::fmt::Write as _;

use crate::rules::{DefaultRule, DeprecatedRule};

/// The text of the file. A line `#"name": "check"` without its `#` says what the program says anyway.
#[must_use]
pub fn sample(defaults: &[DefaultRule<'_>]) -> String {
    defaults.iter().map(entry).collect::<Vec<_>>().join("\n")
}

fn entry(rule: &DefaultRule<'_>) -> String {
    let mut out = String::new();
    if let Some(removal) = rule.removal {
        comment(&mut out, &format!("DEPRECATED for removal since {}. {}", removal.since, removal.reason));
    }
    comment(&mut out, rule.description);
    for operation in rule.operations {
        let _ = writeln!(out, "# {}  {}", operation.method, operation.path);
    }
    if !rule.scope_types.is_empty() {
        let scopes: Vec<&str> = rule.scope_types.iter().map(|s| s.as_str()).collect();
        let _ = writeln!(out, "# Scope: {}", scopes.join(", "));
    }
    let _ = writeln!(out, "#{}: {}", quoted(rule.name), quoted(rule.check));
    if let Some(DeprecatedRule { name, check, reason, since }) = rule.deprecated {
        comment(&mut out, &format!("DEPRECATED since {since}: {}: {}. {reason}", quoted(name), quoted(check)));
        if name != rule.name {
            let alias = quoted(&format!("rule:{}", rule.name));
            comment(&mut out, &format!("The rule had another name; to keep the old one too write {}: {alias}", quoted(name)));
        }
    }
    out
}

/// A double-quoted text of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Comment lines of at most 76 characters, a paragraph for each line of the text.
fn comment(out: &mut String, text: &str) {
    for paragraph in text.lines() {
        let mut line = String::from("#");
        for word in paragraph.split_whitespace() {
            if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > 76 {
                let _ = writeln!(out, "{line}");
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
}
