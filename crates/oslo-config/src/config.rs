// SPDX-License-Identifier: Apache-2.0
//! The loaded configuration and its getters.
//!
//! Owns: access to values by group and name. Invariants: a clone is cheap and sees reloads; a getter never
//! fails on what an operator wrote. Asking for an option that is not declared, or as another type than it
//! has, is a mistake of the program: a debug build stops there, a release build yields the empty value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{ConfigError, ConfigErrors, Location, Origin, Problem};
use crate::load::{Files, Key, Slot, Table, collect, declare, key, resolve};
use crate::opt::Opt;
use crate::sources::Sources;
use crate::value::Value;

/// An assignment in a file that belongs to no declared option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    pub group: String,
    pub name: String,
    /// May be secret: do not log it.
    pub value: String,
    pub location: Location,
}

pub(crate) struct Inner {
    pub(crate) sources: Sources,
    pub(crate) declared: BTreeMap<Key, Opt>,
    pub(crate) overrides: Vec<(String, String, String)>,
    pub(crate) table: RwLock<Arc<Table>>,
    unused: Vec<Unused>,
    warnings: Vec<String>,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// A loaded configuration. Cheap to clone; clones share reloads.
#[derive(Clone)]
pub struct Config {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("files", &self.inner.files).finish_non_exhaustive()
    }
}

