// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! One-to-one and one-to-many attributes of ports (and of networks, where they come in pairs).

use crate::model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static ALLOWEDADDRESSPAIRS: Table = Table {
    name: "allowedaddresspairs",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("mac_address", Type::Varchar(32)),
        Column::required("ip_address", Type::Varchar(64)),
    ],
    primary_key: &["port_id", "mac_address", "ip_address"],
    foreign_keys: &[ForeignKey {
        name: "allowedaddresspairs_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static EXTRADHCPOPTS: Table = Table {
    name: "extradhcpopts",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("port_id", Type::Varchar(36)),
        Column::required("opt_name", Type::Varchar(64)),
        Column::required("opt_value", Type::Varchar(255)),
        Column::required("ip_version", Type::Integer).default(ServerDefault::Int(4)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_extradhcpopts0portid0optname0ipversion", columns: &["port_id", "opt_name", "ip_version"] }],
    foreign_keys: &[ForeignKey {
        name: "extradhcpopts_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static FLOATINGIPDNSES: Table = Table {
    name: "floatingipdnses",
    columns: &[
        Column::required("floatingip_id", Type::Varchar(36)),
        Column::required("dns_name", Type::Varchar(255)),
        Column::required("dns_domain", Type::Varchar(255)),
        Column::required("published_dns_name", Type::Varchar(255)),
        Column::required("published_dns_domain", Type::Varchar(255)),
    ],
    primary_key: &["floatingip_id"],
    foreign_keys: &[ForeignKey {
        name: "floatingipdnses_ibfk_1",
        columns: &["floatingip_id"],
        table: "floatingips",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKDNSDOMAINS: Table = Table {
    name: "networkdnsdomains",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::required("dns_domain", Type::Varchar(255))],
    primary_key: &["network_id"],
    foreign_keys: &[ForeignKey {
        name: "networkdnsdomains_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKPVLAN: Table = Table {
    name: "networkpvlan",
    columns: &[
        Column::required("network_id", Type::Varchar(36)),
        Column::required("pvlan", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["network_id"],
    foreign_keys: &[ForeignKey {
        name: "networkpvlan_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKSECURITYBINDINGS: Table = Table {
    name: "networksecuritybindings",
    columns: &[Column::required("network_id", Type::Varchar(36)), Column::required("port_security_enabled", Type::Boolean)],
    primary_key: &["network_id"],
    foreign_keys: &[ForeignKey {
        name: "networksecuritybindings_ibfk_1",
        columns: &["network_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTDATAPLANESTATUSES: Table = Table {
    name: "portdataplanestatuses",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::nullable("data_plane_status", Type::Varchar(16))],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portdataplanestatuses_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTDEVICEPROFILES: Table = Table {
    name: "portdeviceprofiles",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::nullable("device_profile", Type::Varchar(255))],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portdeviceprofiles_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTDNSES: Table = Table {
    name: "portdnses",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("current_dns_name", Type::Varchar(255)),
        Column::required("current_dns_domain", Type::Varchar(255)),
        Column::required("previous_dns_name", Type::Varchar(255)),
        Column::required("previous_dns_domain", Type::Varchar(255)),
        Column::required("dns_name", Type::Varchar(255)),
        Column::required("dns_domain", Type::Varchar(255)).default(ServerDefault::Text("")),
    ],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portdnses_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTHARDWAREOFFLOADTYPE: Table = Table {
    name: "porthardwareoffloadtype",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::nullable("hardware_offload_type", Type::Varchar(255))],
    primary_key: &["port_id"],
    indexes: &[Key { name: "ix_porthardwareoffloadtype_port_id", columns: &["port_id"] }],
    foreign_keys: &[ForeignKey {
        name: "porthardwareoffloadtype_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTHINTS: Table = Table {
    name: "porthints",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::required("hints", Type::Varchar(4095))],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "porthints_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTNUMAAFFINITYPOLICIES: Table = Table {
    name: "portnumaaffinitypolicies",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::nullable("numa_affinity_policy", Type::Enum(&["required", "preferred", "legacy", "socket"])),
    ],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portnumaaffinitypolicies_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTPVLAN: Table = Table {
    name: "portpvlan",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("pvlan_type", Type::Enum(&["isolated", "promiscuous", "community"])),
        Column::nullable("pvlan_community", Type::Varchar(255)),
    ],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portpvlan_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTSECURITYBINDINGS: Table = Table {
    name: "portsecuritybindings",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::required("port_security_enabled", Type::Boolean)],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portsecuritybindings_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTTRUSTED: Table = Table {
    name: "porttrusted",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::nullable("trusted", Type::Boolean)],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "porttrusted_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PORTUPLINKSTATUSPROPAGATION: Table = Table {
    name: "portuplinkstatuspropagation",
    columns: &[
        Column::required("port_id", Type::Varchar(36)),
        Column::required("propagate_uplink_status", Type::Boolean).default(ServerDefault::Bool(true)),
    ],
    primary_key: &["port_id"],
    foreign_keys: &[ForeignKey {
        name: "portuplinkstatuspropagation_ibfk_1",
        columns: &["port_id"],
        table: "ports",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static PROVISIONINGBLOCKS: Table = Table {
    name: "provisioningblocks",
    columns: &[Column::required("standard_attr_id", Type::BigInteger), Column::required("entity", Type::Varchar(255))],
    primary_key: &["standard_attr_id", "entity"],
    foreign_keys: &[ForeignKey {
        name: "provisioningblocks_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNET_DNS_PUBLISH_FIXED_IPS: Table = Table {
    name: "subnet_dns_publish_fixed_ips",
    columns: &[
        Column::required("subnet_id", Type::Varchar(36)),
        Column::required("dns_publish_fixed_ip", Type::Boolean).default(ServerDefault::Bool(false)),
    ],
    primary_key: &["subnet_id"],
    foreign_keys: &[ForeignKey {
        name: "subnet_dns_publish_fixed_ips_ibfk_1",
        columns: &["subnet_id"],
        table: "subnets",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};
