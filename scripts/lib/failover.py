# SPDX-License-Identifier: Apache-2.0
"""Two hosts of the lab of scripts/agents, of which one loses its L3 and its DHCP agent for good: the router and the networks go to the other host; and
nothing is served twice when the dead return."""
import os
import signal
import time

from .recovery import LOOK_S, PAUSE_S, measure

AGENT_DOWN_TIME_S = 15
ENVIRONMENT = {
    # Of a lease, of a second each.
    "TRIES": "2",
    "DVR": "False", "L3_MODE": "legacy", "H2_L3_MODE": "legacy",
    "OS_DEFAULT__AGENT_DOWN_TIME": str(AGENT_DOWN_TIME_S), "OS_DEFAULT__ALLOW_AUTOMATIC_L3AGENT_FAILOVER": "True",
}
# Neutron's rule: what an agent has is taken from it after twice agent_down_time, with two seconds for each network of a DHCP agent; the server looks every
# half of it. Then the agent of the other host makes what is now its own: up to a dozen seconds for a router on a small machine.
LIMIT_S = AGENT_DOWN_TIME_S * 2.5 + 2 * 2 + 15 + LOOK_S
HOSTS = ("lab-host1", "lab-host2")


class Pair:
    """A machine on each host, on a network each, with a router between them."""

    def __init__(self, lab):
        self.lab, self.machines = lab, []
        # All is made where the agents will die.
        self.admit("lab-host2", False)
        group = lab.make("security_group", name="failover")["id"]
        lab.make("security_group_rule", security_group_id=group, direction="ingress", ethertype="IPv4", protocol="icmp")
        self.group, self.networks = group, []
        self.router = lab.make("router", name="failover")["id"]
        for number in (1, 2):
            network = lab.make("network", name=f"failover{number}")["id"]
            subnet = lab.make("subnet", network_id=network, ip_version=4, cidr=f"10.6{number}.0.0/24")["id"]
            lab.api.request("PUT", f"/v2.0/routers/{self.router}/add_router_interface", {"subnet_id": subnet})
            self.networks.append(network)
        self.near, self.far = self.plug("vm-near", 0, "lab-host1"), self.plug("vm-far", 1, "lab-host2")

    def admit(self, host, admitted):
        for agent in self.lab.agents():
            if agent["host"] == host and agent["agent_type"] in ("L3 agent", "DHCP agent"):
                self.lab.api.request("PUT", f"/v2.0/agents/{agent['id']}", {"agent": {"admin_state_up": admitted}})

    def plug(self, name, network, host):
        port = self.lab.make("port", network_id=self.networks[network], security_groups=[self.group], device_owner="compute:nova", device_id=name,
                             **{"binding:host_id": host})
        self.machines.append((name, port["id"], host))
        self.on(host, "plug-vm", port["id"], name, "none")
        return {"name": name, "device": f"tap{port['id'][:11]}", "address": port["fixed_ips"][0]["ip_address"], "host": host}

    def on(self, host, script, *arguments, check=True):
        path = str(self.lab.kit / "agents/bin" / script)
        return self.lab.run(*(("in-h2", path) if host == "lab-host2" else (script,)), *arguments, check=check)

    def has_address(self, machine):
        return machine["address"] in self.on(machine["host"], "dhcp-vm", machine["device"], machine["name"], check=False)[1]

    def hosts(self):
        """Of the agents that have the router, and of those that have each network."""
        of = lambda path: [agent["host"] for agent in (self.lab.get(path) or {"agents": ["?"]})["agents"]]  # noqa: E731
        return of(f"/v2.0/routers/{self.router}/l3-agents"), *(of(f"/v2.0/networks/{network}/dhcp-agents") for network in self.networks)

    def served(self, host):
        """The namespaces of the router and of the networks that are on a host."""
        prefix = '"$AG_BIN/in-h2" ' if host == "lab-host2" else ""
        listed = self.lab.shell(f"{prefix}ip netns list")[1]
        return sorted(name for name in (f"qrouter-{self.router}", *(f"qdhcp-{network}" for network in self.networks)) if name in listed)

    def unplug(self):
        for name, port, host in self.machines:
            self.on(host, "unplug-vm", port, name, check=False)
            self.lab.delete(f"ports/{port}")


