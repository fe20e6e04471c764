// SPDX-License-Identifier: Apache-2.0
//! The operator's files: `policy.yaml` (or `.json`), then every file of the policy directories, in the order of their names.
//!
//! A rule of a later file replaces that of an earlier one. A file or directory that is not there says nothing; one that cannot be read or
//! understood is an error, and so is every entry that could be taken for another than it is (a value that is missing, a tag, an alias).

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    problem::{Problem, Problems},
    yaml,
};

/// How large a file may be.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    pub policy_file: Option<PathBuf>,
    pub policy_dirs: Vec<PathBuf>,
}

/// What files say, and what was odd about it.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    rules: BTreeMap<String, FileRule>,
    pub(crate) warnings: Vec<Problem>,
}

/// A rule of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    pub name: String,
    pub text: RuleText,
    pub file: PathBuf,
    pub line: Option<usize>,
}

/// A rule's text, or its old form of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleText {
    Text(String),
    Lists(Vec<Vec<String>>),
}

impl fmt::Display for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleText::Text(text) => f.write_str(text),
            RuleText::Lists(lists) => write!(f, "{}", serde_json::Value::from(lists.clone())),
        }
    }
}

/// When the files were written and how long they are: differs when they must be read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Overrides {
    /// What one text says, as if it stood in `file`.
    ///
    /// # Errors
    /// Every entry that is no rule.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, Problems> {
        let (mut out, mut problems) = (Self::default(), Vec::new());
        out.add(text, file, &mut problems);
        if problems.is_empty() { Ok(out) } else { Err(Problems(problems)) }
    }

    /// The rules, in the order of their names.
    pub fn rules(&self) -> impl Iterator<Item = &FileRule> {
        self.rules.values()
    }

    fn add(&mut self, text: &str, file: &Path, problems: &mut Vec<Problem>) {
        let (entries, errors) = yaml::read(text);
        problems.extend(errors.into_iter().map(|error| Problem {
            file: Some(file.to_owned()),
            line: error.line,
            rule: error.rule,
            position: None,
            message: error.message,
        }));
        for yaml::Entry { name, text, line } in entries {
            let rule = FileRule { name: name.clone(), text, file: file.to_owned(), line };
            if let Some(before) = self.rules.insert(name, rule).filter(|before| before.file == *file) {
                let place = before.line.map(|line| format!(" at line {line}")).unwrap_or_default();
                let message = format!("written twice; the first{place} is not used");
                self.warnings.push(Problem { file: Some(before.file), line, rule: Some(before.name), position: None, message });
            }
        }
    }
}

impl Source {
    /// The path itself if it is absolute; else the first of the directories that has it. Only if it exists.
    #[must_use]
    pub fn find(path: &Path, directories: &[PathBuf]) -> Option<PathBuf> {
        if path.is_absolute() {
            return path.exists().then(|| path.to_owned());
        }
        directories.iter().map(|directory| directory.join(path)).find(|candidate| candidate.exists())
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Everything that cannot be read or is no rule.
    pub fn read(&self) -> Result<Overrides, Problems> {
        let (mut overrides, mut problems) = (Overrides::default(), Vec::new());
        for file in self.files(&mut problems) {
            match read_text(&file) {
                Ok(text) => overrides.add(&text, &file, &mut problems),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => problems.push(unreadable(&file, &e)),
            }
        }
        if problems.is_empty() { Ok(overrides) } else { Err(Problems(problems)) }
    }

    /// The present state of the files.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let mut files = self.files(&mut Vec::new());
        files.extend(self.policy_dirs.iter().cloned());
        let state = |file: PathBuf| {
            let found = fs::metadata(&file).ok();
            let written = found.as_ref().and_then(|m| m.modified().ok());
            (file, written, found.map_or(0, |m| m.len()))
        };
        Stamp(files.into_iter().map(state).collect())
    }

    fn files(&self, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.policy_file.iter().cloned().collect();
        for directory in &self.policy_dirs {
            match list(directory) {
                Ok(found) => files.extend(found),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => problems.push(unreadable(directory, &e)),
            }
        }
        files
    }
}

/// The files of a directory by name, without hidden ones and without other directories.
fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(file)?.take(MAX_FILE as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_FILE {
        return Err(io::Error::other(format!("it has more than {MAX_FILE} bytes")));
    }
    Ok(text)
}

fn unreadable(file: &Path, error: &io::Error) -> Problem {
    Problem { file: Some(file.to_owned()), message: format!("cannot be read: {error}"), ..Problem::default() }
}
