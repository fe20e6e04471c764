# SPDX-License-Identifier: Apache-2.0
"""rpc_objects URL ENDPOINT: the versioned objects of the server at ENDPOINT, read by Neutron's own classes. Runs in a Python that has Neutron.

Takes the part of an agent at the broker of URL: reports its versions of objects, hears what is pushed, and pulls. Makes, changes and deletes one
of each kind through the API. Each object must be read by `NeutronObject.clean_obj_from_primitive`, as agents do it, and what the class
then writes must be what was sent, field by field. Exit status 0: it is so, and every kind was seen."""
import json
import logging
import sys
import threading
import time
import urllib.error
import urllib.request

import oslo_messaging
from neutron.objects import base, register_objects
from oslo_config import cfg

VERSIONS = {
    "Port": "1.11", "Network": "1.3", "Subnet": "1.2", "SecurityGroup": "1.6", "SecurityGroupRule": "1.3", "AddressGroup": "1.2", "QosPolicy": "1.10",
    "Trunk": "1.1", "SubPort": "1.0", "Log": "1.0", "PortForwarding": "1.3", "ConntrackHelper": "1.0", "LocalIPAssociation": "1.0", "NDPProxy": "1.0",
}
# What is asked for by `pull` in these lists, in no order that means anything.
UNORDERED = ("security_group_ids",)
HOST = "objects-1"


class Heard:
    """What was pushed: (event, object) by kind."""

    target = oslo_messaging.Target(version="1.1")

    def __init__(self):
        self.lock, self.objects = threading.Lock(), []

    def push(self, ctxt, resource_list, event_type):
        with self.lock:
            self.objects += [(event_type, primitive) for primitive in resource_list]


class Api:
    def __init__(self, endpoint):
        self.endpoint = endpoint.rstrip("/")

    def __call__(self, method, path, body=None, headers={}):  # noqa: B006
        request = urllib.request.Request(f"{self.endpoint}/v2.0/{path}", method=method, headers={"Content-Type": "application/json", **headers},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]}") from None
        return json.loads(data) if data else {}

    def make(self, path, member, **values):
        return self("POST", path, {member: values})[member]


