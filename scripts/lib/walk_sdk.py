# SPDX-License-Identifier: Apache-2.0
"""The walk through openstacksdk. Everything it makes is named walk-*, and removed."""
import ipaddress

import openstack
from openstack import exceptions


def connect(endpoint):
    return openstack.connect(load_yaml_config=False, load_envvars=False, auth_type="none", auth={"endpoint": endpoint}, network_endpoint_override=endpoint,
                             region_name="walk").network


def networks(n, check):
    net = n.create_network(name="walk-net", description="d", mtu=1400)
    check.has("network", net, name="walk-net", description="d", mtu=1400, status="ACTIVE", is_admin_state_up=True, is_shared=False, is_port_security_enabled=True,
              is_router_external=False, subnet_ids=[], availability_zone_hints=[], tags=[], revision_number=1)
    check.equal("network, shown", n.get_network(net).to_dict() == net.to_dict(), True)
    net = n.update_network(net, name="walk-net2", description="e", mtu=1300, is_admin_state_up=False, is_port_security_enabled=False)
    check.has("network, set", net, name="walk-net2", description="e", mtu=1300, is_admin_state_up=False, is_port_security_enabled=False)
    check.equal("network, by name", n.find_network("walk-net2").id, net.id)
    if check.supports("standard-attr-tag"):
        n.set_tags(net, ["a", "b"])
        check.equal("network, tags", sorted(n.get_network(net).tags), ["a", "b"])
        check.equal("networks by tags", [x.id for x in n.networks(tags="a,b", name="walk-net2")], [net.id])
        n.set_tags(net, [])
    net = n.update_network(net, name="walk-net", is_admin_state_up=True, is_port_security_enabled=True, mtu=1450)
    n.update_network(net, is_shared=True)
    check.equal("network, shared", n.get_network(net).is_shared, True)
    n.update_network(net, is_shared=False)
    vlan = n.create_network(name="walk-vlan", provider_network_type="vlan", provider_physical_network="public", provider_segmentation_id=321)
    check.has("vlan network", vlan, provider_network_type="vlan", provider_physical_network="public", provider_segmentation_id=321, mtu=1500)
    check.refused("vlan id in use", exceptions.ConflictException, n.create_network, provider_network_type="vlan", provider_physical_network="public", provider_segmentation_id=321)
    ext = n.create_network(name="walk-ext", is_router_external=True, provider_network_type="flat", provider_physical_network="walk-flat")
    check.equal("external networks", [x.name for x in n.networks(is_router_external=True, name="walk-ext")], ["walk-ext"])
    multi = n.create_network(name="walk-multi", segments=[{"provider:network_type": "vlan", "provider:physical_network": "public", "provider:segmentation_id": 322},
                                                          {"provider:network_type": "vxlan", "provider:segmentation_id": 3220}])
    check.equal("segments", [s["provider:segmentation_id"] for s in n.get_network(multi).segments], [322, 3220])
    check.refused("unknown attribute value", exceptions.BadRequestException, n.create_network, name="walk-bad", mtu=-1)
    check.refused("unknown network", exceptions.NotFoundException, n.get_network, "00000000-0000-0000-0000-000000000000")
    names = [x.name for x in n.networks(sort_key="name", sort_dir="asc", limit=2) if x.name.startswith("walk-")]
    check.equal("networks, in pages of two", names, ["walk-ext", "walk-multi", "walk-net", "walk-vlan"])
    for x in (vlan, ext, multi):
        n.delete_network(x, ignore_missing=False)
    again = n.create_network(name="walk-vlan", provider_network_type="vlan", provider_physical_network="public", provider_segmentation_id=321)
    n.delete_network(again)
    return net


