// SPDX-License-Identifier: Apache-2.0
//! The file format of `api-paste.ini`: Python's `configparser` with paste.deploy's settings.
//!
//! `key = value` or `key: value` (the first of `=` and `:` ends the key, keys keep their case), lines indented deeper than their key
//! continue its value, `#` and `;` begin a comment line, `[DEFAULT]` gives values to all sections, `%(name)s` refers to another value
//! of the section or of the defaults. A section or a key given twice is an error. Knows no section's meaning.
//! Invariant: no input makes it panic or run away; files and references are bounded.

use std::collections::HashSet;

use super::error::PasteError;

/// A larger file is no pipeline.
pub const MAX_FILE_BYTES: usize = 1 << 20;
const MAX_REFERENCE_DEPTH: usize = 10;
const MAX_REFERENCES: usize = 10_000;
const MAX_VALUE_BYTES: usize = 64 << 10;

/// One `key = value`, before references are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub value: String,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What stands between the brackets: `filter:cors`.
    pub name: String,
    pub line: usize,
    pub entries: Vec<Entry>,
}

/// A parsed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IniFile {
    pub file: String,
    pub defaults: Vec<Entry>,
    pub sections: Vec<Section>,
}

impl IniFile {
    /// # Errors
    /// The first line that is none of the format's.
    pub fn parse(file: &str, text: &str) -> Result<Self, PasteError> {
        if text.len() > MAX_FILE_BYTES {
            return Err(PasteError::new(file, None, format!("the file is larger than {MAX_FILE_BYTES} bytes")));
        }
        let mut reader = Reader {
            file,
            defaults: Vec::new(),
            sections: Vec::new(),
            place: Place::Nowhere,
            indent: 0,
            continues: false,
            seen: HashSet::new(),
        };
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            reader.line(index + 1, line)?;
        }
        let Reader { mut defaults, mut sections, .. } = reader;
        for entry in defaults.iter_mut().chain(sections.iter_mut().flat_map(|section| &mut section.entries)) {
            entry.value.truncate(entry.value.trim_end().len());
        }
        Ok(Self { file: file.to_owned(), defaults, sections })
    }

    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The value of an entry with its references replaced.
    ///
    /// # Errors
    /// A reference to a value that is not there, a `%` that is none, or references in a circle.
    pub fn resolve(&self, section: Option<&Section>, entry: &Entry, extra: &[Entry]) -> Result<String, PasteError> {
        let mut expansion = Expansion { file: self, section, entry, extra, text: String::new(), references: 0 };
        expansion.expand(&entry.value, 1)?;
        Ok(expansion.text)
    }
}

/// One value, while its references are being replaced.
struct Expansion<'a> {
    file: &'a IniFile,
    section: Option<&'a Section>,
    entry: &'a Entry,
    extra: &'a [Entry],
    text: String,
    references: usize,
}

impl<'a> Expansion<'a> {
    fn wrong<T>(&self, message: &str) -> Result<T, PasteError> {
        Err(PasteError::new(&self.file.file, Some(self.entry.line), format!("the value of {} {message}", self.entry.key)))
    }

    fn expand(&mut self, value: &str, depth: usize) -> Result<(), PasteError> {
        if depth > MAX_REFERENCE_DEPTH || self.references > MAX_REFERENCES {
            return self.wrong("refers to other values in a circle or too deeply");
        }
        let mut rest = value;
        while let Some(position) = rest.find('%') {
            self.text.push_str(&rest[..position]);
            rest = &rest[position + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                self.text.push('%');
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(")s")) else {
                return self.wrong("has a % that means nothing: write %% for a percent sign, or %(name)s to refer to another value");
            };
            let Some(found) = self.lookup(name) else {
                return self.wrong(&format!("refers to %({name})s, which is neither in the section nor in [DEFAULT]"));
            };
            self.references += 1;
            self.expand(found, depth + 1)?;
            rest = after;
        }
        self.text.push_str(rest);
        if self.text.len() > MAX_VALUE_BYTES {
            return self.wrong(&format!("is longer than {MAX_VALUE_BYTES} bytes once its references are replaced"));
        }
        Ok(())
    }

    fn lookup(&self, name: &str) -> Option<&'a str> {
        let own = self.section.into_iter().flat_map(|section| &section.entries);
        own.chain(self.extra).chain(&self.file.defaults).find(|other| other.key == name).map(|found| found.value.as_str())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Defaults,
    Section,
}

struct Reader<'f> {
    file: &'f str,
    defaults: Vec<Entry>,
    sections: Vec<Section>,
    place: Place,
    /// Indentation of the last key or section.
    indent: usize,
    /// Whether a deeper line would continue a value.
    continues: bool,
    seen: HashSet<String>,
}

