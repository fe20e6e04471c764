// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! Agents, quotas, QoS, metering, flavors, packet logs, OVN.

use crate::model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static AGENTS: Table = Table {
    name: "agents",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("agent_type", Type::Varchar(255)),
        Column::required("binary", Type::Varchar(255)),
        Column::required("topic", Type::Varchar(255)),
        Column::required("host", Type::Varchar(255)),
        Column::required("admin_state_up", Type::Boolean).default(ServerDefault::Bool(true)),
        Column::required("created_at", Type::DateTime),
        Column::required("started_at", Type::DateTime),
        Column::required("heartbeat_timestamp", Type::DateTime),
        Column::nullable("description", Type::Varchar(255)),
        Column::required("configurations", Type::Varchar(4095)),
        Column::required("load", Type::Integer).default(ServerDefault::Int(0)),
        Column::nullable("availability_zone", Type::Varchar(255)),
        Column::nullable("resource_versions", Type::Varchar(8191)),
        Column::nullable("resources_synced", Type::Boolean),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_agents0agent_type0host", columns: &["agent_type", "host"] }],
    indexes: &[Key { name: "ix_agents_host", columns: &["host"] }],
    ..Table::NONE
};

pub static FLAVORS: Table = Table {
    name: "flavors",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("description", Type::Varchar(1024)),
        Column::required("enabled", Type::Boolean).default(ServerDefault::Bool(true)),
        Column::nullable("service_type", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    ..Table::NONE
};

pub static FLAVORSERVICEPROFILEBINDINGS: Table = Table {
    name: "flavorserviceprofilebindings",
    columns: &[Column::required("service_profile_id", Type::Varchar(36)), Column::required("flavor_id", Type::Varchar(36))],
    primary_key: &["service_profile_id", "flavor_id"],
    indexes: &[Key { name: "flavorserviceprofilebindings_ibfk_2", columns: &["flavor_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "flavorserviceprofilebindings_ibfk_1",
            columns: &["service_profile_id"],
            table: "serviceprofiles",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "flavorserviceprofilebindings_ibfk_2",
            columns: &["flavor_id"],
            table: "flavors",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static LOGS: Table = Table {
    name: "logs",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("resource_type", Type::Varchar(36)),
        Column::nullable("resource_id", Type::Varchar(36)),
        Column::nullable("target_id", Type::Varchar(36)),
        Column::required("event", Type::Varchar(255)),
        Column::nullable("enabled", Type::Boolean),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "ix_logs_target_id", columns: &["target_id"] },
        Key { name: "ix_logs_project_id", columns: &["project_id"] },
        Key { name: "ix_logs_resource_id", columns: &["resource_id"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "logs_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static METERINGLABELRULES: Table = Table {
    name: "meteringlabelrules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("direction", Type::Enum(&["ingress", "egress"])),
        Column::nullable("remote_ip_prefix", Type::Varchar(64)),
        Column::required("metering_label_id", Type::Varchar(36)),
        Column::nullable("excluded", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::nullable("source_ip_prefix", Type::Varchar(64)),
        Column::nullable("destination_ip_prefix", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "metering_label_id", columns: &["metering_label_id"] }],
    foreign_keys: &[ForeignKey {
        name: "meteringlabelrules_ibfk_1",
        columns: &["metering_label_id"],
        table: "meteringlabels",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static METERINGLABELS: Table = Table {
    name: "meteringlabels",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("description", Type::Varchar(1024)),
        Column::nullable("shared", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "ix_meteringlabels_project_id", columns: &["project_id"] }],
    ..Table::NONE
};

pub static NETWORKDHCPAGENTBINDINGS: Table = Table {
    name: "networkdhcpagentbindings",
    columns: &[
        Column::required("network_id", Type::Varchar(36)),
        Column::required("dhcp_agent_id", Type::Varchar(36)),
        Column::required("binding_index", Type::Integer).default(ServerDefault::Int(1)),
    ],
    primary_key: &["network_id", "dhcp_agent_id"],
    uniques: &[Key { name: "uniq_network_dhcp_agent_binding0network_id0binding_index0", columns: &["network_id", "binding_index"] }],
    indexes: &[Key { name: "dhcp_agent_id", columns: &["dhcp_agent_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "networkdhcpagentbindings_ibfk_1",
            columns: &["dhcp_agent_id"],
            table: "agents",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "networkdhcpagentbindings_ibfk_2",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static OVN_HASH_RING: Table = Table {
    name: "ovn_hash_ring",
    columns: &[
        Column::required("node_uuid", Type::Varchar(36)),
        Column::required("group_name", Type::Varchar(256)),
        Column::required("hostname", Type::Varchar(256)),
        Column::required("created_at", Type::DateTime),
        Column::required("updated_at", Type::DateTime),
    ],
    primary_key: &["node_uuid", "group_name"],
    indexes: &[
        Key { name: "ix_ovn_hash_ring_group_name", columns: &["group_name"] },
        Key { name: "ix_ovn_hash_ring_node_uuid", columns: &["node_uuid"] },
    ],
    ..Table::NONE
};

pub static OVN_REVISION_NUMBERS: Table = Table {
    name: "ovn_revision_numbers",
    columns: &[
        Column::nullable("standard_attr_id", Type::BigInteger),
        Column::required("resource_uuid", Type::Varchar(36)),
        Column::required("resource_type", Type::Varchar(36)),
        Column::required("revision_number", Type::BigInteger).default(ServerDefault::Int(0)),
        Column::required("created_at", Type::DateTime),
        Column::nullable("updated_at", Type::Timestamp),
    ],
    primary_key: &["resource_uuid", "resource_type"],
    indexes: &[
        Key { name: "standard_attr_id", columns: &["standard_attr_id"] },
        Key { name: "ix_ovn_revision_numbers_resource_type", columns: &["resource_type"] },
        Key { name: "ix_ovn_revision_numbers_resource_uuid", columns: &["resource_uuid"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "ovn_revision_numbers_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::SetNull,
    }],
    ..Table::NONE
};

pub static PROVIDERRESOURCEASSOCIATIONS: Table = Table {
    name: "providerresourceassociations",
    columns: &[Column::required("provider_name", Type::Varchar(255)), Column::required("resource_id", Type::Varchar(36))],
    primary_key: &["provider_name", "resource_id"],
    uniques: &[Key { name: "resource_id", columns: &["resource_id"] }],
    ..Table::NONE
};

pub static QOS_BANDWIDTH_LIMIT_RULES: Table = Table {
    name: "qos_bandwidth_limit_rules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("qos_policy_id", Type::Varchar(36)),
        Column::nullable("max_kbps", Type::Integer),
        Column::nullable("max_burst_kbps", Type::Integer),
        Column::required("direction", Type::Enum(&["egress", "ingress"])).default(ServerDefault::Text("egress")),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "qos_bandwidth_rules0qos_policy_id0direction", columns: &["qos_policy_id", "direction"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_bandwidth_limit_rules_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_DSCP_MARKING_RULES: Table = Table {
    name: "qos_dscp_marking_rules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("qos_policy_id", Type::Varchar(36)),
        Column::nullable("dscp_mark", Type::Integer),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "qos_policy_id", columns: &["qos_policy_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_dscp_marking_rules_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_FIP_POLICY_BINDINGS: Table = Table {
    name: "qos_fip_policy_bindings",
    columns: &[Column::required("policy_id", Type::Varchar(36)), Column::required("fip_id", Type::Varchar(36))],
    uniques: &[Key { name: "fip_id", columns: &["fip_id"] }],
    indexes: &[Key { name: "policy_id", columns: &["policy_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "qos_fip_policy_bindings_ibfk_1",
            columns: &["policy_id"],
            table: "qos_policies",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "qos_fip_policy_bindings_ibfk_2",
            columns: &["fip_id"],
            table: "floatingips",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static QOS_MINIMUM_BANDWIDTH_RULES: Table = Table {
    name: "qos_minimum_bandwidth_rules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("qos_policy_id", Type::Varchar(36)),
        Column::nullable("min_kbps", Type::Integer),
        Column::required("direction", Type::Enum(&["egress", "ingress"])).default(ServerDefault::Text("egress")),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "qos_minimum_bandwidth_rules0qos_policy_id0direction", columns: &["qos_policy_id", "direction"] }],
    indexes: &[Key { name: "ix_qos_minimum_bandwidth_rules_qos_policy_id", columns: &["qos_policy_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_minimum_bandwidth_rules_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_MINIMUM_PACKET_RATE_RULES: Table = Table {
    name: "qos_minimum_packet_rate_rules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("qos_policy_id", Type::Varchar(36)),
        Column::required("min_kpps", Type::Integer),
        Column::required("direction", Type::Enum(&["any", "ingress", "egress"])).default(ServerDefault::Text("egress")),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "qos_minimum_packet_rate_rules0qos_policy_id0direction", columns: &["qos_policy_id", "direction"] }],
    indexes: &[Key { name: "ix_qos_minimum_packet_rate_rules_qos_policy_id", columns: &["qos_policy_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_minimum_packet_rate_rules_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_NETWORK_POLICY_BINDINGS: Table = Table {
    name: "qos_network_policy_bindings",
    columns: &[Column::required("policy_id", Type::Varchar(36)), Column::required("network_id", Type::Varchar(36))],
    uniques: &[Key { name: "network_id", columns: &["network_id"] }],
    indexes: &[Key { name: "policy_id", columns: &["policy_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "qos_network_policy_bindings_ibfk_1",
            columns: &["policy_id"],
            table: "qos_policies",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "qos_network_policy_bindings_ibfk_2",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static QOS_PACKET_RATE_LIMIT_RULES: Table = Table {
    name: "qos_packet_rate_limit_rules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("qos_policy_id", Type::Varchar(36)),
        Column::nullable("max_kpps", Type::Integer),
        Column::nullable("max_burst_kpps", Type::Integer),
        Column::required("direction", Type::Enum(&["egress", "ingress"])).default(ServerDefault::Text("egress")),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "qos_packet_rate_limit_rules0qos_policy_id0direction", columns: &["qos_policy_id", "direction"] }],
    indexes: &[Key { name: "ix_qos_packet_rate_limit_rules_qos_policy_id", columns: &["qos_policy_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_packet_rate_limit_rules_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_POLICIES: Table = Table {
    name: "qos_policies",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_qos_policies0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[Key { name: "ix_qos_policies_project_id", columns: &["project_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_policies_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_POLICIES_DEFAULT: Table = Table {
    name: "qos_policies_default",
    columns: &[Column::required("qos_policy_id", Type::Varchar(36)), Column::required("project_id", Type::Varchar(255))],
    primary_key: &["project_id"],
    indexes: &[Key { name: "qos_policy_id", columns: &["qos_policy_id"] }],
    foreign_keys: &[ForeignKey {
        name: "qos_policies_default_ibfk_1",
        columns: &["qos_policy_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOS_PORT_POLICY_BINDINGS: Table = Table {
    name: "qos_port_policy_bindings",
    columns: &[Column::required("policy_id", Type::Varchar(36)), Column::required("port_id", Type::Varchar(36))],
    uniques: &[Key { name: "port_id", columns: &["port_id"] }],
    indexes: &[Key { name: "policy_id", columns: &["policy_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "qos_port_policy_bindings_ibfk_1",
            columns: &["policy_id"],
            table: "qos_policies",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "qos_port_policy_bindings_ibfk_2",
            columns: &["port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static QOS_ROUTER_GW_POLICY_BINDINGS: Table = Table {
    name: "qos_router_gw_policy_bindings",
    columns: &[Column::required("policy_id", Type::Varchar(36)), Column::required("router_id", Type::Varchar(36))],
    primary_key: &["policy_id", "router_id"],
    uniques: &[Key { name: "router_id", columns: &["router_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "qos_router_gw_policy_bindings_ibfk_1",
            columns: &["policy_id"],
            table: "qos_policies",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "qos_router_gw_policy_bindings_ibfk_2",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static QUOTAS: Table = Table {
    name: "quotas",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::nullable("resource", Type::Varchar(255)),
        Column::nullable("limit", Type::Integer),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_quotas0project_id0resource", columns: &["project_id", "resource"] }],
    indexes: &[Key { name: "ix_quotas_project_id", columns: &["project_id"] }],
    ..Table::NONE
};

pub static QUOTAUSAGES: Table = Table {
    name: "quotausages",
    columns: &[
        Column::required("project_id", Type::Varchar(255)),
        Column::required("resource", Type::Varchar(255)),
        Column::required("dirty", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("in_use", Type::Integer).default(ServerDefault::Int(0)),
        Column::required("reserved", Type::Integer).default(ServerDefault::Int(0)),
    ],
    primary_key: &["project_id", "resource"],
    ..Table::NONE
};

pub static RESERVATIONS: Table = Table {
    name: "reservations",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::nullable("expiration", Type::DateTime),
    ],
    primary_key: &["id"],
    ..Table::NONE
};

pub static RESOURCEDELTAS: Table = Table {
    name: "resourcedeltas",
    columns: &[
        Column::required("resource", Type::Varchar(255)),
        Column::required("reservation_id", Type::Varchar(36)),
        Column::nullable("amount", Type::Integer),
    ],
    primary_key: &["resource", "reservation_id"],
    indexes: &[Key { name: "reservation_id", columns: &["reservation_id"] }],
    foreign_keys: &[ForeignKey {
        name: "resourcedeltas_ibfk_1",
        columns: &["reservation_id"],
        table: "reservations",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ROUTERL3AGENTBINDINGS: Table = Table {
    name: "routerl3agentbindings",
    columns: &[
        Column::required("router_id", Type::Varchar(36)),
        Column::required("l3_agent_id", Type::Varchar(36)),
        Column::required("binding_index", Type::Integer).default(ServerDefault::Int(1)),
    ],
    primary_key: &["router_id", "l3_agent_id"],
    uniques: &[Key { name: "uniq_router_l3_agent_binding0router_id0binding_index0", columns: &["router_id", "binding_index"] }],
    indexes: &[Key { name: "l3_agent_id", columns: &["l3_agent_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "routerl3agentbindings_ibfk_1",
            columns: &["l3_agent_id"],
            table: "agents",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "routerl3agentbindings_ibfk_2",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static SERVICEPROFILES: Table = Table {
    name: "serviceprofiles",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("description", Type::Varchar(1024)),
        Column::required("driver", Type::Varchar(1024)),
        Column::required("enabled", Type::Boolean).default(ServerDefault::Bool(true)),
        Column::nullable("metainfo", Type::Varchar(4096)),
    ],
    primary_key: &["id"],
    ..Table::NONE
};
