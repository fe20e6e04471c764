// SPDX-License-Identifier: Apache-2.0
//! From sources and declarations to values.
//!
//! Owns: reading the files, the order of sources, older names, references, conversion. Refuses to own: what is
//! done with the values. Invariant: every fault is reported, not only the first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::config::Unused;
use crate::error::{ConfigError, Location, Origin, Problem};
use crate::ini;
use crate::opt::{Opt, normal_group};
use crate::sources::{Sources, Step, conf_files};
use crate::template::substitute;
use crate::value::{Refused, Value, convert};

/// Largest configuration file, in bytes.
const FILE_LIMIT_BYTES: u64 = 8 << 20;

/// Longest chain of references: `$a` that refers to `$b` that refers to ...
const REFERENCE_DEPTH: usize = 32;

/// Longest value after substitution, in bytes.
const VALUE_LIMIT_BYTES: usize = 1 << 20;

/// `(group, name)` in the form in which files have it, group normalised.
pub(crate) type Key = (String, String);

pub(crate) fn key(group: &str, name: &str) -> Key {
    (normal_group(group), name.replace('-', "_"))
}

/// One text that an operator wrote.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub text: String,
    pub origin: Origin,
}

/// A converted option.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub opt: Opt,
    pub value: Value,
    pub origin: Origin,
}

pub(crate) type Table = BTreeMap<Key, Slot>;

/// The declared options by name.
pub(crate) fn declare(tables: &[&[Opt]]) -> (BTreeMap<Key, Opt>, Vec<ConfigError>) {
    let mut declared: BTreeMap<Key, Opt> = BTreeMap::new();
    let mut errors = Vec::new();
    for opt in tables.iter().flat_map(|table| table.iter()) {
        let key = key(opt.group, opt.name);
        match declared.get(&key) {
            Some(other) if !other.agrees_with(opt) => {
                let reason = "declared twice, differently; this is a mistake of the program";
                errors.push(ConfigError::new(Problem::Declaration, reason).of(opt.group, opt.name));
            }
            Some(_) => {}
            None => {
                declared.insert(key, *opt);
            }
        }
    }
    (declared, errors)
}

/// All files, in the order in which they are read.
#[derive(Default)]
pub(crate) struct Files {
    pub paths: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
    documents: Vec<(PathBuf, ini::Document)>,
}

impl Files {
    pub(crate) fn read(sources: &Sources, errors: &mut Vec<ConfigError>) -> Files {
        let mut files = Files::default();
        if sources.uses_default_files() {
            sources.default_files.iter().for_each(|path| files.file(path, errors));
        }
        if sources.uses_default_folders() {
            sources.default_folders.iter().filter(|folder| folder.exists()).for_each(|folder| files.folder(folder, errors));
        }
        for step in &sources.steps {
            match step {
                Step::File(path) => files.file(path, errors),
                Step::Folder(folder) => files.folder(folder, errors),
            }
        }
        files
    }

    fn file(&mut self, path: &Path, errors: &mut Vec<ConfigError>) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match read_file(&path) {
            Ok(document) => self.documents.push((path.clone(), document)),
            Err(error) => errors.push(error),
        }
        self.paths.push(path);
    }

    fn folder(&mut self, folder: &Path, errors: &mut Vec<ConfigError>) {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        match conf_files(&folder) {
            Ok(files) => files.iter().for_each(|path| self.file(path, errors)),
            Err(error) => errors.push(unreadable(&folder, "folder", &error)),
        }
        self.folders.push(folder);
    }

    /// Every assignment by name; for each name the files in order.
    fn index(&self) -> HashMap<Key, Vec<(usize, Raw)>> {
        let mut index: HashMap<Key, Vec<(usize, Raw)>> = HashMap::new();
        for (number, (path, document)) in self.documents.iter().enumerate() {
            for entry in &document.entries {
                let origin = Origin::File(Location { file: path.clone(), line: entry.line });
                let raw = Raw { text: entry.value.clone(), origin };
                index.entry((normal_group(&entry.section), entry.key.clone())).or_default().push((number, raw));
            }
        }
        index
    }
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> ConfigError {
    let (problem, why) = match error.kind() {
        std::io::ErrorKind::NotFound => (Problem::FileMissing, "does not exist".to_owned()),
        std::io::ErrorKind::PermissionDenied => (Problem::FileUnreadable, "may not be read by this user".to_owned()),
        _ => (Problem::FileUnreadable, format!("cannot be read: {error}")),
    };
    ConfigError::new(problem, format!("{}: the configuration {what} {why}", path.display()))
}

