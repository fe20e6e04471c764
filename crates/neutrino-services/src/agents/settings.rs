// SPDX-License-Identifier: Apache-2.0
//! What the operator says about all agents. `agent_down_time` is declared by the core plugin, which reads it too.

use oslo_config::Opt;

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "enable_new_agents")
        .default("true")
        .help("Whether an agent that reports for the first time may be scheduled to at once."),
    Opt::str("DEFAULT", "dhcp_load_type")
        .default("networks")
        .choices(&["networks", "subnets", "ports"])
        .help("What a DHCP agent's load is counted in."),
    Opt::list("DEFAULT", "default_availability_zones").default("").help("Zones for networks and routers that name none; empty for any."),
    Opt::bool("DEFAULT", "enable_services_on_agents_with_admin_state_down")
        .default("false")
        .help("Keep what is scheduled to an agent working, and allow scheduling by hand, while its admin_state_up is false."),
];
