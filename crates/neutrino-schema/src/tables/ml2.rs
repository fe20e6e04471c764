// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! Segments, allocations of type drivers, port bindings.

use crate::model::{Check, Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static ML2_DISTRIBUTED_PORT_BINDINGS: Table = Table {
    name: "ml2_distributed_port_bindings",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("host", Type::Varchar(255)),
        Column::nullable("router_id", Type::Varchar(36)),
        Column::required("vif_type", Type::Varchar(64)),
        Column::required("vif_details", Type::Varchar(4095)).default(ServerDefault::Text("")),
        Column::required("vnic_type", Type::Varchar(64)).default(ServerDefault::Text("normal")),
        Column::required("profile", Type::Varchar(4095)).default(ServerDefault::Text("")),
        Column::required("status", Type::Varchar(16)),
    ],
    primary_key: &["port_id", "host"],
    foreign_keys: &[ForeignKey {
        name: "ml2_distributed_port_bindings_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ML2_FLAT_ALLOCATIONS: Table = Table {
    name: "ml2_flat_allocations",
    columns: &[Column::required("physical_network", Type::Varchar(64))],
    primary_key: &["physical_network"],
    ..Table::NONE
};

pub static ML2_GENEVE_ALLOCATIONS: Table = Table {
    name: "ml2_geneve_allocations",
    columns: &[
        Column::required("geneve_vni", Type::Integer),
        Column::required("allocated", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["geneve_vni"],
    indexes: &[Key { name: "ix_ml2_geneve_allocations_allocated", columns: &["allocated"] }],
    ..Table::NONE
};

pub static ML2_GENEVE_ENDPOINTS: Table = Table {
    name: "ml2_geneve_endpoints",
    columns: &[Column::required("ip_address", Type::Varchar(64)), Column::nullable("host", Type::Varchar(255))],
    primary_key: &["ip_address"],
    uniques: &[Key { name: "unique_ml2_geneve_endpoints0host", columns: &["host"] }],
    ..Table::NONE
};

pub static ML2_GRE_ALLOCATIONS: Table = Table {
    name: "ml2_gre_allocations",
    columns: &[Column::required("gre_id", Type::Integer), Column::required("allocated", Type::Boolean).default(ServerDefault::Bool(false))],
    primary_key: &["gre_id"],
    indexes: &[Key { name: "ix_ml2_gre_allocations_allocated", columns: &["allocated"] }],
    ..Table::NONE
};

pub static ML2_GRE_ENDPOINTS: Table = Table {
    name: "ml2_gre_endpoints",
    columns: &[Column::required("ip_address", Type::Varchar(64)), Column::nullable("host", Type::Varchar(255))],
    primary_key: &["ip_address"],
    uniques: &[Key { name: "unique_ml2_gre_endpoints0host", columns: &["host"] }],
    ..Table::NONE
};

pub static ML2_PORT_BINDING_LEVELS: Table = Table {
    name: "ml2_port_binding_levels",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("host", Type::Varchar(255)),
        Column::required("level", Type::Integer),
        Column::nullable("driver", Type::Varchar(64)),
        Column::nullable("segment_id", Type::Varchar(36)),
    ],
    primary_key: &["port_id", "host", "level"],
    indexes: &[Key { name: "ml2_port_binding_levels_ibfk_2", columns: &["segment_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "ml2_port_binding_levels_ibfk_1",
            columns: &["port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "ml2_port_binding_levels_ibfk_2",
            columns: &["segment_id"],
            table: "networksegments",
            references: &["id"],
            on_delete: OnDelete::SetNull,
        },
    ],
    ..Table::NONE
};

pub static ML2_PORT_BINDINGS: Table = Table {
    name: "ml2_port_bindings",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("host", Type::Varchar(255)).default(ServerDefault::Text("")),
        Column::required("vif_type", Type::Varchar(64)),
        Column::required("vnic_type", Type::Varchar(64)).default(ServerDefault::Text("normal")),
        Column::required("profile", Type::Varchar(4095)).default(ServerDefault::Text("")),
        Column::required("vif_details", Type::Varchar(4095)).default(ServerDefault::Text("")),
        Column::required("status", Type::Varchar(16)).default(ServerDefault::Text("ACTIVE")),
    ],
    primary_key: &["port_id", "host"],
    foreign_keys: &[ForeignKey {
        name: "ml2_port_bindings_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ML2_VLAN_ALLOCATIONS: Table = Table {
    name: "ml2_vlan_allocations",
    columns: &[
        Column::required("physical_network", Type::Varchar(64)),
        Column::required("vlan_id", Type::Integer),
        Column::required("allocated", Type::Boolean),
    ],
    primary_key: &["physical_network", "vlan_id"],
    indexes: &[Key { name: "ix_ml2_vlan_allocations_physical_network_allocated", columns: &["physical_network", "allocated"] }],
    checks: &[Check { name: "check_ml2_vlan_allocations0vlan_id", condition: "vlan_id >= 1 and vlan_id <= 4094" }],
    ..Table::NONE
};

pub static ML2_VXLAN_ALLOCATIONS: Table = Table {
    name: "ml2_vxlan_allocations",
    columns: &[
        Column::required("vxlan_vni", Type::Integer),
        Column::required("allocated", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["vxlan_vni"],
    indexes: &[Key { name: "ix_ml2_vxlan_allocations_allocated", columns: &["allocated"] }],
    ..Table::NONE
};

pub static ML2_VXLAN_ENDPOINTS: Table = Table {
    name: "ml2_vxlan_endpoints",
    columns: &[
        Column::required("ip_address", Type::Varchar(64)),
        Column::required("udp_port", Type::Integer),
        Column::nullable("host", Type::Varchar(255)),
    ],
    primary_key: &["ip_address"],
    uniques: &[Key { name: "unique_ml2_vxlan_endpoints0host", columns: &["host"] }],
    ..Table::NONE
};

pub static NETWORK_SEGMENT_RANGES: Table = Table {
    name: "network_segment_ranges",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("default", Type::Boolean),
        Column::required("shared", Type::Boolean),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("network_type", Type::Enum(&["vlan", "vxlan", "gre", "geneve"])),
        Column::required("physical_network", Type::Varchar(64)).default(ServerDefault::Text("")),
        Column::nullable("minimum", Type::Integer),
        Column::nullable("maximum", Type::Integer),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "standard_attr_id", columns: &["standard_attr_id"] },
        Key { name: "uniq_network_segment_ranges", columns: &["default", "network_type", "physical_network", "minimum", "maximum"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "network_segment_ranges_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKSEGMENTS: Table = Table {
    name: "networksegments",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("network_id", Type::Varchar(36)),
        Column::required("network_type", Type::Varchar(32)),
        Column::nullable("physical_network", Type::Varchar(64)),
        Column::nullable("segmentation_id", Type::Integer),
        Column::required("is_dynamic", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("segment_index", Type::Integer).default(ServerDefault::Int(0)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("name", Type::Varchar(255)),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "uniq_networksegments0standard_attr_id", columns: &["standard_attr_id"] },
        Key {
            name: "uniq_networksegment0network_id0network_type0physnet0sidx",
            columns: &["network_id", "network_type", "physical_network", "segment_index"],
        },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "networksegments_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "networksegments_ibfk_2",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static SEGMENTHOSTMAPPINGS: Table = Table {
    name: "segmenthostmappings",
    columns: &[Column::required("segment_id", Type::Varchar(36)), Column::required("host", Type::Varchar(255))],
    primary_key: &["segment_id", "host"],
    foreign_keys: &[ForeignKey {
        name: "segmenthostmappings_ibfk_1",
        columns: &["segment_id"],
        table: "networksegments",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBPORTS: Table = Table {
    name: "subports",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("trunk_id", Type::Varchar(36)),
        Column::required("segmentation_type", Type::Varchar(32)),
        Column::required("segmentation_id", Type::Integer),
    ],
    primary_key: &["port_id"],
    uniques: &[Key {
        name: "uniq_subport0trunk_id0segmentation_type0segmentation_id",
        columns: &["trunk_id", "segmentation_type", "segmentation_id"],
    }],
    foreign_keys: &[
        ForeignKey { name: "subports_ibfk_1", columns: &["port_id"], table: "ports", references: &["id"], on_delete: OnDelete::Cascade },
        ForeignKey { name: "subports_ibfk_2", columns: &["trunk_id"], table: "trunks", references: &["id"], on_delete: OnDelete::Cascade },
    ],
    ..Table::NONE
};

pub static TRUNKS: Table = Table {
    name: "trunks",
    columns: &[
        Column::required("admin_state_up", Type::Boolean).default(ServerDefault::Bool(true)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("port_id", Type::Varchar(36)),
        Column::required("status", Type::Varchar(16)).default(ServerDefault::Text("ACTIVE")),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "port_id", columns: &["port_id"] }, Key { name: "standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[Key { name: "ix_trunks_project_id", columns: &["project_id"] }],
    foreign_keys: &[
        ForeignKey { name: "trunks_ibfk_1", columns: &["port_id"], table: "ports", references: &["id"], on_delete: OnDelete::Cascade },
        ForeignKey {
            name: "trunks_ibfk_2",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static VLAN_ALLOCATIONS: Table = Table {
    name: "vlan_allocations",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("vlan_id", Type::Integer),
        Column::required("physnet", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_vlan_allocations0vlan_id0physnet", columns: &["vlan_id", "physnet"] }],
    ..Table::NONE
};

pub static VNI_ALLOCATIONS: Table = Table {
    name: "vni_allocations",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("vni", Type::Integer),
        Column::required("physnet", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_vni_allocations0vni0physnet", columns: &["vni", "physnet"] }],
    ..Table::NONE
};

pub static VNI_VLAN_MAPPING: Table = Table {
    name: "vni_vlan_mapping",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("vni_allocation_id", Type::Varchar(36)),
        Column::required("vlan_allocation_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "vni_allocation_id", columns: &["vni_allocation_id"] },
        Key { name: "vlan_allocation_id", columns: &["vlan_allocation_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "vni_vlan_mapping_ibfk_1",
            columns: &["vni_allocation_id"],
            table: "vni_allocations",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "vni_vlan_mapping_ibfk_2",
            columns: &["vlan_allocation_id"],
            table: "vlan_allocations",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
    ],
    ..Table::NONE
};