def subnets(n, check, net):
    four = n.create_subnet(network_id=net.id, ip_version=4, cidr="10.80.0.5/24", name="walk-4", dns_nameservers=["9.9.9.9", "8.8.8.8"],
                           host_routes=[{"destination": "10.99.0.0/24", "nexthop": "10.80.0.9"}], service_types=["compute:nova"], description="d")
    check.has("IPv4 subnet", four, cidr="10.80.0.0/24", gateway_ip="10.80.0.1", allocation_pools=[{"start": "10.80.0.2", "end": "10.80.0.254"}], is_dhcp_enabled=True,
              dns_nameservers=["9.9.9.9", "8.8.8.8"], host_routes=[{"destination": "10.99.0.0/24", "nexthop": "10.80.0.9"}], service_types=["compute:nova"], ip_version=4)
    four = n.update_subnet(four, name="walk-four", gateway_ip="10.80.0.254", dns_nameservers=["1.1.1.1"], host_routes=[], service_types=[],
                           allocation_pools=[{"start": "10.80.0.10", "end": "10.80.0.19"}])
    check.has("IPv4 subnet, set", four, name="walk-four", gateway_ip="10.80.0.254", dns_nameservers=["1.1.1.1"], host_routes=[], service_types=[],
              allocation_pools=[{"start": "10.80.0.10", "end": "10.80.0.19"}])
    six = n.create_subnet(network_id=net.id, ip_version=6, cidr="2001:db8:80::/64", name="walk-6", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    check.has("IPv6 subnet", six, cidr="2001:db8:80::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac", ip_version=6)
    check.equal("the network's subnets", sorted(n.get_network(net).subnet_ids), sorted([four.id, six.id]))
    check.refused("overlap", exceptions.BadRequestException, n.create_subnet, network_id=net.id, ip_version=4, cidr="10.80.0.128/25")
    check.equal("subnets of the network", sorted(s.name for s in n.subnets(network_id=net.id)), ["walk-6", "walk-four"])
    check.equal("subnets by version", [s.name for s in n.subnets(network_id=net.id, ip_version=6)], ["walk-6"])
    return four, six


def pools(n, check):
    scope = n.create_address_scope(name="walk-scope", ip_version=4)
    scope = n.update_address_scope(scope, name="walk-scope2")
    check.has("address scope", n.get_address_scope(scope), name="walk-scope2", ip_version=4, is_shared=False)
    pool = n.create_subnet_pool(name="walk-pool", prefixes=["10.81.0.0/16", "10.80.0.0/16"], default_prefix_length=25, minimum_prefix_length=24, maximum_prefix_length=28,
                                address_scope_id=scope.id, default_quota=1024)
    check.has("subnet pool", pool, prefixes=["10.80.0.0/15"], address_scope_id=scope.id, default_quota=1024, ip_version=4)
    pool = n.update_subnet_pool(pool, default_prefix_length=26, description="d")
    check.has("subnet pool, set", n.get_subnet_pool(pool), default_prefix_length=26, description="d")
    net = n.create_network(name="walk-pooled")
    one = n.create_subnet(network_id=net.id, ip_version=4, subnet_pool_id=pool.id)
    two = n.create_subnet(network_id=net.id, ip_version=4, subnet_pool_id=pool.id, prefix_length=24)
    check.equal("allocated", [one.cidr, two.cidr], ["10.80.0.0/26", "10.80.1.0/24"])
    check.equal("the network's address scope", n.get_network(net).ipv4_address_scope_id, scope.id)
    check.refused("prefix too long", exceptions.BadRequestException, n.create_subnet, network_id=net.id, ip_version=4, subnet_pool_id=pool.id, prefix_length=30)
    check.refused("pool in use", exceptions.BadRequestException, n.delete_subnet_pool, pool, ignore_missing=False)
    check.refused("scope in use", exceptions.ConflictException, n.delete_address_scope, scope, ignore_missing=False)
    n.delete_network(net, ignore_missing=False)
    n.delete_subnet_pool(pool, ignore_missing=False)
    n.delete_address_scope(scope, ignore_missing=False)


def groups(n, check):
    group = n.create_security_group(name="walk-sg", description="d")
    check.equal("rules of a new group", sorted((r["direction"], r["ethertype"]) for r in group.security_group_rules), [("egress", "IPv4"), ("egress", "IPv6")])
    group = n.update_security_group(group, description="e", name="walk-sg2")
    check.has("security group, set", n.get_security_group(group), name="walk-sg2", description="e", stateful=True)
    rule = n.create_security_group_rule(security_group_id=group.id, direction="ingress", protocol="TCP", port_range_min=22, port_range_max=22, remote_ip_prefix="10.0.0.5")
    check.has("rule", rule, protocol="tcp", ether_type="IPv4", port_range_min=22, remote_ip_prefix="10.0.0.5/32", normalized_cidr="10.0.0.5/32")
    check.refused("same rule", exceptions.ConflictException, n.create_security_group_rule, security_group_id=group.id, direction="ingress", protocol="tcp",
                  port_range_min=22, port_range_max=22, remote_ip_prefix="10.0.0.5/32")
    six = n.create_security_group_rule(security_group_id=group.id, direction="ingress", ether_type="IPv6", protocol="icmpv6", remote_group_id=group.id)
    check.has("IPv6 rule", six, protocol="ipv6-icmp", remote_group_id=group.id)
    addresses = n.create_address_group(name="walk-ag", addresses=["10.0.0.0/24"])
    addresses = n.add_addresses_to_address_group(addresses, ["10.0.1.0/24"])
    addresses = n.remove_addresses_from_address_group(addresses, ["10.0.0.0/24"])
    check.equal("address group", n.get_address_group(addresses).addresses, ["10.0.1.0/24"])
    by_group = n.create_security_group_rule(security_group_id=group.id, direction="egress", protocol="udp", remote_address_group_id=addresses.id)
    check.refused("address group in use", exceptions.ConflictException, n.delete_address_group, addresses, ignore_missing=False)
    check.equal("rules", len(list(n.security_group_rules(security_group_id=group.id))), 5)
    for r in (six, by_group):
        n.delete_security_group_rule(r, ignore_missing=False)
    n.delete_address_group(addresses, ignore_missing=False)
    check.equal("default group", len(list(n.security_groups(name="default", project_id=group.project_id))), 1)
    return group


def ports(n, check, net, four, six, group):
    port = n.create_port(network_id=net.id, name="walk-port", device_owner="compute:nova", device_id="vm", security_groups=[group.id],
                         allowed_address_pairs=[{"ip_address": "10.80.0.200"}], extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "x.0"}], binding_vnic_type="normal")
    check.has("port", port, status="DOWN", device_owner="compute:nova", device_id="vm", security_group_ids=[group.id], is_port_security_enabled=True,
              binding_vif_type="unbound", extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "x.0", "ip_version": 4}])
    check.equal("pair takes the port's MAC", port.allowed_address_pairs, [{"ip_address": "10.80.0.200", "mac_address": port.mac_address}])
    check.true("MAC prefix", port.mac_address.startswith("fa:16:3e:"))
    by_subnet = {f["subnet_id"]: f["ip_address"] for f in port.fixed_ips}
    check.true("address from the pool", ipaddress.ip_address("10.80.0.10") <= ipaddress.ip_address(by_subnet[four.id]) <= ipaddress.ip_address("10.80.0.19"))
    octets = [int(o, 16) for o in port.mac_address.split(":")]
    suffix = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    check.equal("SLAAC address", ipaddress.ip_address(by_subnet[six.id]), ipaddress.ip_address(ipaddress.ip_address("2001:db8:80::").packed[:8] + suffix))
    port = n.update_port(port, name="walk-port2", description="d", fixed_ips=[{"subnet_id": four.id, "ip_address": "10.80.0.77"}], allowed_address_pairs=[], extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": None}])
    check.has("port, set", n.get_port(port), name="walk-port2", description="d", allowed_address_pairs=[], extra_dhcp_opts=[])
    check.true("port's new address", {"subnet_id": four.id, "ip_address": "10.80.0.77"} in port.fixed_ips)
    check.equal("ports by address", [p.id for p in n.ports(fixed_ips="ip_address=10.80.0.77")], [port.id])
    check.equal("ports by part of address", [p.id for p in n.ports(fixed_ips="ip_address_substr=80.0.77", network_id=net.id)], [port.id])
    check.refused("address in use", exceptions.ConflictException, n.create_port, network_id=net.id, fixed_ips=[{"ip_address": "10.80.0.77"}])
    check.refused("address elsewhere", exceptions.BadRequestException, n.create_port, network_id=net.id, fixed_ips=[{"ip_address": "192.0.2.1"}])
    check.refused("MAC in use", exceptions.ConflictException, n.create_port, network_id=net.id, mac_address=port.mac_address)
    check.refused("security group in use", exceptions.ConflictException, n.delete_security_group, group, ignore_missing=False)
    check.refused("subnet in use", exceptions.ConflictException, n.delete_subnet, four, ignore_missing=False)
    check.refused("network in use", exceptions.ConflictException, n.delete_network, net, ignore_missing=False)
    port = n.update_port(port, binding_host_id="walk-host")
    check.has("port, bound to a host without agent", port, binding_host_id="walk-host", binding_vif_type="binding_failed")
    check.refused("stale revision", exceptions.PreconditionFailedException, n.update_port, n.get_port(port), if_revision=0, name="x")
    bulk = list(n.create_ports([{"network_id": net.id, "name": f"walk-bulk-{i}", "fixed_ips": [{"subnet_id": four.id}]} for i in range(4)]))
    check.equal("bulk", [p.name for p in bulk], [f"walk-bulk-{i}" for i in range(4)])
    check.equal("bulk addresses", len({p.fixed_ips[0]["ip_address"] for p in bulk}), 4)
    check.equal("used addresses", n.get_network_ip_availability(net.id).used_ips, sum(len(p.fixed_ips) for p in n.ports(network_id=net.id)))
    for p in bulk:
        n.delete_port(p, ignore_missing=False)
    return port


def snapshot(n):
    """Everything that there is."""
    lists = (n.networks, n.subnets, n.ports, n.security_groups, n.security_group_rules, n.subnet_pools, n.address_scopes, n.address_groups)
    return {f.__name__: sorted((x.to_dict(original_names=True) | {"location": None} for x in f()), key=lambda x: x["id"]) for f in lists}


def walk(endpoint, check, restart):
    n = connect(endpoint)
    check.extensions = {e.alias for e in n.extensions()}
    check.true("extensions", {"provider", "port-security", "subnet_allocation", "binding", "security-group"} <= check.extensions)
    net = networks(n, check)
    four, six = subnets(n, check, net)
    pools(n, check)
    group = groups(n, check)
    port = ports(n, check, net, four, six, group)
    before = snapshot(n)
    if restart():
        n = connect(endpoint)
        check.equal("after the restart everything is there", snapshot(n), before)
    n.delete_port(port.id, ignore_missing=False)
    n.delete_subnet(six, ignore_missing=False)
    n.delete_subnet(four, ignore_missing=False)
    n.delete_network(net, ignore_missing=False)
    n.delete_security_group(group, ignore_missing=False)
    check.refused("deleted port", exceptions.NotFoundException, n.get_port, port)
    left = [x for kind, items in snapshot(n).items() for x in items if str(x.get("name") or "").startswith("walk-")]
    check.equal("nothing is left", left, [])
