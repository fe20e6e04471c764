// SPDX-License-Identifier: Apache-2.0
//! What QoS announces, and what it adds to networks and ports.

use neutrino_model::{
    Attribute, Extension, Join, Resource, Validator,
    attribute::{Default, Kind},
};

use super::{policies, ports, resource_request, rule_types, rules};

static OF_NETWORKS: Join = Join::read_only("qos_network_policy_bindings", "network_id");
static OF_PORTS: Join = Join::read_only("qos_port_policy_bindings", "port_id");
static OF_NETWORKS_OF_PORTS: Join = Join::read_only("qos_network_policy_bindings", "network_id").of("network_id");

const fn policy(of: &'static Join) -> Attribute {
    Attribute::new(ports::POLICY).post().put().default(Default::Null).validate(Validator::UuidOrNone).enforce_policy().joined(
        of,
        "policy_id",
        Kind::Text,
    )
}

const RESOURCES: &[&Resource] =
    &[&policies::RESOURCE, &rule_types::RESOURCE, &rules::BANDWIDTH_LIMITS, &rules::DSCP_MARKINGS, &rules::MINIMUM_BANDWIDTHS];

const QOS: Extension =
    Extension::new("qos", "Quality of Service", "The Quality of Service extension.", "2015-06-08T10:00:00-00:00").resources(RESOURCES);

/// Without the extension driver networks and ports have no policies.
pub static WITHOUT_DRIVER: [Extension; 2] = [QOS, OF_NETWORK_OF_PORT];

pub static WITH_DRIVER: [Extension; 2] = [
    QOS.extends(&[("networks", &[policy(&OF_NETWORKS)]), ("ports", &[policy(&OF_PORTS)])]),
    OF_NETWORK_OF_PORT.extends(&[(
        "ports",
        &[Attribute::new(ports::NETWORK_POLICY).default(Default::Null).validate(Validator::UuidOrNone).joined(
            &OF_NETWORKS_OF_PORTS,
            "policy_id",
            Kind::Text,
        )],
    )]),
];

const OF_NETWORK_OF_PORT: Extension = Extension::new(
    "qos-port-network-policy",
    "QoS port network policy ID",
    "Adds a the QoS network ID to the port definition",
    "2019-11-01T10:00:00-00:00",
)
.requires(&["qos"]);

pub static OTHERS: [Extension; 11] = [
    Extension::new(
        "qos-bw-limit-direction",
        "Direction for QoS bandwidth limit rule",
        "Allow to configure QoS bandwidth limit rule with specific direction: ingress or egress",
        "2017-04-10T10:00:00-00:00",
    )
    .requires(&["qos"]),
    Extension::new("qos-default", "QoS default policy", "Expose the QoS default policy per project", "2017-041-06T10:00:00-00:00")
        .requires(&["qos"])
        .extends(&[("policies", policies::IS_DEFAULT)]),
    Extension::new(
        "qos-rule-type-details",
        "Details of QoS rule types",
        "Expose details about QoS rule types supported by loaded backend drivers",
        "2017-06-22T10:00:00-00:00",
    )
    .requires(&["qos"]),
    Extension::new(
        "qos-rule-type-filter",
        "Allow to filter the list of QoS rule types",
        "Allows to filter the QoS rule type list adding two new flags. \"all_rules\" prints all implemented QoS rule types.\"all_supported\" \
         prints all supported QoS rule types by the loaded mechanism drivers",
        "2022-02-02T10:00:00-00:00",
    )
    .requires(&["qos"])
    .extends(&[("rule_types", rule_types::FILTERS)]),
    Extension::new("port-resource-request", "Port Resource Request", "Expose resource request to Port", "2018-05-08T10:00:00-00:00")
        .extends(&[("ports", resource_request::ATTRIBUTES)]),
    Extension::new(
        "port-resource-request-groups",
        "Port Resource Request Groups",
        "Support requesting multiple groups of resources and traits from the same RP subtree in resource_request",
        "2021-08-02T10:00:00-00:00",
    )
    .requires(&["port-resource-request"]),
    Extension::new(
        "qos-bw-minimum-ingress",
        "Ingress direction for QoS minimum bandwidth rule",
        "Allow to configure QoS minumum bandwidth rule with ingress direction.",
        "2018-07-09T10:00:00-00:00",
    )
    .requires(&["qos"]),
    Extension::new(
        "qos-rules-alias",
        "Quality of Service rules alias API",
        "API to enable GET, PUT and DELETE operations on QoS policy rules without specifying policy ID",
        "2018-10-07T10:00:00-00:00",
    )
    .requires(&["qos"])
    .resources(&[&rules::ALIAS_BANDWIDTH_LIMITS, &rules::ALIAS_DSCP_MARKINGS, &rules::ALIAS_MINIMUM_BANDWIDTHS]),
    Extension::new("qos-pps", "QoS Rule Type Packet per Second Extension", "Add QoS Rule Type Packet per Second", "2021-05-12T10:00:00-00:00")
        .requires(&["qos"])
        .resources(&[&rules::PACKET_RATE_LIMITS]),
    Extension::new(
        "qos-pps-minimum",
        "QoS minimum packet rate rule",
        "Allow to configure QoS minimum packet rate rule.",
        "2021-07-14T10:00:00-00:00",
    )
    .requires(&["qos"])
    .resources(&[&rules::MINIMUM_PACKET_RATES]),
    Extension::new(
        "qos-pps-minimum-rule-alias",
        "QoS minimum packet rate rule alias",
        "API to enable GET, PUT and DELETE operations on QoS minimum packet rate rule without specifying policy ID",
        "2021-10-22T10:00:00-00:00",
    )
    .requires(&["qos-pps-minimum"])
    .resources(&[&rules::ALIAS_MINIMUM_PACKET_RATES]),
];
