# SPDX-License-Identifier: Apache-2.0
"""What breaks in the lab of scripts/agents, what is changed meanwhile, and how long it takes until all is as it should be.

The clock starts when what was broken is back: the broker listens, the server's process is started, the agent says that its main loop runs; or
when connections were cut and queues deleted. It must not run longer than one report interval of the agents, which is Neutron's default here."""
import collections
import datetime
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from .answered import Answered
from .recovery import LOOK_S, measure

REPORT_INTERVAL_S = 30
# What docs/agents.md recommends: in plain queues a question dies with the broker, and the agent waits for a minute. RABBIT_OPTS= in the environment: plain ones.
ENVIRONMENT = {"RABBIT_OPTS": os.environ.get("RABBIT_OPTS", "amqp_durable_queues = true")}
KINDS = 5
RUNNING = {"a-ovs": "rpc_loop - iteration:0 started", "a-dhcp": "DHCP agent started", "a-l3": "L3 agent started"}


class Change:
    """Before a fault a network, a router and a machine are made, during it they are deleted; and a machine, a rule and a floating IP are made.
    Without `deletes` nothing is deleted."""

    def __init__(self, lab, number, deletes):
        self.lab, self.topology, self.number, self.deletes, self.new = lab, lab.topology(), number, deletes, None
        if deletes:
            self.make_what_goes()

    def make_what_goes(self):
        lab, number = self.lab, self.number
        self.network = lab.make("network", name=f"gone{number}")["id"]
        subnet = lab.make("subnet", network_id=self.network, ip_version=4, cidr=f"10.5{number}.0.0/24")["id"]
        self.router = lab.make("router", name=f"gone{number}")["id"]
        self.interface = {"subnet_id": subnet}
        lab.api.request("PUT", f"/v2.0/routers/{self.router}/add_router_interface", self.interface)
        self.old = self.machine("vm8")
        lab.run("plug-vm", self.old["id"], "vm-vm8", "none")
        # A DHCP agent that is killed before it has noted the device that it just plugged leaves it behind.
        served = lab.home / "agents/state/dhcp" / self.network / "pid"
        lab.until("what will be deleted is there", lambda: self.leftovers() == 5 and served.exists(), 90)
        lab.until("all ports are active", self.ports_are_active, 60)

    def delete_it(self):
        lab = self.lab
        lab.run("unplug-vm", self.old["id"], "vm-vm8")
        lab.api.request("PUT", f"/v2.0/routers/{self.router}/remove_router_interface", self.interface)
        gone = [lab.delete(f"{kind}/{identity}") for kind, identity in (("ports", self.old["id"]), ("routers", self.router), ("networks", self.network))]
        if not all(gone):
            raise RuntimeError(f"not all could be deleted: {gone}")

    def machine(self, name):
        return self.lab.make("port", network_id=self.topology["net1"], security_groups=[self.topology["sg"]], device_owner="compute:nova", device_id=name,
                             **{"binding:host_id": "lab-host1"})

    def make(self):
        lab, port = self.lab, 7010 + self.number
        self.new = self.machine("vm9")
        self.rule = lab.make("security_group_rule", security_group_id=self.topology["sg"], direction="ingress", ethertype="IPv4", protocol="tcp",
                             port_range_min=port, port_range_max=port)["id"]
        self.floating = lab.make("floatingip", floating_network_id=self.topology["ext"], port_id=self.topology["vm2"])
        if self.deletes:
            self.delete_it()
        lab.run("plug-vm", self.new["id"], "vm-vm9", "none")

    def undo(self):
        self.lab.run("unplug-vm", self.new["id"], "vm-vm9", check=False)
        for path in (f"ports/{self.new['id']}", f"security-group-rules/{self.rule}", f"floatingips/{self.floating['id']}"):
            self.lab.delete(path)

    # --- has it arrived?

    def leftovers(self):
        """What the agents have of what is to go: namespaces of the network and of the router, the interface of each, an address, flows."""
        hosts = self.lab.home / "agents/state/dhcp" / self.topology["net1"] / "host"
        names = self.lab.shell("ip netns list")[1]
        return sum((
            f"qdhcp-{self.network}" in names, f"qrouter-{self.router}" in names,
            "qr-" in self.lab.shell(f"ip -n qrouter-{self.router} -br link")[1],
            hosts.exists() and self.old["mac_address"] in hosts.read_text(),
            self.old["mac_address"] in self.lab.shell("ovs-ofctl dump-flows br-int")[1],
        ))

    def ports_are_active(self):
        found = self.lab.get("/v2.0/ports?fields=status")
        return found is not None and all(port["status"] in ("ACTIVE", "N/A") for port in found["ports"])

    def checks(self):
        lab, topology = self.lab, self.topology
        device, address = f"tap{self.new['id'][:11]}", self.new["fixed_ips"][0]["ip_address"]
        return {
            "ports are active": self.ports_are_active,
            "address": lambda: address in lab.shell(f'TRIES=2 "$AG_BIN/dhcp-vm" {device} vm-vm9')[1],
            "ping": lambda: lab.pings("vm-vm9", topology["vm2_ip"]),
            "floating IP": lambda: lab.pings("lab-ext", self.floating["floating_ip_address"]),
            "rule": lambda: lab.answers("vm-vm2", 7010 + self.number, "vm-vm1", topology["vm2_ip"]),
            "nothing left": lambda: not self.deletes or self.leftovers() == 0,
        }


