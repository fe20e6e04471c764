// SPDX-License-Identifier: Apache-2.0
//! The options of network types, as operators have them in `ml2_conf.ini`.

use oslo_config::Opt;

pub static OPTIONS: &[Opt] = &[
    Opt::int("DEFAULT", "global_physnet_mtu")
        .default("1500")
        .help("MTU of the physical networks, in octets. The MTUs of all networks are computed from it."),
    Opt::list("ml2", "type_drivers").default("local,flat,vlan,gre,vxlan,geneve").help("Network types to load."),
    Opt::list("ml2", "project_network_types")
        .default("local")
        .deprecated(&[("ml2", "tenant_network_types")])
        .help("Types that networks of projects get; the first with a free segment is taken."),
    Opt::str("ml2", "external_network_type").help("Type that an external network gets when a request names none."),
    Opt::int("ml2", "path_mtu")
        .min(0)
        .default("0")
        .help("Largest IP packet on the way between tunnel endpoints, in octets; 0 sets no bound."),
    Opt::dict("ml2", "physical_network_mtus").default("").help("MTUs of physical networks that differ from global_physnet_mtu."),
    Opt::int("ml2", "overlay_ip_version").choices(&["4", "6"]).default("4").help("IP version of tunnel endpoints."),
    Opt::list("ml2_type_flat", "flat_networks").default("*").help("Physical networks for flat networks; * for any, empty for none."),
    Opt::list("ml2_type_vlan", "network_vlan_ranges").default("").help("<physical_network>[:<first>:<last>], ..."),
    Opt::list("ml2_type_gre", "tunnel_id_ranges").default("").help("<first>:<last>, ..."),
    Opt::list("ml2_type_vxlan", "vni_ranges").default("").help("<first>:<last>, ..."),
    Opt::str("ml2_type_vxlan", "vxlan_group").help("Multicast group for VXLAN; agents use it."),
    Opt::list("ml2_type_geneve", "vni_ranges").default("").help("<first>:<last>, ..."),
    Opt::int("ml2_type_geneve", "max_header_size").min(0).default("30").help("Octets that Geneve's headers take at most."),
];