def start_dhcp_of_host2(lab):
    command = '. "$AG_BIN/env.sh"; C=$CONF/ovs; spawn a-dhcp neutron-dhcp-agent --config-file "$C/neutron.conf" --config-file "$C/agent-dhcp.ini"'
    lab.run("in-h2", "bash", "-c", command)
    lab.alive(8)


def end_dhcp_of_host2(lab):
    lab.run("in-h2", "bash", "-c", '. "$AG_BIN/env.sh"; reap a-dhcp', check=False)


def kill(lab, pair):
    """The agents of the first host, and what they made, as if the host were off."""
    for name in ("a-l3", "a-dhcp"):
        os.killpg(lab.pid(name), signal.SIGKILL)
    since = time.time()
    for name in pair.served("lab-host1"):
        lab.shell(f"""devices=$(ip -n {name} -br link | sed 's/[@ ].*//' | grep -v '^lo$')
            for p in $(ip netns pids {name}); do kill -KILL $p; done; ip netns del {name}
            for device in $devices; do ovs-vsctl --if-exists del-port br-int $device; done""")
    return since


def failover(lab, report):
    start_dhcp_of_host2(lab)
    pair = Pair(lab)
    try:
        lab.until("the machines have their addresses", lambda: pair.has_address(pair.near) and pair.has_address(pair.far), 60)
        report("a machine reaches another one through the router", lab.pings("vm-near", pair.far["address"], 30))
        first = pair.hosts()
        report("the router and the networks are on the first host", first == ([HOSTS[0]],) * 3, first)
        pair.admit("lab-host2", True)
        since = kill(lab, pair)
        report("without its agents nothing is routed", not lab.pings("vm-near", pair.far["address"]))
        new = pair.plug("vm-new", 0, "lab-host1")
        took = measure(since, {
            "router moved": lambda: pair.hosts()[0] == [HOSTS[1]],
            "networks moved": lambda: pair.hosts()[1:] == ([HOSTS[1]],) * 2,
            "routed": lambda: lab.pings("vm-near", pair.far["address"]),
            "a new machine's address": lambda: pair.has_address(new),
        })
        each = ", ".join(f"{name} {'never' if seconds is None else f'{seconds:.1f}'}" for name, seconds in took.items())
        print(f"agents dead for good: seconds: {each}", flush=True)
        report(f"the other host serves within {LIMIT_S:.0f} s", None not in took.values() and max(took.values()) <= LIMIT_S, each)
        returned(lab, report, pair)
    finally:
        pair.unplug()


def returned(lab, report, pair):
    lab.run("agents-up")
    lab.alive(8)
    end = time.monotonic() + 60
    while pair.served("lab-host1") and time.monotonic() < end:
        time.sleep(PAUSE_S)
    # They have synced, and the server has looked after the agents once more.
    time.sleep(AGENT_DOWN_TIME_S)
    served = [pair.served(host) for host in HOSTS]
    report("the dead return: nothing is served twice", [len(one) for one in served] == [0, 3], served)
    hosts = pair.hosts()
    report("the dead return: the router and the networks stay where they are", hosts == ([HOSTS[1]],) * 3, hosts)
    ports = [port for port in lab.get("/v2.0/ports")["ports"] if port["device_owner"] in ("network:dhcp", "network:router_interface")]
    bound = sorted((port["device_owner"], port["binding:host_id"], port["status"]) for port in ports)
    wanted = [(owner, HOSTS[1], "ACTIVE") for owner in ("network:dhcp", "network:router_interface") for _ in pair.networks]
    report("the dead return: one port each, bound and active", bound == wanted, bound)
    report("the dead return: routed", lab.pings("vm-near", pair.far["address"], 10))
    report("the dead return: an address is given", pair.has_address(pair.near))