def queues(lab):
    """(How many there are of each kind that is read, those of them in which messages wait.) Many have a name of chance."""
    lines = [line.split("\t") for line in lab.broker("list_queues", "-p", "agents", "name", "messages", "consumers") if line.count("\t") == 2]
    read = [(re.sub("[0-9a-f]{32}", "*", name), messages) for name, messages, consumers in lines if consumers not in ("0", "consumers")]
    return collections.Counter(name for name, _ in read), [name for name, messages in read if messages != "0"]


class Faults:
    def __init__(self, lab, report):
        self.lab, self.report, self.count = lab, report, 0
        self.queues = queues(lab)[0]

    def reported(self, since):
        at = datetime.datetime.fromtimestamp(since, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        agents = self.lab.agents()
        return len(agents) == KINDS and all(agent["alive"] and agent["heartbeat_timestamp"] > at for agent in agents)

    def queues_are_there(self):
        there, waiting = queues(self.lab)
        return not self.queues - there and not waiting

    def __call__(self, what, fault, deletes=True):
        """`fault(change)` breaks something, makes the change, mends it, and says when it was mended."""
        self.count += 1
        change, answered = Change(self.lab, self.count, deletes), Answered(self.lab)
        try:
            since = fault(change)
            took = measure(since, {"reports": lambda: self.reported(since), "queues": self.queues_are_there, **change.checks()})
            self.judge(what, took)
            self.count_answers(what, answered)
        except RuntimeError as error:
            self.report(what, False, str(error))
        finally:
            if change.new:
                change.undo()

    def judge(self, what, took):
        each = ", ".join(f"{name} {'never' if seconds is None else f'{seconds:.1f}'}" for name, seconds in took.items())
        last = None if None in took.values() else max(took.values())
        print(f"{what}: seconds: {each}", flush=True)
        self.report(f"{what}: all is as it should be after {last or 0:.1f} s", last is not None and last <= REPORT_INTERVAL_S + LOOK_S, each)

    def count_answers(self, what, answered):
        end = time.monotonic() + 5
        while answered.read().lost and time.monotonic() < end:
            time.sleep(0.5)
        print(f"{what}: agents asked {answered.asked} times, {answered.unanswered} of them not answered yet", flush=True)
        self.report(f"{what}: no question was lost", not answered.lost, answered.lost)
        self.report(f"{what}: none was answered twice or late", not answered.twice, answered.twice)


def running(lab, name):
    """When the agent that was started last said that its main loop runs."""
    log, since = lab.home / "agents/log" / f"{name}.log", lab.pid_file(name).stat().st_mtime

    def said():
        lines = [line for line in log.read_text(errors="replace").splitlines() if RUNNING[name] in line]
        at = datetime.datetime.strptime(lines[-1][:23], "%Y-%m-%d %H:%M:%S.%f").timestamp() if lines else 0
        return at if at > since else None

    at = lab.until(f"{name} runs", said, 60)
    print(f"{name} runs {at - since:.1f} s after its start", flush=True)
    return at


def faults(lab, report):
    broken = Faults(lab, report)

    def broker(change):
        lab.run("mq-down")
        with ThreadPoolExecutor() as pool:
            # Neutron's server keeps its clients waiting while there is no broker.
            making = pool.submit(change.make)
            time.sleep(5)
            since = lab.start_broker()
            making.result()
        return since

    def connections(change):
        change.make()
        lab.broker("close_all_connections", "-p", "agents", "a fault of the test")
        return time.time()

    def queue(name):
        def delete(change):
            # In this order: a question that is in the queue when it goes dies with it, whoever serves it.
            lab.broker("delete_queue", "-p", "agents", name)
            since = time.time()
            change.make()
            return since
        return delete

    def server(change):
        change.make()
        lab.kill_server()
        time.sleep(2)
        lab.start_server()
        return lab.server_since

    def both(change):
        # Nobody was told of the change: the broker is away, and what waits for it dies with the server.
        lab.run("mq-down")
        change.make()
        lab.kill_server()
        since = lab.start_broker()
        lab.start_server()
        return max(since, lab.server_since)

    def agents(*names):
        def kill(change):
            for name in names:
                # With its worker, which otherwise goes on for some seconds.
                os.killpg(lab.pid(name), signal.SIGKILL)
            change.make()
            lab.run("agents-up")
            return max(running(lab, name) for name in names)
        return kill

    broken("broker restarted", broker)
    broken("connections cut", connections)
    broken("queue q-plugin deleted", queue("q-plugin"))
    broken("queue of the DHCP agent deleted", queue("dhcp_agent.lab-host1"))
    broken("server killed", server)
    if not lab.peer:
        # Of what is deleted then agents hear nothing: they are asked to sync, which L3 agents do when 40 s are over (docs/agents.md).
        broken("server killed while there was no broker", both, deletes=False)
    broken("OVS agent killed", agents("a-ovs"))
    broken("DHCP and L3 agents killed", agents("a-dhcp", "a-l3"))
