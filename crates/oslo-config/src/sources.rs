// SPDX-License-Identifier: Apache-2.0
//! Where a configuration is read from: files, folders, environment, command line.
//!
//! Owns: the search for files and their order. Refuses to own: what stands in them. The process's environment
//! is read once, when the program builds its [`Sources`], so that tests can give another.

use std::path::{Path, PathBuf};

/// Folders in which oslo.config looks; a test gives others.
#[derive(Clone, Debug)]
pub struct SearchRoots {
    pub home: Option<PathBuf>,
    pub etc: PathBuf,
    /// `$SNAP_COMMON/etc` and `$SNAP/etc`, when installed as a snap.
    pub snaps: Vec<PathBuf>,
}

impl SearchRoots {
    /// From the variables HOME, SNAP_COMMON and SNAP.
    #[must_use]
    pub fn from_environment() -> SearchRoots {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let snaps = ["SNAP_COMMON", "SNAP"].into_iter().filter_map(variable).map(|root| root.join("etc")).collect();
        SearchRoots { home: variable("HOME"), etc: PathBuf::from("/etc"), snaps }
    }

    /// `~/.project`, `~`, `/etc/project`, `/etc`, then the snap's folders.
    #[must_use]
    pub fn folders(&self, project: &str) -> Vec<PathBuf> {
        let home = self.home.iter().flat_map(|home| [home.join(format!(".{project}")), home.clone()]);
        let etc = [self.etc.join(project), self.etc.clone()];
        home.chain(etc).chain(self.snaps.iter().map(|snap| snap.join(project))).collect()
    }

    fn find(&self, project: &str, program: &str, extension: &str) -> Vec<PathBuf> {
        let folders = self.folders(project);
        let first = |name: &str| folders.iter().map(|folder| folder.join(format!("{name}{extension}"))).find(|path| path.exists());
        let mut found: Vec<PathBuf> = Vec::new();
        for path in [project, program].into_iter().filter_map(first) {
            if !found.contains(&path) {
                found.push(path);
            }
        }
        found
    }
}

/// `project.conf` and `program.conf`, each from the first folder that has it.
#[must_use]
pub fn find_config_files(project: &str, program: &str, roots: &SearchRoots) -> Vec<PathBuf> {
    roots.find(project, program, ".conf")
}

/// `project.conf.d` and `program.conf.d`, each from the first folder that has it.
#[must_use]
pub fn find_config_dirs(project: &str, program: &str, roots: &SearchRoots) -> Vec<PathBuf> {
    roots.find(project, program, ".conf.d")
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    File(PathBuf),
    Folder(PathBuf),
}

/// Everything a configuration is read from. Cheap to build, kept for reloads.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(crate) default_files: Vec<PathBuf>,
    pub(crate) default_folders: Vec<PathBuf>,
    pub(crate) steps: Vec<Step>,
    pub(crate) environment: Vec<(String, String)>,
    /// `(group, name, value)`, later ones win.
    pub(crate) command_line: Vec<(String, String, String)>,
    /// `(group, name, value)` that count when nobody else sets the option.
    pub(crate) presets: Vec<(String, String, String)>,
    /// Folders for [`crate::Config::find_file`] after those of the files.
    pub(crate) search: Vec<PathBuf>,
}

impl Sources {
    #[must_use]
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Files that are read when no `--config-file` is given.
    #[must_use]
    pub fn default_files(mut self, files: Vec<PathBuf>) -> Sources {
        self.default_files = files;
        self
    }

    /// Folders whose `*.conf` are read when no `--config-dir` is given.
    #[must_use]
    pub fn default_dirs(mut self, folders: Vec<PathBuf>) -> Sources {
        self.default_folders = folders;
        self
    }

    /// One `--config-file`, in the order of the command line.
    #[must_use]
    pub fn config_file(mut self, file: impl Into<PathBuf>) -> Sources {
        self.steps.push(Step::File(file.into()));
        self
    }

    /// One `--config-dir`, in the order of the command line.
    #[must_use]
    pub fn config_dir(mut self, folder: impl Into<PathBuf>) -> Sources {
        self.steps.push(Step::Folder(folder.into()));
        self
    }

    /// A value from the command line.
    #[must_use]
    pub fn set(mut self, group: &str, name: &str, value: impl Into<String>) -> Sources {
        self.command_line.push((group.to_owned(), name.to_owned(), value.into()));
        self
    }

    /// A default that the program chooses at start: it counts when no other source sets the option.
    #[must_use]
    pub fn preset(mut self, group: &str, name: &str, value: impl Into<String>) -> Sources {
        self.presets.push((group.to_owned(), name.to_owned(), value.into()));
        self
    }

    /// The variables to look into, as `std::env::vars()` yields them; only those that start with `OS_` are kept.
    #[must_use]
    pub fn environment(mut self, variables: impl Iterator<Item = (String, String)>) -> Sources {
        self.environment = variables.filter(|(name, _)| name.starts_with("OS_")).collect();
        self
    }

    /// Further folders for `find_file`.
    #[must_use]
    pub fn search(mut self, folders: Vec<PathBuf>) -> Sources {
        self.search = folders;
        self
    }

    /// Whether any file or folder is named or found.
    #[must_use]
    pub fn has_files(&self) -> bool {
        !(self.steps.is_empty() && self.default_files.is_empty() && self.default_folders.is_empty())
    }

    pub(crate) fn uses_default_files(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step, Step::File(_)))
    }

    pub(crate) fn uses_default_folders(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step, Step::Folder(_)))
    }
}

/// The `*.conf` of a folder, sorted by name.
pub(crate) fn conf_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".conf") && !name.starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_has_a_file_wins() {
        let top = tempfile::tempdir().unwrap();
        let (home, etc) = (top.path().join("home"), top.path().join("etc"));
        for folder in [home.join(".neutron"), etc.join("neutron/neutron.conf.d")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        for file in
            [home.join("neutron-server.conf"), etc.join("neutron/neutron.conf"), etc.join("neutron.conf"), etc.join("neutron-server.conf")]
        {
            std::fs::write(file, "").unwrap();
        }
        let roots = SearchRoots { home: Some(home.clone()), etc: etc.clone(), snaps: Vec::new() };
        let found = find_config_files("neutron", "neutron-server", &roots);
        assert_eq!(found, [etc.join("neutron/neutron.conf"), home.join("neutron-server.conf")]);
        assert_eq!(find_config_dirs("neutron", "neutron-server", &roots), [etc.join("neutron/neutron.conf.d")]);
        assert_eq!(find_config_files("neutron", "neutron", &roots).len(), 1);
    }
}
