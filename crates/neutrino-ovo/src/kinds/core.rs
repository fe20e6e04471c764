// SPDX-License-Identifier: Apache-2.0
//! Ports, networks and subnets (`neutron/objects/{ports,network,subnet}.py`).

use super::{ADMIN_STATE_UP, CREATED_AT, DESCRIPTION, ID, NAME, NETWORK_ID, PORT_ID, PROJECT_ID, REVISION_NUMBER, STATUS, UPDATED_AT};
use crate::object::{ExtraFilter, Field, Form, Link, Literal, Object, Source, Strings};

const HOST: Field = Field::text("host", "t.host");
/// Neutron keeps an empty text for no value.
const PROFILE: Field = Field::stored("profile", Form::Json, "t.profile").or(Literal::Text("{}"));
const VIF_TYPE: Field = Field::text("vif_type", "t.vif_type");
const VIF_DETAILS: Field = Field::stored("vif_details", Form::Json, "t.vif_details").or(Literal::Null);
const VNIC_TYPE: Field = Field::text("vnic_type", "t.vnic_type");
const SUBNET_ID: Field = Field::text("subnet_id", "t.subnet_id");
/// Every network that is shared with all projects; what is shared with one is the caller's matter, and agents have no project.
const SHARED_NETWORK: &str =
    "EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.id AND r.action = 'access_as_shared' AND r.target_project = '*')";
const SHARED_SUBNET: &str =
    "EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.network_id AND r.action = 'access_as_shared' AND r.target_project = '*')";

static BINDING: Object =
    Object::new("PortBinding", (1, 0), "ml2_port_bindings t", &[PORT_ID, HOST, PROFILE, VIF_TYPE, VIF_DETAILS, VNIC_TYPE, STATUS])
        .ordered("t.port_id, t.host");

static DISTRIBUTED_BINDING: Object = Object::new(
    "DistributedPortBinding",
    (1, 0),
    "ml2_distributed_port_bindings t",
    &[PORT_ID, HOST, PROFILE, VIF_TYPE, VIF_DETAILS, VNIC_TYPE, STATUS, super::ROUTER_ID],
)
.ordered("t.port_id, t.host");