def topology(api):
    """One of each kind, changed and deleted again."""
    later = []

    def make(path, member, **values):
        made = api.make(path, member, **values)
        later.append(f"{path}/{made['id']}" if "id" in made else None)
        return made

    group = make("security-groups", "security_group", name="objects")
    addresses = make("address-groups", "address_group", name="objects", addresses=["198.18.1.0/24", "2001:db8:1::/64"])
    for rule in ({"protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "remote_ip_prefix": "198.18.0.0/16"},
                 {"protocol": "icmp", "remote_group_id": group["id"]}, {"remote_address_group_id": addresses["id"]},
                 {"ethertype": "IPv6", "protocol": "icmpv6", "direction": "egress"}):
        make("security-group-rules", "security_group_rule", **{"security_group_id": group["id"], "direction": "ingress", **rule})
    policy = make("qos/policies", "policy", name="objects")
    for path, member, values in (
        ("bandwidth_limit_rules", "bandwidth_limit_rule", {"max_kbps": 2000, "max_burst_kbps": 200, "direction": "egress"}),
        ("dscp_marking_rules", "dscp_marking_rule", {"dscp_mark": 26}),
        ("minimum_bandwidth_rules", "minimum_bandwidth_rule", {"min_kbps": 100}),
        ("packet_rate_limit_rules", "packet_rate_limit_rule", {"max_kpps": 50}),
        ("minimum_packet_rate_rules", "minimum_packet_rate_rule", {"min_kpps": 10, "direction": "ingress"}),
    ):
        api.make(f"qos/policies/{policy['id']}/{path}", member, **values)
    outside = make("networks", "network", name="outside", **{"router:external": True})
    make("subnets", "subnet", network_id=outside["id"], ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False)
    inside = make("networks", "network", name="inside", mtu=1400, dns_domain="objects.example.", qos_policy_id=policy["id"])
    subnet = make("subnets", "subnet", network_id=inside["id"], ip_version=4, cidr="10.0.0.0/24", dns_nameservers=["192.0.2.53"],
                  host_routes=[{"destination": "198.18.9.0/24", "nexthop": "10.0.0.9"}])
    make("subnets", "subnet", network_id=inside["id"], ip_version=4, cidr="10.9.0.0/24", service_types=["compute:nova", "network:dhcp"])
    port = make("ports", "port", network_id=inside["id"], name="p", security_groups=[group["id"]], device_owner="compute:nova", device_id="vm",
                allowed_address_pairs=[{"ip_address": "10.0.0.77"}], extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "pxe.0"}],
                **{"binding:host_id": HOST})
    # The profile is Nova's to write.
    api("PUT", f"ports/{port['id']}", {"port": {"binding:profile": {"a": {"b": 1}}}}, {"X-Roles": "admin,service"})
    api("PUT", f"ports/{port['id']}", {"port": {"name": "q", "qos_policy_id": policy["id"], "data_plane_status": "ACTIVE"}})
    api("PUT", f"networks/{inside['id']}", {"network": {"name": "inside-2"}})
    api("PUT", f"subnets/{subnet['id']}", {"subnet": {"dns_nameservers": []}})
    api("PUT", f"address-groups/{addresses['id']}/add_addresses", {"addresses": ["198.18.2.0/24"]})
    scope = make("address-scopes", "address_scope", name="v6", ip_version=6)
    pool = make("subnetpools", "subnetpool", name="v6", prefixes=["2001:db8::/32"], default_prefixlen=64, address_scope_id=scope["id"])
    for network in (outside, inside):
        made = make("subnets", "subnet", network_id=network["id"], ip_version=6, subnetpool_id=pool["id"])
    router = make("routers", "router", name="r", external_gateway_info={"network_id": outside["id"]})
    api("PUT", f"routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
    floating = make("floatingips", "floatingip", floating_network_id=outside["id"])
    target = make("ports", "port", network_id=inside["id"], fixed_ips=[{"subnet_id": subnet["id"]}])
    forwarding = api.make(f"floatingips/{floating['id']}/port_forwardings", "port_forwarding", protocol="tcp", internal_port_id=target["id"],
                          internal_ip_address=target["fixed_ips"][0]["ip_address"], internal_port=22, external_port=2222)
    path = f"floatingips/{floating['id']}/port_forwardings/{forwarding['id']}"
    api("PUT", path, {"port_forwarding": {"external_port": 2223}})
    api("DELETE", path)
    helper = api.make(f"routers/{router['id']}/conntrack_helpers", "conntrack_helper", protocol="udp", port=69, helper="tftp")
    path = f"routers/{router['id']}/conntrack_helpers/{helper['id']}"
    api("PUT", path, {"conntrack_helper": {"port": 70}})
    api("DELETE", path)
    parent, sub = (make("ports", "port", network_id=inside["id"], name=name) for name in ("parent", "sub"))
    trunk = make("trunks", "trunk", port_id=parent["id"], sub_ports=[{"port_id": sub["id"], "segmentation_type": "vlan", "segmentation_id": 101}])
    more = make("ports", "port", network_id=inside["id"], name="more")
    api("PUT", f"trunks/{trunk['id']}/add_subports", {"sub_ports": [{"port_id": more["id"], "segmentation_type": "vlan", "segmentation_id": 102}]})
    api("PUT", f"trunks/{trunk['id']}/remove_subports", {"sub_ports": [{"port_id": more["id"]}]})
    log = make("log/logs", "log", name="l", resource_type="security_group", resource_id=group["id"], event="ALL")
    api("PUT", f"log/logs/{log['id']}", {"log": {"enabled": False}})
    local = make("local-ips", "local_ip", network_id=inside["id"])
    api.make(f"local-ips/{local['id']}/port_associations", "port_association", fixed_port_id=target["id"])
    api("DELETE", f"local-ips/{local['id']}/port_associations/{target['id']}")
    api("PUT", f"routers/{router['id']}/add_router_interface", {"subnet_id": made["id"]})
    api("PUT", f"routers/{router['id']}", {"router": {"enable_ndp_proxy": True}})
    six = make("ports", "port", network_id=inside["id"], fixed_ips=[{"subnet_id": made["id"]}])
    proxy = make("ndp-proxies", "ndp_proxy", router_id=router["id"], port_id=six["id"])
    return {"Port": port["id"], "Network": inside["id"], "Subnet": subnet["id"], "SecurityGroup": group["id"], "QosPolicy": policy["id"],
            "Trunk": parent["id"],  # asked for by its port
            "AddressGroup": addresses["id"], "Log": log["id"], "NDPProxy": proxy["id"]}, later, router["id"], (subnet["id"], made["id"])


def undo(api, later, router, subnets):
    api("DELETE", later.pop())  # the NDP proxy, of which agents hear
    for subnet in subnets:
        # A subnet with a port of its router stays there as long as the port.
        try:
            api("PUT", f"routers/{router}/remove_router_interface", {"subnet_id": subnet})
        except RuntimeError as error:
            print(error)
    for path in [path for path in reversed(later) if path]:
        try:
            api("DELETE", path)
        except RuntimeError as error:
            # What another deletion took along.
            if " 404 " not in str(error):
                print(error)


def plain(value):
    """For comparison: JSON as it comes from the wire, lists without an order sorted."""
    value = json.loads(json.dumps(value))
    data = value.get("versioned_object.data", {})
    for name in UNORDERED:
        if isinstance(data.get(name), list):
            data[name].sort()
    return value


def faults(primitive, gone):
    """What is wrong with one object."""
    try:
        read = base.NeutronObject.clean_obj_from_primitive(primitive)
        if gone:
            return []  # Of what is gone, only the id may be there.
        read.to_dict()
        back = plain(read.obj_to_primitive())
    except Exception as error:  # any failure of the class is the finding
        return [f"{type(error).__name__}: {error}"]
    sent = plain(primitive)
    names = {*sent["versioned_object.data"], *back["versioned_object.data"]}
    wrong = [f"{name}: sent {sent['versioned_object.data'].get(name)!r}, is {back['versioned_object.data'].get(name)!r}" for name in sorted(names)
             if sent["versioned_object.data"].get(name) != back["versioned_object.data"].get(name)]
    # What may be null and is, is left out, by Neutron's server, too.
    missing = {name for name, field in type(read).fields.items() if not field.nullable and name not in type(read).synthetic_fields}
    missing -= set(sent["versioned_object.data"])
    return wrong + [f"{name} is missing" for name in sorted(missing)]


def main():
    url, api = sys.argv[1], Api(sys.argv[2])
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    register_objects()
    conf = cfg.CONF
    conf([], project="objects")
    oslo_messaging.set_transport_defaults("neutron")
    transport = oslo_messaging.get_rpc_transport(conf, url)
    heard, servers = Heard(), []
    for kind, version in VERSIONS.items():
        target = oslo_messaging.Target(topic=f"neutron-vo-{kind}-{version}", server=HOST, fanout=True)
        servers.append(oslo_messaging.get_rpc_server(transport, target, [heard], executor="threading"))
        servers[-1].start()
    context = {"is_admin": True, "user_id": None, "project_id": None, "roles": ["admin"]}
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="q-plugin", version="1.1"), timeout=30)
    reports = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="q-reports-plugin", version="1.2"), timeout=30)
    state = {"binary": "neutron-openvswitch-agent", "host": HOST, "topic": "N/A", "agent_type": "Open vSwitch agent", "start_flag": True, "resource_versions": VERSIONS,
             "configurations": {"bridge_mappings": {}, "tunnel_types": ["vxlan"], "tunneling_ip": "198.18.0.9", "integration_bridge": "br-int", "datapath_type": "system",
                                "ovs_hybrid_plug": False, "extensions": ["qos", "log"]}}
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000", time.gmtime(time.time() + 1))
    reports.call(context, "report_state", agent_state={"agent_state": state}, time=now)
    ids, later, router, subnets = topology(api)
    pulled = []
    for kind, id_ in ids.items():
        pulled.append(("pull", client.call(context, "pull", resource_type=kind, version=VERSIONS[kind], resource_id=id_)))
    for kind, filters in (("Port", {"security_group_ids": [ids["SecurityGroup"]]}), ("SecurityGroupRule", {"security_group_id": [ids["SecurityGroup"]]}),
                          ("Subnet", {"network_id": [ids["Network"]]}), ("Network", {"id": [ids["Network"]]}), ("QosPolicy", {"id": [ids["QosPolicy"]]})):
        found = client.call(context, "bulk_pull", resource_type=kind, version=VERSIONS[kind], filter_kwargs=filters)
        pulled += [("bulk_pull", primitive) for primitive in found]
        if not found:
            pulled.append((f"bulk_pull of {kind} by {filters} finds nothing", None))
    undo(api, later, router, subnets)
    time.sleep(3)
    for server in servers:
        server.stop()
    with heard.lock:
        objects = [(f"push {event}", primitive) for event, primitive in heard.objects] + pulled
    bad, seen = 0, {}
    for how, primitive in objects:
        kind = primitive["versioned_object.name"] if primitive else None
        wrong = faults(primitive, how == "push deleted") if primitive else ["nothing"]
        seen.setdefault(kind, {}).setdefault(how, 0)
        seen[kind][how] += 1
        if wrong:
            bad += 1
            print(f"FAIL {how} {kind}: {'; '.join(wrong)[:600]}", flush=True)
    for kind in VERSIONS:
        pushes = [how for how in seen.get(kind, {}) if how.startswith("push ")]
        print(f"{'PASS' if pushes else 'FAIL'} {kind}: {seen.get(kind, 'never seen')}", flush=True)
        bad += not pushes
    print(f"{len(objects)} objects read by Neutron's classes, {bad} failures")
    for server in servers:
        server.wait()
    transport.cleanup()
    sys.exit(1 if bad else 0)


main()
