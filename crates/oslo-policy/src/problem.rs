// SPDX-License-Identifier: Apache-2.0
//! What is wrong with rules, said with file, line, rule and position.

use std::{fmt, path::PathBuf};

/// One thing to repair, or to know of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    pub file: Option<PathBuf>,
    /// From 1.
    pub line: Option<usize>,
    pub rule: Option<String>,
    /// The character of the check string, from 1.
    pub position: Option<usize>,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, "rule \"{rule}\"")?;
            if let Some(position) = self.position {
                write!(f, ", character {position}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that kept rules from being built, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
