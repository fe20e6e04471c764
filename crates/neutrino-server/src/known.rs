// SPDX-License-Identifier: Apache-2.0
//! Options that operators have in their files and that no code here obeys (yet).
//!
//! Owns: the sentences about assignments that belong to no declared option. An option of an agent, or one that has its
//! default, is no matter; a known option with another value has no effect, and the operator is told so; an unknown one is
//! reported with the known name that it most resembles. Values are never shown: they may be secret.

use std::collections::HashMap;

use oslo_config::{Config, Unused, nearest, parse_bool};

const KNOWN_OPTIONS: &str = include_str!("known_options.txt");

/// Groups whose names are the operator's own: `[cors.NAME]`, and the switches and devices of agents.
const OPEN_GROUPS: [&str; 3] = ["cors.", "ml2_fslsdn", "ml2_mech_"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Server,
    Agent,
    OlderServer,
}

struct Known {
    reader: Reader,
    default: &'static str,
}

fn known_options() -> HashMap<(String, &'static str), Known> {
    let lines = KNOWN_OPTIONS.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let (group, name) = (columns.next()?, columns.next()?);
            let reader = match columns.next()? {
                "a" => Reader::Agent,
                "o" => Reader::OlderServer,
                _ => Reader::Server,
            };
            Some(((group.to_lowercase(), name), Known { reader, default: columns.next().unwrap_or_default() }))
        })
        .collect()
}

/// A sentence for each assignment that will have no effect, in the order of the files.
#[must_use]
pub fn warnings(conf: &Config) -> Vec<String> {
    let known = known_options();
    let declared: Vec<(String, String)> = conf.options().map(|opt| (opt.group.to_lowercase(), opt.dest())).collect();
    conf.unused().iter().filter_map(|unused| warning(unused, &known, &declared)).collect()
}

fn warning(unused: &Unused, known: &HashMap<(String, &'static str), Known>, declared: &[(String, String)]) -> Option<String> {
    let (group, name) = (unused.group.to_lowercase(), unused.name.as_str());
    let place = format!("{}: [{}] {name}", unused.location, unused.group);
    if let Some(option) = known.get(&(group.clone(), name)) {
        let default = option.default == "*" || same(&unused.value, option.default);
        return match option.reader {
            Reader::Agent => None,
            _ if default => None,
            Reader::Server => Some(format!("{place} is not supported yet: the value has no effect")),
            Reader::OlderServer => Some(format!("{place} is an option of older releases: it has no effect")),
        };
    }
    if OPEN_GROUPS.iter().any(|open| group.starts_with(open)) {
        return None;
    }
    let in_group = |candidate: &str| candidate == group;
    let names = declared.iter().filter(|(group, _)| in_group(group)).map(|(_, name)| name.as_str());
    let more = known.keys().filter(|(group, _)| in_group(group)).map(|(_, name)| *name);
    let mut candidates: Vec<&str> = names.chain(more).collect();
    candidates.sort_unstable();
    if candidates.is_empty() {
        let mut groups: Vec<&str> = declared.iter().map(|(g, _)| g.as_str()).chain(known.keys().map(|(g, _)| g.as_str())).collect();
        groups.sort_unstable();
        let hint = nearest(&group, groups.into_iter()).map(|near| format!("; did you mean [{near}]?")).unwrap_or_default();
        return Some(format!("{place}: no part of Neutron has such a group{hint}"));
    }
    let hint = nearest(name, candidates.into_iter()).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Some(format!("{place} is not a known option: it has no effect{hint}"))
}

/// Whether a written value means the same as a default, as far as can be told without its type.
fn same(written: &str, default: &str) -> bool {
    let plain = |text: &str| text.trim().trim_end_matches(',').replace([' ', '\n'], "");
    plain(written) == plain(default)
        || (parse_bool(written).is_some() && parse_bool(written) == parse_bool(default))
        || (written.parse::<f64>().is_ok() && written.parse::<f64>() == default.parse::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use oslo_config::Sources;

    fn warnings_of(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("neutron.conf");
        std::fs::write(&file, text).unwrap();
        let conf = Config::load(&Sources::new().config_file(&file), &crate::options::tables()).unwrap();
        let sentences = warnings(&conf);
        sentences.iter().map(|sentence| sentence.split_once("neutron.conf:").unwrap().1.to_owned()).collect()
    }

    #[test]
    fn an_operators_file_makes_no_false_alarm() {
        let text = "[DEFAULT]\nagent_mode = dvr\nlog_rotation_type = none\nl3_ha = False\nbind_port = 9696\n\
            [agent]\nroot_helper = sudo neutron-rootwrap\n[ovs]\nbridge_mappings = physnet1:br-ex\n\
            [keystone_authtoken]\nauth_type =\n[cors.mine]\nallowed_origin = x\n[oslo_concurrency]\nlock_path = /var/lock\n";
        assert_eq!(warnings_of(text), Vec::<String>::new());
    }

    #[test]
    fn what_has_no_effect_is_said_with_file_and_line() {
        let text = "[DEFAULT]\nlog_rotation_type = size\nbind_prot = 1\nallow_sorting = no\n[ml3]\nx = 1\n[keystone_authtoken]\nadmin_password = hunter2\n";
        let sentences = warnings_of(text);
        assert_eq!(
            sentences,
            [
                "2: [DEFAULT] log_rotation_type is not supported yet: the value has no effect",
                "3: [DEFAULT] bind_prot is not a known option: it has no effect; did you mean bind_port?",
                "4: [DEFAULT] allow_sorting is an option of older releases: it has no effect",
                "6: [ml3] x: no part of Neutron has such a group; did you mean [ml2]?",
                "8: [keystone_authtoken] admin_password is an option of older releases: it has no effect",
            ]
        );
    }

    #[test]
    fn the_data_file_is_well_formed() {
        let lines = KNOWN_OPTIONS.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().all(|line| line.split('\t').count() == 4));
        assert_eq!(lines.count(), known_options().len());
    }
}
