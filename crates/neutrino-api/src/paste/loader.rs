// SPDX-License-Identifier: Apache-2.0
//! From sections to applications: which section a name means, what it is made by, and with which settings.
//!
//! Follows paste.deploy: `[app:x]`, `[composite:x]`, `[pipeline:x]`, `[filter-app:x]` and `[filter:x]`; `use = egg:..`, `use = call:..`
//! or `use = another section`; `paste.*_factory`; `filter-with`; `set x = ..` and `get x = ..`; `[DEFAULT]` as settings for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PipelineOptions;
use super::error::PasteError;
use super::factories::{self, Maker};
use super::ini::{Entry, IniFile, Section};
use super::urlmap::{Mount, UrlMap};
use crate::app::App;

/// Sections that refer to each other deeper than this do so in a circle.
const MAX_DEPTH: usize = 32;
const APP_KINDS: &[&str] = &["app", "application", "composite", "composit", "pipeline", "filter-app"];
const FILTER_KINDS: &[&str] = &["filter"];
const FACTORY_KEYS: &[&str] =
    &["paste.app_factory", "paste.composite_factory", "paste.composit_factory", "paste.filter_factory", "paste.filter_app_factory"];

/// One setting of a section.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub value: String,
    pub line: usize,
}

/// The settings that a factory is called with.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub file: String,
    /// `filter:cors`.
    pub section: String,
    pub line: usize,
    /// In the file's order.
    pub local: Vec<(String, Setting)>,
    pub global: BTreeMap<String, String>,
}

impl Settings {
    /// A setting of the section, else of `[DEFAULT]`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let local = self.local.iter().find(|(name, _)| name == key).map(|(_, setting)| setting.value.as_str());
        local.or_else(|| self.global.get(key).map(String::as_str))
    }

    fn line_of(&self, key: &str) -> usize {
        self.local.iter().find(|(name, _)| name == key).map_or(self.line, |(_, setting)| setting.line)
    }

    pub fn wrong(&self, key: &str, message: impl std::fmt::Display) -> PasteError {
        PasteError::new(&self.file, Some(self.line_of(key)), format!("[{}] {message}", self.section))
    }

    fn set(&mut self, key: &str, setting: Setting) {
        match self.local.iter_mut().find(|(name, _)| name == key) {
            Some((_, known)) => *known = setting,
            None => self.local.push((key.to_owned(), setting)),
        }
    }

    fn take(&mut self, key: &str) -> Option<Setting> {
        let index = self.local.iter().position(|(name, _)| name == key)?;
        Some(self.local.remove(index).1)
    }
}

/// A section with its `use` followed: the factory's canonical name and the settings for it.
struct Made {
    factory: String,
    settings: Settings,
    filter_with: Option<Setting>,
}

pub(super) struct Loader<'a> {
    file: &'a IniFile,
    auth_strategy: &'a str,
    api: Arc<dyn App>,
    pub options: &'a PipelineOptions,
    depth: usize,
}

impl<'a> Loader<'a> {
    pub fn new(file: &'a IniFile, auth_strategy: &'a str, api: Arc<dyn App>, options: &'a PipelineOptions) -> Self {
        Self { file, auth_strategy, api, options, depth: 0 }
    }

    fn wrong<T>(&self, line: Option<usize>, message: impl Into<String>) -> Result<T, PasteError> {
        Err(PasteError::new(&self.file.file, line, message))
    }

    /// The application of that name; `line` is where it is named.
    pub fn app(&mut self, name: &str, line: Option<usize>) -> Result<Arc<dyn App>, PasteError> {
        self.enter(name, line)?;
        let section = self.find(APP_KINDS, name, line)?;
        let app = match section.name.split(':').next() {
            Some("pipeline") => self.pipeline_section(section),
            Some("filter-app") => self.filter_app_section(section),
            _ => {
                let made = self.made(section)?;
                self.make_app(made)
            }
        };
        self.depth -= 1;
        app
    }

