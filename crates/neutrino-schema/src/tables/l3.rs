// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! Routers, floating IPs, and their helpers.

use crate::model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static CONNTRACK_HELPERS: Table = Table {
    name: "conntrack_helpers",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("router_id", Type::Varchar(36)),
        Column::required("protocol", Type::Varchar(40)),
        Column::required("port", Type::Integer),
        Column::required("helper", Type::Varchar(64)),
    ],
    primary_key: &["id"],
    uniques: &[Key {
        name: "uniq_conntrack_helpers0router_id0protocol0port0helper",
        columns: &["router_id", "protocol", "port", "helper"],
    }],
    foreign_keys: &[ForeignKey {
        name: "conntrack_helpers_ibfk_1",
        columns: &["router_id"],
        table: "routers",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static DVR_FIP_GATEWAY_PORT_NETWORK: Table = Table {
    name: "dvr_fip_gateway_port_network",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::required("agent_id", Type::Varchar(36))],
    primary_key: &["network_id", "agent_id"],
    indexes: &[Key { name: "agent_id", columns: &["agent_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "dvr_fip_gateway_port_network_ibfk_1",
            columns: &["network_id"],
            table: "networks",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "dvr_fip_gateway_port_network_ibfk_2",
            columns: &["agent_id"],
            table: "agents",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static DVR_HOST_MACS: Table = Table {
    name: "dvr_host_macs",
    columns: &[Column::required("host", Type::Varchar(255)), Column::required("mac_address", Type::Varchar(32))],
    primary_key: &["host"],
    uniques: &[Key { name: "mac_address", columns: &["mac_address"] }],
    ..Table::NONE
};

pub static FLOATINGIPS: Table = Table {
    name: "floatingips",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("floating_ip_address", Type::Varchar(64)),
        Column::required("floating_network_id", Type::Varchar(36)),
        Column::required("floating_port_id", Type::Varchar(36)),
        Column::nullable("fixed_port_id", Type::Varchar(36)),
        Column::nullable("fixed_ip_address", Type::Varchar(64)),
        Column::nullable("router_id", Type::Varchar(36)),
        Column::nullable("last_known_router_id", Type::Varchar(36)),
        Column::nullable("status", Type::Varchar(16)),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "uniq_floatingips0standard_attr_id", columns: &["standard_attr_id"] },
        Key {
            name: "uniq_floatingips0floatingnetworkid0fixedportid0fixedipaddress",
            columns: &["floating_network_id", "fixed_port_id", "fixed_ip_address"],
        },
    ],
    indexes: &[
        Key { name: "fixed_port_id", columns: &["fixed_port_id"] },
        Key { name: "floating_port_id", columns: &["floating_port_id"] },
        Key { name: "router_id", columns: &["router_id"] },
        Key { name: "ix_floatingips_project_id", columns: &["project_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "floatingips_ibfk_1",
            columns: &["fixed_port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "floatingips_ibfk_2",
            columns: &["floating_port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "floatingips_ibfk_3",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "floatingips_ibfk_4",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static HA_ROUTER_AGENT_PORT_BINDINGS: Table = Table {
    name: "ha_router_agent_port_bindings",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("router_id", Type::Varchar(36)),
        Column::nullable("l3_agent_id", Type::Varchar(36)),
        Column::nullable("state", Type::Enum(&["active", "standby", "unknown"])).default(ServerDefault::Text("standby")),
    ],
    primary_key: &["port_id"],
    uniques: &[Key { name: "uniq_ha_router_agent_port_bindings0port_id0l3_agent_id", columns: &["router_id", "l3_agent_id"] }],
    indexes: &[Key { name: "l3_agent_id", columns: &["l3_agent_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "ha_router_agent_port_bindings_ibfk_1",
            columns: &["port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "ha_router_agent_port_bindings_ibfk_2",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "ha_router_agent_port_bindings_ibfk_3",
            columns: &["l3_agent_id"],
            table: "agents",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static HA_ROUTER_NETWORKS: Table = Table {
    name: "ha_router_networks",
    columns: &[Column::required("project_id", Type::Varchar(255)), Column::required("network_id", Type::Varchar(36))],
    primary_key: &["project_id", "network_id"],
    uniques: &[Key { name: "uniq_ha_router_networks0project_id", columns: &["project_id"] }],
    indexes: &[Key { name: "network_id", columns: &["network_id"] }],
    foreign_keys: &[ForeignKey {
        name: "ha_router_networks_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static HA_ROUTER_VRID_ALLOCATIONS: Table = Table {
    name: "ha_router_vrid_allocations",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::required("vr_id", Type::Integer)],
    primary_key: &["network_id", "vr_id"],
    foreign_keys: &[ForeignKey {
        name: "ha_router_vrid_allocations_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static LOCAL_IP_ASSOCIATIONS: Table = Table {
    name: "local_ip_associations",
    columns: &[
        Column::required("local_ip_id", Type::Varchar(36)),
        Column::required("fixed_port_id", Type::Varchar(36)),
        Column::required("fixed_ip", Type::Varchar(64)),
    ],
    primary_key: &["local_ip_id", "fixed_port_id"],
    indexes: &[Key { name: "fixed_port_id", columns: &["fixed_port_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "local_ip_associations_ibfk_1",
            columns: &["local_ip_id"],
            table: "local_ips",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "local_ip_associations_ibfk_2",
            columns: &["fixed_port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static LOCAL_IPS: Table = Table {
    name: "local_ips",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("local_port_id", Type::Varchar(36)),
        Column::required("network_id", Type::Varchar(36)),
        Column::required("local_ip_address", Type::Varchar(64)),
        Column::required("ip_mode", Type::Varchar(32)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "local_port_id", columns: &["local_port_id"] },
        Key { name: "ix_local_ips_project_id", columns: &["project_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "local_ips_ibfk_1",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "local_ips_ibfk_2",
            columns: &["local_port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
    ],
    ..Table::NONE
};

pub static NDP_PROXIES: Table = Table {
    name: "ndp_proxies",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("router_id", Type::Varchar(36)),
        Column::required("port_id", Type::Varchar(36)),
        Column::required("ip_address", Type::Varchar(64)),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "standard_attr_id", columns: &["standard_attr_id"] },
        Key { name: "uniq_ndp_proxy0router_id0ip_address", columns: &["router_id", "ip_address"] },
    ],
    indexes: &[Key { name: "port_id", columns: &["port_id"] }, Key { name: "ix_ndp_proxies_project_id", columns: &["project_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "ndp_proxies_ibfk_1",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey { name: "ndp_proxies_ibfk_2", columns: &["port_id"], table: "ports", references: &["id"], on_delete: OnDelete::Cascade },
        ForeignKey {
            name: "ndp_proxies_ibfk_3",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static PORTFORWARDINGS: Table = Table {
    name: "portforwardings",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("floatingip_id", Type::Varchar(36)),
        Column::required("internal_neutron_port_id", Type::Varchar(36)),
        Column::required("protocol", Type::Varchar(40)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::required("internal_ip_address", Type::Varchar(64)),
        Column::required("internal_port_start", Type::Integer),
        Column::required("internal_port_end", Type::Integer),
        Column::required("external_port_start", Type::Integer),
        Column::required("external_port_end", Type::Integer),
    ],
    primary_key: &["id"],
    uniques: &[
        Key { name: "uniq_portforwardings0standard_attr_id", columns: &["standard_attr_id"] },
        Key {
            name: "uniq_port_forwardings0floatingip_id0protocol0external_ports",
            columns: &["floatingip_id", "protocol", "external_port_start", "external_port_end"],
        },
        Key {
            name: "uniq_port_forwardings0ptcl0in_prt_id0in_ip_addr0in_prts",
            columns: &["protocol", "internal_neutron_port_id", "internal_ip_address", "internal_port_start", "internal_port_end"],
        },
    ],
    indexes: &[Key { name: "portforwardings_ibfk_2", columns: &["internal_neutron_port_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "portforwardings_ibfk_1",
            columns: &["floatingip_id"],
            table: "floatingips",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "portforwardings_ibfk_2",
            columns: &["internal_neutron_port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "portforwardings_ibfk_3",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static ROUTER_EXTRA_ATTRIBUTES: Table = Table {
    name: "router_extra_attributes",
    columns: &[
        Column::required("router_id", Type::Varchar(36)),
        Column::required("distributed", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("service_router", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("ha", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::nullable("ha_vr_id", Type::Integer),
        Column::nullable("availability_zone_hints", Type::Varchar(255)),
        Column::required("enable_default_route_ecmp", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("enable_default_route_bfd", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["router_id"],
    foreign_keys: &[ForeignKey {
        name: "router_extra_attributes_ibfk_1",
        columns: &["router_id"],
        table: "routers",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ROUTER_NDP_PROXY_STATE: Table = Table {
    name: "router_ndp_proxy_state",
    columns: &[Column::required("router_id", Type::Varchar(36)), Column::required("enable_ndp_proxy", Type::Boolean)],
    primary_key: &["router_id"],
    foreign_keys: &[ForeignKey {
        name: "router_ndp_proxy_state_ibfk_1",
        columns: &["router_id"],
        table: "routers",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ROUTERPORTS: Table = Table {
    name: "routerports",
    columns: &[
        Column::required("router_id", Type::Varchar(36)),
        Column::required("port_id", Type::Varchar(36)),
        Column::nullable("port_type", Type::Varchar(255)),
    ],
    primary_key: &["router_id", "port_id"],
    uniques: &[Key { name: "uniq_routerports0port_id", columns: &["port_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "routerports_ibfk_1",
            columns: &["router_id"],
            table: "routers",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey { name: "routerports_ibfk_2", columns: &["port_id"], table: "ports", references: &["id"], on_delete: OnDelete::Cascade },
    ],
    ..Table::NONE
};

pub static ROUTERROUTES: Table = Table {
    name: "routerroutes",
    columns: &[
        Column::required("destination", Type::Varchar(64)),
        Column::required("nexthop", Type::Varchar(64)),
        Column::required("router_id", Type::Varchar(36)),
    ],
    primary_key: &["destination", "nexthop", "router_id"],
    indexes: &[Key { name: "router_id", columns: &["router_id"] }],
    foreign_keys: &[ForeignKey {
        name: "routerroutes_ibfk_1",
        columns: &["router_id"],
        table: "routers",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ROUTERS: Table = Table {
    name: "routers",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::nullable("status", Type::Varchar(16)),
        Column::nullable("admin_state_up", Type::Boolean),
        Column::nullable("gw_port_id", Type::Varchar(36)),
        Column::required("enable_snat", Type::Boolean).default(ServerDefault::Bool(true)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("flavor_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_routers0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "gw_port_id", columns: &["gw_port_id"] },
        Key { name: "flavor_id", columns: &["flavor_id"] },
        Key { name: "ix_routers_project_id", columns: &["project_id"] },
    ],
    foreign_keys: &[
        ForeignKey { name: "routers_ibfk_1", columns: &["gw_port_id"], table: "ports", references: &["id"], on_delete: OnDelete::Restrict },
        ForeignKey {
            name: "routers_ibfk_2",
            columns: &["flavor_id"],
            table: "flavors",
            references: &["id"],
            on_delete: OnDelete::Restrict,
        },
        ForeignKey {
            name: "routers_ibfk_3",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};
