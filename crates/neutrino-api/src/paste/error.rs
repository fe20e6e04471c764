// SPDX-License-Identifier: Apache-2.0
//! What is wrong with an `api-paste.ini`: always a file, a line where there is one, and what to do.

use std::fmt;

/// A configuration of the pipeline that cannot be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasteError {
    pub file: String,
    /// 1 for the first line.
    pub line: Option<usize>,
    pub message: String,
}

impl PasteError {
    pub(super) fn new(file: &str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for PasteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}, line {line}: {}", self.file, self.message),
            None => write!(formatter, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for PasteError {}
