// SPDX-License-Identifier: Apache-2.0
//! The INI dialect of oslo.config.
//!
//! Owns: splitting a text into sections and assignments with their line numbers. Refuses to own: meaning of
//! names and values, and the file system. The rules: `key = value` or `key: value`, whichever sign comes
//! first; one pair of equal quotes around the first line of a value is removed; a line that starts with a
//! blank continues the value above it (joined by a newline); an empty line or a comment ends a value;
//! comments are whole lines that start with `#` or `;`.

use std::fmt;

/// One assignment, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub section: String,
    pub key: String,
    pub value: String,
    /// Line of the key, counted from 1.
    pub line: usize,
}

/// A parsed text: assignments in the order of the file, repeated keys kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub entries: Vec<Entry>,
    /// Every section header with its line, in order, repeated ones kept.
    pub sections: Vec<(String, usize)>,
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    NoAssignment,
    EmptyKey,
    StrayContinuation,
    SectionNotClosed,
    SectionUnnamed,
    NoSectionYet,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: usize,
    pub fault: Fault,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            Fault::NoAssignment => "expected `name = value`, a [section] or a comment",
            Fault::EmptyKey => "the name before '=' or ':' is empty",
            Fault::StrayContinuation => "this line starts with a blank, so it continues a value, but there is no value above it",
            Fault::SectionNotClosed => "a [section] line must end with ']'",
            Fault::SectionUnnamed => "the section has no name",
            Fault::NoSectionYet => "a value stands before the first [section]; start the file with [DEFAULT]",
        })
    }
}

impl std::error::Error for SyntaxError {}

#[derive(Default)]
struct Parser {
    document: Document,
    section: Option<String>,
    open: Option<Entry>,
}

/// Parses a whole text. Never panics; the first fault ends the parse.
///
/// # Errors
/// [`SyntaxError`] with the line that is at fault.
pub fn parse(text: &str) -> Result<Document, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::default();
    for (index, line) in lines(text).enumerate() {
        parser.line(line, index + 1).map_err(|fault| SyntaxError { line: index + 1, fault })?;
    }
    parser.flush();
    Ok(parser.document)
}

/// Lines ended by `\n`, `\r\n` or `\r`, as Python's universal newlines.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

impl Parser {
    fn line(&mut self, raw: &str, number: usize) -> Result<(), Fault> {
        let line = raw.trim_end();
        if line.is_empty() {
            self.flush();
            return Ok(());
        }
        if line.starts_with([' ', '\t']) {
            let entry = self.open.as_mut().ok_or(Fault::StrayContinuation)?;
            entry.value.push('\n');
            entry.value.push_str(line.trim_start());
            return Ok(());
        }
        self.flush();
        if line.starts_with('[') {
            let name = section_name(line)?;
            self.document.sections.push((name.to_owned(), number));
            self.section = Some(name.to_owned());
        } else if !line.starts_with(['#', ';']) {
            self.open = Some(self.assignment(line, number)?);
        }
        Ok(())
    }

    fn assignment(&self, line: &str, number: usize) -> Result<Entry, Fault> {
        let (key, value) = line.split_once(['=', ':']).ok_or(Fault::NoAssignment)?;
        let key = key.trim();
        if key.is_empty() {
            return Err(Fault::EmptyKey);
        }
        let section = self.section.clone().ok_or(Fault::NoSectionYet)?;
        Ok(Entry { section, key: key.to_owned(), value: unquote(value.trim()).to_owned(), line: number })
    }

    fn flush(&mut self) {
        self.document.entries.extend(self.open.take());
    }
}

fn section_name(line: &str) -> Result<&str, Fault> {
    let inner = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(Fault::SectionNotClosed)?;
    if inner.is_empty() { Err(Fault::SectionUnnamed) } else { Ok(inner) }
}

/// Removes one pair of equal quotes. A lone quote counts as both of its ends and becomes nothing, as oslo has it.
fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return if rest.is_empty() { rest } else { rest.strip_suffix(quote).unwrap_or(value) };
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().entries.into_iter().map(|e| (e.key, e.value)).collect()
    }

    fn fault(text: &str) -> (usize, Fault) {
        let error = parse(text).unwrap_err();
        (error.line, error.fault)
    }

    #[test]
    fn reads_the_forms_that_oslo_reads() {
        let text = "[DEFAULT]\na =\n b\n  c\nb = 'q'\nc = '\nd=''\ne: x=1\nf =a:b\ng=\"a' \n";
        let expected = [("a", "\nb\nc"), ("b", "q"), ("c", ""), ("d", ""), ("e", "x=1"), ("f", "a:b"), ("g", "\"a'")];
        assert_eq!(values(text), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn comments_and_empty_lines_end_a_value() {
        assert_eq!(fault("[DEFAULT]\na=1\n# c\n b\n"), (4, Fault::StrayContinuation));
        assert_eq!(fault("[DEFAULT]\n  \na=1\n\n cont\n"), (5, Fault::StrayContinuation));
        assert_eq!(values("[D]\na=1\n; c\n#b=2\nb=2\n\t# x\n"), [("a".into(), "1".into()), ("b".into(), "2\n# x".into())]);
    }

    #[test]
    fn faults_name_the_line() {
        assert_eq!(fault("a=1\n"), (1, Fault::NoSectionYet));
        assert_eq!(fault("[DEFAULT]\nfoo\n"), (2, Fault::NoAssignment));
        assert_eq!(fault("[DEFAULT]\n=foo\n"), (2, Fault::EmptyKey));
        assert_eq!(fault("[DEFAULT\n"), (1, Fault::SectionNotClosed));
        assert_eq!(fault("[]\n"), (1, Fault::SectionUnnamed));
        assert_eq!(fault("[DEFAULT] # c\n"), (1, Fault::SectionNotClosed));
        assert_eq!(fault("["), (1, Fault::SectionNotClosed));
    }

    #[test]
    fn line_ends_of_other_systems() {
        let document = parse("\u{feff}[A]\r\na=1\r\nb=2\rc=3").unwrap();
        let lines: Vec<_> = document.entries.iter().map(|e| (e.key.as_str(), e.value.as_str(), e.line)).collect();
        assert_eq!(lines, [("a", "1", 2), ("b", "2", 3), ("c", "3", 4)]);
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn never_panics_on_ini_like(text in r#"([\[\]=:'" \t\r\n#;$a-c]|é){0,80}"#) {
            if let Ok(document) = parse(&text) {
                let last = text.split(['\n', '\r']).count();
                for entry in document.entries {
                    prop_assert!(!entry.key.is_empty() && entry.line >= 1 && entry.line <= last);
                }
            }
        }

        #[test]
        fn what_is_written_is_read(entries in proptest::collection::vec(
            ("[A-Za-z_]{1,8}", "[a-z][a-z0-9_-]{0,10}", r#"([!-~é][ -~é]{0,20}[!-~é])?"#, proptest::collection::vec("[!-~]{1,10}", 0..3)), 0..12)) {
            let mut text = String::new();
            let mut expected = Vec::new();
            for (section, key, first, more) in entries {
                text.push_str(&format!("[{section}]\n{key} = \"{first}\"\n"));
                let mut value = first;
                for line in more {
                    text.push_str(&format!("    {line}\n"));
                    value.push('\n');
                    value.push_str(&line);
                }
                expected.push((section, key, value));
            }
            let read: Vec<_> = parse(&text).unwrap().entries.into_iter().map(|e| (e.section, e.key, e.value)).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