fn read_file(path: &Path) -> Result<ini::Document, ConfigError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, "file", &error))?;
    if bytes.len() as u64 > FILE_LIMIT_BYTES {
        let reason = format!("{}: the configuration file is larger than {FILE_LIMIT_BYTES} bytes", path.display());
        return Err(ConfigError::new(Problem::FileUnreadable, reason));
    }
    let at = |line| Origin::File(Location { file: path.to_owned(), line });
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::new(Problem::Syntax, "the line is not UTF-8").at(at(line))
    })?;
    ini::parse(&text).map_err(|error| ConfigError::new(Problem::Syntax, error.to_string()).at(at(error.line)))
}

/// What the sources say about the declared options, before conversion.
pub(crate) struct Written {
    raws: HashMap<Key, Vec<Raw>>,
    pub unused: Vec<Unused>,
    pub warnings: Vec<String>,
}

pub(crate) fn collect(sources: &Sources, files: &Files, declared: &BTreeMap<Key, Opt>) -> Written {
    let index = files.index();
    let mut written = Written { raws: HashMap::new(), unused: Vec::new(), warnings: Vec::new() };
    let mut known: HashSet<Key> = HashSet::new();
    for (key, opt) in declared {
        let raws = written.find(sources, &index, key, opt);
        known.insert(key.clone());
        known.extend(opt.deprecated.iter().map(|(group, name)| self::key(group, name)));
        if let (Some(reason), Some(raw)) = (opt.removal, raws.last()) {
            written.warnings.push(format!("{}: [{}] {} will be removed: {reason}", raw.origin, opt.group, opt.name));
        }
        if !raws.is_empty() {
            written.raws.insert(key.clone(), raws);
        }
    }
    for (path, document) in &files.documents {
        for entry in document.entries.iter().filter(|entry| !known.contains(&(normal_group(&entry.section), entry.key.clone()))) {
            let location = Location { file: path.clone(), line: entry.line };
            let (group, name, value) = (entry.section.clone(), entry.key.clone(), entry.value.clone());
            written.unused.push(Unused { group, name, value, location });
        }
    }
    written
}

impl Written {
    /// The texts that count for one option: several only if it is multi-valued.
    fn find(&mut self, sources: &Sources, index: &HashMap<Key, Vec<(usize, Raw)>>, key: &Key, opt: &Opt) -> Vec<Raw> {
        let named = |given: &[(String, String, String)], origin: Origin| -> Vec<Raw> {
            let ours = given.iter().filter(|(group, name, _)| self::key(group, name) == *key);
            ours.map(|(_, _, text)| Raw { text: text.clone(), origin: origin.clone() }).collect()
        };
        let mut raws = named(&sources.command_line, Origin::CommandLine);
        if raws.is_empty() {
            let variable = format!("OS_{}__{}", key.0.to_uppercase(), key.1.to_uppercase());
            let found = sources.environment.iter().find(|(name, _)| *name == variable);
            raws.extend(found.map(|(_, text)| Raw { text: text.clone(), origin: Origin::Environment(variable) }));
        }
        if raws.is_empty() {
            raws = self.find_in_files(index, key, opt);
        }
        if raws.is_empty() {
            raws = named(&sources.presets, Origin::Override);
        }
        if !opt.kind.is_multi() {
            raws.drain(..raws.len().saturating_sub(1));
        }
        raws
    }

    /// Files in order; within one file older names come first, so that the last text is the one that counts.
    fn find_in_files(&mut self, index: &HashMap<Key, Vec<(usize, Raw)>>, key: &Key, opt: &Opt) -> Vec<Raw> {
        let mut found: Vec<(usize, Raw)> = Vec::new();
        for (group, name) in opt.deprecated.iter().rev() {
            for (number, raw) in index.get(&self::key(group, name)).into_iter().flatten() {
                self.warnings.push(format!("{}: [{group}] {name} is an old name, write [{}] {}", raw.origin, opt.group, key.1));
                found.push((*number, raw.clone()));
            }
        }
        found.extend(index.get(key).into_iter().flatten().cloned());
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, raw)| raw).collect()
    }
}

/// Converts all options; see [`resolve`].
struct Resolver<'a> {
    declared: &'a BTreeMap<Key, Opt>,
    written: &'a Written,
    table: Table,
    errors: Vec<ConfigError>,
    /// Options under way, to find cycles of references.
    stack: Vec<Key>,
    /// Options with a fault of their own: a reference to one is no further fault.
    faulty: HashSet<Key>,
}

