// SPDX-License-Identifier: Apache-2.0
//! Where the configuration comes from, and the choices made for a newcomer who has none.
//!
//! Owns: Neutron's search for configuration files, and the presets of the standalone mode. Invariant: standalone only if
//! no file or folder is named or found, and even then what the environment or the command line says comes first.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use oslo_config::{SearchRoots, Sources, find_config_dirs, find_config_files};

use crate::cli::CommandLine;

const PROJECT: &str = "neutron";

/// What a standalone server loads; everything else is a default.
const PRESETS: &[(&str, &str, &str)] = &[
    ("DEFAULT", "auth_strategy", "noauth"),
    ("DEFAULT", "bind_host", "127.0.0.1"),
    ("DEFAULT", "transport_url", "fake://"),
    ("DEFAULT", "core_plugin", "ml2"),
    ("DEFAULT", "service_plugins", SERVICE_PLUGINS),
    ("database", "connection", "sqlite:///$state_path/neutron.sqlite"),
    ("DEFAULT", "graceful_shutdown_timeout", "10"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2_type_vxlan", "vni_ranges", "1:4000"),
    ("ml2_type_geneve", "vni_ranges", "4001:8000"),
    ("ml2_type_vlan", "network_vlan_ranges", "physnet1"),
    ("ml2", "mechanism_drivers", "openvswitch,l2population"),
    ("ml2", "extension_drivers", EXTENSION_DRIVERS),
    ("neutrino", "external_gateway_multihoming", "true"),
];

/// All that are served, beside those that are always on.
const SERVICE_PLUGINS: &str =
    "router,metering,qos,log,local_ip,trunk,evpn,ovn-bgp,pvlan,port_forwarding,conntrack_helper,ndp_proxy,segments,network_segment_range";

/// All that there are: a newcomer sees the whole API.
const EXTENSION_DRIVERS: &str = "port_security,qos,data_plane_status,subnet_dns_publish_fixed_ip,uplink_status_propagation,\
    uplink_status_propagation_updatable,port_device_profile,port_numa_affinity_policy,port_hints,port_hint_ovs_tx_steering,\
    port_trusted,port_hardware_offload_type,tag_ports_during_bulk_creation";

/// The part of the process's surroundings that matters here.
#[derive(Debug)]
pub struct Surroundings {
    pub roots: SearchRoots,
    pub variables: Vec<(String, String)>,
}

impl Surroundings {
    #[must_use]
    pub fn of_process() -> Surroundings {
        let text = |value: OsString| value.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Surroundings { roots: SearchRoots::from_environment(), variables }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// `$XDG_STATE_HOME/neutrino`, else `~/.local/state/neutrino`.
    fn state_folder(&self) -> Option<PathBuf> {
        let given = self.variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = given.or_else(|| self.roots.home.as_ref().map(|home| home.join(".local/state")));
        folder.map(|folder| folder.join("neutrino"))
    }
}

/// From where to load, and in which mode.
#[derive(Debug)]
pub struct Plan {
    pub sources: Sources,
    /// The state folder, when standalone.
    pub standalone: Option<PathBuf>,
}

/// Decides from where the configuration comes.
///
/// # Errors
/// A sentence, when standalone and there is no folder to keep the state in.
pub fn plan(line: &CommandLine, program: &str, surroundings: &Surroundings) -> Result<Plan, String> {
    let sources = Sources::new()
        .default_files(default_files(program, surroundings))
        .default_dirs(find_config_dirs(PROJECT, program, &surroundings.roots))
        .environment(surroundings.variables.iter().cloned())
        .search(surroundings.roots.folders(PROJECT));
    let sources = line.apply(sources, surroundings.roots.home.as_deref());
    if sources.has_files() {
        return Ok(Plan { sources, standalone: None });
    }
    let folder = line.state_dir.clone().or_else(|| surroundings.state_folder());
    let folder =
        folder.ok_or("no configuration file was found and $HOME is not set; name a folder to keep the state in with --state-dir")?;
    let folder = std::path::absolute(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(Plan { sources: preset(sources, &folder), standalone: Some(folder) })
}

fn preset(sources: Sources, folder: &Path) -> Sources {
    let state_path = folder.to_string_lossy().replace('$', "$$");
    let sources = PRESETS.iter().fold(sources, |sources, (group, name, value)| sources.preset(group, name, *value));
    // The command line's folder may be relative; the database's URL must not be.
    sources.set("DEFAULT", "state_path", state_path)
}

/// The files that are read when none is named: those of `OS_NEUTRON_CONFIG_DIR` and `OS_NEUTRON_CONFIG_FILES` when one is
/// set, as Neutron's WSGI program has it; else by the usual search, with ML2's file beside `/etc/neutron/neutron.conf`.
fn default_files(program: &str, surroundings: &Surroundings) -> Vec<PathBuf> {
    let etc = surroundings.roots.etc.join(PROJECT);
    let (folder, files) = (surroundings.variable("OS_NEUTRON_CONFIG_DIR"), surroundings.variable("OS_NEUTRON_CONFIG_FILES"));
    let ml2 = "plugins/ml2/ml2_conf.ini";
    if folder.is_some() || files.is_some() {
        let folder = folder.map_or(etc, PathBuf::from);
        let files = files.map_or_else(|| vec!["neutron.conf", ml2], |files| files.split(';').collect());
        return files.iter().map(|file| file.trim()).filter(|file| !file.is_empty()).map(|file| folder.join(file)).collect();
    }
    let mut found = find_config_files(PROJECT, program, &surroundings.roots);
    if found.contains(&etc.join("neutron.conf")) && etc.join(ml2).exists() {
        found.push(etc.join(ml2));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use oslo_config::Config;

    fn line(words: &[&str]) -> CommandLine {
        crate::cli::parse("neutron-server", std::iter::once(&"neutron-server").chain(words).map(OsString::from)).unwrap()
    }

    fn surroundings(top: &Path, variables: &[(&str, &str)]) -> Surroundings {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Surroundings { roots: SearchRoots { home: Some(top.join("home")), etc: top.join("etc"), snaps: Vec::new() }, variables }
    }

    #[test]
    fn without_any_file_the_server_is_standalone() {
        let top = tempfile::tempdir().unwrap();
        let around = surroundings(top.path(), &[("OS_DEFAULT__BIND_PORT", "1234")]);
        let plan = plan(&line(&["-d"]), "neutron-server", &around).unwrap();
        let folder = top.path().join("home/.local/state/neutrino");
        assert_eq!(plan.standalone, Some(folder.clone()));
        let conf = Config::load(&plan.sources, &crate::options::tables()).unwrap();
        assert_eq!(conf.text("database", "connection"), format!("sqlite:///{}/neutron.sqlite", folder.display()));
        assert_eq!((conf.text("DEFAULT", "auth_strategy"), conf.text("DEFAULT", "bind_host")), ("noauth".into(), "127.0.0.1".into()));
        assert_eq!((conf.int("DEFAULT", "bind_port"), conf.bool("DEFAULT", "debug")), (1234, true));
    }

    #[test]
    fn the_state_folder_can_be_chosen() {
        let top = tempfile::tempdir().unwrap();
        let xdg = surroundings(top.path(), &[("XDG_STATE_HOME", "/xdg")]);
        assert_eq!(plan(&line(&[]), "neutron-server", &xdg).unwrap().standalone, Some(PathBuf::from("/xdg/neutrino")));
        let chosen = plan(&line(&["--state-dir", "a$b"]), "neutron-server", &xdg).unwrap();
        let conf = Config::load(&chosen.sources, &crate::options::tables()).unwrap();
        let expected = std::env::current_dir().unwrap().join("a$b");
        assert_eq!(chosen.standalone.as_deref(), Some(expected.as_path()));
        assert_eq!(conf.text("DEFAULT", "state_path"), expected.to_str().unwrap());
    }

    #[test]
    fn a_found_file_ends_the_standalone_mode() {
        let top = tempfile::tempdir().unwrap();
        let etc = top.path().join("etc/neutron");
        std::fs::create_dir_all(etc.join("plugins/ml2")).unwrap();
        std::fs::write(etc.join("neutron.conf"), "[DEFAULT]\nbind_port = 1\n").unwrap();
        std::fs::write(etc.join("plugins/ml2/ml2_conf.ini"), "[DEFAULT]\nbind_port = 2\n").unwrap();
        let around = surroundings(top.path(), &[]);
        let found = plan(&line(&[]), "neutron-server", &around).unwrap();
        assert!(found.standalone.is_none());
        let conf = Config::load(&found.sources, &crate::options::tables()).unwrap();
        assert_eq!((conf.int("DEFAULT", "bind_port"), conf.text("DEFAULT", "auth_strategy")), (2, "keystone".to_owned()));
        let named = surroundings(top.path(), &[("OS_NEUTRON_CONFIG_FILES", "neutron.conf; ")]);
        let conf = Config::load(&plan(&line(&[]), "neutron-server", &named).unwrap().sources, &crate::options::tables()).unwrap();
        assert_eq!(conf.int("DEFAULT", "bind_port"), 1);
    }
}
