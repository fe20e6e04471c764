// SPDX-License-Identifier: Apache-2.0
//! What an operator may write about network types, and what is said of the rest.

use oslo_config::{Config, Sources};

use super::{OPTIONS, TypeManager};

fn manager(options: &[(&str, &str, &str)]) -> Result<TypeManager, String> {
    TypeManager::of(&Config::for_test(&[neutrino_core::plugins::OPTIONS, OPTIONS], options).map_err(|e| e.to_string())?)
}

fn refusal(options: &[(&str, &str, &str)]) -> String {
    manager(options).err().unwrap_or_default()
}

#[test]
fn every_known_type_loads_and_local_is_the_default() -> Result<(), String> {
    let all = manager(&[])?;
    assert_eq!(all.network_types().collect::<Vec<_>>(), super::KNOWN);
    assert_eq!(all.project_network_types, ["local"]);
    let some = manager(&[("ml2", "type_drivers", "vxlan, flat,vxlan"), ("ml2", "tenant_network_types", "vxlan")]);
    assert!(some.is_err(), "an old name is one of files, not of code");
    let some = manager(&[("ml2", "type_drivers", "vxlan, flat,vxlan"), ("ml2", "project_network_types", "vxlan")])?;
    assert_eq!(some.network_types().collect::<Vec<_>>(), ["vxlan", "flat"]);
    assert_eq!(manager(&[("ml2", "project_network_types", "")])?.project_network_types, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_cannot_be_obeyed_is_refused_with_what_is_known() {
    for (options, sentence) in [
        (&[("ml2", "type_drivers", "local,vxlans")][..], "did you mean 'vxlan'"),
        (&[("ml2", "type_drivers", "local,vlna")], "local, flat, vlan, gre, vxlan, geneve"),
        (&[("ml2", "type_drivers", "flat,vxlan")], "[ml2] project_network_types = local"),
        (&[("ml2", "project_network_types", "stt")], "stt"),
        (&[("ml2", "external_network_type", "stt")], "external_network_type"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:1")], "<physical_network>[:<first>:<last>]"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:1:2:3")], "<physical_network>[:<first>:<last>]"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:0:5")], "from 1 to 4094"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:5:4095")], "from 1 to 4094"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:9:5")], "before its beginning"),
        (&[("ml2_type_vlan", "network_vlan_ranges", "foo:a:5")], "'a'"),
        (&[("ml2_type_vlan", "network_vlan_ranges", ":1:5")], "no physical network"),
        (&[("ml2_type_vxlan", "vni_ranges", "1-5")], "<first>:<last>"),
        (&[("ml2_type_vxlan", "vni_ranges", "1:16777216")], "from 1 to 16777215"),
        (&[("ml2_type_geneve", "vni_ranges", "0:5")], "from 1 to 16777215"),
        (&[("ml2_type_gre", "tunnel_id_ranges", "5:1")], "before its beginning"),
        (&[("ml2_type_gre", "tunnel_id_ranges", "1:2000000000")], "the most that are supported"),
        (&[("ml2", "physical_network_mtus", "foo:many")], "foo:many"),
        (&[("ml2", "overlay_ip_version", "5")], "overlay_ip_version"),
        (&[("ml2", "path_mtu", "-1")], "path_mtu"),
    ] {
        assert!(refusal(options).contains(sentence), "{options:?}: {:?} does not say {sentence}", refusal(options));
    }
    assert!(manager(&[("ml2", "type_drivers", "local"), ("ml2_type_vxlan", "vni_ranges", "nonsense")]).is_ok(), "of a type that is off");
}

#[test]
fn a_refusal_names_file_and_line() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("ml2_conf.ini");
    std::fs::write(&file, "[ml2]\ntenant_network_types = vlan\n\n[ml2_type_vlan]\nnetwork_vlan_ranges = foo:1:5,bar:7:6\n")?;
    let config = Config::load(&Sources::new().config_file(&file), &[OPTIONS])?;
    let sentence = TypeManager::of(&config).err().ok_or("it was obeyed")?;
    assert!(sentence.contains("ml2_conf.ini:5: [ml2_type_vlan] network_vlan_ranges = bar:7:6"), "{sentence}");
    Ok(())
}
