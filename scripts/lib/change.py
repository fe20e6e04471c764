# SPDX-License-Identifier: Apache-2.0
"""Changes, makes and deletes some of every kind of what lib/fill.py filled in, by requests alone.

Owns no server. What is refused is noted (`Changer.refused`): each of these requests must succeed on any server that holds the filled state."""
from .fill import Filler

# (path of the collection, member in a body, what a PUT sets).
UPDATES = [
    ("address-scopes", "address_scope", {"name": "renamed scope"}), ("agents", "agent", {"description": "seen by the other server"}),
    ("flavors", "flavor", {"description": "changed"}), ("floatingips", "floatingip", {"description": "changed"}),
    ("local_ips", "local_ip", {"description": "changed"}), ("log/logs", "log", {"enabled": False}), ("ndp_proxies", "ndp_proxy", {"description": "changed"}),
    ("networks", "network", {"description": "changed", "admin_state_up": False}), ("ports", "port", {"description": "changed"}),
    ("qos/policies", "policy", {"description": "changed"}), ("routers", "router", {"description": "changed"}),
    ("security-groups", "security_group", {"description": "changed"}), ("segments", "segment", {"description": "changed"}),
    ("service_profiles", "service_profile", {"description": "spare and changed"}), ("subnetpools", "subnetpool", {"description": "changed"}),
    ("subnets", "subnet", {"description": "changed", "host_routes": []}), ("trunks", "trunk", {"description": "changed"}),
    ("address-groups", "address_group", {"description": "changed"}), ("network_segment_ranges", "network_segment_range", {"name": "changed"}),
]  # fmt: skip
# Objects that nothing else needs, in an order in which they can go.
LEAVES = [
    ("rbac-policies", 2), ("trunks", 2), ("log/logs", 2), ("ndp_proxies", 1), ("metering/metering-label-rules", 1), ("metering/metering-labels", 1),
    ("default-security-group-rules", 1), ("security-group-rules", 2), ("floatingips", 3),
]  # fmt: skip


