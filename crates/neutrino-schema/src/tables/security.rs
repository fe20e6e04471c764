// SPDX-License-Identifier: Apache-2.0
// Written by scripts/gen-schema from the contract: change that, not this.
//! Security groups, address groups, RBAC entries.

use crate::model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};

pub static ADDRESS_ASSOCIATIONS: Table = Table {
    name: "address_associations",
    columns: &[Column::required("address", Type::Varchar(64)), Column::required("address_group_id", Type::Varchar(36))],
    primary_key: &["address", "address_group_id"],
    indexes: &[Key { name: "address_group_id", columns: &["address_group_id"] }],
    foreign_keys: &[ForeignKey {
        name: "address_associations_ibfk_1",
        columns: &["address_group_id"],
        table: "address_groups",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ADDRESS_GROUPS: Table = Table {
    name: "address_groups",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("standard_attr_id", Type::BigInteger),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_address_groups0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[Key { name: "ix_address_groups_project_id", columns: &["project_id"] }],
    foreign_keys: &[ForeignKey {
        name: "address_groups_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ADDRESSGROUPRBACS: Table = Table {
    name: "addressgrouprbacs",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
        Column::required("object_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_addressgrouprbacs0target_project0object_id0action", columns: &["target_project", "object_id", "action"] }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_addressgrouprbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_addressgrouprbacs_action", columns: &["action"] },
        Key { name: "ix_addressgrouprbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "addressgrouprbacs_ibfk_1",
        columns: &["object_id"],
        table: "address_groups",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static ADDRESSSCOPERBACS: Table = Table {
    name: "addressscoperbacs",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
        Column::required("object_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_addressscoperbacs0target_project0object_id0action", columns: &["target_project", "object_id", "action"] }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_addressscoperbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_addressscoperbacs_action", columns: &["action"] },
        Key { name: "ix_addressscoperbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "addressscoperbacs_ibfk_1",
        columns: &["object_id"],
        table: "address_scopes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static DEFAULT_SECURITY_GROUP: Table = Table {
    name: "default_security_group",
    columns: &[Column::required("project_id", Type::Varchar(255)), Column::required("security_group_id", Type::Varchar(36))],
    primary_key: &["project_id"],
    indexes: &[Key { name: "security_group_id", columns: &["security_group_id"] }],
    foreign_keys: &[ForeignKey {
        name: "default_security_group_ibfk_1",
        columns: &["security_group_id"],
        table: "securitygroups",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static NETWORKRBACS: Table = Table {
    name: "networkrbacs",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("object_id", Type::Varchar(36)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_networkrbacs0target_project0object_id0action", columns: &["target_project", "object_id", "action"] }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_networkrbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_networkrbacs_action", columns: &["action"] },
        Key { name: "ix_networkrbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "networkrbacs_ibfk_1",
        columns: &["object_id"],
        table: "networks",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static QOSPOLICYRBACS: Table = Table {
    name: "qospolicyrbacs",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
        Column::required("object_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_qospolicyrbacs0target_project0object_id0action", columns: &["target_project", "object_id", "action"] }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_qospolicyrbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_qospolicyrbacs_action", columns: &["action"] },
        Key { name: "ix_qospolicyrbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "qospolicyrbacs_ibfk_1",
        columns: &["object_id"],
        table: "qos_policies",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SECURITY_GROUPS_DEFAULT_STATEFULNESS: Table = Table {
    name: "security_groups_default_statefulness",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("stateful", Type::Boolean).default(ServerDefault::Bool(true)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "project_id", columns: &["project_id"] }],
    ..Table::NONE
};

pub static SECURITYGROUPDEFAULTRULES: Table = Table {
    name: "securitygroupdefaultrules",
    columns: &[
        Column::required("id", Type::Varchar(36)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("remote_group_id", Type::Varchar(36)),
        Column::nullable("remote_address_group_id", Type::Varchar(36)),
        Column::required("direction", Type::Enum(&["ingress", "egress"])),
        Column::nullable("ethertype", Type::Varchar(40)),
        Column::nullable("protocol", Type::Varchar(40)),
        Column::nullable("port_range_min", Type::Integer),
        Column::nullable("port_range_max", Type::Integer),
        Column::nullable("remote_ip_prefix", Type::Varchar(255)),
        Column::required("used_in_default_sg", Type::Boolean).default(ServerDefault::Bool(false)),
        Column::required("used_in_non_default_sg", Type::Boolean).default(ServerDefault::Bool(true)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "standard_attr_id", columns: &["standard_attr_id"] }],
    foreign_keys: &[ForeignKey {
        name: "securitygroupdefaultrules_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SECURITYGROUPPORTBINDINGS: Table = Table {
    name: "securitygroupportbindings",
    columns: &[Column::required("port_id", Type::Varchar(36)), Column::required("security_group_id", Type::Varchar(36))],
    primary_key: &["port_id", "security_group_id"],
    indexes: &[Key { name: "securitygroupportbindings_ibfk_2", columns: &["security_group_id"] }],
    foreign_keys: &[
        ForeignKey {
            name: "securitygroupportbindings_ibfk_1",
            columns: &["port_id"],
            table: "ports",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "securitygroupportbindings_ibfk_2",
            columns: &["security_group_id"],
            table: "securitygroups",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static SECURITYGROUPRBACS: Table = Table {
    name: "securitygrouprbacs",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
        Column::required("object_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key {
        name: "uniq_securitygrouprbacs0target_project0object_id0action",
        columns: &["target_project", "object_id", "action"],
    }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_securitygrouprbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_securitygrouprbacs_action", columns: &["action"] },
        Key { name: "ix_securitygrouprbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "securitygrouprbacs_ibfk_1",
        columns: &["object_id"],
        table: "securitygroups",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SECURITYGROUPRULES: Table = Table {
    name: "securitygrouprules",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("security_group_id", Type::Varchar(36)),
        Column::nullable("remote_group_id", Type::Varchar(36)),
        Column::nullable("direction", Type::Enum(&["ingress", "egress"])),
        Column::nullable("ethertype", Type::Varchar(40)),
        Column::nullable("protocol", Type::Varchar(40)),
        Column::nullable("port_range_min", Type::Integer),
        Column::nullable("port_range_max", Type::Integer),
        Column::nullable("remote_ip_prefix", Type::Varchar(255)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::nullable("remote_address_group_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_securitygrouprules0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[
        Key { name: "security_group_id", columns: &["security_group_id"] },
        Key { name: "remote_group_id", columns: &["remote_group_id"] },
        Key { name: "ix_securitygrouprules_project_id", columns: &["project_id"] },
        Key { name: "remote_address_group_id", columns: &["remote_address_group_id"] },
    ],
    foreign_keys: &[
        ForeignKey {
            name: "securitygrouprules_ibfk_1",
            columns: &["security_group_id"],
            table: "securitygroups",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "securitygrouprules_ibfk_2",
            columns: &["remote_group_id"],
            table: "securitygroups",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "securitygrouprules_ibfk_3",
            columns: &["standard_attr_id"],
            table: "standardattributes",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
        ForeignKey {
            name: "securitygrouprules_ibfk_4",
            columns: &["remote_address_group_id"],
            table: "address_groups",
            references: &["id"],
            on_delete: OnDelete::Cascade,
        },
    ],
    ..Table::NONE
};

pub static SECURITYGROUPS: Table = Table {
    name: "securitygroups",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::nullable("name", Type::Varchar(255)),
        Column::required("standard_attr_id", Type::BigInteger),
        Column::required("stateful", Type::Boolean).default(ServerDefault::Bool(true)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_securitygroups0standard_attr_id", columns: &["standard_attr_id"] }],
    indexes: &[Key { name: "ix_securitygroups_project_id", columns: &["project_id"] }],
    foreign_keys: &[ForeignKey {
        name: "securitygroups_ibfk_1",
        columns: &["standard_attr_id"],
        table: "standardattributes",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};

pub static SUBNETPOOLRBACS: Table = Table {
    name: "subnetpoolrbacs",
    columns: &[
        Column::nullable("project_id", Type::Varchar(255)),
        Column::required("id", Type::Varchar(36)),
        Column::required("target_project", Type::Varchar(255)),
        Column::required("action", Type::Varchar(255)),
        Column::required("object_id", Type::Varchar(36)),
    ],
    primary_key: &["id"],
    uniques: &[Key { name: "uniq_subnetpoolrbacs0target_project0object_id0action", columns: &["target_project", "object_id", "action"] }],
    indexes: &[
        Key { name: "object_id", columns: &["object_id"] },
        Key { name: "ix_subnetpoolrbacs_project_id", columns: &["project_id"] },
        Key { name: "ix_subnetpoolrbacs_action", columns: &["action"] },
        Key { name: "ix_subnetpoolrbacs_target_project", columns: &["target_project"] },
    ],
    foreign_keys: &[ForeignKey {
        name: "subnetpoolrbacs_ibfk_1",
        columns: &["object_id"],
        table: "subnetpools",
        references: &["id"],
        on_delete: OnDelete::Cascade,
    }],
    ..Table::NONE
};
