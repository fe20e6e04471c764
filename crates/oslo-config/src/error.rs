// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a configuration, told to the operator.
//!
//! Owns: origins of values and the sentences about them. Invariant: a sentence names the file and the line
//! when there is one, the option, what is wrong, and the choices when they are few; a secret is never shown.

use std::fmt;
use std::path::PathBuf;

/// A line of a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub file: PathBuf,
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(Location),
    /// The variable's name.
    Environment(String),
    CommandLine,
    /// Set by code: tests, or values that the program chose.
    Override,
}

impl Origin {
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        match self {
            Origin::File(location) => Some(location),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(location) => location.fmt(f),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::CommandLine => f.write_str("command line"),
            Origin::Override => f.write_str("chosen by the program"),
        }
    }
}

/// The kind of a fault, for code that must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    FileMissing,
    FileUnreadable,
    Syntax,
    BadValue,
    BadReference,
    Missing,
    /// Two tables declare one option differently: a mistake of the program.
    Declaration,
}

/// One fault; its parts are read through [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Fault>);

/// The parts of a [`ConfigError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub problem: Problem,
    /// `None` for faults of a whole file.
    pub option: Option<(String, String)>,
    /// As written; `None` when there is none or it is secret.
    pub value: Option<String>,
    pub origin: Option<Origin>,
    /// The sentence, without place, option and value.
    pub reason: String,
    /// What would be accepted, when that is a list of names.
    pub choices: Vec<String>,
}

impl ConfigError {
    #[must_use]
    pub fn new(problem: Problem, reason: impl Into<String>) -> ConfigError {
        let reason = reason.into();
        ConfigError(Box::new(Fault { problem, option: None, value: None, origin: None, reason, choices: Vec::new() }))
    }

    #[must_use]
    pub fn at(mut self, origin: Origin) -> ConfigError {
        self.0.origin = Some(origin);
        self
    }

    #[must_use]
    pub fn of(mut self, group: &str, name: &str) -> ConfigError {
        self.0.option = Some((group.to_owned(), name.to_owned()));
        self
    }

    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> ConfigError {
        self.0.value = Some(value.into());
        self
    }

    #[must_use]
    pub fn choices<S: AsRef<str>>(mut self, choices: &[S]) -> ConfigError {
        self.0.choices = choices.iter().map(|choice| choice.as_ref().to_owned()).collect();
        self
    }
}

impl std::ops::Deref for ConfigError {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

/// Longest part of a value that a sentence shows, in characters.
const SHOWN_CHARACTERS: usize = 200;

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            None | Some(Origin::Default) => {}
            Some(origin) => write!(f, "{origin}: ")?,
        }
        if let Some((group, name)) = &self.option {
            write!(f, "[{group}] {name}")?;
            if let Some(value) = self.value.as_ref().filter(|value| !value.is_empty()) {
                let shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
                write!(f, " = {}", shown.replace('\n', "\\n"))?;
                if shown.len() < value.len() {
                    f.write_str("...")?;
                }
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.reason)?;
        if !self.choices.is_empty() {
            write!(f, " (known: {})", self.choices.join(", "))?;
            let nearest = self.value.as_deref().and_then(|value| crate::nearest(value, self.choices.iter().map(String::as_str)));
            if let Some(nearest) = nearest {
                write!(f, "; did you mean '{nearest}'?")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// All faults that were found, at least one; each is one line when displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        ConfigErrors(vec![error])
    }
}
