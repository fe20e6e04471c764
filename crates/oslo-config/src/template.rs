// SPDX-License-Identifier: Apache-2.0
//! `$name`, `${name}`, `$group.name` and `${group.name}` inside values; `$$` and `\$` stand for a dollar sign.
//!
//! Owns: finding the references in a text. Refuses to own: what they refer to. A dollar sign that starts no
//! name stays as it is.

/// Replaces every reference by what `look_up` yields; the first error ends it.
pub(crate) fn substitute<E>(text: &str, mut look_up: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        if let Some(before) = before.strip_suffix('\\') {
            out.push_str(before);
            out.push('$');
            rest = after;
            continue;
        }
        out.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            after
        } else if let Some((name, after)) = reference(after) {
            out.push_str(&look_up(name)?);
            after
        } else {
            out.push('$');
            after
        };
    }
    out.push_str(rest);
    Ok(out)
}

fn reference(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('{') {
        let (name, rest) = name(inner)?;
        return Some((name, rest.strip_prefix('}')?));
    }
    name(text)
}

fn name(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        return None;
    }
    let end = text.find(|c: char| !(c == '_' || c == '.' || c.is_ascii_alphanumeric())).unwrap_or(text.len());
    Some(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(text: &str) -> Result<String, String> {
        substitute(text, |name| if name == "bad" { Err(name.to_owned()) } else { Ok(format!("<{name}>")) })
    }

    #[test]
    fn references_and_escapes() {
        for (text, expected) in [
            ("a$b/c", "a<b>/c"),
            ("${b}c$d.e", "<b>c<d.e>"),
            ("$$5 \\$6 $ $7 ${b c", "$5 $6 $ $7 ${b c"),
            ("$$b $$$b", "$b $<b>"),
            ("${}${1}$", "${}${1}$"),
            ("$h\u{e9}", "<h>\u{e9}"),
        ] {
            assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(run("x$bad"), Err("bad".to_owned()));
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = run(&text);
        }

        #[test]
        fn an_escaped_text_is_unchanged(text in "[ -~é]{0,40}") {
            prop_assume!(!text.contains('\\'));
            prop_assert_eq!(run(&text.replace('$', "$$")), Ok(text));
        }
    }
}
