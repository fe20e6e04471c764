// SPDX-License-Identifier: Apache-2.0
//! Logging in oslo.log's form.
//!
//! Owns: from the configuration to a `tracing` subscriber; the reload of levels. Refuses to own: what is logged. Lines go to
//! the log file if one is set, else to standard error if `use_stderr`, else to standard output.
//! A span whose fields include `request_id` is a request: its fields (`global_request_id`, `user_id`, `project_id`, `domain_id`,
//! `system_scope`, `user_domain_id`, `project_domain_id`) become the bracketed part of the line.

pub mod format;
mod layer;
mod levels;
mod output;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oslo_config::{Config, ConfigError};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

pub use layer::LogLayer;
pub use levels::levels;
pub use output::Output;

use format::Style;

/// The running log: levels can change, files can be opened anew.
pub struct Logging {
    levels: reload::Handle<Targets, Registry>,
    output: Arc<Output>,
}

/// Builds a subscriber that writes to `output`, not installed yet.
///
/// # Errors
/// A level that is none.
pub fn build(conf: &Config, output: Output) -> Result<(impl tracing::Subscriber + Send + Sync, Logging), ConfigError> {
    let (filter, levels) = reload::Layer::new(levels(conf)?);
    let output = Arc::new(output);
    let layer = LogLayer::new(Style::new(conf), Arc::clone(&output));
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    Ok((subscriber, Logging { levels, output }))
}

/// Builds the subscriber of the process and makes it the one that all code logs to.
///
/// # Errors
/// A log file that cannot be opened, a level that is none.
pub fn init(conf: &Config, program: &str) -> Result<Logging, ConfigError> {
    let output = match log_path(conf, program) {
        Some(path) => Output::file(&path).map_err(|error| unwritable(conf, &path, &error))?,
        None if conf.bool("DEFAULT", "use_stderr") => Output::stream(io::stderr()),
        None => Output::stream(io::stdout()),
    };
    let (subscriber, logging) = build(conf, output)?;
    // A test process may have one already; then that one stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(logging)
}

/// `log_file`, in `log_dir` if that is set; `log_dir` alone means a file with the program's name.
fn log_path(conf: &Config, program: &str) -> Option<PathBuf> {
    let set = |name: &str| conf.str("DEFAULT", name).filter(|text| !text.is_empty()).map(PathBuf::from);
    match (set("log_dir"), set("log_file")) {
        (Some(folder), Some(file)) => Some(folder.join(file)),
        (Some(folder), None) => Some(folder.join(format!("{program}.log"))),
        (None, file) => file,
    }
}

fn unwritable(conf: &Config, path: &Path, error: &io::Error) -> ConfigError {
    let name = if conf.is_set("DEFAULT", "log_file") { "log_file" } else { "log_dir" };
    conf.refuse::<&str>("DEFAULT", name, "", &format!("{} cannot be written: {error}", path.display()), &[])
}

impl Logging {
    /// Takes the levels from a configuration that was read again, and opens the log file anew.
    ///
    /// # Errors
    /// A level that is none; the old ones stay.
    pub fn reload(&self, conf: &Config) -> Result<(), ConfigError> {
        let levels = levels(conf)?;
        // The handle fails only when the subscriber is gone; then nobody logs.
        let _ = self.levels.reload(levels);
        self.output.reopen();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn run(values: &[(&str, &str, &str)], log: impl FnOnce(&Config, &Logging)) -> String {
        let conf = Config::for_test(&crate::options::tables(), values).unwrap();
        let memory = Memory::default();
        let (subscriber, logging) = build(&conf, Output::stream(memory.clone())).unwrap();
        tracing::subscriber::with_default(subscriber, || log(&conf, &logging));
        memory.take()
    }

    fn is_like(line: &str, pattern: &str) -> bool {
        let shape: String = line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let pid = "0".repeat(std::process::id().to_string().len());
        shape == pattern.replace("PID", &pid)
    }

    #[test]
    fn a_line_outside_a_request() {
        let text = run(&[], |_, _| {
            tracing::info!(target: "neutrino_api::http", "hello");
            tracing::debug!("hidden");
        });
        assert!(is_like(&text, "0000-00-00 00:00:00.000 PID INFO neutrino_api.http [-] hello\n"), "{text}");
    }

    #[test]
    fn a_line_inside_a_request_names_it_and_who_asks() {
        let text = run(&[], |_, _| {
            let span =
                tracing::info_span!("request", request_id = "req-x", user_id = tracing::field::Empty, project_id = tracing::field::Empty);
            let _entered = span.enter();
            tracing::warn!(target: "t", port = 1, name = "a b", "first");
            span.record("user_id", "u");
            span.record("project_id", "p");
            tracing::info_span!("inner").in_scope(|| tracing::error!(target: "t", "second"));
        });
        let lines: Vec<&str> = text.lines().collect();
        assert!(is_like(lines[0], "0000-00-00 00:00:00.000 PID WARNING t [None req-x - - - - - -] first port=0 name=\"a b\""), "{text}");
        assert!(is_like(lines[1], "0000-00-00 00:00:00.000 PID ERROR t [None req-x u p - - - -] second"), "{text}");
    }

    #[test]
    fn a_message_cannot_forge_a_line() {
        let text = run(&[], |_, _| tracing::info!(target: "t", value = "x\ny", "a\n2026 forged\r\u{1b}[31m"));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with("a\\n2026 forged\\r\\u{1b}[31m value=\"x\\ny\"\n"), "{text}");
    }

