// SPDX-License-Identifier: Apache-2.0
//! The API, in process, against a real database. One module for each collection, named as in the URL.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod address_groups;
mod address_scopes;
mod advisories;
mod agents;
mod auto_allocated_topologies;
mod availability_zones;
mod bad_input;
mod bindings;
mod conntrack_helpers;
mod default_security_group_rules;
mod dvr_macs;
mod flavors;
mod floatingips;
mod l3_agent_scheduler;
mod local_ips;
mod logs;
mod metering;
mod ndp_proxies;
mod network_segment_ranges;
mod networks;
mod networks_provider;
mod notifications;
mod nova;
mod openapi;
mod policy;
mod policy_matrix;
mod policy_remote;
mod port_forwardings;
mod ports;
mod ports_extensions;
mod pvlan;
mod qos_policies;
mod qos_ports;
mod qos_rules;
mod quotas;
mod rbac_policies;
mod routers;
mod routers_ha;
mod routers_multihoming;
mod routers_races;
mod security_group_rules;
mod security_groups;
mod security_groups_ports;
mod segments;
mod statements;
mod subnetpools;
mod subnets;
mod tables;
mod tags;
mod trunks;
mod whole;
