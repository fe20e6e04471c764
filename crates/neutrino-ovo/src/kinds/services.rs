// SPDX-License-Identifier: Apache-2.0
//! What service plugins have: trunks, logs, port forwardings, conntrack helpers, local IPs, NDP proxies; and agents.

use super::{
    ADMIN_STATE_UP, CREATED_AT, DESCRIPTION, ID, NAME, NETWORK_ID, PORT_ID, PROJECT_ID, PROTOCOL, REVISION_NUMBER, ROUTER_ID, STATUS,
    UPDATED_AT,
};
use crate::object::{Field, Form, Link, Literal, Object, Source};

pub static SUB_PORT: Object = Object {
    id: "port_id",
    key: "t.port_id",
    ..Object::new(
        "SubPort",
        (1, 0),
        "subports t",
        &[
            PORT_ID,
            Field::text("trunk_id", "t.trunk_id"),
            Field::text("segmentation_type", "t.segmentation_type"),
            Field::int("segmentation_id", "t.segmentation_id"),
        ],
    )
    .ordered("t.trunk_id, t.segmentation_type, t.segmentation_id")
};

/// Version 1.0 named the project otherwise.
pub static TRUNK: Object = Object::new(
    "Trunk",
    (1, 1),
    "trunks t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ADMIN_STATE_UP,
        ID,
        PROJECT_ID,
        NAME,
        PORT_ID,
        STATUS,
        Field::new("sub_ports", Source::Many(&[Link { object: &SUB_PORT, by: "t.trunk_id", key: "id" }])),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
)
.floor(1);

pub static LOG: Object = Object::new(
    "Log",
    (1, 0),
    "logs t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        PROJECT_ID,
        NAME,
        Field::text("resource_type", "t.resource_type"),
        Field::text("resource_id", "t.resource_id").default(Literal::Null),
        Field::text("target_id", "t.target_id").default(Literal::Null),
        Field::text("event", "t.event"),
        Field::bool("enabled", "t.enabled").default(Literal::Bool(true)),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
);

pub static PORT_FORWARDING: Object = Object::new(
    "PortForwarding",
    (1, 3),
    "portforwardings t JOIN floatingips f ON f.id = t.floatingip_id JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        Field::text("floatingip_id", "t.floatingip_id"),
        Field::derived("external_port", Form::Int, "CASE WHEN t.external_port_start = t.external_port_end THEN t.external_port_start END"),
        Field::new("external_port_range", Source::Pair(Form::Int, "t.external_port_start", "t.external_port_end", ':')),
        PROTOCOL,
        Field::text("internal_port_id", "t.internal_neutron_port_id"),
        Field::text("internal_ip_address", "t.internal_ip_address"),
        Field::derived("internal_port", Form::Int, "CASE WHEN t.internal_port_start = t.internal_port_end THEN t.internal_port_start END"),
        Field::new("internal_port_range", Source::Pair(Form::Int, "t.internal_port_start", "t.internal_port_end", ':')),
        Field::derived("floating_ip_address", Form::Text, "f.floating_ip_address"),
        Field::derived("router_id", Form::Text, "f.router_id").filtered(),
        DESCRIPTION,
        REVISION_NUMBER,
        CREATED_AT,
        UPDATED_AT,
    ],
);

pub static CONNTRACK_HELPER: Object = Object::new(
    "ConntrackHelper",
    (1, 0),
    "conntrack_helpers t",
    &[ID, ROUTER_ID, PROTOCOL, Field::int("port", "t.port"), Field::text("helper", "t.helper")],
);

static LOCAL_IP: Object = Object::new(
    "LocalIP",
    (1, 0),
    "local_ips t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        NAME,
        DESCRIPTION,
        PROJECT_ID,
        Field::text("local_port_id", "t.local_port_id"),
        NETWORK_ID,
        Field::text("local_ip_address", "t.local_ip_address"),
        Field::text("ip_mode", "t.ip_mode"),
        REVISION_NUMBER,
        CREATED_AT,
        UPDATED_AT,
    ],
);

pub static LOCAL_IP_ASSOCIATION: Object = Object {
    key: "t.fixed_port_id",
    pair: true,
    ..Object::new(
        "LocalIPAssociation",
        (1, 0),
        "local_ip_associations t",
        &[
            Field::new("id", Source::Pair(Form::Text, "t.local_ip_id", "t.fixed_port_id", '_')),
            Field::text("local_ip_id", "t.local_ip_id"),
            Field::text("fixed_port_id", "t.fixed_port_id"),
            Field::text("fixed_ip", "t.fixed_ip"),
            Field::new("local_ip", Source::One(Link { object: &LOCAL_IP, by: "t.id", key: "local_ip_id" })),
        ],
    )
    .ordered("t.local_ip_id, t.fixed_port_id")
};

pub static NDP_PROXY: Object = Object::new(
    "NDPProxy",
    (1, 0),
    "ndp_proxies t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        NAME,
        PROJECT_ID,
        ROUTER_ID,
        PORT_ID,
        Field::text("ip_address", "t.ip_address"),
        DESCRIPTION,
        REVISION_NUMBER,
        CREATED_AT,
        UPDATED_AT,
    ],
);

pub static AGENT: Object = Object::new(
    "Agent",
    (1, 1),
    "agents t",
    &[
        ID,
        Field::text("agent_type", "t.agent_type"),
        Field::text("binary", "t.\"binary\""),
        Field::text("topic", "t.topic"),
        Field::text("host", "t.host"),
        Field::text("availability_zone", "t.availability_zone"),
        ADMIN_STATE_UP,
        Field::derived("started_at", Form::Time, "t.started_at"),
        Field::derived("created_at", Form::Time, "t.created_at"),
        Field::derived("heartbeat_timestamp", Form::Time, "t.heartbeat_timestamp"),
        Field::text("description", "t.description"),
        Field::derived("configurations", Form::Json, "t.configurations").or(Literal::Text("{}")),
        Field::derived("resource_versions", Form::Json, "t.resource_versions"),
        Field::int("load", "t.\"load\""),
        Field::bool("resources_synced", "t.resources_synced"),
    ],
);
