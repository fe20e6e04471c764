# SPDX-License-Identifier: Apache-2.0
"""Fills a Networking API with objects of every kind, by requests alone, and knows how to read all of it again.

Owns no server. A request that is refused is noted (`Filler.refused`) and the rest goes on, so that the same filler serves servers with
different extensions; what must be there is for the caller to check (`Filler.made`)."""
import collections
import json

# Every collection, its key in a list body, and whether its members are shown one by one. In the order in which they are read.
COLLECTIONS = [
    ("address-groups", "address_groups"), ("address-scopes", "address_scopes"), ("agents", "agents"), ("availability_zones", "availability_zones"),
    ("default-security-group-rules", "default_security_group_rules"), ("flavors", "flavors"), ("floatingip_pools", "floatingip_pools"),
    ("floatingips", "floatingips"), ("local_ips", "local_ips"), ("log/logs", "logs"), ("log/loggable-resources", "loggable_resources"),
    ("metering/metering-label-rules", "metering_label_rules"), ("metering/metering-labels", "metering_labels"), ("ndp_proxies", "ndp_proxies"),
    ("network-ip-availabilities", "network_ip_availabilities"), ("network_segment_ranges", "network_segment_ranges"), ("networks", "networks"),
    ("ports", "ports"), ("qos/policies", "policies"), ("qos/rule-types", "rule_types"), ("quotas", "quotas"), ("rbac-policies", "rbac_policies"),
    ("routers", "routers"), ("security-group-rules", "security_group_rules"), ("security-groups", "security_groups"), ("segments", "segments"),
    ("service-providers", "service_providers"), ("service_profiles", "service_profiles"), ("subnetpools", "subnetpools"), ("subnets", "subnets"),
    ("trunks", "trunks"),
]  # fmt: skip
# What hangs on a member: {collection: [(path below the member, key)]}.
CHILDREN = {
    "floatingips": [("port_forwardings", "port_forwardings")],
    "local_ips": [("port_associations", "port_associations")],
    "qos/policies": [
        (f"{kind}_rules", f"{kind}_rules")
        for kind in ("bandwidth_limit", "dscp_marking", "minimum_bandwidth", "packet_rate_limit", "minimum_packet_rate")
    ],
    "routers": [("conntrack_helpers", "conntrack_helpers"), ("l3-agents", "agents")],
    "agents": [("dhcp-networks", "networks"), ("l3-routers", "routers")],
    "networks": [("dhcp-agents", "agents"), ("tags", "tags")],
    "ports": [("bindings", "bindings")],
    "trunks": [("get_subports", "sub_ports")],
    "quotas": [],
    "flavors": [("service_profiles", "service_profiles")],
}