class Changer:
    """`clients`: admin, demo and alt_demo. `number` tells the applications that this one makes and deletes from those of others."""

    def __init__(self, clients, number):
        self.admin, self.demo, self.service, self.number = clients["admin"], clients["demo"], clients["service"], number
        self.projects = [clients["demo"].project_id, clients["alt_demo"].project_id]
        self.done, self.refused = 0, []
        self.filler = Filler(self.admin, self.demo, clients["alt_demo"], self.projects, 1)

    def send(self, method, path, body=None, client=None):
        answer = (client or self.admin).request(method, f"/v2.0/{path}", body)
        self.done += 1
        if answer.status >= 300:
            self.refused.append(f"{method} {path} {body}: {answer.status} {answer.data[:200]}")
        return answer.json or {}

    def rows(self, path, query=""):
        answer = self.admin.get(f"/v2.0/{path}{query}").json or {}
        return answer.get(path.split("/")[-1].replace("-", "_"), [])

    def everything(self):
        self.updates()
        self.children()
        self.leaves()
        self.make()
        self.unmake()
        return self.done, self.refused

    def updates(self):
        for path, member, values in UPDATES:
            rows = [row for row in self.rows(path) if row.get("name") != "default" and not row.get("default")]
            if path == "service_profiles":
                rows = [row for row in rows if row["description"].startswith("spare")]
            for row in rows[:4]:
                self.send("PUT", f"{path}/{row['id']}", {member: values})

    def children(self):
        """What hangs on other objects: QoS rules, port forwardings, helpers, associations, tags, addresses, bindings, quotas."""
        for policy in self.rows("qos/policies"):
            for rule in policy["rules"]:
                kind = f"{rule['type']}_rule"
                if kind == "bandwidth_limit_rule":
                    self.send("PUT", f"qos/policies/{policy['id']}/{kind}s/{rule['id']}", {kind: {"max_kbps": 30000 + self.number}})
                elif kind == "dscp_marking_rule":
                    self.send("DELETE", f"qos/policies/{policy['id']}/{kind}s/{rule['id']}")
                    self.send("POST", f"qos/policies/{policy['id']}/{kind}s", {kind: {"dscp_mark": 28}})
        forwarded = [ip for ip in self.rows("floatingips") if ip.get("port_forwardings")]
        for address in forwarded[:2]:
            for row in self.admin.get(f"/v2.0/floatingips/{address['id']}/port_forwardings").json["port_forwardings"]:
                path = f"floatingips/{address['id']}/port_forwardings/{row['id']}"
                self.send("PUT", path, {"port_forwarding": {"external_port": 4000 + self.number}})
        for router in self.rows("routers", "?name=app0-0"):
            helper = {"conntrack_helper": {"protocol": "udp", "port": 69 + self.number, "helper": "tftp"}}
            made = self.send("POST", f"routers/{router['id']}/conntrack_helpers", helper)
            self.send("DELETE", f"routers/{router['id']}/conntrack_helpers/{made.get('conntrack_helper', {}).get('id')}")
        for local in self.rows("local_ips")[:1]:
            for row in self.admin.get(f"/v2.0/local_ips/{local['id']}/port_associations").json.get("port_associations", []):
                self.send("DELETE", f"local_ips/{local['id']}/port_associations/{row['fixed_port_id']}")
            self.send("DELETE", f"local_ips/{local['id']}")
        for flavor in self.rows("flavors")[:1]:
            for profile in flavor["service_profiles"]:
                self.send("DELETE", f"flavors/{flavor['id']}/service_profiles/{profile}")
                self.send("DELETE", f"service_profiles/{profile}")
            self.send("DELETE", f"flavors/{flavor['id']}")
        for group in self.rows("address-groups")[:2]:
            self.send("PUT", f"address-groups/{group['id']}/add_addresses", {"addresses": [f"203.0.113.{self.number}/32"]})
        for net in self.rows("networks", "?name=app1-0"):
            self.send("PUT", f"networks/{net['id']}/tags/tag{self.number}")
            self.send("DELETE", f"networks/{net['id']}/tags/blue") if "blue" in net["tags"] else None
        for port in self.rows("ports", "?name=machine0"):
            for row in self.admin.get(f"/v2.0/ports/{port['id']}/bindings").json["bindings"]:
                if row["status"] == "INACTIVE":
                    self.send("PUT", f"ports/{port['id']}/bindings/{row['host']}/activate", client=self.service)
        self.send("PUT", f"quotas/{self.projects[1]}", {"quota": {"subnet": 300 + self.number}})
        self.send("DELETE", f"quotas/{self.projects[0]}") if self.number % 2 else None

    def leaves(self):
        for path, count in LEAVES:
            rows = self.rows(path)
            if path == "security-group-rules":
                rows = [row for row in rows if row.get("description") == "by addresses"]
            if path == "rbac-policies":
                rows = [row for row in rows if row["action"] == "access_as_shared" and row["target_tenant"] != "*"]
            if path == "floatingips":
                rows = [row for row in rows if not row["port_forwardings"] and not row["router_id"]]
            for row in rows[:count]:
                self.send("DELETE", f"{path}/{row['id']}")

    def make(self):
        """A whole application of a project."""
        again = self.filler
        again.outside = self.rows("networks", "?name=outside")[0]
        again.pool = self.rows("subnetpools", "?name=shared%20pool")[0]
        again.project(self.demo, 0, self.number)
        self.done += sum(again.made.values())
        self.refused += again.refused

    def unmake(self):
        """The application app0-1, or what an earlier call left: everything of it, in the order in which a user takes it down."""
        name = f"app0-{1 + self.number % 2}"
        client = self.demo
        net = next(iter(self.rows("networks", f"?name={name}")), None)
        if net is None:
            self.refused.append(f"{name} is not there to be taken down")
            return
        for row in self.rows("rbac-policies", f"?object_id={net['id']}"):
            self.send("DELETE", f"rbac-policies/{row['id']}", client=client)
        for trunk in self.rows("trunks", f"?name={name}"):
            self.send("DELETE", f"trunks/{trunk['id']}", client=client)
        for router in self.rows("routers", f"?name={name}"):
            for address in self.rows("floatingips", f"?router_id={router['id']}"):
                for row in self.admin.get(f"/v2.0/floatingips/{address['id']}/port_forwardings").json["port_forwardings"]:
                    self.send("DELETE", f"floatingips/{address['id']}/port_forwardings/{row['id']}", client=client)
                self.send("DELETE", f"floatingips/{address['id']}", client=client)
            self.send("PUT", f"routers/{router['id']}", {"router": {"routes": []}}, client=client)
            for subnet in self.rows("subnets", f"?network_id={net['id']}"):
                self.send("PUT", f"routers/{router['id']}/remove_router_interface", {"subnet_id": subnet["id"]}, client=client)
            self.send("DELETE", f"routers/{router['id']}", client=client)
        for port in self.rows("ports", f"?network_id={net['id']}"):
            if not port["device_owner"].startswith("network:"):
                self.send("DELETE", f"ports/{port['id']}", client=client)
        for subnet in self.rows("subnets", f"?network_id={net['id']}"):
            self.send("DELETE", f"subnets/{subnet['id']}", client=client)
        self.send("DELETE", f"networks/{net['id']}", client=client)
        for path in ("security-groups", "address-groups", "subnetpools", "address-scopes"):
            for row in self.rows(path, f"?name={name}"):
                self.send("DELETE", f"{path}/{row['id']}", client=client)
