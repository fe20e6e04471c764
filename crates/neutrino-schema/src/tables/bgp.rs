// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! BGP speakers and EVPN.

use crate::model::{Column, ForeignKey, Key, OnDelete, Table, Type};

pub static BGP_PEERS: Table = Table {
    name: "bgp_peers",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("name", Type::Varchar(255)),
        Column::required("auth_type", Type::Varchar(16)),
        Column::nullable("password", Type::Varchar(255)),
        Column::required("peer_ip", Type::Varchar(64)),
        Column::required("remote_as", Type::Integer),
        Column::nullable("tenant_id", Type::Varchar(255)),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "ix_bgp_peers_tenant_id", columns: &["tenant_id"] }],
    ..Table::NONE
};

pub static BGP_SPEAKER_DRAGENT_BINDINGS: Table = Table {
    name: "bgp_speaker_dragent_bindings",
    columns: &[Column::required("agent_id", Type::Varchar(36)), Column::required("bgp_speaker_id", Type::Varchar(36))],
    primary_key: &["agent_id"],
    indexes: &[Key { name: "bgp_speaker_id", columns: &["bgp_speaker_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "bgp_speaker_dragent_bindings_ibfk_1",
            columns: &["agent_id"],
            table: "agents",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "bgp_speaker_dragent_bindings_ibfk_2",
            columns: &["bgp_speaker_id"],
            table: "bgp_speakers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static BGP_SPEAKER_NETWORK_BINDINGS: Table = Table {
    name: "bgp_speaker_network_bindings",
    columns: &[
        Column::required("bgp_speaker_id", Type::Varchar(36)),
        Column::required("network_id", Type::Varchar(36)),
        Column::required("ip_version", Type::Integer),
    ],
    primary_key: &["network_id", "bgp_speaker_id", "ip_version"],
    indexes: &[Key { name: "bgp_speaker_id", columns: &["bgp_speaker_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "bgp_speaker_network_bindings_ibfk_1",
            columns: &["bgp_speaker_id"],
            table: "bgp_speakers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "bgp_speaker_network_bindings_ibfk_2",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static BGP_SPEAKER_PEER_BINDINGS: Table = Table {
    name: "bgp_speaker_peer_bindings",
    columns: &[Column::required("bgp_speaker_id", Type::Varchar(36)), Column::required("bgp_peer_id", Type::Varchar(36))],
    primary_key: &["bgp_speaker_id", "bgp_peer_id"],
    indexes: &[Key { name: "bgp_peer_id", columns: &["bgp_peer_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "bgp_speaker_peer_bindings_ibfk_1",
            columns: &["bgp_speaker_id"],
            table: "bgp_speakers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "bgp_speaker_peer_bindings_ibfk_2",
            columns: &["bgp_peer_id"],
            table: "bgp_peers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static BGP_SPEAKERS: Table = Table {
    name: "bgp_speakers",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("name", Type::Varchar(255)),
        Column::required("local_as", Type::Integer),
        Column::required("ip_version", Type::Integer),
        Column::nullable("tenant_id", Type::Varchar(255)),
        Column::required("advertise_floating_ip_host_routes", Type::Boolean),
        Column::required("advertise_tenant_networks", Type::Boolean),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "ix_bgp_speakers_tenant_id", columns: &["tenant_id"] }],
    ..Table::NONE
};

pub static EVPN_ADVERTISED_PORTS: Table = Table {
    name: "evpn_advertised_ports",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::required("network_id", Type::Varchar(36))],
    primary_key: &["port_id"],
    indexes: &[Key { name: "port_id", columns: &["port_id", "network_id"] }, Key { name: "network_id", columns: &["network_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "evpn_advertised_ports_ibfk_1",
            columns: &["port_id", "network_id"],
            table: "ports",
            references: &["id", "network_id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "evpn_advertised_ports_ibfk_2",
            columns: &["network_id"],
            table: "evpn_networks",
            references: &["network_id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static EVPN_L3_INSTANCES: Table = Table {
    name: "evpn_l3_instances",
    columns: &[Column::required("router_id", Type::Varchar(36)), Column::required("mapping_id", Type::Varchar(36))],
    primary_key: &["router_id"],
    uniques: &[Key { name: "mapping_id", columns: &["mapping_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "evpn_l3_instances_ibfk_1",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "evpn_l3_instances_ibfk_2",
            columns: &["mapping_id"],
            table: "vni_vlan_mapping",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static EVPN_NETWORKS: Table = Table {
    name: "evpn_networks",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::required("router_id", Type::Varchar(36))],
    primary_key: &["network_id"],
    indexes: &[Key { name: "router_id", columns: &["router_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "evpn_networks_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "evpn_networks_ibfk_2",
            columns: &["router_id"],
            table: "evpn_l3_instances",
            references: &["router_id"],
            on_delete: OnDelete::Restrict,
        },
    ],
    ..Table::NONE
};
