// SPDX-License-Identifier: Apache-2.0
//! Where log lines go.
//!
//! Owns: the open stream or file; a file that was moved away (logrotate) is opened anew, as oslo.log does it. Invariants: one
//! line is one write; a failing write is dropped, never an error of the code that logged.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a file is looked after, at most.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

struct Watched {
    path: PathBuf,
    file: File,
    looked: Instant,
}

enum Sink {
    Stream(Box<dyn Write + Send>),
    File(Watched),
}

pub struct Output {
    sink: Mutex<Sink>,
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Watched {
    fn moved(&self) -> bool {
        let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        match (std::fs::metadata(&self.path).map(identity), self.file.metadata().map(identity)) {
            (Ok(there), Ok(ours)) => there != ours,
            _ => true,
        }
    }

    fn follow(&mut self) {
        self.looked = Instant::now();
        if self.moved()
            && let Ok(file) = open(&self.path)
        {
            self.file = file;
        }
    }
}

impl Output {
    #[must_use]
    pub fn stream(stream: impl Write + Send + 'static) -> Output {
        Output { sink: Mutex::new(Sink::Stream(Box::new(stream))) }
    }

    /// Appends to a file, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn file(path: &Path) -> io::Result<Output> {
        let watched = Watched { path: path.to_owned(), file: open(path)?, looked: Instant::now() };
        Ok(Output { sink: Mutex::new(Sink::File(watched)) })
    }

    /// Writes one line; `line` ends with a newline.
    pub(super) fn write(&self, line: &str) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk or a closed pipe must not stop the server.
        let _ = match &mut *sink {
            Sink::Stream(stream) => stream.write_all(line.as_bytes()).and_then(|()| stream.flush()),
            Sink::File(watched) => {
                if watched.looked.elapsed() >= WATCH_INTERVAL {
                    watched.follow();
                }
                watched.file.write_all(line.as_bytes())
            }
        };
    }

    /// Opens the file anew if it was moved.
    pub(super) fn reopen(&self) {
        if let Sink::File(watched) = &mut *self.sink.lock().unwrap_or_else(PoisonError::into_inner) {
            watched.follow();
        }
    }
}