class Filler:
    """`admin`, `one` and `two` are clients with `request(method, path, body)`: an operator and two projects; `projects` their ids; `service`: what Nova is."""

    def __init__(self, admin, one, two, projects, scale=1, service=None):
        self.admin, self.one, self.two, self.projects, self.scale = admin, one, two, projects, scale
        self.service = service or admin
        self.made, self.refused = collections.Counter(), []

    def make(self, client, path, member, **attributes):
        """The object, or an empty dictionary when it was refused."""
        answer = client.request("POST", f"/v2.0/{path}", {member: attributes})
        if answer.status != 201:
            self.refused.append(f"POST {path} {attributes}: {answer.status} {answer.data[:200]}")
            return {}
        self.made[path.split("/")[-1] if path.count("/") else path] += 1
        return answer.json[member]

    def change(self, client, path, body):
        answer = client.request("PUT", f"/v2.0/{path}", body)
        if answer.status >= 300:
            self.refused.append(f"PUT {path} {body}: {answer.status} {answer.data[:200]}")
        return answer.json or {}

    def everything(self):
        self.shared()
        for number, client in enumerate((self.one, self.two)):
            for n in range(self.scale):
                self.project(client, number, n)
        self.administration()

    def shared(self):
        """What the operator makes for all."""
        admin = self.admin
        self.outside = self.make(admin, "networks", "network", **{"name": "outside", "router:external": True, "is_default": True, "provider:network_type": "flat", "provider:physical_network": "public"})  # fmt: skip
        self.make(admin, "subnets", "subnet", network_id=self.outside["id"], ip_version=4, cidr="172.24.0.0/16", gateway_ip="172.24.0.1", enable_dhcp=False, name="outside4")  # fmt: skip
        scope6 = self.make(admin, "address-scopes", "address_scope", name="six scope", ip_version=6, shared=True)
        self.pool6 = self.make(admin, "subnetpools", "subnetpool", name="scoped six", prefixes=["2001:db8:a::/48"], default_prefixlen=64, shared=True, address_scope_id=scope6.get("id"))  # fmt: skip
        self.make(admin, "subnets", "subnet", network_id=self.outside["id"], ip_version=6, subnetpool_id=self.pool6.get("id"), enable_dhcp=False, name="outside6")  # fmt: skip
        for n, (kind, physical, number) in enumerate((("vlan", "foo", 100), ("vlan", "foo", 101), ("vxlan", None, 777), ("local", None, None), ("geneve", None, 20005))):  # fmt: skip
            provider = {"provider:network_type": kind, "provider:physical_network": physical, "provider:segmentation_id": number}
            net = self.make(admin, "networks", "network", **{"name": f"provider{n}", "shared": n % 2 == 0, "mtu": 1400, **{k: v for k, v in provider.items() if v}})  # fmt: skip
            self.make(admin, "subnets", "subnet", network_id=net["id"], ip_version=4, cidr=f"10.200.{n}.0/24", dns_nameservers=["192.0.2.53"], host_routes=[{"destination": "198.51.100.0/24", "nexthop": f"10.200.{n}.9"}])  # fmt: skip
        self.make(admin, "networks", "network", **{"name": "multi", "segments": [{"provider:network_type": "vlan", "provider:physical_network": "foo", "provider:segmentation_id": 200}, {"provider:network_type": "vxlan", "provider:segmentation_id": 888}]})  # fmt: skip
        scope = self.make(admin, "address-scopes", "address_scope", name="shared scope", ip_version=4, shared=True)
        self.pool = self.make(admin, "subnetpools", "subnetpool", name="shared pool", prefixes=["10.64.0.0/10"], default_prefixlen=26, shared=True, is_default=True, address_scope_id=scope.get("id"))  # fmt: skip
        self.make(admin, "subnetpools", "subnetpool", name="six", prefixes=["fd00:64::/40"], default_prefixlen=64, shared=True, is_default=True)
        self.qos = self.make(admin, "qos/policies", "policy", name="gold", shared=True, description="for all")
        below = f"qos/policies/{self.qos.get('id')}"
        self.make(admin, f"{below}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=10000, max_burst_kbps=1000, direction="egress")
        self.make(admin, f"{below}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=20000, direction="ingress")
        self.make(admin, f"{below}/dscp_marking_rules", "dscp_marking_rule", dscp_mark=26)
        self.make(admin, f"{below}/packet_rate_limit_rules", "packet_rate_limit_rule", max_kpps=100, direction="egress")
        minimum = self.make(admin, "qos/policies", "policy", name="minimum")
        self.make(admin, f"qos/policies/{minimum.get('id')}/minimum_bandwidth_rules", "minimum_bandwidth_rule", min_kbps=100, direction="egress")
        self.make(admin, f"qos/policies/{minimum.get('id')}/minimum_packet_rate_rules", "minimum_packet_rate_rule", min_kpps=10, direction="any")
        self.minimum = minimum

    def project(self, client, number, n):
        """One application's worth of objects of a project."""
        name, octet = f"app{number}-{n}", 10 + number * 100 + n
        net = self.make(client, "networks", "network", name=name, description=f"network of {name}")
        four = self.make(client, "subnets", "subnet", network_id=net["id"], name=name, ip_version=4, cidr=f"10.{octet}.0.0/24", allocation_pools=[{"start": f"10.{octet}.0.10", "end": f"10.{octet}.0.200"}], dns_nameservers=["192.0.2.1", "192.0.2.2"])  # fmt: skip
        six = self.make(client, "subnets", "subnet", network_id=net["id"], ip_version=6, cidr=f"fd{octet:02x}::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")  # fmt: skip
        pooled = self.make(client, "networks", "network", name=f"{name} pooled", port_security_enabled=False)
        self.make(client, "subnets", "subnet", network_id=pooled["id"], ip_version=4, subnetpool_id=self.pool.get("id"), prefixlen=28, name=f"{name} pooled", service_types=["compute:nova"])  # fmt: skip
        own = self.make(client, "address-scopes", "address_scope", name=name, ip_version=4)
        self.make(client, "subnetpools", "subnetpool", name=name, prefixes=[f"172.{16 + n % 16}.0.0/16"], default_prefixlen=24, address_scope_id=own.get("id"))
        group = self.make(client, "security-groups", "security_group", name=name, stateful=n % 2 == 0)
        addresses = self.make(client, "address-groups", "address_group", name=name, addresses=[f"192.0.2.{n}/32", "198.51.100.0/24"])
        for rule in (
            {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443, "remote_ip_prefix": "0.0.0.0/0"},
            {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
            {"protocol": "udp", "ethertype": "IPv6", "remote_group_id": group.get("id")},
            {"protocol": "sctp", "remote_address_group_id": addresses.get("id"), "description": "by addresses"},
        ):
            self.make(client, "security-group-rules", "security_group_rule", security_group_id=group.get("id"), direction="ingress", **rule)
        fixed = [{"subnet_id": four["id"]}, {"subnet_id": six["id"]}]
        ports = [self.make(client, "ports", "port", network_id=net["id"], name=f"{name}-{m}", fixed_ips=fixed, security_groups=[group["id"]]) for m in range(4)]  # fmt: skip
        extra = self.make(client, "ports", "port", network_id=net["id"], name=f"{name} extra", allowed_address_pairs=[{"ip_address": "203.0.113.7"}], extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "pxe"}], admin_state_up=False)  # fmt: skip
        self.change(client, f"ports/{extra['id']}", {"port": {"security_groups": [], "allowed_address_pairs": []}})
        self.make(client, "ports", "port", network_id=net["id"], name=f"{name} open", port_security_enabled=False, security_groups=[])
        router = self.make(client, "routers", "router", name=name, external_gateway_info={"network_id": self.outside["id"]})
        for subnet in (four, six):
            self.change(client, f"routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        self.change(client, f"routers/{router['id']}", {"router": {"routes": [{"destination": "203.0.113.0/24", "nexthop": f"10.{octet}.0.9"}]}})
        self.make(client, f"routers/{router['id']}/conntrack_helpers", "conntrack_helper", protocol="tcp", port=21, helper="ftp")
        self.make(client, "floatingips", "floatingip", floating_network_id=self.outside["id"], port_id=ports[0].get("id"), description=name)
        self.make(client, "floatingips", "floatingip", floating_network_id=self.outside["id"])
        forwarded = self.make(client, "floatingips", "floatingip", floating_network_id=self.outside["id"])
        address = next((ip["ip_address"] for ip in ports[1].get("fixed_ips", []) if "." in ip["ip_address"]), None)
        self.make(client, f"floatingips/{forwarded.get('id')}/port_forwardings", "port_forwarding", protocol="tcp", external_port=2222, internal_port=22, internal_port_id=ports[1].get("id"), internal_ip_address=address)  # fmt: skip
        parent, child = (self.make(client, "ports", "port", network_id=net["id"], name=f"{name} {kind}") for kind in ("trunk", "sub"))
        self.make(client, "trunks", "trunk", name=name, port_id=parent.get("id"), sub_ports=[{"port_id": child.get("id"), "segmentation_type": "vlan", "segmentation_id": 55}])  # fmt: skip
        self.change(client, f"networks/{net['id']}/tags", {"tags": ["blue", name]})
        self.change(client, f"routers/{router['id']}/tags", {"tags": [name]})
        # A project may have ten of them unless its quota says otherwise.
        if n % 7 == 0:
            self.make(client, "rbac-policies", "rbac_policy", object_type="network", object_id=net["id"], action="access_as_shared", target_tenant=self.projects[1 - number])  # fmt: skip

    def administration(self):
        """What only an operator makes, over what the projects have."""
        admin = self.admin
        for n in range(self.scale):
            project = self.projects[n % 2]
            label = self.make(admin, "metering/metering-labels", "metering_label", name=f"label{n}", project_id=project, shared=n == 0)
            self.make(admin, "metering/metering-label-rules", "metering_label_rule", metering_label_id=label.get("id"), remote_ip_prefix=f"10.{n}.0.0/16", direction="ingress")  # fmt: skip
            profile = self.make(admin, "service_profiles", "service_profile", description=f"profile{n}", metainfo='{"a": 1}')
            flavor = self.make(admin, "flavors", "flavor", name=f"flavor{n}", service_type="L3_ROUTER_NAT")
            self.make(admin, f"flavors/{flavor.get('id')}/service_profiles", "service_profile", id=profile.get("id"))
            net = self.make(admin, "networks", "network", name=f"governed{n}", project_id=project, qos_policy_id=self.qos.get("id"))
            self.make(admin, "subnets", "subnet", network_id=net["id"], ip_version=4, cidr=f"10.250.{n}.0/24", project_id=project)
            port = self.make(admin, "ports", "port", network_id=net["id"], project_id=project, qos_policy_id=self.minimum.get("id"), **{"binding:host_id": "nowhere", "device_owner": "compute:nova", "binding:vnic_type": "normal"})  # fmt: skip
            local = self.make(admin, "local_ips", "local_ip", name=f"local{n}", local_port_id=port.get("id"), project_id=project)
            self.make(admin, f"local_ips/{local.get('id')}/port_associations", "port_association", fixed_port_id=port.get("id"))
            group = self.make(admin, "security-groups", "security_group", name=f"logged{n}", project_id=project)
            self.make(admin, "log/logs", "log", name=f"log{n}", resource_type="security_group", resource_id=group.get("id"), event="ALL", project_id=project)  # fmt: skip
            self.make(admin, "default-security-group-rules", "default_security_group_rule", direction="ingress", protocol="tcp", port_range_min=1000 + n, port_range_max=1000 + n, used_in_default_sg=False, used_in_non_default_sg=True)  # fmt: skip
        self.make(admin, "service_profiles", "service_profile", description="spare", metainfo="{}")
        self.proxies(self.one)
        self.bindings()
        for kind in ("distributed", "ha"):
            self.make(admin, "routers", "router", name=kind, project_id=self.projects[0], external_gateway_info={"network_id": self.outside["id"]}, **{kind: True})  # fmt: skip
        private = self.make(admin, "networks", "network", name="private vlan", pvlan=True)
        self.make(admin, "subnets", "subnet", network_id=private.get("id"), ip_version=4, cidr="10.251.0.0/24")
        for kind, more in (("promiscuous", {}), ("isolated", {}), ("community", {"pvlan_community": "one"})):
            self.make(admin, "ports", "port", network_id=private.get("id"), name=kind, pvlan_type=kind, **more)
        routed = self.make(admin, "networks", "network", **{"name": "routed", "provider:network_type": "vlan", "provider:physical_network": "foo", "provider:segmentation_id": 300})  # fmt: skip
        for number in (301, 302):
            self.make(admin, "segments", "segment", name=f"segment{number}", network_id=routed.get("id"), network_type="vlan", physical_network="foo", segmentation_id=number)  # fmt: skip
        answer = self.two.request("GET", f"/v2.0/auto-allocated-topology/{self.projects[1]}")
        if answer.status != 200:
            self.refused.append(f"auto-allocated-topology: {answer.status} {answer.data[:200]}")
        self.make(admin, "network_segment_ranges", "network_segment_range", name="range", network_type="vlan", physical_network="foo", minimum=3000, maximum=3010, shared=True)  # fmt: skip
        self.change(admin, f"quotas/{self.projects[0]}", {"quota": {"network": 777, "port": 9999}})

    def proxies(self, client):
        """Neighbour discovery proxies: a router between two networks of one IPv6 address scope."""
        net = self.make(client, "networks", "network", name="proxied")
        six = self.make(client, "subnets", "subnet", network_id=net["id"], ip_version=6, subnetpool_id=self.pool6.get("id"))
        router = self.make(client, "routers", "router", name="proxy", enable_ndp_proxy=True, external_gateway_info={"network_id": self.outside["id"]})
        self.change(client, f"routers/{router.get('id')}/add_router_interface", {"subnet_id": six.get("id")})
        for n in range(3):
            port = self.make(client, "ports", "port", network_id=net["id"], name=f"proxied{n}", fixed_ips=[{"subnet_id": six.get("id")}])
            self.make(client, "ndp_proxies", "ndp_proxy", name=f"proxy{n}", router_id=router.get("id"), port_id=port.get("id"))

    def bindings(self):
        """Ports of machines on hosts with agents, one with a second binding, as for a live migration; and what only operators set."""
        net = self.make(self.admin, "networks", "network", name="bound")
        self.make(self.admin, "subnets", "subnet", network_id=net["id"], ip_version=4, cidr="10.252.0.0/24")
        for n in range(3):
            port = self.make(self.admin, "ports", "port", network_id=net["id"], name=f"machine{n}", device_owner="compute:nova", device_id=f"machine{n}", numa_affinity_policy="required", **{"binding:host_id": "peer"})  # fmt: skip
            if n == 0:
                self.make(self.service, f"ports/{port.get('id')}/bindings", "binding", host="peer2")
            self.change(self.admin, f"ports/{port.get('id')}", {"port": {"data_plane_status": "ACTIVE"}})


def read_all(client, limit=None):
    """Every list, every member and every child that this caller sees: {path: (status, body)}, lists and their members in a fixed order."""
    seen = {}

    def look(path):
        answer = client.request("GET", f"/v2.0/{path}")
        seen[path] = (answer.status, ordered(answer.json))
        return answer

    for path, key in COLLECTIONS:
        answer = look(path)
        rows = (answer.json or {}).get(key, []) if answer.status == 200 else []
        for row in rows[:limit]:
            if not isinstance(row, dict) or "id" not in row:
                continue
            look(f"{path}/{row['id']}")
            for child, _ in CHILDREN.get(path, []):
                look(f"{path}/{row['id']}/{child}")
    return seen


def ordered(value):
    """The same value with every list in an order of its own, since neither server promises one."""
    if isinstance(value, dict):
        return {key: ordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((ordered(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value