impl Config {
    /// Reads all sources and converts every declared option.
    ///
    /// # Errors
    /// All faults: missing or broken files, values that an option does not take, references to nothing.
    pub fn load(sources: &Sources, options: &[&'static [Opt]]) -> Result<Config, ConfigErrors> {
        let (declared, mut errors) = declare(options);
        Config::build(sources.clone(), declared, Vec::new(), &mut errors).ok_or(ConfigErrors(errors))
    }

    /// A configuration of defaults and the given `(group, name, value)`, without files.
    ///
    /// # Errors
    /// As [`Config::load`]; also a name that is not declared.
    pub fn for_test(options: &[&'static [Opt]], values: &[(&str, &str, &str)]) -> Result<Config, ConfigErrors> {
        Config::load(&Sources::new(), options)?.with_overrides(values)
    }

    /// The same configuration with some values replaced. A value of a multi-valued option may be given several times.
    ///
    /// # Errors
    /// As [`Config::load`]; also a name that is not declared.
    pub fn with_overrides(&self, values: &[(&str, &str, &str)]) -> Result<Config, ConfigErrors> {
        let mut overrides = self.inner.overrides.clone();
        let mut errors = Vec::new();
        for (group, name, value) in values {
            if !self.inner.declared.contains_key(&key(group, name)) {
                errors.push(ConfigError::new(Problem::Declaration, "is not a declared option").of(group, name));
            }
            overrides.push(((*group).to_owned(), (*name).to_owned(), (*value).to_owned()));
        }
        Config::build(self.inner.sources.clone(), self.inner.declared.clone(), overrides, &mut errors).ok_or(ConfigErrors(errors))
    }

    /// `None` if there are errors.
    pub(crate) fn build(
        sources: Sources,
        declared: BTreeMap<Key, Opt>,
        overrides: Vec<(String, String, String)>,
        errors: &mut Vec<ConfigError>,
    ) -> Option<Config> {
        let files = Files::read(&sources, errors);
        let mut effective = sources.clone();
        effective.command_line.retain(|(group, name, _)| !overrides.iter().any(|(g, n, _)| key(g, n) == key(group, name)));
        effective.command_line.extend(overrides.iter().cloned());
        let written = collect(&effective, &files, &declared);
        let (mut table, faults) = resolve(&declared, &written);
        errors.extend(faults);
        if !errors.is_empty() {
            return None;
        }
        for (group, name, _) in &overrides {
            table.entry(key(group, name)).and_modify(|slot| slot.origin = Origin::Override);
        }
        let table = RwLock::new(Arc::new(table));
        let (unused, warnings, Files { paths, folders, .. }) = (written.unused, written.warnings, files);
        Some(Config { inner: Arc::new(Inner { sources, declared, overrides, table, unused, warnings, files: paths, folders }) })
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.inner.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn slot<T>(&self, group: &str, name: &str, read: impl FnOnce(&Slot) -> Option<T>) -> Option<T> {
        let table = self.table();
        let slot = table.get(&key(group, name));
        debug_assert!(slot.is_some(), "[{group}] {name} is not a declared option");
        slot.and_then(read)
    }

    /// Reads a value; `Value::None` is `None` and `pick` must take any other.
    fn read<T>(&self, group: &str, name: &str, pick: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        self.slot(group, name, |slot| {
            if slot.value == Value::None {
                return None;
            }
            let picked = pick(&slot.value);
            debug_assert!(picked.is_some(), "[{group}] {name} is of kind {:?}", slot.opt.kind);
            picked
        })
    }

    /// The value, whatever its type.
    #[must_use]
    pub fn value(&self, group: &str, name: &str) -> Value {
        self.slot(group, name, |slot| Some(slot.value.clone())).unwrap_or(Value::None)
    }

    /// A text (string, address, URI); `None` if it is not set and has no default.
    #[must_use]
    pub fn str(&self, group: &str, name: &str) -> Option<String> {
        self.read(group, name, as_text)
    }

    /// As [`Config::str`], with an empty text for what is not set.
    #[must_use]
    pub fn text(&self, group: &str, name: &str) -> String {
        self.str(group, name).unwrap_or_default()
    }

    #[must_use]
    pub fn opt_bool(&self, group: &str, name: &str) -> Option<bool> {
        self.read(group, name, |value| if let Value::Bool(flag) = value { Some(*flag) } else { None })
    }

    /// False if it is not set and has no default.
    #[must_use]
    pub fn bool(&self, group: &str, name: &str) -> bool {
        self.opt_bool(group, name).unwrap_or(false)
    }

    #[must_use]
    pub fn opt_int(&self, group: &str, name: &str) -> Option<i64> {
        self.read(group, name, |value| if let Value::Int(number) = value { Some(*number) } else { None })
    }

    /// 0 if it is not set and has no default.
    #[must_use]
    pub fn int(&self, group: &str, name: &str) -> i64 {
        self.opt_int(group, name).unwrap_or(0)
    }

    #[must_use]
    pub fn opt_float(&self, group: &str, name: &str) -> Option<f64> {
        self.read(group, name, |value| if let Value::Float(number) = value { Some(*number) } else { None })
    }

    /// 0 if it is not set and has no default.
    #[must_use]
    pub fn float(&self, group: &str, name: &str) -> f64 {
        self.opt_float(group, name).unwrap_or(0.0)
    }

    /// The items of a list as texts; empty if it is not set.
    #[must_use]
    pub fn list(&self, group: &str, name: &str) -> Vec<String> {
        self.opt_list(group, name).unwrap_or_default()
    }

    /// As [`Config::list`], telling an empty list from one that is not set.
    #[must_use]
    pub fn opt_list(&self, group: &str, name: &str) -> Option<Vec<String>> {
        self.read(group, name, |value| match value {
            Value::List(items) => Some(items.iter().map(Value::text).collect()),
            _ => None,
        })
    }

    /// The texts of a multi-valued option, in order.
    #[must_use]
    pub fn multi(&self, group: &str, name: &str) -> Vec<String> {
        self.list(group, name)
    }

    /// The pairs of a dict in the operator's order; empty if it is not set.
    #[must_use]
    pub fn dict(&self, group: &str, name: &str) -> Vec<(String, String)> {
        let pairs = self.read(group, name, |value| match value {
            Value::Dict(pairs) => Some(pairs.iter().map(|(key, value)| (key.clone(), value.text())).collect()),
            _ => None,
        });
        pairs.unwrap_or_default()
    }

    /// First and last number of a range.
    #[must_use]
    pub fn range(&self, group: &str, name: &str) -> Option<(i64, i64)> {
        self.read(group, name, |value| if let Value::Range(first, last) = value { Some((*first, *last)) } else { None })
    }

    /// Whether an option of this name is declared.
    #[must_use]
    pub fn is_declared(&self, group: &str, name: &str) -> bool {
        self.inner.declared.contains_key(&key(group, name))
    }

    /// Whether the operator (or a test) set the option, rather than its default.
    #[must_use]
    pub fn is_set(&self, group: &str, name: &str) -> bool {
        self.origin(group, name) != Origin::Default
    }

    #[must_use]
    pub fn origin(&self, group: &str, name: &str) -> Origin {
        self.slot(group, name, |slot| Some(slot.origin.clone())).unwrap_or(Origin::Default)
    }

    /// File and line, if the value comes from a file.
    #[must_use]
    pub fn location(&self, group: &str, name: &str) -> Option<(PathBuf, usize)> {
        self.origin(group, name).location().map(|location| (location.file.clone(), location.line))
    }

    /// An error about a value that only its user can judge, such as a driver's name: it says where the value
    /// stands and what is known. `value` is the part at fault, e.g. one item of a list.
    #[must_use]
    pub fn refuse<S: AsRef<str>>(&self, group: &str, name: &str, value: &str, reason: &str, known: &[S]) -> ConfigError {
        let error = ConfigError::new(Problem::BadValue, reason).of(group, name).at(self.origin(group, name)).choices(known);
        let secret = self.inner.declared.get(&key(group, name)).is_some_and(|opt| opt.secret);
        if secret { error } else { error.value(value) }
    }

    /// Assignments in files that belong to no declared option.
    #[must_use]
    pub fn unused(&self) -> &[Unused] {
        &self.inner.unused
    }

    /// Old names that were used and options that will go, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// The files that were read, in order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.inner.files
    }

    /// Finds a file by name beside the configuration: the folders that were given, those of the files (last
    /// first), then the search folders. An absolute name is only checked.
    #[must_use]
    pub fn find_file(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name)).filter(|path| path.exists());
        }
        let beside = self.inner.files.iter().rev().filter_map(|file| file.parent());
        let folders = self.inner.folders.iter().map(PathBuf::as_path).chain(beside);
        folders.chain(self.inner.sources.search.iter().map(PathBuf::as_path)).map(|folder| folder.join(name)).find(|path| path.exists())
    }

    /// Every declared option.
    pub fn options(&self) -> impl Iterator<Item = &Opt> {
        self.inner.declared.values()
    }

    /// Every option with its value as text, secrets masked; for the log.
    #[must_use]
    pub fn dump(&self) -> Vec<(String, String, String)> {
        let shown = |slot: &Slot| if slot.opt.secret && slot.value != Value::None { "****".to_owned() } else { slot.value.text() };
        self.table().iter().map(|((group, name), slot)| (group.clone(), name.clone(), shown(slot))).collect()
    }
}

fn as_text(value: &Value) -> Option<String> {
    if let Value::Str(text) = value { Some(text.clone()) } else { None }
}