/// Substitutes and converts every declared option.
pub(crate) fn resolve(declared: &BTreeMap<Key, Opt>, written: &Written) -> (Table, Vec<ConfigError>) {
    let mut resolver = Resolver { declared, written, table: Table::new(), errors: Vec::new(), stack: Vec::new(), faulty: HashSet::new() };
    for key in declared.keys() {
        resolver.option(key);
    }
    (resolver.table, resolver.errors)
}

impl Resolver<'_> {
    fn option(&mut self, key: &Key) {
        if self.table.contains_key(key) || self.faulty.contains(key) {
            return;
        }
        let Some(opt) = self.declared.get(key).copied() else { return };
        self.stack.push(key.clone());
        let slot = self.slot(&opt, key);
        self.stack.pop();
        match slot {
            Ok(slot) => {
                self.table.insert(key.clone(), slot);
            }
            Err(error) => {
                self.errors.extend(error);
                self.faulty.insert(key.clone());
            }
        }
    }

    fn slot(&mut self, opt: &Opt, key: &Key) -> Result<Slot, Option<ConfigError>> {
        let default = || opt.default.map(|text| Raw { text: text.to_owned(), origin: Origin::Default });
        let raws = self.written.raws.get(key).cloned().unwrap_or_else(|| default().into_iter().collect());
        let origin = raws.last().map_or(Origin::Default, |raw| raw.origin.clone());
        let mut values = Vec::new();
        for raw in &raws {
            let text = self.expand(opt, key, raw)?;
            values.push(convert(opt, &text).map_err(|refused| Some(complain(opt, raw, refused)))?);
        }
        let value = if opt.kind.is_multi() { Value::List(values) } else { values.pop().unwrap_or(Value::None) };
        if opt.required && (value == Value::None || value == Value::List(Vec::new())) {
            let reason = "must be set; it has no default";
            return Err(Some(ConfigError::new(Problem::Missing, reason).of(opt.group, opt.name)));
        }
        Ok(Slot { opt: *opt, value, origin })
    }

    fn expand(&mut self, opt: &Opt, key: &Key, raw: &Raw) -> Result<String, Option<ConfigError>> {
        let origin = self.blame(raw);
        let wrong = |reason: String| {
            let error = ConfigError::new(Problem::BadReference, reason).of(opt.group, opt.name).at(origin.clone());
            Some(if opt.secret { error } else { error.value(raw.text.clone()) })
        };
        let text = substitute(&raw.text, |name| match self.referred(key, name) {
            Referred::Text(text) => Ok(text),
            Referred::Faulty => Err(None),
            Referred::Cycle => {
                Err(wrong(if opt.secret { "refers to itself".to_owned() } else { format!("${name} leads back to this option") }))
            }
            Referred::Unknown if opt.secret => Err(wrong("refers to an option that does not exist; write $$ for a dollar sign".to_owned())),
            Referred::Unknown => Err(wrong(format!("${name} refers to an option that does not exist; write $$ for a dollar sign"))),
        })?;
        if text.len() > VALUE_LIMIT_BYTES {
            return Err(wrong(format!("is longer than {VALUE_LIMIT_BYTES} bytes after substitution")));
        }
        Ok(text)
    }

    /// Where a fault stands: a default is at fault only through what the operator wrote elsewhere.
    fn blame(&self, raw: &Raw) -> Origin {
        let written = self.stack.iter().rev().filter_map(|key| self.written.raws.get(key)?.last());
        let mut origins = std::iter::once(raw).chain(written).map(|raw| &raw.origin);
        origins.find(|origin| **origin != Origin::Default).unwrap_or(&Origin::Default).clone()
    }

    /// `group.name`; or `name` in the same group, else in DEFAULT.
    fn referred(&mut self, from: &Key, name: &str) -> Referred {
        let candidates = match name.split_once('.') {
            Some((group, name)) => vec![key(group, name)],
            None => vec![(from.0.clone(), name.to_owned()), ("DEFAULT".to_owned(), name.to_owned())],
        };
        let Some(target) = candidates.into_iter().find(|key| self.declared.contains_key(key)) else { return Referred::Unknown };
        if self.stack.contains(&target) || self.stack.len() >= REFERENCE_DEPTH {
            return Referred::Cycle;
        }
        self.option(&target);
        self.table.get(&target).map_or(Referred::Faulty, |slot| Referred::Text(slot.value.text()))
    }
}

enum Referred {
    Text(String),
    Unknown,
    Cycle,
    Faulty,
}

fn complain(opt: &Opt, raw: &Raw, refused: Refused) -> ConfigError {
    let error = ConfigError::new(Problem::BadValue, refused.reason).of(opt.group, opt.name).at(raw.origin.clone()).choices(refused.choices);
    if opt.secret { error } else { error.value(raw.text.clone()) }
}