    #[test]
    fn json_lines_are_objects() {
        let text = run(&[("DEFAULT", "use_json", "true")], |_, _| {
            let span = tracing::info_span!("request", request_id = "req-x", project_id = "p");
            span.in_scope(|| tracing::error!(target: "a::b", count = 3, on = true, "he\"llo\n"));
        });
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["message"], "he\"llo\n");
        assert_eq!((&object["levelname"], &object["levelno"], &object["name"]), (&"ERROR".into(), &40.into(), &"a.b".into()));
        assert_eq!((&object["context"]["request_id"], &object["context"]["project_id"]), (&"req-x".into(), &"p".into()));
        assert_eq!(object["extra"], serde_json::json!({"count": 3, "on": true}));
        assert_eq!(object["process"], std::process::id());
    }

    #[test]
    fn levels_follow_the_configuration_and_its_reload() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.conf");
        std::fs::write(&file, "[DEFAULT]\ndefault_log_levels = noisy.part=ERROR, neutron=DEBUG\n").unwrap();
        let conf = Config::load(&oslo_config::Sources::new().config_file(&file), &crate::options::tables()).unwrap();
        let memory = Memory::default();
        let (subscriber, logging) = build(&conf, Output::stream(memory.clone())).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let log = || {
                tracing::warn!(target: "noisy::part::x", "noisy");
                tracing::debug!(target: "neutrino_core::x", "ours");
                tracing::debug!(target: "other", "other");
            };
            log();
            let words = |text: String| text.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
            // A line of DEBUG ends with the place in the source; the message stands before it.
            assert_eq!(words(memory.take()).len(), 1);
            std::fs::write(&file, "[DEFAULT]\ndebug = true\n").unwrap();
            conf.reload().unwrap();
            logging.reload(&conf).unwrap();
            log();
            assert_eq!(words(memory.take()).len(), 3);
        });
    }

    #[test]
    fn operators_may_choose_the_form() {
        let values = [
            ("DEFAULT", "logging_default_format_string", "%(levelname)-8s|%(name)s|%(message)s 100%%"),
            ("DEFAULT", "log_date_format", "%H"),
        ];
        // oslo.config would read $ in a value as a reference, % is plain.
        let text = run(&values, |_, _| tracing::info!(target: "t", "m"));
        assert_eq!(text, "INFO    |t|m 100%\n");
        let bad = [("DEFAULT", "logging_default_format_string", "%(nonsense)s")];
        assert!(Config::for_test(&crate::options::tables(), &bad).unwrap_err().to_string().contains("nonsense"));
        assert!(Config::for_test(&crate::options::tables(), &[("DEFAULT", "log_date_format", "%!")]).is_err());
    }

    #[test]
    fn a_rotated_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("neutron-server.log");
        let conf = Config::for_test(&crate::options::tables(), &[("DEFAULT", "log_dir", folder.path().to_str().unwrap())]).unwrap();
        assert_eq!(log_path(&conf, "neutron-server"), Some(path.clone()));
        let (subscriber, logging) = build(&conf, Output::file(&path).unwrap()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("one");
            std::fs::rename(&path, folder.path().join("old")).unwrap();
            logging.reload(&conf).unwrap();
            tracing::info!("two");
        });
        assert!(std::fs::read_to_string(path).unwrap().ends_with("two\n"));
        assert!(std::fs::read_to_string(folder.path().join("old")).unwrap().ends_with("one\n"));
    }
}