impl Reader<'_> {
    fn entries(&mut self) -> Option<&mut Vec<Entry>> {
        match self.place {
            Place::Nowhere => None,
            Place::Defaults => Some(&mut self.defaults),
            Place::Section => self.sections.last_mut().map(|section| &mut section.entries),
        }
    }

    fn wrong<T>(&self, line: usize, message: impl Into<String>) -> Result<T, PasteError> {
        Err(PasteError::new(self.file, Some(line), message))
    }

    fn line(&mut self, number: usize, raw: &str) -> Result<(), PasteError> {
        let content = raw.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = raw.chars().take_while(|character| character.is_whitespace()).count();
        if self.continues
            && indent > self.indent
            && let Some(entry) = self.entries().and_then(|entries| entries.last_mut())
        {
            entry.value.push('\n');
            entry.value.push_str(content);
            return Ok(());
        }
        self.indent = indent;
        match content.strip_prefix('[').and_then(|inner| inner.rsplit_once(']')) {
            Some((name, _)) if !name.is_empty() => {
                self.continues = false;
                self.open(number, name)
            }
            _ => self.entry(number, content),
        }
    }

    fn open(&mut self, number: usize, name: &str) -> Result<(), PasteError> {
        self.seen.clear();
        if name == "DEFAULT" {
            self.place = Place::Defaults;
            self.seen.extend(self.defaults.iter().map(|entry| entry.key.clone()));
            return Ok(());
        }
        if let Some(earlier) = self.sections.iter().find(|section| section.name == name) {
            return self.wrong(number, format!("section [{name}] is there already, at line {}", earlier.line));
        }
        self.sections.push(Section { name: name.to_owned(), line: number, entries: Vec::new() });
        self.place = Place::Section;
        Ok(())
    }

    fn entry(&mut self, number: usize, content: &str) -> Result<(), PasteError> {
        if self.place == Place::Nowhere {
            return self.wrong(number, "the line belongs to no section: begin with a line like [composite:neutron]");
        }
        let Some(end) = content.find(['=', ':']) else {
            return self.wrong(number, format!("\"{content}\" is neither a section, nor \"key = value\", nor an indented continuation"));
        };
        let (key, value) = (content[..end].trim_end().to_owned(), content[end + 1..].trim_start().to_owned());
        if key.is_empty() {
            return self.wrong(number, "the key before the \"=\" is missing");
        }
        if !self.seen.insert(key.clone()) {
            return self.wrong(number, format!("{key} is given twice in this section"));
        }
        self.continues = true;
        if let Some(entries) = self.entries() {
            entries.push(Entry { key, value, line: number });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, section: &str, key: &str) -> Result<String, PasteError> {
        let file = IniFile::parse("t.ini", text)?;
        let section = file.section(section).unwrap();
        let entry = section.entries.iter().find(|entry| entry.key == key).unwrap();
        file.resolve(Some(section), entry, &[])
    }

    #[test]
    fn keys_end_at_the_first_delimiter_and_keep_their_case() {
        let text = "[composite:neutron]\n/: versions\n/v2.0: api = b\nUse = egg:Paste#urlmap\n";
        assert_eq!(value(text, "composite:neutron", "/").unwrap(), "versions");
        assert_eq!(value(text, "composite:neutron", "/v2.0").unwrap(), "api = b");
        assert_eq!(value(text, "composite:neutron", "Use").unwrap(), "egg:Paste#urlmap");
    }

    #[test]
    fn values_continue_on_deeper_lines_across_blank_ones() {
        let text = "[a]\npipeline = one\n  # no part of it\n  two\n\n  three\nnext = 1\n";
        assert_eq!(value(text, "a", "pipeline").unwrap(), "one\ntwo\nthree");
        assert_eq!(value(text, "a", "next").unwrap(), "1");
    }

    #[test]
    fn references_see_the_section_before_the_defaults() {
        let text = "[DEFAULT]\nroot = /var\nname = d\n[a]\nname = own\npath = %(root)s/%(name)s at 100%%\n";
        assert_eq!(value(text, "a", "path").unwrap(), "/var/own at 100%");
    }

    #[test]
    fn mistakes_name_their_line() {
        let cases = [
            ("x = 1\n", 1, "belongs to no section"),
            ("[a]\nfoo\n", 2, "\"foo\" is neither"),
            ("[a]\nx = 1\nx = 2\n", 3, "twice"),
            ("[a]\n[b]\n[a]\n", 3, "already, at line 1"),
            ("[a]\n= 1\n", 2, "key before"),
        ];
        for (text, line, part) in cases {
            let error = IniFile::parse("t.ini", text).unwrap_err();
            assert_eq!(error.line, Some(line), "{text:?}: {error}");
            assert!(error.to_string().contains(part), "{text:?}: {error}");
        }
        for text in ["[a]\nv = 50%\n", "[a]\nv = %(gone)s\n", "[a]\nv = %(v)s\n", "[a]\nv = %(open\n"] {
            assert_eq!(value(text, "a", "v").unwrap_err().line, Some(2), "{text:?}");
        }
    }

    #[test]
    fn references_cannot_grow_without_bound() {
        let mut text = "[a]\nx0 = 0123456789\n".to_owned();
        for level in 1..9 {
            text.push_str(&format!("x{level} = {}\n", format!("%(x{})s", level - 1).repeat(20)));
        }
        assert!(value(&text, "a", "x8").unwrap_err().to_string().contains("longer than"));
        let empty = text.replace("0123456789", "");
        assert!(value(&empty, "a", "x8").unwrap_err().to_string().contains("too deeply"));
    }
}