    fn enter(&mut self, name: &str, line: Option<usize>) -> Result<(), PasteError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.wrong(line, format!("{name} refers to itself through other sections"));
        }
        Ok(())
    }

    /// The filter of that name, around `inner`.
    fn filter(&mut self, name: &str, line: Option<usize>, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
        self.enter(name, line)?;
        let section = self.find(FILTER_KINDS, name, line)?;
        let made = self.made(section)?;
        let filtered = self.make_filter(made, inner);
        self.depth -= 1;
        filtered
    }

    /// `outer ... inner app`: the words of a pipeline.
    fn chain(&mut self, words: &str, line: usize, place: &str) -> Result<Arc<dyn App>, PasteError> {
        let mut names: Vec<&str> = words.split_whitespace().collect();
        let Some(last) = names.pop() else {
            return self.wrong(Some(line), format!("{place} is empty: name an application, and before it the filters around it"));
        };
        let mut app = self.app(last, Some(line))?;
        for name in names.into_iter().rev() {
            app = self.filter(name, Some(line), app)?;
        }
        Ok(app)
    }

    fn pipeline_section(&mut self, section: &'a Section) -> Result<Arc<dyn App>, PasteError> {
        let mut settings = self.settings(section)?;
        let filter_with = settings.take("filter-with");
        let Some(pipeline) = settings.take("pipeline") else {
            return self.wrong(Some(section.line), format!("[{}] needs a \"pipeline = ...\"", section.name));
        };
        if let Some((key, setting)) = settings.local.first() {
            return self.wrong(Some(setting.line), format!("[{}] may not have \"{key}\": only \"pipeline\" belongs there", section.name));
        }
        let app = self.chain(&pipeline.value, pipeline.line, &format!("[{}] pipeline", section.name))?;
        self.filtered_with(filter_with, app)
    }

    fn filter_app_section(&mut self, section: &'a Section) -> Result<Arc<dyn App>, PasteError> {
        let mut made = self.made(section)?;
        let Some(next) = made.settings.take("next") else {
            return self.wrong(Some(section.line), format!("[{}] needs a \"next = ...\": the application behind the filter", section.name));
        };
        let inner = self.app(&next.value, Some(next.line))?;
        self.make_filter(made, inner)
    }

    fn filtered_with(&mut self, filter: Option<Setting>, app: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
        match filter {
            None => Ok(app),
            Some(name) => self.filter(&name.value, Some(name.line), app),
        }
    }

    fn make_app(&mut self, made: Made) -> Result<Arc<dyn App>, PasteError> {
        let Made { factory, settings, filter_with } = made;
        let app = match factories::app(&factory) {
            Some(Maker::UrlMap) => self.urlmap(&settings)?,
            Some(Maker::ByAuthStrategy) => self.by_auth_strategy(&settings)?,
            Some(Maker::Api) => {
                factories::refuse_unknown(&settings, &[])?;
                factories::api(Arc::clone(&self.api))
            }
            Some(Maker::App(make)) => make(&settings, self.options)?,
            None => return Err(settings.wrong("", format!("{factory} is not a known application. Known are: {}", factories::app_names()))),
        };
        self.filtered_with(filter_with, app)
    }

    fn make_filter(&mut self, made: Made, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
        let Made { factory, settings, filter_with } = made;
        let app = factories::filter(&factory, &settings, self.options, inner)?;
        self.filtered_with(filter_with, app)
    }

    fn urlmap(&mut self, settings: &Settings) -> Result<Arc<dyn App>, PasteError> {
        let mut mounts: Vec<(Mount, Arc<dyn App>)> = Vec::new();
        let mut not_found = settings.global.get("not_found_app").map(|name| (name.clone(), settings.line));
        for (key, setting) in &settings.local {
            if key == "not_found_app" {
                not_found = Some((setting.value.clone(), setting.line));
                continue;
            }
            let mount = Mount::parse(key).map_err(|message| settings.wrong(key, message))?;
            if mounts.iter().any(|(known, _)| *known == mount) {
                return Err(settings.wrong(key, format!("\"{key}\" mounts a path that is taken already")));
            }
            mounts.push((mount, self.app(&setting.value, Some(setting.line))?));
        }
        let not_found = not_found.map(|(name, line)| self.app(&name, Some(line))).transpose()?;
        Ok(Arc::new(UrlMap::new(mounts, not_found)))
    }

    fn by_auth_strategy(&mut self, settings: &Settings) -> Result<Arc<dyn App>, PasteError> {
        let Some((_, chosen)) = settings.local.iter().find(|(key, _)| key == self.auth_strategy) else {
            let known: Vec<&str> = settings.local.iter().map(|(key, _)| key.as_str()).collect();
            let message = format!("there is no pipeline for auth_strategy = {}. There are: {}", self.auth_strategy, known.join(", "));
            return Err(settings.wrong("", message));
        };
        self.chain(&chosen.value, chosen.line, &format!("[{}] {}", settings.section, self.auth_strategy))
    }

    fn find(&self, kinds: &[&str], name: &str, line: Option<usize>) -> Result<&'a Section, PasteError> {
        let of_kind = |section: &&Section| section.name.split_once(':').is_some_and(|(kind, _)| kinds.contains(&kind));
        let named = |section: &&Section| section.name.split_once(':').is_some_and(|(_, rest)| rest.trim() == name);
        let mut found = self.file.sections.iter().filter(of_kind).filter(named);
        match (found.next(), found.next()) {
            (Some(section), None) => Ok(section),
            (Some(one), Some(other)) => {
                self.wrong(line, format!("{name} may mean [{}] (line {}) or [{}] (line {})", one.name, one.line, other.name, other.line))
            }
            (None, _) => {
                let known: Vec<&str> =
                    self.file.sections.iter().filter(of_kind).filter_map(|section| Some(section.name.split_once(':')?.1.trim())).collect();
                let kind = if kinds == FILTER_KINDS { "filter" } else { "application" };
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                self.wrong(line, format!("there is no section for the {kind} \"{name}\" ([{}:{name}]). There are: {known}", kinds[0]))
            }
        }
    }

    /// The settings of a section with references replaced, `set` and `get` done.
    fn settings(&self, section: &Section) -> Result<Settings, PasteError> {
        let mut global = BTreeMap::new();
        let extra = self.file_names();
        for entry in extra.iter().chain(&self.file.defaults) {
            global.insert(entry.key.clone(), self.file.resolve(None, entry, &extra)?);
        }
        let mut settings =
            Settings { file: self.file.file.clone(), section: section.name.clone(), line: section.line, local: Vec::new(), global };
        let mut copies = Vec::new();
        for entry in &section.entries {
            let value = self.file.resolve(Some(section), entry, &extra)?;
            if let Some(name) = entry.key.strip_prefix("set ") {
                settings.global.insert(name.trim().to_owned(), value);
            } else if let Some(name) = entry.key.strip_prefix("get ") {
                copies.push((name.trim().to_owned(), value, entry.line));
            } else {
                settings.local.push((entry.key.clone(), Setting { value, line: entry.line }));
            }
        }
        for (name, source, line) in copies {
            let Some(value) = settings.global.get(&source).cloned() else {
                return self.wrong(Some(line), format!("[{}] \"get {name}\" reads {source}, which is not in [DEFAULT]", section.name));
            };
            settings.set(&name, Setting { value, line });
        }
        settings.take("require");
        Ok(settings)
    }

    /// `%(here)s` and `%(__file__)s`.
    fn file_names(&self) -> Vec<Entry> {
        let file = self.file.file.clone();
        let here = std::path::Path::new(&file).parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let entry = |key: &str, value: String| Entry { key: key.to_owned(), value: value.replace('%', "%%"), line: 1 };
        vec![entry("here", here), entry("__file__", file)]
    }

    fn made(&mut self, section: &'a Section) -> Result<Made, PasteError> {
        let mut settings = self.settings(section)?;
        let filter_with = settings.take("filter-with");
        let Some(used) = settings.take("use") else { return self.made_explicitly(section, settings, filter_with) };
        if let Some(factory) = factories::canonical(&used.value) {
            return Ok(Made { factory, settings, filter_with });
        }
        if used.value.starts_with("config:") {
            let message = format!("[{}] \"use = {}\": other files are not read; put the section into this file", section.name, used.value);
            return self.wrong(Some(used.line), message);
        }
        self.enter(&used.value, Some(used.line))?;
        let kinds = if section.name.starts_with("filter") { FILTER_KINDS } else { APP_KINDS };
        let base = self.find(kinds, &used.value, Some(used.line))?;
        let mut made = self.made(base)?;
        self.depth -= 1;
        made.settings.section.clone_from(&settings.section);
        made.settings.line = settings.line;
        for (key, setting) in settings.local {
            made.settings.set(&key, setting);
        }
        made.settings.global.extend(settings.global);
        made.filter_with = filter_with.or(made.filter_with);
        Ok(made)
    }

    fn made_explicitly(&self, section: &Section, mut settings: Settings, filter_with: Option<Setting>) -> Result<Made, PasteError> {
        let mut given: Vec<Setting> = FACTORY_KEYS.iter().filter_map(|key| settings.take(key)).collect();
        match (given.pop(), given.is_empty()) {
            (Some(factory), true) => Ok(Made { factory: factory.value.trim().to_owned(), settings, filter_with }),
            (Some(factory), false) => self.wrong(Some(factory.line), format!("[{}] names more than one factory", section.name)),
            (None, _) => {
                let key = if section.name.starts_with("filter") { "paste.filter_factory" } else { "paste.app_factory" };
                self.wrong(Some(section.line), format!("[{}] says neither \"use = ...\" nor \"{key} = ...\"", section.name))
            }
        }
    }
}
