// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! Networks, subnets, subnet pools, ports, and what hangs on each of them.

use crate::model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static ADDRESS_SCOPES: Table = Table {
    name: "address_scopes",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("name", Type::Varchar(255)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("shared", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("ip_version", Type::Integer),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "ix_address_scopes_project_id", columns: &["project_id"] }],
    ..Table::NONE
};

pub static ALEMBIC_VERSION: Table = Table {
    name: "alembic_version",
    columns: &[Column::required("version_num", Type::Varchar(32))],
    primary_key: &["version_num"],
    ..Table::NONE
};

pub static AUTO_ALLOCATED_TOPOLOGIES: Table = Table {
    name: "auto_allocated_topologies",
    columns: &[
        Column::required("project_id", Type::Varchar(255)),
        Column::required("network_id", Type::Varchar(36)),
        Column::nullable("router_id", Type::Varchar(36)),
    ],
    primary_key: &["project_id"],
    indexes: &[Key { name: "network_id", columns: &["network_id"] }, Key { name: "router_id", columns: &["router_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "auto_allocated_topologies_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "auto_allocated_topologies_ibfk_2",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::SetNull,
        },
    ],
    ..Table::NONE
};

pub static DNSNAMESERVERS: Table = Table {
    name: "dnsnameservers",
    columns: &[
        Column::required("address", Type::Varchar(128)),
        Column::required("subnet_id", Type::Varchar(36)),
        Column::required("order", Type::Integer).default(ServerDefault::Int(0)),
    ],
    primary_key: &["address", "subnet_id"],
    indexes: &[Key { name: "subnet_id", columns: &["subnet_id"] }],
    foreign_keys: &[ForeignKey {
        name: "dnsnameservers_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static EXTERNALNETWORKS: Table = Table {
    name: "externalnetworks",
    columns: &[
        Column::required("network_id", Type::Varchar(36)),
        Column::required("is_default", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["network_id"],
    foreign_keys: &[ForeignKey {
        name: "externalnetworks_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static IPALLOCATIONPOOLS: Table = Table {
    name: "ipallocationpools",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("subnet_id", Type::Varchar(36)),
        Column::required("first_ip", Type::Varchar(64)),
        Column::required("last_ip", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "subnet_id", columns: &["subnet_id"] }],
    foreign_keys: &[ForeignKey {
        name: "ipallocationpools_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static IPALLOCATIONS: Table = Table {
    name: "ipallocations",
    columns: &[
        Column::nullable("port_id", Type::Varchar(36)),
        Column::required("ip_address", Type::Varchar(64)),
        Column::required("subnet_id", Type::Varchar(36)),
        Column::required("network_id", Type::Varchar(36)),
    ],
    primary_key: &["ip_address", "subnet_id", "network_id"],
    indexes: &[
        Key { name: "network_id", columns: &["network_id"] },
        Key { name: "port_id", columns: &["port_id"] },
        Key { name: "subnet_id", columns: &["subnet_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "ipallocations_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "ipallocations_ibfk_2",
            columns: &["port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "ipallocations_ibfk_3",
            columns: &["subnet_id"],
            table: "subnets",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static IPAMALLOCATIONPOOLS: Table = Table {
    name: "ipamallocationpools",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("ipam_subnet_id", Type::Varchar(36)),
        Column::required("first_ip", Type::Varchar(64)),
        Column::required("last_ip", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    indexes: &[Key { name: "ipam_subnet_id", columns: &["ipam_subnet_id"] }],
    foreign_keys: &[ForeignKey {
        name: "ipamallocationpools_ibfk_1",
        columns: &["ipam_subnet_id"],
        table: "ipamsubnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static IPAMALLOCATIONS: Table = Table {
    name: "ipamallocations",
    columns: &[
        Column::required("ip_address", Type::Varchar(64)),
        Column::nullable("status", Type::Varchar(36)),
        Column::required("ipam_subnet_id", Type::Varchar(36)),
    ],
    primary_key: &["ip_address", "ipam_subnet_id"],
    indexes: &[Key { name: "ipam_subnet_id", columns: &["ipam_subnet_id"] }],
    foreign_keys: &[ForeignKey {
        name: "ipamallocations_ibfk_1",
        columns: &["ipam_subnet_id"],
        table: "ipamsubnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static IPAMSUBNETS: Table = Table {
    name: "ipamsubnets",
    columns: &[Column::required("id", Type::Varchar(36)), Column::nullable("neutron_subnet_id", Type::Varchar(36))],
    primary_key: &["id"],
    ..Table::NONE
};

pub static NETWORK_SUBNET_LOCK: Table = Table {
    name: "network_subnet_lock",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::nullable("subnet_id", Type::Varchar(36))],
    primary_key: &["network_id"],
    foreign_keys: &[ForeignKey {
        name: "network_subnet_lock_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKS: Table = Table {
    name: "networks",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("status", Type::Varchar(16)),
        Column::nullable("admin_state_up", Type::Boolean),
        Column::required("mtu", Type::Integer).default(ServerDefault::Int(1500)),
        Column::nullable("vlan_transparent", Type::Boolean),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("availability_zone_hints", Type::Varchar(255)),
        Column::nullable("qinq", Type::Boolean),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_networks0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[Key { name: "ix_networks_project_id", columns: &["project_id"] }],
    foreign_keys: &[ForeignKey {
        name: "networks_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTS: Table = Table {
    name: "ports",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("network_id", Type::Varchar(36)),
        Column::required("mac_address", Type::Varchar(32)),
        Column::required("admin_state_up", Type::Boolean),
        Column::required("status", Type::Varchar(16)),
        Column::required("device_id", Type::Varchar(255)),
        Column::required("device_owner", Type::Varchar(255)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("ip_allocation", Type::Varchar(16)),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "uniq_ports0network_id0mac_address", columns: &["network_id", "mac_address"] },
        Key { name: "uniq_ports0standard_attr_id", columns: &["standard_attr_id"] },
        Key { name: "uniq_ports0id0network_id", columns: &["id", "network_id"] },
    ],
    indexes: &[
        Key { name: "ix_ports_network_id_device_owner", columns: &["network_id", "device_owner"] },
        Key { name: "ix_ports_device_id", columns: &["device_id"] },
        Key { name: "ix_ports_project_id", columns: &["project_id"] },
        Key { name: "ix_ports_network_id", columns: &["network_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "ports_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "ports_ibfk_2",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static STANDARDATTRIBUTES: Table = Table {
    name: "standardattributes",
    columns: &[
        Column::required("id", Type::BigInteger).autoincrement(),
        Column::required("resource_type", Type::Varchar(255)),
        Column::nullable("created_at", Type::DateTime),
        Column::nullable("updated_at", Type::DateTime),
        Column::nullable("description", Type::Varchar(255)),
        Column::required("revision_number", Type::BigInteger).default(ServerDefault::Int(0)),
    ],
    primary_key: &["id"],
    ..Table::NONE
};

pub static SUBNET_BGP_LEAK_ROUTES: Table = Table {
    name: "subnet_bgp_leak_routes",
    columns: &[Column::required("subnet_id", Type::Varchar(36))],
    primary_key: &["subnet_id"],
    foreign_keys: &[ForeignKey {
        name: "subnet_bgp_leak_routes_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNET_SERVICE_TYPES: Table = Table {
    name: "subnet_service_types",
    columns: &[Column::required("subnet_id", Type::Varchar(36)), Column::required("service_type", Type::Varchar(255))],
    primary_key: &["subnet_id", "service_type"],
    foreign_keys: &[ForeignKey {
        name: "subnet_service_types_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNETPOOLPREFIXES: Table = Table {
    name: "subnetpoolprefixes",
    columns: &[Column::required("cidr", Type::Varchar(64)), Column::required("subnetpool_id", Type::Varchar(36))],
    primary_key: &["cidr", "subnetpool_id"],
    indexes: &[Key { name: "subnetpool_id", columns: &["subnetpool_id"] }],
    foreign_keys: &[ForeignKey {
        name: "subnetpoolprefixes_ibfk_1",
        columns: &["subnetpool_id"],
        table: "subnetpools",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNETPOOLS: Table = Table {
    name: "subnetpools",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("ip_version", Type::Integer),
        Column::required("default_prefixlen", Type::Integer),
        Column::required("min_prefixlen", Type::Integer),
        Column::required("max_prefixlen", Type::Integer),
        Column::required("shared", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::nullable("default_quota", Type::Integer),
        Column::required("hash", Type::Varchar(36)).default(ServerDefault::Text("")),
        Column::nullable("address_scope_id", Type::Varchar(36)),
        Column::required("is_default", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_subnetpools0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "ix_subnetpools_project_id", columns: &["project_id"] },
        Key { name: "ix_subnetpools_address_scope_id", columns: &["address_scope_id"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "subnetpools_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNETROUTES: Table = Table {
    name: "subnetroutes",
    columns: &[
        Column::required("destination", Type::Varchar(64)),
        Column::required("nexthop", Type::Varchar(64)),
        Column::required("subnet_id", Type::Varchar(36)),
    ],
    primary_key: &["destination", "nexthop", "subnet_id"],
    indexes: &[Key { name: "subnet_id", columns: &["subnet_id"] }],
    foreign_keys: &[ForeignKey {
        name: "subnetroutes_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNETS: Table = Table {
    name: "subnets",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("network_id", Type::Varchar(36)),
        Column::required("ip_version", Type::Integer),
        Column::required("cidr", Type::Varchar(64)),
        Column::nullable("gateway_ip", Type::Varchar(64)),
        Column::nullable("enable_dhcp", Type::Boolean),
        Column::nullable("ipv6_ra_mode", Type::Enum(&["slaac", "dhcpv6-stateful", "dhcpv6-stateless"])),
        Column::nullable("ipv6_address_mode", Type::Enum(&["slaac", "dhcpv6-stateful", "dhcpv6-stateless"])),
        Column::nullable("subnetpool_id", Type::Varchar(36)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("segment_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_subnets0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "network_id", columns: &["network_id"] },
        Key { name: "ix_subnets_subnetpool_id", columns: &["subnetpool_id"] },
        Key { name: "segment_id", columns: &["segment_id"] },
        Key { name: "ix_subnets_project_id", columns: &["project_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "subnets_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "subnets_ibfk_2",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "subnets_ibfk_3",
            columns: &["segment_id"],
            table: "networksegments",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
    ],
    ..Table::NONE
};

pub static TAGS: Table = Table {
    name: "tags",
    columns: &[Column::required("standard_attr_id", Type::BigInteger), Column::required("tag", Type::Varchar(255))],
    primary_key: &["standard_attr_id", "tag"],
    foreign_keys: &[ForeignKey {
        name: "tags_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    mysql_collation: Some(("utf8mb4", "utf8mb4_bin")),
    ..Table::NONE
};
