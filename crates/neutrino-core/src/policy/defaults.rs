// SPDX-License-Identifier: Apache-2.0
//! The default policy rules of neutron-server 29.0.0 and of the programs that extend it. Made by scripts/gen-policy-defaults from the
//! contract; change it there.

use oslo_policy::{DefaultRule, Operation, Scope};

const PROJECT: &[Scope] = &[Scope::Project];
const ROLES: &str = "The default tells readers, members, managers and administrators apart now.";
const TAGS: &str = "Tags are an attribute of their resource now, and so is their rule.";

/// The server itself.
#[rustfmt::skip]
pub static NEUTRON: [DefaultRule<'static>; 372] = [
    DefaultRule::new("context_is_admin", "role:admin")
        .described("The caller is an administrator.", &[]),
    DefaultRule::new("context_with_global_access", "!")
        .described("The caller sees the objects of every project.", &[]),
    DefaultRule::new("service_api", "role:service")
        .described("The caller is a service of the cloud.", &[]),
    DefaultRule::new("owner", "project_id:%(project_id)s")
        .described("The object is of the caller's project.", &[]),
    DefaultRule::new("admin_or_owner", "rule:context_is_admin or rule:owner")
        .described("An administrator, or the project that owns the object.", &[]),
    DefaultRule::new("context_is_advsvc", "role:advsvc")
        .described("The caller is a service of the cloud, by the old role.", &[]),
    DefaultRule::new("admin_or_network_owner", "rule:context_is_admin or project_id:%(network:project_id)s")
        .described("An administrator, or the project that owns the object's network.", &[]),
    DefaultRule::new("admin_owner_or_network_owner", "rule:owner or rule:admin_or_network_owner")
        .described("An administrator, or the project that owns the object or its network.", &[]),
    DefaultRule::new("network_owner", "project_id:%(network:project_id)s")
        .described("The object's network is of the caller's project.", &[]),
    DefaultRule::new("admin_only", "rule:context_is_admin")
        .described("An administrator.", &[]),
    DefaultRule::new("regular_user", "")
        .described("Anybody.", &[]),
    DefaultRule::new("shared", "field:networks:shared=True")
        .described("The network is shared with everybody.", &[]),
    DefaultRule::new("default", "rule:admin_or_owner")
        .described("For everything that has no rule of its own.", &[]),
    DefaultRule::new("admin_or_ext_parent_owner", "rule:context_is_admin or project_id:%(ext_parent:project_id)s")
        .described("An administrator, or the project that owns the object this one is part of.", &[]),
    DefaultRule::new("ext_parent_owner", "project_id:%(ext_parent:project_id)s")
        .described("The object this one is part of is of the caller's project.", &[]),
    DefaultRule::new("sg_owner", "project_id:%(security_group:project_id)s")
        .described("The security group of the rule is of the caller's project.", &[]),
    DefaultRule::new("shared_address_groups", "field:address_groups:shared=True")
        .described("The address groups are shared with everybody.", &[]),
    DefaultRule::new("create_address_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: address group.", &[Operation::new("POST", "/address-groups")])
        .replaces("create_address_group", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_address_group", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_address_groups")
        .scopes(PROJECT)
        .described("Show: address group.", &[Operation::new("GET", "/address-groups"), Operation::new("GET", "/address-groups/{id}")])
        .replaces("get_address_group", "rule:admin_or_owner or rule:shared_address_groups", ROLES, "Wallaby"),
    DefaultRule::new("update_address_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: address group.", &[Operation::new("PUT", "/address-groups/{id}")])
        .replaces("update_address_group", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_address_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: address group.", &[Operation::new("DELETE", "/address-groups/{id}")])
        .replaces("delete_address_group", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("add_addresses", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: addresses.", &[Operation::new("PUT", "/address-groups/{id}/add_addresses")])
        .replaces("add_addresses", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("remove_addresses", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: addresses.", &[Operation::new("PUT", "/address-groups/{id}/remove_addresses")])
        .replaces("remove_addresses", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("shared_address_scopes", "field:address_scopes:shared=True")
        .described("The address scopes are shared with everybody.", &[]),
    DefaultRule::new("create_address_scope", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: address scope.", &[Operation::new("POST", "/address-scopes")])
        .replaces("create_address_scope", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_address_scope:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: address scope, when it is created.", &[Operation::new("POST", "/address-scopes")])
        .replaces("create_address_scope:shared", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_address_scope", "rule:admin_only or role:reader and project_id:%(project_id)s or rule:shared_address_scopes")
        .scopes(PROJECT)
        .described("Show: address scope.", &[Operation::new("GET", "/address-scopes"), Operation::new("GET", "/address-scopes/{id}")])
        .replaces("get_address_scope", "rule:admin_or_owner or rule:shared_address_scopes", ROLES, "Wallaby"),
    DefaultRule::new("update_address_scope", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: address scope.", &[Operation::new("PUT", "/address-scopes/{id}")])
        .replaces("update_address_scope", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_address_scope:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change shared: address scope.", &[Operation::new("PUT", "/address-scopes/{id}")])
        .replaces("update_address_scope:shared", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_address_scope", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: address scope.", &[Operation::new("DELETE", "/address-scopes/{id}")])
        .replaces("delete_address_scope", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_agent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: agent.", &[Operation::new("POST", "/agents")]),
    DefaultRule::new("get_agent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: agent.", &[Operation::new("GET", "/agents"), Operation::new("GET", "/agents/{id}")])
        .replaces("get_agent", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_agent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: agent.", &[Operation::new("PUT", "/agents/{id}")])
        .replaces("update_agent", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_agent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: agent.", &[Operation::new("DELETE", "/agents/{id}")])
        .replaces("delete_agent", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_dhcp-network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: DHCP network.", &[Operation::new("POST", "/agents/{agent_id}/dhcp-networks")])
        .replaces("create_dhcp-network", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_dhcp-networks", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: DHCP networks.", &[Operation::new("GET", "/agents/{agent_id}/dhcp-networks")])
        .replaces("get_dhcp-networks", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_dhcp-network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: DHCP network.", &[Operation::new("DELETE", "/agents/{agent_id}/dhcp-networks/{network_id}")])
        .replaces("delete_dhcp-network", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_l3-router", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: L3 router.", &[Operation::new("POST", "/agents/{agent_id}/l3-routers")])
        .replaces("create_l3-router", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_l3-routers", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: L3 routers.", &[Operation::new("GET", "/agents/{agent_id}/l3-routers")])
        .replaces("get_l3-routers", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_l3-router", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: L3 router.", &[Operation::new("PUT", "/agents/{agent_id}/l3-routers/{router_id}")])
        .replaces("update_l3-router", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_l3-router", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: L3 router.", &[Operation::new("DELETE", "/agents/{agent_id}/l3-routers/{router_id}")])
        .replaces("delete_l3-router", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_dhcp-agents", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: DHCP agents.", &[Operation::new("GET", "/networks/{network_id}/dhcp-agents")])
        .replaces("get_dhcp-agents", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_l3-agents", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: L3 agents.", &[Operation::new("GET", "/routers/{router_id}/l3-agents")])
        .replaces("get_l3-agents", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_auto_allocated_topology", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: auto allocated topology.", &[Operation::new("GET", "/auto-allocated-topology/{project_id}")])
        .replaces("get_auto_allocated_topology", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_auto_allocated_topology", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: auto allocated topology.", &[Operation::new("DELETE", "/auto-allocated-topology/{project_id}")])
        .replaces("delete_auto_allocated_topology", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_availability_zone", "role:reader")
        .scopes(PROJECT)
        .described("Show: availability zone.", &[Operation::new("GET", "/availability_zones")])
        .replaces("get_availability_zone", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_default_security_group_rule", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: default security group rule.", &[Operation::new("POST", "/default-security-group-rules")])
        .replaces("create_default_security_group_rule", "rule:admin_only", ROLES, "2023.2"),
    DefaultRule::new("get_default_security_group_rule", "role:reader")
        .scopes(PROJECT)
        .described("Show: default security group rule.", &[Operation::new("GET", "/default-security-group-rules"), Operation::new("GET", "/default-security-group-rules/{id}")])
        .replaces("get_default_security_group_rule", "rule:regular_user", ROLES, "2023.2"),
    DefaultRule::new("delete_default_security_group_rule", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: default security group rule.", &[Operation::new("DELETE", "/default-security-group-rules/{id}")])
        .replaces("delete_default_security_group_rule", "rule:admin_only", ROLES, "2023.2"),
    DefaultRule::new("create_router:evpn_vni", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set evpn_vni: router, when it is created.", &[Operation::new("POST", "/routers")]),
    DefaultRule::new("get_router:evpn_vni", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See evpn_vni: router.", &[Operation::new("GET", "/routers"), Operation::new("GET", "/routers/{id}")]),
    DefaultRule::new("create_flavor", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: flavor.", &[Operation::new("POST", "/flavors")])
        .replaces("create_flavor", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_flavor", "role:reader")
        .scopes(PROJECT)
        .described("Show: flavor.", &[Operation::new("GET", "/flavors"), Operation::new("GET", "/flavors/{id}")])
        .replaces("get_flavor", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("update_flavor", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: flavor.", &[Operation::new("PUT", "/flavors/{id}")])
        .replaces("update_flavor", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_flavor", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: flavor.", &[Operation::new("DELETE", "/flavors/{id}")])
        .replaces("delete_flavor", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: service profile.", &[Operation::new("POST", "/service_profiles")])
        .replaces("create_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: service profile.", &[Operation::new("GET", "/service_profiles"), Operation::new("GET", "/service_profiles/{id}")])
        .replaces("get_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: service profile.", &[Operation::new("PUT", "/service_profiles/{id}")])
        .replaces("update_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: service profile.", &[Operation::new("DELETE", "/service_profiles/{id}")])
        .replaces("delete_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_flavor_service_profile", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: flavor service profile.", &[])
        .replaces("get_flavor_service_profile", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_flavor_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: flavor service profile.", &[Operation::new("POST", "/flavors/{flavor_id}/service_profiles")])
        .replaces("create_flavor_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_flavor_service_profile", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: flavor service profile.", &[Operation::new("DELETE", "/flavors/{flavor_id}/service_profiles/{profile_id}")])
        .replaces("delete_flavor_service_profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_floatingip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: floating IP.", &[Operation::new("POST", "/floatingips")])
        .replaces("create_floatingip", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_floatingip:floating_ip_address", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set floating_ip_address: floating IP, when it is created.", &[Operation::new("POST", "/floatingips")])
        .replaces("create_floatingip:floating_ip_address", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_floatingip:router_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set router_id: floating IP, when it is created.", &[Operation::new("POST", "/floatingips")]),
    DefaultRule::new("create_floatingip:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: floating IP.", &[Operation::new("POST", "/floatingips/{id}/tags")])
        .replaces("create_floatingips_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_floatingip", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: floating IP.", &[Operation::new("GET", "/floatingips"), Operation::new("GET", "/floatingips/{id}")])
        .replaces("get_floatingip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_floatingip:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See the tags: floating IP.", &[Operation::new("GET", "/floatingips/{id}/tags"), Operation::new("GET", "/floatingips/{id}/tags/{tag_id}")])
        .replaces("get_floatingips_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("update_floatingip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: floating IP.", &[Operation::new("PUT", "/floatingips/{id}")])
        .replaces("update_floatingip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_floatingip:router_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change router_id: floating IP.", &[Operation::new("PUT", "/floatingips/{id}")]),
    DefaultRule::new("update_floatingip:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: floating IP.", &[Operation::new("PUT", "/floatingips/{id}/tags"), Operation::new("PUT", "/floatingips/{id}/tags/{tag_id}")])
        .replaces("update_floatingips_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_floatingip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: floating IP.", &[Operation::new("DELETE", "/floatingips/{id}")])
        .replaces("delete_floatingip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_floatingip:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: floating IP.", &[Operation::new("DELETE", "/floatingips/{id}/tags"), Operation::new("DELETE", "/floatingips/{id}/tags/{tag_id}")])
        .replaces("delete_floatingips_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_floatingip_pool", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: floating IP pool.", &[Operation::new("GET", "/floatingip_pools")])
        .replaces("get_floatingip_pool", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_floatingip_port_forwarding", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: floating IP port forwarding.", &[Operation::new("POST", "/floatingips/{floatingip_id}/port_forwardings")])
        .replaces("create_floatingip_port_forwarding", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_floatingip_port_forwarding", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: floating IP port forwarding.", &[Operation::new("GET", "/floatingips/{floatingip_id}/port_forwardings"), Operation::new("GET", "/floatingips/{floatingip_id}/port_forwardings/{port_forwarding_id}")])
        .replaces("get_floatingip_port_forwarding", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_floatingip_port_forwarding", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: floating IP port forwarding.", &[Operation::new("PUT", "/floatingips/{floatingip_id}/port_forwardings/{port_forwarding_id}")])
        .replaces("update_floatingip_port_forwarding", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_floatingip_port_forwarding", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: floating IP port forwarding.", &[Operation::new("DELETE", "/floatingips/{floatingip_id}/port_forwardings/{port_forwarding_id}")])
        .replaces("delete_floatingip_port_forwarding", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_router_conntrack_helper", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: router conntrack helper.", &[Operation::new("POST", "/routers/{router_id}/conntrack_helpers")])
        .replaces("create_router_conntrack_helper", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_router_conntrack_helper", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: router conntrack helper.", &[Operation::new("GET", "/routers/{router_id}/conntrack_helpers"), Operation::new("GET", "/routers/{router_id}/conntrack_helpers/{conntrack_helper_id}")])
        .replaces("get_router_conntrack_helper", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_router_conntrack_helper", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: router conntrack helper.", &[Operation::new("PUT", "/routers/{router_id}/conntrack_helpers/{conntrack_helper_id}")])
        .replaces("update_router_conntrack_helper", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_router_conntrack_helper", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: router conntrack helper.", &[Operation::new("DELETE", "/routers/{router_id}/conntrack_helpers/{conntrack_helper_id}")])
        .replaces("delete_router_conntrack_helper", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_local_ip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: local IP.", &[Operation::new("POST", "/local-ips")])
        .replaces("create_local_ip", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_local_ip", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: local IP.", &[Operation::new("GET", "/local-ips"), Operation::new("GET", "/local-ips/{id}")])
        .replaces("get_local_ip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_local_ip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: local IP.", &[Operation::new("PUT", "/local-ips/{id}")])
        .replaces("update_local_ip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_local_ip", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: local IP.", &[Operation::new("DELETE", "/local-ips/{id}")])
        .replaces("delete_local_ip", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_local_ip_port_association", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: local IP port association.", &[Operation::new("POST", "/local_ips/{local_ip_id}/port_associations")])
        .replaces("create_local_ip_port_association", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_local_ip_port_association", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: local IP port association.", &[Operation::new("GET", "/local_ips/{local_ip_id}/port_associations"), Operation::new("GET", "/local_ips/{local_ip_id}/port_associations/{fixed_port_id}")])
        .replaces("get_local_ip_port_association", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_local_ip_port_association", "(rule:admin_only) or (role:member and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: local IP port association.", &[Operation::new("DELETE", "/local_ips/{local_ip_id}/port_associations/{fixed_port_id}")])
        .replaces("delete_local_ip_port_association", "rule:admin_or_ext_parent_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_loggable_resource", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: loggable resource.", &[Operation::new("GET", "/log/loggable-resources")])
        .replaces("get_loggable_resource", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_log", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: log.", &[Operation::new("POST", "/log/logs")])
        .replaces("create_log", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_log", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: log.", &[Operation::new("GET", "/log/logs"), Operation::new("GET", "/log/logs/{id}")])
        .replaces("get_log", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_log", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: log.", &[Operation::new("PUT", "/log/logs/{id}")])
        .replaces("update_log", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_log", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: log.", &[Operation::new("DELETE", "/log/logs/{id}")])
        .replaces("delete_log", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_metering_label", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: metering label.", &[Operation::new("POST", "/metering/metering-labels")])
        .replaces("create_metering_label", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_metering_label", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: metering label.", &[Operation::new("GET", "/metering/metering-labels"), Operation::new("GET", "/metering/metering-labels/{id}")])
        .replaces("get_metering_label", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_metering_label", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: metering label.", &[Operation::new("DELETE", "/metering/metering-labels/{id}")])
        .replaces("delete_metering_label", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_metering_label_rule", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: metering label rule.", &[Operation::new("POST", "/metering/metering-label-rules")])
        .replaces("create_metering_label_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_metering_label_rule", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: metering label rule.", &[Operation::new("GET", "/metering/metering-label-rules"), Operation::new("GET", "/metering/metering-label-rules/{id}")])
        .replaces("get_metering_label_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_metering_label_rule", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: metering label rule.", &[Operation::new("DELETE", "/metering/metering-label-rules/{id}")])
        .replaces("delete_metering_label_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_ndp_proxy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: NDP proxy.", &[Operation::new("POST", "/ndp_proxies")])
        .replaces("create_ndp_proxy", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_ndp_proxy", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: NDP proxy.", &[Operation::new("GET", "/ndp_proxies"), Operation::new("GET", "/ndp_proxies/{id}")])
        .replaces("get_ndp_proxy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_ndp_proxy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: NDP proxy.", &[Operation::new("PUT", "/ndp_proxies/{id}")])
        .replaces("update_ndp_proxy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_ndp_proxy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: NDP proxy.", &[Operation::new("DELETE", "/ndp_proxies/{id}")])
        .replaces("delete_ndp_proxy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("external", "field:networks:router:external=True")
        .described("The network is external.", &[]),
    DefaultRule::new("create_network", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: network.", &[Operation::new("POST", "/networks")])
        .replaces("create_network", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_network:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:shared", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:router:external", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set router:external: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:router:external", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:is_default", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set is_default: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:is_default", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:port_security_enabled", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set port_security_enabled: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:port_security_enabled", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_network:segments", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set segments: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:segments", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:provider:network_type", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set provider:network_type: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:provider:network_type", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:provider:physical_network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set provider:physical_network: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:provider:physical_network", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:provider:segmentation_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set provider:segmentation_id: network, when it is created.", &[Operation::new("POST", "/networks")])
        .replaces("create_network:provider:segmentation_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: network.", &[Operation::new("POST", "/networks/{id}/tags")])
        .replaces("create_networks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_network", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:service_api or rule:shared or rule:external or rule:context_is_advsvc")
        .scopes(PROJECT)
        .described("Show: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")])
        .replaces("get_network", "rule:admin_or_owner or rule:shared or rule:external or rule:context_is_advsvc", ROLES, "Wallaby"),
    DefaultRule::new("get_network:segments", "rule:admin_only")
        .scopes(PROJECT)
        .described("See segments: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")])
        .replaces("get_network:segments", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_network:provider:network_type", "rule:admin_only")
        .scopes(PROJECT)
        .described("See provider:network_type: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")])
        .replaces("get_network:provider:network_type", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_network:provider:physical_network", "rule:admin_only")
        .scopes(PROJECT)
        .described("See provider:physical_network: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")])
        .replaces("get_network:provider:physical_network", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_network:provider:segmentation_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("See provider:segmentation_id: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")])
        .replaces("get_network:provider:segmentation_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_network:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared or rule:external or rule:context_is_advsvc")
        .scopes(PROJECT)
        .described("See the tags: network.", &[Operation::new("GET", "/networks/{id}/tags"), Operation::new("GET", "/networks/{id}/tags/{tag_id}")])
        .replaces("get_networks_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("update_network", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_network:segments", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change segments: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:segments", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change shared: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:shared", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:provider:network_type", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change provider:network_type: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:provider:network_type", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:provider:physical_network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change provider:physical_network: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:provider:physical_network", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:provider:segmentation_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change provider:segmentation_id: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:provider:segmentation_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:router:external", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change router:external: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:router:external", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:is_default", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change is_default: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:is_default", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network:port_security_enabled", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change port_security_enabled: network.", &[Operation::new("PUT", "/networks/{id}")])
        .replaces("update_network:port_security_enabled", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_network:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: network.", &[Operation::new("PUT", "/networks/{id}/tags"), Operation::new("PUT", "/networks/{id}/tags/{tag_id}")])
        .replaces("update_networks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_network", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: network.", &[Operation::new("DELETE", "/networks/{id}")])
        .replaces("delete_network", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_network:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: network.", &[Operation::new("DELETE", "/networks/{id}/tags"), Operation::new("DELETE", "/networks/{id}/tags/{tag_id}")])
        .replaces("delete_networks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_network_ip_availability", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("Show: network IP availability.", &[Operation::new("GET", "/network-ip-availabilities"), Operation::new("GET", "/network-ip-availabilities/{network_id}")])
        .replaces("get_network_ip_availability", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network_segment_range", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: network segment range.", &[Operation::new("POST", "/network_segment_ranges")])
        .replaces("create_network_segment_range", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_network_segment_range:tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Add tags: network segment range.", &[Operation::new("POST", "/network_segment_ranges/{id}/tags")])
        .replaces("create_network_segment_ranges_tags", "rule:admin_only", TAGS, "2025.1"),
    DefaultRule::new("get_network_segment_range", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: network segment range.", &[Operation::new("GET", "/network_segment_ranges"), Operation::new("GET", "/network_segment_ranges/{id}")])
        .replaces("get_network_segment_range", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_network_segment_range:tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("See the tags: network segment range.", &[Operation::new("GET", "/network_segment_ranges/{id}/tags"), Operation::new("GET", "/network_segment_ranges/{id}/tags/{tag_id}")])
        .replaces("get_network_segment_ranges_tags", "rule:admin_only", TAGS, "2025.1"),
    DefaultRule::new("update_network_segment_range", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: network segment range.", &[Operation::new("PUT", "/network_segment_ranges/{id}")])
        .replaces("update_network_segment_range", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_network_segment_range:tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Replace the tags: network segment range.", &[Operation::new("PUT", "/network_segment_ranges/{id}/tags"), Operation::new("PUT", "/network_segment_ranges/{id}/tags/{tag_id}")])
        .replaces("update_network_segment_ranges_tags", "rule:admin_only", TAGS, "2025.1"),
    DefaultRule::new("delete_network_segment_range", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: network segment range.", &[Operation::new("DELETE", "/network_segment_ranges/{id}")])
        .replaces("delete_network_segment_range", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_network_segment_range:tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove tags: network segment range.", &[Operation::new("DELETE", "/network_segment_ranges/{id}/tags"), Operation::new("DELETE", "/network_segment_ranges/{id}/tags/{tag_id}")])
        .replaces("delete_network_segment_ranges_tags", "rule:admin_only", TAGS, "2025.1"),
    DefaultRule::new("get_port_binding", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("Show: port binding.", &[Operation::new("GET", "/ports/{port_id}/bindings")]),
    DefaultRule::new("create_port_binding", "rule:service_api")
        .scopes(PROJECT)
        .described("Create: port binding.", &[Operation::new("POST", "/ports/{port_id}/bindings")]),
    DefaultRule::new("delete_port_binding", "rule:service_api")
        .scopes(PROJECT)
        .described("Delete: port binding.", &[Operation::new("DELETE", "/ports/{port_id}/bindings/{host}")]),
    DefaultRule::new("activate", "rule:service_api")
        .scopes(PROJECT)
        .described("Activate the binding of a port to another host.", &[Operation::new("PUT", "/ports/{port_id}/bindings/{host}/activate")]),
    DefaultRule::new("network_device", "field:port:device_owner=~^network:")
        .described("The port is a device of the network itself, such as a router's or a DHCP server's.", &[]),
    DefaultRule::new("compute_device", "field:port:device_owner=~^compute:")
        .described("The port is of a virtual machine.", &[]),
    DefaultRule::new("baremetal_device", "field:port:device_owner=~^baremetal:")
        .described("The port is of a bare-metal machine.", &[]),
    DefaultRule::new("manila_device", "field:port:device_owner=~^manila:")
        .described("The port is of a share server.", &[]),
    DefaultRule::new("admin_or_data_plane_int", "rule:context_is_admin or role:data_plane_integrator")
        .described("An administrator, or a program that reports the state of the data plane.", &[]),
    DefaultRule::new("create_port", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner or rule:shared")
        .scopes(PROJECT)
        .described("Create: port.", &[Operation::new("POST", "/ports")])
        .replaces("create_port", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_port:device_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:service_api")
        .scopes(PROJECT)
        .described("Set device_id: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:device_id", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_port:device_owner", "not rule:network_device or (rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Set device_owner: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:device_owner", "not rule:network_device or rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:mac_address", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Set mac_address: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:mac_address", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:fixed_ips", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner or rule:shared")
        .scopes(PROJECT)
        .described("Set fixed_ips: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:fixed_ips", "rule:context_is_advsvc or rule:admin_or_network_owner or rule:shared", ROLES, "Wallaby"),
    DefaultRule::new("create_port:fixed_ips:ip_address", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Set fixed_ips:ip_address: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:fixed_ips:ip_address", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:fixed_ips:subnet_id", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner or rule:shared")
        .scopes(PROJECT)
        .described("Set fixed_ips:subnet_id: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:fixed_ips:subnet_id", "rule:context_is_advsvc or rule:admin_or_network_owner or rule:shared", ROLES, "Wallaby"),
    DefaultRule::new("create_port:port_security_enabled", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Set port_security_enabled: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:port_security_enabled", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:binding:host_id", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("Set binding:host_id: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:binding:host_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_port:binding:profile", "rule:service_api")
        .scopes(PROJECT)
        .described("Set binding:profile: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:binding:profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_port:binding:vnic_type", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:service_api")
        .scopes(PROJECT)
        .described("Set binding:vnic_type: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:binding:vnic_type", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_port:allowed_address_pairs", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Set allowed_address_pairs: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:allowed_address_pairs", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:allowed_address_pairs:mac_address", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Set allowed_address_pairs:mac_address: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:allowed_address_pairs:mac_address", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:allowed_address_pairs:ip_address", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Set allowed_address_pairs:ip_address: port, when it is created.", &[Operation::new("POST", "/ports")])
        .replaces("create_port:allowed_address_pairs:ip_address", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_port:hints", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set hints: port, when it is created.", &[Operation::new("POST", "/ports")]),
    DefaultRule::new("create_port:trusted", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set trusted: port, when it is created.", &[Operation::new("POST", "/ports")]),
    DefaultRule::new("create_port:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc")
        .scopes(PROJECT)
        .described("Add tags: port.", &[Operation::new("POST", "/ports/{id}/tags")])
        .replaces("create_ports_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc", TAGS, "2025.1"),
    DefaultRule::new("get_port", "(rule:admin_only) or (rule:service_api) or role:reader and rule:network_owner or role:reader and project_id:%(project_id)s")
        .scopes(PROJECT)
        .described("Show: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port", "rule:context_is_advsvc or rule:admin_owner_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_port:binding:vif_type", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("See binding:vif_type: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port:binding:vif_type", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_port:binding:vif_details", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("See binding:vif_details: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port:binding:vif_details", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_port:binding:host_id", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("See binding:host_id: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port:binding:host_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_port:binding:profile", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("See binding:profile: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port:binding:profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_port:resource_request", "rule:admin_only")
        .scopes(PROJECT)
        .described("See resource_request: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")])
        .replaces("get_port:resource_request", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_port:hints", "rule:admin_only")
        .scopes(PROJECT)
        .described("See hints: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")]),
    DefaultRule::new("get_port:trusted", "rule:admin_only")
        .scopes(PROJECT)
        .described("See trusted: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")]),
    DefaultRule::new("get_port:tags", "rule:context_is_advsvc or (rule:admin_only) or (role:reader and rule:network_owner) or role:reader and project_id:%(project_id)s")
        .scopes(PROJECT)
        .described("See the tags: port.", &[Operation::new("GET", "/ports/{id}/tags"), Operation::new("GET", "/ports/{id}/tags/{tag_id}")])
        .replaces("get_ports_tags", "rule:context_is_advsvc or (rule:admin_only) or (role:reader and rule:network_owner) or role:reader and project_id:%(project_id)s", TAGS, "2025.1"),
    DefaultRule::new("update_port", "(rule:admin_only) or (rule:service_api) or role:member and project_id:%(project_id)s")
        .scopes(PROJECT)
        .described("Change: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port", "rule:admin_or_owner or rule:context_is_advsvc", ROLES, "Wallaby"),
    DefaultRule::new("update_port:device_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:service_api")
        .scopes(PROJECT)
        .described("Change device_id: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:device_id", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("update_port:device_owner", "not rule:network_device or (rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Change device_owner: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:device_owner", "not rule:network_device or rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:mac_address", "(rule:admin_only) or (rule:service_api) or role:manager and rule:network_owner")
        .scopes(PROJECT)
        .described("Change mac_address: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:mac_address", "rule:admin_only or rule:context_is_advsvc", ROLES, "Wallaby"),
    DefaultRule::new("update_port:fixed_ips", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Change fixed_ips: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:fixed_ips", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:fixed_ips:ip_address", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Change fixed_ips:ip_address: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:fixed_ips:ip_address", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:fixed_ips:subnet_id", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner or rule:shared")
        .scopes(PROJECT)
        .described("Change fixed_ips:subnet_id: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:fixed_ips:subnet_id", "rule:context_is_advsvc or rule:admin_or_network_owner or rule:shared", ROLES, "Wallaby"),
    DefaultRule::new("update_port:port_security_enabled", "(rule:admin_only) or (rule:service_api) or role:member and rule:network_owner")
        .scopes(PROJECT)
        .described("Change port_security_enabled: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:port_security_enabled", "rule:context_is_advsvc or rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:binding:host_id", "(rule:admin_only) or (rule:service_api)")
        .scopes(PROJECT)
        .described("Change binding:host_id: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:binding:host_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_port:binding:profile", "rule:service_api")
        .scopes(PROJECT)
        .described("Change binding:profile: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:binding:profile", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_port:binding:vnic_type", "(rule:admin_only) or (rule:service_api) or role:member and project_id:%(project_id)s")
        .scopes(PROJECT)
        .described("Change binding:vnic_type: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:binding:vnic_type", "rule:admin_or_owner or rule:context_is_advsvc", ROLES, "Wallaby"),
    DefaultRule::new("update_port:allowed_address_pairs", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Change allowed_address_pairs: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:allowed_address_pairs", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:allowed_address_pairs:mac_address", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Change allowed_address_pairs:mac_address: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:allowed_address_pairs:mac_address", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:allowed_address_pairs:ip_address", "(rule:admin_only) or (role:member and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Change allowed_address_pairs:ip_address: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:allowed_address_pairs:ip_address", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_port:data_plane_status", "rule:admin_only or role:data_plane_integrator")
        .scopes(PROJECT)
        .described("Change data_plane_status: port.", &[Operation::new("PUT", "/ports/{id}")])
        .replaces("update_port:data_plane_status", "rule:admin_or_data_plane_int", ROLES, "Wallaby"),
    DefaultRule::new("update_port:hints", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change hints: port.", &[Operation::new("PUT", "/ports/{id}")]),
    DefaultRule::new("update_port:trusted", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change trusted: port.", &[Operation::new("PUT", "/ports/{id}")]),
    DefaultRule::new("update_port:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc")
        .scopes(PROJECT)
        .described("Replace the tags: port.", &[Operation::new("PUT", "/ports/{id}/tags"), Operation::new("PUT", "/ports/{id}/tags/{tag_id}")])
        .replaces("update_ports_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s) or rule:context_is_advsvc", TAGS, "2025.1"),
    DefaultRule::new("delete_port", "(rule:admin_only) or (rule:service_api) or (service_roles:service and (role:member and rule:network_owner or role:member and project_id:%(project_id)s)) or (not rule:compute_device and not rule:baremetal_device and not rule:manila_device and (role:member and rule:network_owner or role:member and project_id:%(project_id)s))")
        .scopes(PROJECT)
        .described("Delete: port.", &[Operation::new("DELETE", "/ports/{id}")])
        .replaces("delete_port", "rule:context_is_advsvc or rule:admin_owner_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_port:tags", "rule:context_is_advsvc or role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Remove tags: port.", &[Operation::new("DELETE", "/ports/{id}/tags"), Operation::new("DELETE", "/ports/{id}/tags/{tag_id}")])
        .replaces("delete_ports_tags", "rule:context_is_advsvc or role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)", TAGS, "2025.1"),
    DefaultRule::new("create_port:pvlan_type", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set pvlan_type: port, when it is created.", &[Operation::new("POST", "/ports")]),
    DefaultRule::new("create_port:pvlan_community", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set pvlan_community: port, when it is created.", &[Operation::new("POST", "/ports")]),
    DefaultRule::new("update_port:pvlan_type", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change pvlan_type: port.", &[Operation::new("PUT", "/ports/{id}")]),
    DefaultRule::new("update_port:pvlan_community", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change pvlan_community: port.", &[Operation::new("PUT", "/ports/{id}")]),
    DefaultRule::new("get_port:pvlan_type", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See pvlan_type: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")]),
    DefaultRule::new("get_port:pvlan_community", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See pvlan_community: port.", &[Operation::new("GET", "/ports"), Operation::new("GET", "/ports/{id}")]),
    DefaultRule::new("create_network:pvlan", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set pvlan: network, when it is created.", &[Operation::new("POST", "/networks")]),
    DefaultRule::new("update_network:pvlan", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change pvlan: network.", &[Operation::new("PUT", "/networks/{id}")]),
    DefaultRule::new("get_network:pvlan", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See pvlan: network.", &[Operation::new("GET", "/networks"), Operation::new("GET", "/networks/{id}")]),
    DefaultRule::new("shared_qos_policy", "field:policies:shared=True")
        .described("The QoS policy is shared with everybody.", &[]),
    DefaultRule::new("get_policy", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_qos_policy")
        .scopes(PROJECT)
        .described("Show: policy.", &[Operation::new("GET", "/qos/policies"), Operation::new("GET", "/qos/policies/{id}")])
        .replaces("get_policy", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_policy:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_qos_policy")
        .scopes(PROJECT)
        .described("See the tags: policy.", &[Operation::new("GET", "/qos/policies/{id}/tags"), Operation::new("GET", "/qos/policies/{id}/tags/{tag_id}")])
        .replaces("get_policies_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_qos_policy", TAGS, "2025.1"),
    DefaultRule::new("create_policy", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: policy.", &[Operation::new("POST", "/qos/policies")])
        .replaces("create_policy", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_policy:tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: policy.", &[Operation::new("POST", "/qos/policies/{id}/tags")])
        .replaces("create_policies_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("update_policy", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: policy.", &[Operation::new("PUT", "/qos/policies/{id}")])
        .replaces("update_policy", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_policy:tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: policy.", &[Operation::new("PUT", "/qos/policies/{id}/tags"), Operation::new("PUT", "/qos/policies/{id}/tags/{tag_id}")])
        .replaces("update_policies_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_policy", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: policy.", &[Operation::new("DELETE", "/qos/policies/{id}")])
        .replaces("delete_policy", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_policy:tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: policy.", &[Operation::new("DELETE", "/qos/policies/{id}/tags"), Operation::new("DELETE", "/qos/policies/{id}/tags/{tag_id}")])
        .replaces("delete_policies_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_rule_type", "role:reader")
        .scopes(PROJECT)
        .described("Show: rule type.", &[Operation::new("GET", "/qos/rule-types"), Operation::new("GET", "/qos/rule-types/{rule_type}")])
        .replaces("get_rule_type", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_policy_bandwidth_limit_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: policy bandwidth limit rule.", &[Operation::new("GET", "/qos/policies/{policy_id}/bandwidth_limit_rules"), Operation::new("GET", "/qos/policies/{policy_id}/bandwidth_limit_rules/{rule_id}")])
        .replaces("get_policy_bandwidth_limit_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_policy_bandwidth_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: policy bandwidth limit rule.", &[Operation::new("POST", "/qos/policies/{policy_id}/bandwidth_limit_rules")])
        .replaces("create_policy_bandwidth_limit_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_policy_bandwidth_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: policy bandwidth limit rule.", &[Operation::new("PUT", "/qos/policies/{policy_id}/bandwidth_limit_rules/{rule_id}")])
        .replaces("update_policy_bandwidth_limit_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_policy_bandwidth_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: policy bandwidth limit rule.", &[Operation::new("DELETE", "/qos/policies/{policy_id}/bandwidth_limit_rules/{rule_id}")])
        .replaces("delete_policy_bandwidth_limit_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_policy_packet_rate_limit_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: policy packet rate limit rule.", &[Operation::new("GET", "/qos/policies/{policy_id}/packet_rate_limit_rules"), Operation::new("GET", "/qos/policies/{policy_id}/packet_rate_limit_rules/{rule_id}")]),
    DefaultRule::new("create_policy_packet_rate_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: policy packet rate limit rule.", &[Operation::new("POST", "/qos/policies/{policy_id}/packet_rate_limit_rules")]),
    DefaultRule::new("update_policy_packet_rate_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: policy packet rate limit rule.", &[Operation::new("PUT", "/qos/policies/{policy_id}/packet_rate_limit_rules/{rule_id}")]),
    DefaultRule::new("delete_policy_packet_rate_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: policy packet rate limit rule.", &[Operation::new("DELETE", "/qos/policies/{policy_id}/packet_rate_limit_rules/{rule_id}")]),
    DefaultRule::new("get_policy_dscp_marking_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: policy DSCP marking rule.", &[Operation::new("GET", "/qos/policies/{policy_id}/dscp_marking_rules"), Operation::new("GET", "/qos/policies/{policy_id}/dscp_marking_rules/{rule_id}")])
        .replaces("get_policy_dscp_marking_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_policy_dscp_marking_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: policy DSCP marking rule.", &[Operation::new("POST", "/qos/policies/{policy_id}/dscp_marking_rules")])
        .replaces("create_policy_dscp_marking_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_policy_dscp_marking_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: policy DSCP marking rule.", &[Operation::new("PUT", "/qos/policies/{policy_id}/dscp_marking_rules/{rule_id}")])
        .replaces("update_policy_dscp_marking_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_policy_dscp_marking_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: policy DSCP marking rule.", &[Operation::new("DELETE", "/qos/policies/{policy_id}/dscp_marking_rules/{rule_id}")])
        .replaces("delete_policy_dscp_marking_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_policy_minimum_bandwidth_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: policy minimum bandwidth rule.", &[Operation::new("GET", "/qos/policies/{policy_id}/minimum_bandwidth_rules"), Operation::new("GET", "/qos/policies/{policy_id}/minimum_bandwidth_rules/{rule_id}")])
        .replaces("get_policy_minimum_bandwidth_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_policy_minimum_bandwidth_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: policy minimum bandwidth rule.", &[Operation::new("POST", "/qos/policies/{policy_id}/minimum_bandwidth_rules")])
        .replaces("create_policy_minimum_bandwidth_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_policy_minimum_bandwidth_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: policy minimum bandwidth rule.", &[Operation::new("PUT", "/qos/policies/{policy_id}/minimum_bandwidth_rules/{rule_id}")])
        .replaces("update_policy_minimum_bandwidth_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_policy_minimum_bandwidth_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: policy minimum bandwidth rule.", &[Operation::new("DELETE", "/qos/policies/{policy_id}/minimum_bandwidth_rules/{rule_id}")])
        .replaces("delete_policy_minimum_bandwidth_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_policy_minimum_packet_rate_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: policy minimum packet rate rule.", &[Operation::new("GET", "/qos/policies/{policy_id}/minimum_packet_rate_rules"), Operation::new("GET", "/qos/policies/{policy_id}/minimum_packet_rate_rules/{rule_id}")]),
    DefaultRule::new("create_policy_minimum_packet_rate_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Create: policy minimum packet rate rule.", &[Operation::new("POST", "/qos/policies/{policy_id}/minimum_packet_rate_rules")]),
    DefaultRule::new("update_policy_minimum_packet_rate_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: policy minimum packet rate rule.", &[Operation::new("PUT", "/qos/policies/{policy_id}/minimum_packet_rate_rules/{rule_id}")]),
    DefaultRule::new("delete_policy_minimum_packet_rate_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: policy minimum packet rate rule.", &[Operation::new("DELETE", "/qos/policies/{policy_id}/minimum_packet_rate_rules/{rule_id}")]),
    DefaultRule::new("get_alias_bandwidth_limit_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: alias bandwidth limit rule.", &[Operation::new("GET", "/qos/alias_bandwidth_limit_rules/{rule_id}/")])
        .replaces("get_alias_bandwidth_limit_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("update_alias_bandwidth_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: alias bandwidth limit rule.", &[Operation::new("PUT", "/qos/alias_bandwidth_limit_rules/{rule_id}/")])
        .replaces("update_alias_bandwidth_limit_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_alias_bandwidth_limit_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: alias bandwidth limit rule.", &[Operation::new("DELETE", "/qos/alias_bandwidth_limit_rules/{rule_id}/")])
        .replaces("delete_alias_bandwidth_limit_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_alias_dscp_marking_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: alias DSCP marking rule.", &[Operation::new("GET", "/qos/alias_dscp_marking_rules/{rule_id}/")])
        .replaces("get_alias_dscp_marking_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("update_alias_dscp_marking_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: alias DSCP marking rule.", &[Operation::new("PUT", "/qos/alias_dscp_marking_rules/{rule_id}/")])
        .replaces("update_alias_dscp_marking_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_alias_dscp_marking_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: alias DSCP marking rule.", &[Operation::new("DELETE", "/qos/alias_dscp_marking_rules/{rule_id}/")])
        .replaces("delete_alias_dscp_marking_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_alias_minimum_bandwidth_rule", "(rule:admin_only) or (role:reader and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Show: alias minimum bandwidth rule.", &[Operation::new("GET", "/qos/alias_minimum_bandwidth_rules/{rule_id}/")])
        .replaces("get_alias_minimum_bandwidth_rule", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("update_alias_minimum_bandwidth_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Change: alias minimum bandwidth rule.", &[Operation::new("PUT", "/qos/alias_minimum_bandwidth_rules/{rule_id}/")])
        .replaces("update_alias_minimum_bandwidth_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_alias_minimum_bandwidth_rule", "(rule:admin_only) or (role:manager and rule:ext_parent_owner)")
        .scopes(PROJECT)
        .described("Delete: alias minimum bandwidth rule.", &[Operation::new("DELETE", "/qos/alias_minimum_bandwidth_rules/{rule_id}/")])
        .replaces("delete_alias_minimum_bandwidth_rule", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_alias_minimum_packet_rate_rule", "rule:get_policy_minimum_packet_rate_rule")
        .scopes(PROJECT)
        .described("Show: alias minimum packet rate rule.", &[Operation::new("GET", "/qos/alias_minimum_packet_rate_rules/{rule_id}/")]),
    DefaultRule::new("update_alias_minimum_packet_rate_rule", "rule:update_policy_minimum_packet_rate_rule")
        .scopes(PROJECT)
        .described("Change: alias minimum packet rate rule.", &[Operation::new("PUT", "/qos/alias_minimum_packet_rate_rules/{rule_id}/")]),
    DefaultRule::new("delete_alias_minimum_packet_rate_rule", "rule:delete_policy_minimum_packet_rate_rule")
        .scopes(PROJECT)
        .described("Delete: alias minimum packet rate rule.", &[Operation::new("DELETE", "/qos/alias_minimum_packet_rate_rules/{rule_id}/")]),
    DefaultRule::new("get_quota", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: quota.", &[Operation::new("GET", "/quotas"), Operation::new("GET", "/quotas/{id}")])
        .replaces("get_quota", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_quota", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: quota.", &[Operation::new("PUT", "/quotas/{id}")])
        .replaces("update_quota", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_quota", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: quota.", &[Operation::new("DELETE", "/quotas/{id}")])
        .replaces("delete_quota", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("restrict_wildcard", "(not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*) or rule:admin_only")
        .described("An administrator, or anybody who does not share with all projects.", &[]),
    DefaultRule::new("create_rbac_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: RBAC policy.", &[Operation::new("POST", "/rbac-policies")])
        .replaces("create_rbac_policy", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_rbac_policy:target_tenant", "rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)")
        .scopes(PROJECT)
        .described("Set target_tenant: RBAC policy, when it is created.", &[Operation::new("POST", "/rbac-policies")])
        .replaces("create_rbac_policy:target_tenant", "rule:restrict_wildcard", ROLES, "Wallaby")
        .goes("Write create_rbac_policy:target_project instead.", "2025.1"),
    DefaultRule::new("create_rbac_policy:target_project", "rule:admin_only or not field:rbac_policy:target_project=*")
        .scopes(PROJECT)
        .described("Set target_project: RBAC policy, when it is created.", &[Operation::new("POST", "/rbac-policies")]),
    DefaultRule::new("update_rbac_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: RBAC policy.", &[Operation::new("PUT", "/rbac-policies/{id}")])
        .replaces("update_rbac_policy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_rbac_policy:target_tenant", "rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)")
        .scopes(PROJECT)
        .described("Change target_tenant: RBAC policy.", &[Operation::new("PUT", "/rbac-policies/{id}")])
        .replaces("update_rbac_policy:target_tenant", "rule:restrict_wildcard and rule:admin_or_owner", ROLES, "Wallaby")
        .goes("Write update_rbac_policy:target_project instead.", "2025.1"),
    DefaultRule::new("update_rbac_policy:target_project", "rule:admin_only or not field:rbac_policy:target_project=*")
        .scopes(PROJECT)
        .described("Change target_project: RBAC policy.", &[Operation::new("PUT", "/rbac-policies/{id}")]),
    DefaultRule::new("get_rbac_policy", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: RBAC policy.", &[Operation::new("GET", "/rbac-policies"), Operation::new("GET", "/rbac-policies/{id}")])
        .replaces("get_rbac_policy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_rbac_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: RBAC policy.", &[Operation::new("DELETE", "/rbac-policies/{id}")])
        .replaces("delete_rbac_policy", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_router", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: router.", &[Operation::new("POST", "/routers")])
        .replaces("create_router", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_router:distributed", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set distributed: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:distributed", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_router:ha", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set ha: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:ha", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_router:external_gateway_info", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set external_gateway_info: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:external_gateway_info", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_router:external_gateway_info:network_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set external_gateway_info:network_id: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:external_gateway_info:network_id", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_router:external_gateway_info:enable_snat", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set external_gateway_info:enable_snat: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:external_gateway_info:enable_snat", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_router:external_gateway_info:external_fixed_ips", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set external_gateway_info:external_fixed_ips: router, when it is created.", &[Operation::new("POST", "/routers")])
        .replaces("create_router:external_gateway_info:external_fixed_ips", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_router:enable_default_route_bfd", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set enable_default_route_bfd: router, when it is created.", &[Operation::new("POST", "/routers")]),
    DefaultRule::new("create_router:enable_default_route_ecmp", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set enable_default_route_ecmp: router, when it is created.", &[Operation::new("POST", "/routers")]),
    DefaultRule::new("create_router:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: router.", &[Operation::new("POST", "/routers/{id}/tags")])
        .replaces("create_routers_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_router", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: router.", &[Operation::new("GET", "/routers"), Operation::new("GET", "/routers/{id}")])
        .replaces("get_router", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_router:distributed", "rule:admin_only")
        .scopes(PROJECT)
        .described("See distributed: router.", &[Operation::new("GET", "/routers"), Operation::new("GET", "/routers/{id}")])
        .replaces("get_router:distributed", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_router:ha", "rule:admin_only")
        .scopes(PROJECT)
        .described("See ha: router.", &[Operation::new("GET", "/routers"), Operation::new("GET", "/routers/{id}")])
        .replaces("get_router:ha", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_router:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See the tags: router.", &[Operation::new("GET", "/routers/{id}/tags"), Operation::new("GET", "/routers/{id}/tags/{tag_id}")])
        .replaces("get_routers_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("update_router", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_router:distributed", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change distributed: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:distributed", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_router:ha", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change ha: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:ha", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_router:external_gateway_info", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change external_gateway_info: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:external_gateway_info", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_router:external_gateway_info:network_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change external_gateway_info:network_id: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:external_gateway_info:network_id", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_router:external_gateway_info:enable_snat", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change external_gateway_info:enable_snat: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:external_gateway_info:enable_snat", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_router:external_gateway_info:external_fixed_ips", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change external_gateway_info:external_fixed_ips: router.", &[Operation::new("PUT", "/routers/{id}")])
        .replaces("update_router:external_gateway_info:external_fixed_ips", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_router:enable_default_route_bfd", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change enable_default_route_bfd: router.", &[Operation::new("PUT", "/routers/{id}")]),
    DefaultRule::new("update_router:enable_default_route_ecmp", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change enable_default_route_ecmp: router.", &[Operation::new("PUT", "/routers/{id}")]),
    DefaultRule::new("update_router:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: router.", &[Operation::new("PUT", "/routers/{id}/tags"), Operation::new("PUT", "/routers/{id}/tags/{tag_id}")])
        .replaces("update_routers_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_router", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: router.", &[Operation::new("DELETE", "/routers/{id}")])
        .replaces("delete_router", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_router:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: router.", &[Operation::new("DELETE", "/routers/{id}/tags"), Operation::new("DELETE", "/routers/{id}/tags/{tag_id}")])
        .replaces("delete_routers_tags", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("add_router_interface", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: router interface.", &[Operation::new("PUT", "/routers/{id}/add_router_interface")])
        .replaces("add_router_interface", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("remove_router_interface", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: router interface.", &[Operation::new("PUT", "/routers/{id}/remove_router_interface")])
        .replaces("remove_router_interface", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("add_extraroutes", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: extraroutes.", &[Operation::new("PUT", "/routers/{id}/add_extraroutes")])
        .replaces("add_extraroutes", "rule:admin_or_owner", ROLES, "Xena"),
    DefaultRule::new("remove_extraroutes", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: extraroutes.", &[Operation::new("PUT", "/routers/{id}/remove_extraroutes")])
        .replaces("remove_extraroutes", "rule:admin_or_owner", ROLES, "Xena"),
    DefaultRule::new("add_external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: external gateways.", &[Operation::new("PUT", "/routers/{id}/add_external_gateways")]),
    DefaultRule::new("add_external_gateways:external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set external_gateways: external gateways.", &[Operation::new("PUT", "/routers/{id}/add_external_gateways")]),
    DefaultRule::new("add_external_gateways:external_gateways:network_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set external_gateways:network_id: external gateways.", &[Operation::new("PUT", "/routers/{id}/add_external_gateways")]),
    DefaultRule::new("add_external_gateways:external_gateways:enable_snat", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set external_gateways:enable_snat: external gateways.", &[Operation::new("PUT", "/routers/{id}/add_external_gateways")]),
    DefaultRule::new("add_external_gateways:external_gateways:external_fixed_ips", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set external_gateways:external_fixed_ips: external gateways.", &[Operation::new("PUT", "/routers/{id}/add_external_gateways")]),
    DefaultRule::new("update_external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: external gateways.", &[Operation::new("PUT", "/routers/{id}/update_external_gateways")]),
    DefaultRule::new("update_external_gateways:external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change external_gateways: external gateways.", &[Operation::new("PUT", "/routers/{id}/update_external_gateways")]),
    DefaultRule::new("update_external_gateways:external_gateways:network_id", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change external_gateways:network_id: external gateways.", &[Operation::new("PUT", "/routers/{id}/update_external_gateways")]),
    DefaultRule::new("update_external_gateways:external_gateways:enable_snat", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change external_gateways:enable_snat: external gateways.", &[Operation::new("PUT", "/routers/{id}/update_external_gateways")]),
    DefaultRule::new("update_external_gateways:external_gateways:external_fixed_ips", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change external_gateways:external_fixed_ips: external gateways.", &[Operation::new("PUT", "/routers/{id}/update_external_gateways")]),
    DefaultRule::new("remove_external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: external gateways.", &[Operation::new("PUT", "/routers/{id}/remove_external_gateways")]),
    DefaultRule::new("remove_external_gateways:external_gateways", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Set external_gateways: external gateways.", &[Operation::new("PUT", "/routers/{id}/remove_external_gateways")]),
    DefaultRule::new("admin_or_sg_owner", "rule:context_is_admin or project_id:%(security_group:project_id)s")
        .described("An administrator, or the project that owns the security group of the rule.", &[]),
    DefaultRule::new("admin_owner_or_sg_owner", "rule:owner or rule:admin_or_sg_owner")
        .described("An administrator, or the project that owns the rule or its security group.", &[]),
    DefaultRule::new("shared_security_group", "field:security_groups:shared=True")
        .described("The security group is shared with everybody.", &[]),
    DefaultRule::new("rule_default_sg", "field:security_group_rules:belongs_to_default_sg=True")
        .described("The rule is of a default security group.", &[]),
    DefaultRule::new("create_default_security_group", "(rule:admin_only) or (rule:service_api) or role:reader and project_id:%(project_id)s")
        .scopes(PROJECT)
        .described("Create: default security group.", &[]),
    DefaultRule::new("create_security_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: security group.", &[Operation::new("POST", "/security-groups")])
        .replaces("create_security_group", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_security_group:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: security group.", &[Operation::new("POST", "/security-groups/{id}/tags")])
        .replaces("create_security_groups_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_security_group", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_security_group")
        .scopes(PROJECT)
        .described("Show: security group.", &[Operation::new("GET", "/security-groups"), Operation::new("GET", "/security-groups/{id}")])
        .replaces("get_security_group", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("get_security_group:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_security_group")
        .scopes(PROJECT)
        .described("See the tags: security group.", &[Operation::new("GET", "/security-groups/{id}/tags"), Operation::new("GET", "/security-groups/{id}/tags/{tag_id}")])
        .replaces("get_security_groups_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_security_group", TAGS, "2025.1"),
    DefaultRule::new("update_security_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: security group.", &[Operation::new("PUT", "/security-groups/{id}")])
        .replaces("update_security_group", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_security_group:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: security group.", &[Operation::new("PUT", "/security-groups/{id}/tags"), Operation::new("PUT", "/security-groups/{id}/tags/{tag_id}")])
        .replaces("update_security_groups_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_security_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: security group.", &[Operation::new("DELETE", "/security-groups/{id}")])
        .replaces("delete_security_group", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_security_group:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: security group.", &[Operation::new("DELETE", "/security-groups/{id}/tags"), Operation::new("DELETE", "/security-groups/{id}/tags/{tag_id}")])
        .replaces("delete_security_groups_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("create_security_group_rule", "(rule:admin_only) or (role:member and rule:sg_owner)")
        .scopes(PROJECT)
        .described("Create: security group rule.", &[Operation::new("POST", "/security-group-rules")])
        .replaces("create_security_group_rule", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_security_group_rule", "(rule:admin_only) or (role:reader and rule:sg_owner)")
        .scopes(PROJECT)
        .described("Show: security group rule.", &[Operation::new("GET", "/security-group-rules"), Operation::new("GET", "/security-group-rules/{id}")])
        .replaces("get_security_group_rule", "rule:admin_owner_or_sg_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_security_group_rule", "(rule:admin_only) or (role:member and rule:sg_owner)")
        .scopes(PROJECT)
        .described("Delete: security group rule.", &[Operation::new("DELETE", "/security-group-rules/{id}")])
        .replaces("delete_security_group_rule", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_security_groups_default_statefulness", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: security groups default statefulness.", &[Operation::new("POST", "/security-groups-default-statefulness")]),
    DefaultRule::new("get_security_groups_default_statefulness", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: security groups default statefulness.", &[Operation::new("GET", "/security-groups-default-statefulness"), Operation::new("GET", "/security-groups-default-statefulness/{id}")]),
    DefaultRule::new("update_security_groups_default_statefulness", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: security groups default statefulness.", &[Operation::new("PUT", "/security-groups-default-statefulness/{id}")]),
    DefaultRule::new("delete_security_groups_default_statefulness", "(rule:admin_only) or (role:manager and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: security groups default statefulness.", &[Operation::new("DELETE", "/security-groups-default-statefulness/{id}")]),
    DefaultRule::new("create_segment", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: segment.", &[Operation::new("POST", "/segments")])
        .replaces("create_segment", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_segments_tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Add tags: segments.", &[Operation::new("POST", "/segments/{id}/tags")]),
    DefaultRule::new("get_segment", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: segment.", &[Operation::new("GET", "/segments"), Operation::new("GET", "/segments/{id}")])
        .replaces("get_segment", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_segments_tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("See the tags: segments.", &[Operation::new("GET", "/segments/{id}/tags"), Operation::new("GET", "/segments/{id}/tags/{tag_id}")]),
    DefaultRule::new("update_segment", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: segment.", &[Operation::new("PUT", "/segments/{id}")])
        .replaces("update_segment", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_segments_tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Replace the tags: segments.", &[Operation::new("PUT", "/segments/{id}/tags"), Operation::new("PUT", "/segments/{id}/tags/{tag_id}")]),
    DefaultRule::new("delete_segment", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: segment.", &[Operation::new("DELETE", "/segments/{id}")])
        .replaces("delete_segment", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("delete_segments_tags", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove tags: segments.", &[Operation::new("DELETE", "/segments/{id}/tags"), Operation::new("DELETE", "/segments/{id}/tags/{tag_id}")]),
    DefaultRule::new("get_service_provider", "role:reader")
        .scopes(PROJECT)
        .described("Show: service provider.", &[Operation::new("GET", "/service-providers")])
        .replaces("get_service_provider", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("external_network", "field:subnets:router:external=True")
        .described("The subnet is of an external network.", &[]),
    DefaultRule::new("create_subnet", "(rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Create: subnet.", &[Operation::new("POST", "/subnets")])
        .replaces("create_subnet", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_subnet:segment_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set segment_id: subnet, when it is created.", &[Operation::new("POST", "/subnets")])
        .replaces("create_subnet:segment_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_subnet:service_types", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set service_types: subnet, when it is created.", &[Operation::new("POST", "/subnets")])
        .replaces("create_subnet:service_types", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_subnet:tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Add tags: subnet.", &[Operation::new("POST", "/subnets/{id}/tags")])
        .replaces("create_subnets_tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)", TAGS, "2025.1"),
    DefaultRule::new("get_subnet", "role:reader and project_id:%(project_id)s or rule:shared or rule:external_network or (rule:admin_only) or (role:reader and rule:network_owner) or rule:service_api")
        .scopes(PROJECT)
        .described("Show: subnet.", &[Operation::new("GET", "/subnets"), Operation::new("GET", "/subnets/{id}")])
        .replaces("get_subnet", "rule:shared or rule:external_network or rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_subnet:segment_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("See segment_id: subnet.", &[Operation::new("GET", "/subnets"), Operation::new("GET", "/subnets/{id}")])
        .replaces("get_subnet:segment_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("get_subnet:tags", "role:reader and project_id:%(project_id)s or rule:shared or rule:external_network or (rule:admin_only) or (role:reader and rule:network_owner)")
        .scopes(PROJECT)
        .described("See the tags: subnet.", &[Operation::new("GET", "/subnets/{id}/tags"), Operation::new("GET", "/subnets/{id}/tags/{tag_id}")])
        .replaces("get_subnets_tags", "role:reader and project_id:%(project_id)s or rule:shared or rule:external_network or (rule:admin_only) or (role:reader and rule:network_owner)", TAGS, "2025.1"),
    DefaultRule::new("update_subnet", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Change: subnet.", &[Operation::new("PUT", "/subnets/{id}")])
        .replaces("update_subnet", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_subnet:segment_id", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change segment_id: subnet.", &[Operation::new("PUT", "/subnets/{id}")])
        .replaces("update_subnet:segment_id", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_subnet:service_types", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change service_types: subnet.", &[Operation::new("PUT", "/subnets/{id}")])
        .replaces("update_subnet:service_types", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_subnet:leak_routes", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change leak_routes: subnet.", &[Operation::new("PUT", "/subnets/{id}")]),
    DefaultRule::new("update_subnet:tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Replace the tags: subnet.", &[Operation::new("PUT", "/subnets/{id}/tags"), Operation::new("PUT", "/subnets/{id}/tags/{tag_id}")])
        .replaces("update_subnets_tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)", TAGS, "2025.1"),
    DefaultRule::new("delete_subnet", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Delete: subnet.", &[Operation::new("DELETE", "/subnets/{id}")])
        .replaces("delete_subnet", "rule:admin_or_network_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_subnet:tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)")
        .scopes(PROJECT)
        .described("Remove tags: subnet.", &[Operation::new("DELETE", "/subnets/{id}/tags"), Operation::new("DELETE", "/subnets/{id}/tags/{tag_id}")])
        .replaces("delete_subnets_tags", "role:member and project_id:%(project_id)s or (rule:admin_only) or (role:member and rule:network_owner)", TAGS, "2025.1"),
    DefaultRule::new("shared_subnetpools", "field:subnetpools:shared=True")
        .described("The subnetpools are shared with everybody.", &[]),
    DefaultRule::new("create_subnetpool", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: subnet pool.", &[Operation::new("POST", "/subnetpools")])
        .replaces("create_subnetpool", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_subnetpool:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: subnet pool, when it is created.", &[Operation::new("POST", "/subnetpools")])
        .replaces("create_subnetpool:shared", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_subnetpool:is_default", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set is_default: subnet pool, when it is created.", &[Operation::new("POST", "/subnetpools")])
        .replaces("create_subnetpool:is_default", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("create_subnetpool:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: subnet pool.", &[Operation::new("POST", "/subnetpools/{id}/tags")])
        .replaces("create_subnetpools_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_subnetpool", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_subnetpools")
        .scopes(PROJECT)
        .described("Show: subnet pool.", &[Operation::new("GET", "/subnetpools"), Operation::new("GET", "/subnetpools/{id}")])
        .replaces("get_subnetpool", "rule:admin_or_owner or rule:shared_subnetpools", ROLES, "Wallaby"),
    DefaultRule::new("get_subnetpool:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_subnetpools")
        .scopes(PROJECT)
        .described("See the tags: subnet pool.", &[Operation::new("GET", "/subnetpools/{id}/tags"), Operation::new("GET", "/subnetpools/{id}/tags/{tag_id}")])
        .replaces("get_subnetpools_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_subnetpools", TAGS, "2025.1"),
    DefaultRule::new("update_subnetpool", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: subnet pool.", &[Operation::new("PUT", "/subnetpools/{id}")])
        .replaces("update_subnetpool", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_subnetpool:is_default", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change is_default: subnet pool.", &[Operation::new("PUT", "/subnetpools/{id}")])
        .replaces("update_subnetpool:is_default", "rule:admin_only", ROLES, "Wallaby"),
    DefaultRule::new("update_subnetpool:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: subnet pool.", &[Operation::new("PUT", "/subnetpools/{id}/tags"), Operation::new("PUT", "/subnetpools/{id}/tags/{tag_id}")])
        .replaces("update_subnetpools_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_subnetpool", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: subnet pool.", &[Operation::new("DELETE", "/subnetpools/{id}")])
        .replaces("delete_subnetpool", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_subnetpool:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: subnet pool.", &[Operation::new("DELETE", "/subnetpools/{id}/tags"), Operation::new("DELETE", "/subnetpools/{id}/tags/{tag_id}")])
        .replaces("delete_subnetpools_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("onboard_network_subnets", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Onboard: network subnets.", &[Operation::new("PUT", "/subnetpools/{id}/onboard_network_subnets")])
        .replaces("onboard_network_subnets", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("add_prefixes", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: prefixes.", &[Operation::new("PUT", "/subnetpools/{id}/add_prefixes")])
        .replaces("add_prefixes", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("remove_prefixes", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: prefixes.", &[Operation::new("PUT", "/subnetpools/{id}/remove_prefixes")])
        .replaces("remove_prefixes", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("create_trunk", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: trunk.", &[Operation::new("POST", "/trunks")])
        .replaces("create_trunk", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("create_trunk:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add tags: trunk.", &[Operation::new("POST", "/trunks/{id}/tags")])
        .replaces("create_trunks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_trunk", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: trunk.", &[Operation::new("GET", "/trunks"), Operation::new("GET", "/trunks/{id}")])
        .replaces("get_trunk", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("get_trunk:tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("See the tags: trunk.", &[Operation::new("GET", "/trunks/{id}/tags"), Operation::new("GET", "/trunks/{id}/tags/{tag_id}")])
        .replaces("get_trunks_tags", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("update_trunk", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: trunk.", &[Operation::new("PUT", "/trunks/{id}")])
        .replaces("update_trunk", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("update_trunk:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Replace the tags: trunk.", &[Operation::new("PUT", "/trunks/{id}/tags"), Operation::new("PUT", "/trunks/{id}/tags/{tag_id}")])
        .replaces("update_trunks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("delete_trunk", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: trunk.", &[Operation::new("DELETE", "/trunks/{id}")])
        .replaces("delete_trunk", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("delete_trunk:tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove tags: trunk.", &[Operation::new("DELETE", "/trunks/{id}/tags"), Operation::new("DELETE", "/trunks/{id}/tags/{tag_id}")])
        .replaces("delete_trunks_tags", "(rule:admin_only) or (role:member and project_id:%(project_id)s)", TAGS, "2025.1"),
    DefaultRule::new("get_subports", "(rule:admin_only) or (role:reader and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: subports.", &[Operation::new("GET", "/trunks/{id}/get_subports")])
        .replaces("get_subports", "rule:regular_user", ROLES, "Wallaby"),
    DefaultRule::new("add_subports", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Add: subports.", &[Operation::new("PUT", "/trunks/{id}/add_subports")])
        .replaces("add_subports", "rule:admin_or_owner", ROLES, "Wallaby"),
    DefaultRule::new("remove_subports", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: subports.", &[Operation::new("PUT", "/trunks/{id}/remove_subports")])
        .replaces("remove_subports", "rule:admin_or_owner", ROLES, "Wallaby"),
];

/// What the library adds: rules about a caller.
#[rustfmt::skip]
pub static LIB: [DefaultRule<'static>; 1] = [
    DefaultRule::new("context_can_set_project_id", "!")
        .described("The caller may create objects for other projects.", &[]),
];

/// BGP speakers and peers.
#[rustfmt::skip]
pub static DYNAMIC_ROUTING: [DefaultRule<'static>; 17] = [
    DefaultRule::new("create_bgp_speaker", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: BGP speaker.", &[Operation::new("POST", "/bgp-speakers")])
        .replaces("create_bgp_speaker", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("update_bgp_speaker", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: BGP speaker.", &[Operation::new("PUT", "/bgp-speakers/{id}")])
        .replaces("update_bgp_speaker", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("delete_bgp_speaker", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: BGP speaker.", &[Operation::new("DELETE", "/bgp-speakers/{id}")])
        .replaces("delete_bgp_speaker", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("get_bgp_speaker", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: BGP speaker.", &[Operation::new("GET", "/bgp-speakers"), Operation::new("GET", "/bgp-speakers/{id}")])
        .replaces("get_bgp_speaker", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("add_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Add: BGP peer.", &[Operation::new("PUT", "/bgp-speakers/{id}/add_bgp_peer")])
        .replaces("add_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("remove_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove: BGP peer.", &[Operation::new("PUT", "/bgp-speakers/{id}/remove_bgp_peer")])
        .replaces("remove_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("add_gateway_network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Add: gateway network.", &[Operation::new("PUT", "/bgp-speakers/{id}/add_gateway_network")])
        .replaces("add_gateway_network", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("remove_gateway_network", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove: gateway network.", &[Operation::new("PUT", "/bgp-speakers/{id}/remove_gateway_network")])
        .replaces("remove_gateway_network", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("get_advertised_routes", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: advertised routes.", &[Operation::new("GET", "/bgp-speakers/{id}/get_advertised_routes")])
        .replaces("get_advertised_routes", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("create_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Create: BGP peer.", &[Operation::new("POST", "/bgp-peers")])
        .replaces("create_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("update_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change: BGP peer.", &[Operation::new("PUT", "/bgp-peers/{id}")])
        .replaces("update_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("delete_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Delete: BGP peer.", &[Operation::new("DELETE", "/bgp-peers/{id}")])
        .replaces("delete_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("get_bgp_peer", "rule:admin_only")
        .scopes(PROJECT)
        .described("Show: BGP peer.", &[Operation::new("GET", "/bgp-peers"), Operation::new("GET", "/bgp-peers/{id}")])
        .replaces("get_bgp_peer", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("add_bgp_speaker_to_dragent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Add: BGP speaker to BGP agent.", &[Operation::new("POST", "/agents/{agent_id}/bgp-drinstances")])
        .replaces("add_bgp_speaker_to_dragent", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("remove_bgp_speaker_from_dragent", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove: BGP speaker from BGP agent.", &[Operation::new("DELETE", "/agents/{agent_id}/bgp-drinstances/{bgp_speaker_id}")])
        .replaces("remove_bgp_speaker_from_dragent", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("list_bgp_speaker_on_dragent", "rule:admin_only")
        .scopes(PROJECT)
        .described("List: BGP speaker on BGP agent.", &[Operation::new("GET", "/agents/{agent_id}/bgp-drinstances")])
        .replaces("list_bgp_speaker_on_dragent", "rule:admin_only", ROLES, "2026.1"),
    DefaultRule::new("list_dragent_hosting_bgp_speaker", "rule:admin_only")
        .scopes(PROJECT)
        .described("List: BGP agent hosting BGP speaker.", &[Operation::new("GET", "/bgp-speakers/{bgp_speaker_id}/bgp-dragents")])
        .replaces("list_dragent_hosting_bgp_speaker", "rule:admin_only", ROLES, "2026.1"),
];

/// Service chains.
#[rustfmt::skip]
pub static SFC: [DefaultRule<'static>; 20] = [
    DefaultRule::new("create_flow_classifier", "rule:regular_user")
        .described("Create: flow classifier.", &[Operation::new("POST", "/sfc/flow_classifiers")]),
    DefaultRule::new("update_flow_classifier", "rule:admin_or_owner")
        .described("Change: flow classifier.", &[Operation::new("PUT", "/sfc/flow_classifiers/{id}")]),
    DefaultRule::new("delete_flow_classifier", "rule:admin_or_owner")
        .described("Delete: flow classifier.", &[Operation::new("DELETE", "/sfc/flow_classifiers/{id}")]),
    DefaultRule::new("get_flow_classifier", "rule:admin_or_owner")
        .described("Show: flow classifier.", &[Operation::new("GET", "/sfc/flow_classifiers"), Operation::new("GET", "/sfc/flow_classifiers/{id}")]),
    DefaultRule::new("create_port_chain", "rule:regular_user")
        .described("Create: port chain.", &[Operation::new("POST", "/sfc/port_chains")]),
    DefaultRule::new("update_port_chain", "rule:admin_or_owner")
        .described("Change: port chain.", &[Operation::new("PUT", "/sfc/port_chains/{id}")]),
    DefaultRule::new("delete_port_chain", "rule:admin_or_owner")
        .described("Delete: port chain.", &[Operation::new("DELETE", "/sfc/port_chains/{id}")]),
    DefaultRule::new("get_port_chain", "rule:admin_or_owner")
        .described("Show: port chain.", &[Operation::new("GET", "/sfc/port_chains"), Operation::new("GET", "/sfc/port_chains/{id}")]),
    DefaultRule::new("create_port_pair_group", "rule:regular_user")
        .described("Create: port pair group.", &[Operation::new("POST", "/sfc/port_pair_groups")]),
    DefaultRule::new("update_port_pair_group", "rule:admin_or_owner")
        .described("Change: port pair group.", &[Operation::new("PUT", "/sfc/port_pair_groups/{id}")]),
    DefaultRule::new("delete_port_pair_group", "rule:admin_or_owner")
        .described("Delete: port pair group.", &[Operation::new("DELETE", "/sfc/port_pair_groups/{id}")]),
    DefaultRule::new("get_port_pair_group", "rule:admin_or_owner")
        .described("Show: port pair group.", &[Operation::new("GET", "/sfc/port_pair_groups"), Operation::new("GET", "/sfc/port_pair_groups/{id}")]),
    DefaultRule::new("create_port_pair", "rule:regular_user")
        .described("Create: port pair.", &[Operation::new("POST", "/sfc/port_pairs")]),
    DefaultRule::new("update_port_pair", "rule:admin_or_owner")
        .described("Change: port pair.", &[Operation::new("PUT", "/sfc/port_pairs/{id}")]),
    DefaultRule::new("delete_port_pair", "rule:admin_or_owner")
        .described("Delete: port pair.", &[Operation::new("DELETE", "/sfc/port_pairs/{id}")]),
    DefaultRule::new("get_port_pair", "rule:admin_or_owner")
        .described("Show: port pair.", &[Operation::new("GET", "/sfc/port_pairs"), Operation::new("GET", "/sfc/port_pairs/{id}")]),
    DefaultRule::new("create_service_graph", "rule:regular_user")
        .described("Create: service graph.", &[Operation::new("POST", "/sfc/service_graphs")]),
    DefaultRule::new("update_service_graph", "rule:admin_or_owner")
        .described("Change: service graph.", &[Operation::new("PUT", "/sfc/service_graphs/{id}")]),
    DefaultRule::new("delete_service_graph", "rule:admin_or_owner")
        .described("Delete: service graph.", &[Operation::new("DELETE", "/sfc/service_graphs/{id}")]),
    DefaultRule::new("get_service_graph", "rule:admin_or_owner")
        .described("Show: service graph.", &[Operation::new("GET", "/sfc/service_graphs"), Operation::new("GET", "/sfc/service_graphs/{id}")]),
];

/// Firewall groups, policies and rules.
#[rustfmt::skip]
pub static FWAAS: [DefaultRule<'static>; 26] = [
    DefaultRule::new("shared_firewall_groups", "field:firewall_groups:shared=True")
        .described("The firewall groups are shared with everybody.", &[]),
    DefaultRule::new("create_firewall_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: firewall group.", &[Operation::new("POST", "/fwaas/firewall_groups")])
        .replaces("create_firewall_group", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: firewall group.", &[Operation::new("PUT", "/fwaas/firewall_groups/{id}")])
        .replaces("update_firewall_group", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: firewall group.", &[Operation::new("DELETE", "/fwaas/firewall_groups/{id}")])
        .replaces("delete_firewall_group", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_firewall_group:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: firewall group, when it is created.", &[Operation::new("POST", "/fwaas/firewall_groups")])
        .replaces("create_firewall_group:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_group:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change shared: firewall group.", &[Operation::new("PUT", "/fwaas/firewall_groups/{id}")])
        .replaces("update_firewall_group:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_group:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove shared: firewall group.", &[Operation::new("DELETE", "/fwaas/firewall_groups/{id}")])
        .replaces("delete_firewall_group:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("get_firewall_group", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_firewall_groups")
        .scopes(PROJECT)
        .described("Show: firewall group.", &[Operation::new("GET", "/fwaas/firewall_groups"), Operation::new("GET", "/fwaas/firewall_groups/{id}")])
        .replaces("get_firewall_group", "rule:admin_or_owner or rule:shared_firewall_groups", ROLES, "2025.2"),
    DefaultRule::new("shared_firewall_policies", "field:firewall_policies:shared=True")
        .described("The firewall policies are shared with everybody.", &[]),
    DefaultRule::new("create_firewall_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: firewall policy.", &[Operation::new("POST", "/fwaas/firewall_policies")])
        .replaces("create_firewall_policy", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: firewall policy.", &[Operation::new("PUT", "/fwaas/firewall_policies/{id}")])
        .replaces("update_firewall_policy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_policy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: firewall policy.", &[Operation::new("DELETE", "/fwaas/firewall_policies/{id}")])
        .replaces("delete_firewall_policy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_firewall_policy:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: firewall policy, when it is created.", &[Operation::new("POST", "/fwaas/firewall_policies")])
        .replaces("create_firewall_policy:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_policy:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change shared: firewall policy.", &[Operation::new("PUT", "/fwaas/firewall_policies/{id}")])
        .replaces("update_firewall_policy:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_policy:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove shared: firewall policy.", &[Operation::new("DELETE", "/fwaas/firewall_policies/{id}")])
        .replaces("delete_firewall_policy:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("get_firewall_policy", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_firewall_policies")
        .scopes(PROJECT)
        .described("Show: firewall policy.", &[Operation::new("GET", "/fwaas/firewall_policies"), Operation::new("GET", "/fwaas/firewall_policies/{id}")])
        .replaces("get_firewall_policy", "rule:admin_or_owner or rule:shared_firewall_policies", ROLES, "2025.2"),
    DefaultRule::new("shared_firewall_rules", "field:firewall_rules:shared=True")
        .described("The firewall rules are shared with everybody.", &[]),
    DefaultRule::new("create_firewall_rule", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: firewall rule.", &[Operation::new("POST", "/fwaas/firewall_rules")])
        .replaces("create_firewall_rule", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_rule", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: firewall rule.", &[Operation::new("PUT", "/fwaas/firewall_rules/{id}")])
        .replaces("update_firewall_rule", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_rule", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: firewall rule.", &[Operation::new("DELETE", "/fwaas/firewall_rules/{id}")])
        .replaces("delete_firewall_rule", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_firewall_rule:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Set shared: firewall rule, when it is created.", &[Operation::new("POST", "/fwaas/firewall_rules")])
        .replaces("create_firewall_rule:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("update_firewall_rule:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Change shared: firewall rule.", &[Operation::new("PUT", "/fwaas/firewall_rules/{id}")])
        .replaces("update_firewall_rule:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("delete_firewall_rule:shared", "rule:admin_only")
        .scopes(PROJECT)
        .described("Remove shared: firewall rule.", &[Operation::new("DELETE", "/fwaas/firewall_rules/{id}")])
        .replaces("delete_firewall_rule:shared", "rule:admin_only", ROLES, "2025.2"),
    DefaultRule::new("get_firewall_rule", "(rule:admin_only) or (role:reader and project_id:%(project_id)s) or rule:shared_firewall_rules")
        .scopes(PROJECT)
        .described("Show: firewall rule.", &[Operation::new("GET", "/fwaas/firewall_rules"), Operation::new("GET", "/fwaas/firewall_rules/{id}")])
        .replaces("get_firewall_rule", "rule:admin_or_owner or rule:shared_firewall_rules", ROLES, "2025.2"),
    DefaultRule::new("insert_rule", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Insert: rule.", &[Operation::new("PUT", "/fwaas/firewall_policies/{id}/insert_rule")])
        .replaces("insert_rule", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("remove_rule", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Remove: rule.", &[Operation::new("PUT", "/fwaas/firewall_policies/{id}/remove_rule")])
        .replaces("remove_rule", "rule:admin_or_owner", ROLES, "2025.2"),
];

/// BGP VPNs.
#[rustfmt::skip]
pub static BGPVPN: [DefaultRule<'static>; 31] = [
    DefaultRule::new("create_bgpvpn", "rule:admin_only")
        .described("Create: BGP VPN.", &[Operation::new("POST", "/bgpvpn/bgpvpns")]),
    DefaultRule::new("update_bgpvpn", "rule:admin_or_owner")
        .described("Change: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:project_id", "rule:admin_only")
        .described("Change project_id: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:route_targets", "rule:admin_only")
        .described("Change route_targets: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:import_targets", "rule:admin_only")
        .described("Change import_targets: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:export_targets", "rule:admin_only")
        .described("Change export_targets: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:route_distinguishers", "rule:admin_only")
        .described("Change route_distinguishers: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("update_bgpvpn:vni", "rule:admin_only")
        .described("Change vni: BGP VPN.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("delete_bgpvpn", "rule:admin_only")
        .described("Delete: BGP VPN.", &[Operation::new("DELETE", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn", "rule:admin_or_owner")
        .described("Show: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:project_id", "rule:admin_only")
        .described("See project_id: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:route_targets", "rule:admin_only")
        .described("See route_targets: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:import_targets", "rule:admin_only")
        .described("See import_targets: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:export_targets", "rule:admin_only")
        .described("See export_targets: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:route_distinguishers", "rule:admin_only")
        .described("See route_distinguishers: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("get_bgpvpn:vni", "rule:admin_only")
        .described("See vni: BGP VPN.", &[Operation::new("GET", "/bgpvpn/bgpvpns"), Operation::new("GET", "/bgpvpn/bgpvpns/{id}")]),
    DefaultRule::new("create_bgpvpn_network_association", "rule:admin_or_owner")
        .described("Create: BGP VPN network association.", &[Operation::new("POST", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations")]),
    DefaultRule::new("update_bgpvpn_network_association", "rule:admin_or_owner")
        .described("Change: BGP VPN network association.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations/{network_association_id}")]),
    DefaultRule::new("delete_bgpvpn_network_association", "rule:admin_or_owner")
        .described("Delete: BGP VPN network association.", &[Operation::new("DELETE", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations/{network_association_id}")]),
    DefaultRule::new("get_bgpvpn_network_association", "rule:admin_or_owner")
        .described("Show: BGP VPN network association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations/{network_association_id}")]),
    DefaultRule::new("get_bgpvpn_network_association:project_id", "rule:admin_only")
        .described("See project_id: BGP VPN network association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/network_associations/{network_association_id}")]),
    DefaultRule::new("create_bgpvpn_router_association", "rule:admin_or_owner")
        .described("Create: BGP VPN router association.", &[Operation::new("POST", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations")]),
    DefaultRule::new("update_bgpvpn_router_association", "rule:admin_or_owner")
        .described("Change: BGP VPN router association.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations/{router_association_id}")]),
    DefaultRule::new("delete_bgpvpn_router_association", "rule:admin_or_owner")
        .described("Delete: BGP VPN router association.", &[Operation::new("DELETE", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations/{router_association_id}")]),
    DefaultRule::new("get_bgpvpn_router_association", "rule:admin_or_owner")
        .described("Show: BGP VPN router association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations/{router_association_id}")]),
    DefaultRule::new("get_bgpvpn_router_association:project_id", "rule:admin_only")
        .described("See project_id: BGP VPN router association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/router_associations/{router_association_id}")]),
    DefaultRule::new("create_bgpvpn_port_association", "rule:admin_or_owner")
        .described("Create: BGP VPN port association.", &[Operation::new("POST", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations")]),
    DefaultRule::new("update_bgpvpn_port_association", "rule:admin_or_owner")
        .described("Change: BGP VPN port association.", &[Operation::new("PUT", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations/{port_association_id}")]),
    DefaultRule::new("delete_bgpvpn_port_association", "rule:admin_or_owner")
        .described("Delete: BGP VPN port association.", &[Operation::new("DELETE", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations/{port_association_id}")]),
    DefaultRule::new("get_bgpvpn_port_association", "rule:admin_or_owner")
        .described("Show: BGP VPN port association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations/{port_association_id}")]),
    DefaultRule::new("get_bgpvpn_port_association:project_id", "rule:admin_only")
        .described("See project_id: BGP VPN port association.", &[Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations"), Operation::new("GET", "/bgpvpn/bgpvpns/{bgpvpn_id}/port_associations/{port_association_id}")]),
];

/// IPsec connections.
#[rustfmt::skip]
pub static VPNAAS: [DefaultRule<'static>; 20] = [
    DefaultRule::new("create_endpoint_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: endpoint group.", &[Operation::new("POST", "/vpn/endpoint-groups")])
        .replaces("create_endpoint_group", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_endpoint_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: endpoint group.", &[Operation::new("PUT", "/vpn/endpoint-groups/{id}")])
        .replaces("update_endpoint_group", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_endpoint_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: endpoint group.", &[Operation::new("DELETE", "/vpn/endpoint-groups/{id}")])
        .replaces("delete_endpoint_group", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("get_endpoint_group", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: endpoint group.", &[Operation::new("GET", "/vpn/endpoint-groups"), Operation::new("GET", "/vpn/endpoint-groups/{id}")])
        .replaces("get_endpoint_group", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_ikepolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: IKE policy.", &[Operation::new("POST", "/vpn/ikepolicies")])
        .replaces("create_ikepolicy", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_ikepolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: IKE policy.", &[Operation::new("PUT", "/vpn/ikepolicies/{id}")])
        .replaces("update_ikepolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_ikepolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: IKE policy.", &[Operation::new("DELETE", "/vpn/ikepolicies/{id}")])
        .replaces("delete_ikepolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("get_ikepolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: IKE policy.", &[Operation::new("GET", "/vpn/ikepolicies"), Operation::new("GET", "/vpn/ikepolicies/{id}")])
        .replaces("get_ikepolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_ipsecpolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: IPsec policy.", &[Operation::new("POST", "/vpn/ipsecpolicies")])
        .replaces("create_ipsecpolicy", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_ipsecpolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: IPsec policy.", &[Operation::new("PUT", "/vpn/ipsecpolicies/{id}")])
        .replaces("update_ipsecpolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_ipsecpolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: IPsec policy.", &[Operation::new("DELETE", "/vpn/ipsecpolicies/{id}")])
        .replaces("delete_ipsecpolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("get_ipsecpolicy", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: IPsec policy.", &[Operation::new("GET", "/vpn/ipsecpolicies"), Operation::new("GET", "/vpn/ipsecpolicies/{id}")])
        .replaces("get_ipsecpolicy", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_ipsec_site_connection", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: IPsec site connection.", &[Operation::new("POST", "/vpn/ipsec-site-connections")])
        .replaces("create_ipsec_site_connection", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_ipsec_site_connection", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: IPsec site connection.", &[Operation::new("PUT", "/vpn/ipsec-site-connections/{id}")])
        .replaces("update_ipsec_site_connection", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_ipsec_site_connection", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: IPsec site connection.", &[Operation::new("DELETE", "/vpn/ipsec-site-connections/{id}")])
        .replaces("delete_ipsec_site_connection", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("get_ipsec_site_connection", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: IPsec site connection.", &[Operation::new("GET", "/vpn/ipsec-site-connections"), Operation::new("GET", "/vpn/ipsec-site-connections/{id}")])
        .replaces("get_ipsec_site_connection", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("create_vpnservice", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Create: VPN service.", &[Operation::new("POST", "/vpn/vpnservices")])
        .replaces("create_vpnservice", "rule:regular_user", ROLES, "2025.2"),
    DefaultRule::new("update_vpnservice", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Change: VPN service.", &[Operation::new("PUT", "/vpn/vpnservices/{id}")])
        .replaces("update_vpnservice", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("delete_vpnservice", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Delete: VPN service.", &[Operation::new("DELETE", "/vpn/vpnservices/{id}")])
        .replaces("delete_vpnservice", "rule:admin_or_owner", ROLES, "2025.2"),
    DefaultRule::new("get_vpnservice", "(rule:admin_only) or (role:member and project_id:%(project_id)s)")
        .scopes(PROJECT)
        .described("Show: VPN service.", &[Operation::new("GET", "/vpn/vpnservices"), Operation::new("GET", "/vpn/vpnservices/{id}")])
        .replaces("get_vpnservice", "rule:admin_or_owner", ROLES, "2025.2"),
];