static SEGMENT: Object = Object::new(
    "NetworkSegment",
    (1, 0),
    "networksegments t JOIN standardattributes a ON a.id = t.standard_attr_id",
    &[
        ID,
        NETWORK_ID,
        NAME,
        Field::text("network_type", "t.network_type"),
        Field::text("physical_network", "t.physical_network"),
        Field::int("segmentation_id", "t.segmentation_id"),
        Field::bool("is_dynamic", "t.is_dynamic"),
        Field::int("segment_index", "t.segment_index"),
        Field::new("hosts", Source::Strings(Strings { table: "segmenthostmappings", column: "host", by: "segment_id" })),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
)
.ordered("t.network_id, t.segment_index, t.id");

static BINDING_LEVEL: Object = Object::new(
    "PortBindingLevel",
    (1, 1),
    "ml2_port_binding_levels t",
    &[
        PORT_ID,
        HOST,
        Field::int("level", "t.\"level\""),
        Field::text("driver", "t.driver"),
        Field::new("segment", Source::One(Link { object: &SEGMENT, by: "t.id", key: "segment_id" })),
        Field::text("segment_id", "t.segment_id"),
    ],
)
.ordered("t.port_id, t.host, t.\"level\"");

static FIXED_IP: Object =
    Object::new("IPAllocation", (1, 0), "ipallocations t", &[PORT_ID, SUBNET_ID, NETWORK_ID, Field::text("ip_address", "t.ip_address")])
        .ordered("t.port_id, t.ip_address, t.subnet_id");

static ADDRESS_PAIR: Object = Object::new(
    "AllowedAddressPair",
    (1, 0),
    "allowedaddresspairs t",
    &[PORT_ID, Field::text("mac_address", "t.mac_address"), Field::text("ip_address", "t.ip_address")],
)
.ordered("t.port_id, t.mac_address, t.ip_address");

static DHCP_OPTION: Object = Object::new(
    "ExtraDhcpOpt",
    (1, 1),
    "extradhcpopts t",
    &[
        ID,
        PORT_ID,
        Field::text("opt_name", "t.opt_name"),
        Field::text("opt_value", "t.opt_value"),
        Field::int("ip_version", "t.ip_version"),
    ],
)
.ordered("t.port_id, t.id");

static DATA_PLANE_STATUS: Object = Object::new(
    "PortDataPlaneStatus",
    (1, 0),
    "",
    &[Field::text("port_id", "dp.port_id"), Field::text("data_plane_status", "dp.data_plane_status")],
);

static DNS: Object = Object::new(
    "PortDNS",
    (1, 1),
    "",
    &[
        Field::text("port_id", "dn.port_id"),
        Field::text("current_dns_name", "dn.current_dns_name"),
        Field::text("current_dns_domain", "dn.current_dns_domain"),
        Field::text("previous_dns_name", "dn.previous_dns_name"),
        Field::text("previous_dns_domain", "dn.previous_dns_domain"),
        Field::text("dns_name", "dn.dns_name"),
        Field::text("dns_domain", "dn.dns_domain"),
    ],
);

static HINTS: Object =
    Object::new("PortHints", (1, 0), "", &[Field::text("port_id", "hi.port_id"), Field::stored("hints", Form::Json, "hi.hints")]);

static PORT_SECURITY: Object = Object::new(
    "PortSecurity",
    (1, 0),
    "",
    &[Field::text("id", "se.port_id"), Field::bool("port_security_enabled", "se.port_security_enabled")],
);

pub static PORT: Object = Object {
    filters: &[ExtraFilter {
        name: "security_group_ids",
        prefix: "t.id IN (SELECT port_id FROM securitygroupportbindings WHERE ",
        column: "security_group_id",
    }],
    ..Object::new(
        "Port",
        (1, 11),
        "ports t JOIN standardattributes a ON a.id = t.standard_attr_id \
         LEFT JOIN portdataplanestatuses dp ON dp.port_id = t.id LEFT JOIN portdnses dn ON dn.port_id = t.id \
         LEFT JOIN porthints hi ON hi.port_id = t.id LEFT JOIN portsecuritybindings se ON se.port_id = t.id \
         LEFT JOIN portpvlan pv ON pv.port_id = t.id LEFT JOIN qos_port_policy_bindings qp ON qp.port_id = t.id \
         LEFT JOIN qos_network_policy_bindings qn ON qn.network_id = t.network_id \
         LEFT JOIN portnumaaffinitypolicies nu ON nu.port_id = t.id LEFT JOIN portdeviceprofiles de ON de.port_id = t.id \
         LEFT JOIN porthardwareoffloadtype ho ON ho.port_id = t.id LEFT JOIN porttrusted tr ON tr.port_id = t.id",
        &[
            ID,
            PROJECT_ID,
            NAME,
            NETWORK_ID,
            Field::text("mac_address", "t.mac_address"),
            ADMIN_STATE_UP,
            Field::text("device_id", "t.device_id"),
            Field::text("device_owner", "t.device_owner"),
            STATUS,
            Field::new("allowed_address_pairs", Source::Many(&[Link { object: &ADDRESS_PAIR, by: "t.port_id", key: "id" }])),
            Field::new("bindings", Source::Many(&[Link { object: &BINDING, by: "t.port_id", key: "id" }])),
            Field::new("data_plane_status", Source::Joined(&DATA_PLANE_STATUS)),
            Field::new("dhcp_options", Source::Many(&[Link { object: &DHCP_OPTION, by: "t.port_id", key: "id" }])),
            Field::new("distributed_bindings", Source::Many(&[Link { object: &DISTRIBUTED_BINDING, by: "t.port_id", key: "id" }])),
            Field::new("dns", Source::Joined(&DNS)),
            Field::new("fixed_ips", Source::Many(&[Link { object: &FIXED_IP, by: "t.port_id", key: "id" }])),
            Field::new("hints", Source::Joined(&HINTS)).since(8),
            Field::new("security", Source::Joined(&PORT_SECURITY)),
            Field::new(
                "security_group_ids",
                Source::Strings(Strings { table: "securitygroupportbindings", column: "security_group_id", by: "port_id" }),
            )
            .default(Literal::Null),
            Field::derived("pvlan_type", Form::Text, "pv.pvlan_type").or(Literal::Null).since(11),
            Field::derived("pvlan_community", Form::Text, "pv.pvlan_community").or(Literal::Null).since(11),
            Field::derived("qos_policy_id", Form::Text, "qp.policy_id").default(Literal::Null),
            Field::derived("qos_network_policy_id", Form::Text, "qn.policy_id").default(Literal::Null),
            Field::new("binding_levels", Source::Many(&[Link { object: &BINDING_LEVEL, by: "t.port_id", key: "id" }])),
            Field::derived("numa_affinity_policy", Form::Text, "nu.numa_affinity_policy"),
            Field::derived("device_profile", Form::Text, "de.device_profile"),
            Field::derived("hardware_offload_type", Form::Text, "ho.hardware_offload_type").since(9),
            Field::derived("trusted", Form::Bool, "tr.trusted").since(10),
            REVISION_NUMBER,
            DESCRIPTION,
            CREATED_AT,
            UPDATED_AT,
        ],
    )
};

static NETWORK_PORT_SECURITY: Object = Object::new(
    "NetworkPortSecurity",
    (1, 0),
    "",
    &[Field::text("id", "se.network_id"), Field::bool("port_security_enabled", "se.port_security_enabled")],
);

pub static NETWORK: Object = Object::new(
    "Network",
    (1, 3),
    "networks t JOIN standardattributes a ON a.id = t.standard_attr_id LEFT JOIN networksecuritybindings se ON se.network_id = t.id \
     LEFT JOIN networkpvlan pv ON pv.network_id = t.id LEFT JOIN networkdnsdomains dn ON dn.network_id = t.id \
     LEFT JOIN qos_network_policy_bindings qn ON qn.network_id = t.id",
    &[
        ID,
        PROJECT_ID,
        NAME,
        STATUS,
        ADMIN_STATE_UP,
        Field::bool("vlan_transparent", "t.vlan_transparent"),
        Field::bool("qinq", "t.qinq").since(2),
        Field::derived("availability_zone_hints", Form::Texts, "t.availability_zone_hints"),
        Field::bool("shared", SHARED_NETWORK).default(Literal::Bool(false)),
        Field::int("mtu", "t.mtu").default(Literal::Int(1500)),
        Field::new("security", Source::Joined(&NETWORK_PORT_SECURITY)),
        Field::new("segments", Source::Many(&[Link { object: &SEGMENT, by: "t.network_id", key: "id" }])),
        Field::derived("pvlan", Form::Bool, "pv.pvlan").or(Literal::Null).since(3),
        Field::derived("dns_domain", Form::Text, "dn.dns_domain").or(Literal::Null),
        Field::derived("qos_policy_id", Form::Text, "qn.policy_id").default(Literal::Null),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
);

static POOL: Object = Object::new(
    "IPAllocationPool",
    (1, 0),
    "ipallocationpools t",
    &[ID, SUBNET_ID, Field::text("start", "t.first_ip"), Field::text("end", "t.last_ip")],
)
.ordered("t.subnet_id, t.first_ip, t.id");

static NAME_SERVER: Object = Object::new(
    "DNSNameServer",
    (1, 0),
    "dnsnameservers t",
    &[Field::text("address", "t.address"), SUBNET_ID, Field::int("order", "t.\"order\"")],
)
.ordered("t.subnet_id, t.\"order\"");

static ROUTE: Object = Object::new(
    "Route",
    (1, 0),
    "subnetroutes t",
    &[SUBNET_ID, Field::text("destination", "t.destination"), Field::text("nexthop", "t.nexthop")],
)
.ordered("t.subnet_id, t.destination, t.nexthop");

pub static SUBNET: Object = Object::new(
    "Subnet",
    (1, 2),
    "subnets t JOIN standardattributes a ON a.id = t.standard_attr_id LEFT JOIN subnet_dns_publish_fixed_ips pf ON pf.subnet_id = t.id",
    &[
        ID,
        PROJECT_ID,
        NAME,
        NETWORK_ID,
        Field::text("segment_id", "t.segment_id"),
        Field::text("subnetpool_id", "t.subnetpool_id"),
        Field::int("ip_version", "t.ip_version"),
        Field::text("cidr", "t.cidr"),
        Field::text("gateway_ip", "t.gateway_ip"),
        Field::new("allocation_pools", Source::Many(&[Link { object: &POOL, by: "t.subnet_id", key: "id" }])),
        Field::bool("enable_dhcp", "t.enable_dhcp"),
        Field::bool("shared", SHARED_SUBNET),
        Field::new("dns_nameservers", Source::Many(&[Link { object: &NAME_SERVER, by: "t.subnet_id", key: "id" }])),
        Field::derived("dns_publish_fixed_ip", Form::Bool, "pf.dns_publish_fixed_ip").or(Literal::Bool(false)),
        Field::new("host_routes", Source::Many(&[Link { object: &ROUTE, by: "t.subnet_id", key: "id" }])),
        Field::text("ipv6_ra_mode", "t.ipv6_ra_mode"),
        Field::text("ipv6_address_mode", "t.ipv6_address_mode"),
        Field::new("service_types", Source::Strings(Strings { table: "subnet_service_types", column: "service_type", by: "subnet_id" })),
        Field::derived("external", Form::Bool, "EXISTS (SELECT 1 FROM externalnetworks e WHERE e.network_id = t.network_id)").since(2),
        REVISION_NUMBER,
        DESCRIPTION,
        CREATED_AT,
        UPDATED_AT,
    ],
);
