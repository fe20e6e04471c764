# SPDX-License-Identifier: Apache-2.0
"""rpc_killed URL [ROUNDS]: our server at the broker of URL deletes a port and is killed as soon as it has answered; what L2 agents and the DHCP
agent are to hear must be in their queues. Then it is killed while agents ask without a pause; each question must be answered. Prints how long deletions
and questions took, too. Needs a Python with oslo.messaging (and so kombu)."""
import concurrent.futures
import datetime
import json
import logging
import statistics
import sys
import tempfile
import time

import kombu
import oslo_messaging
from oslo_config import cfg

from .agent_rows import reports
from .http import Client
from .server import Server

HOST = "killed"
VERSIONS = {"Port": "1.11", "Network": "1.3", "Subnet": "1.2", "SecurityGroup": "1.6", "SecurityGroupRule": "1.3", "QosPolicy": "1.10"}
FANOUTS = {"port_delete": "q-agent-notifier-port-delete", "push": "neutron-vo-Port-1.11"}


def report(url):
    oslo_messaging.set_transport_defaults("neutron")
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="q-reports-plugin", version="1.2"))
    now = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    for kind, binary, topic, zone, configurations in reports(HOST, 0)[:2]:
        state = {"agent_type": kind, "binary": binary, "topic": topic, "host": HOST, "configurations": configurations, "start_flag": True}
        state |= {"availability_zone": zone} if zone else {"resource_versions": VERSIONS}
        client.call({}, "report_state", agent_state={"agent_state": state}, time=now)
    transport.cleanup()


class Queues:
    """Queues of our own beside those that agents would have."""

    def __init__(self, url):
        self.connection = kombu.Connection(url.replace("rabbit://", "amqp://"))
        channel = self.connection.channel()
        self.queues = {}
        for method, topic in FANOUTS.items():
            exchange = kombu.Exchange(f"{topic}_fanout", "fanout", durable=False, auto_delete=True)
            self.queues[method] = kombu.Queue(f"killed-{method}", exchange, durable=False)(channel)
        exchange = kombu.Exchange("neutron", "topic", durable=False)
        self.queues["port_delete_end"] = kombu.Queue("killed-dhcp", exchange, routing_key=f"dhcp_agent.{HOST}", durable=False)(channel)
        for queue in self.queues.values():
            queue.declare()

    def take(self):
        """What came, by method."""
        came = {method: [] for method in self.queues}
        for queue in self.queues.values():
            while message := queue.get(no_ack=True):
                said = json.loads(json.loads(message.body)["oslo.message"])
                came.setdefault(said["method"], []).append(json.dumps(said["args"]))
        return came


def post(api, collection, member, **body):
    answer = api.request("POST", f"/v2.0/{collection}", {member: body})
    assert answer.status == 201, answer.data
    return answer.json[member]["id"]


def main():
    url, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory(prefix="neutrino-killed-") as folder:
        settings = f"[DEFAULT]\ntransport_url = {url}\nhost = killed\nrpc_workers = 1\n[ml2]\nmechanism_drivers = openvswitch,l2population\n"
        server = Server(folder, config="services", settings=settings)
        with server:
            failed = run(server, url, rounds)
            unanswered, unwanted = questions(server, url, rounds)
    print(f"killed {rounds} times: {failed} messages of acknowledged deletions lost")
    # An answer may have left just before its question was acknowledged.
    print(f"killed {rounds} times: {unanswered} questions not answered, {unwanted} answered once more")
    sys.exit(failed + unanswered > 0)


def run(server, url, rounds):
    failed = 0
    report(url)
    queues = Queues(url)
    api = Client(server.endpoint)
    network = post(api, "networks", "network", name="killed")
    post(api, "subnets", "subnet", network_id=network, ip_version=4, cidr="10.0.0.0/16")
    ports = [post(api, "ports", "port", network_id=network, **{"binding:host_id": HOST, "device_owner": "compute:x"}) for _ in range(200 + rounds)]
    time.sleep(2)
    queues.take()
    took = []
    for port in ports[rounds:]:
        began = time.perf_counter()
        assert api.request("DELETE", f"/v2.0/ports/{port}").status == 204
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    print(f"{len(took)} deletions: median {statistics.median(took):.2f} ms, 95 of 100 within {took[len(took) * 95 // 100]:.2f} ms, {took[-1]:.2f} ms at most")
    time.sleep(1)
    queues.take()
    for port in ports[:rounds]:
        api = Client(server.endpoint)
        assert api.request("DELETE", f"/v2.0/ports/{port}").status == 204
        server.kill()
        came = queues.take()
        for method in queues.queues:
            if not any(port in args for args in came[method]):
                failed += 1
                print(f"FAIL {method} of port {port} died with the server")
        server.start()
        # It is connected, and knows its agents, when it tells something.
        until = time.monotonic() + 20
        post(Client(server.endpoint), "ports", "port", network_id=network)
        while not queues.take()["push"]:
            assert time.monotonic() < until, "the server tells nothing"
            time.sleep(0.05)
    return failed


class Unwanted(logging.Handler):
    """Counts answers that nobody waits for any longer."""
    count = 0

    def emit(self, record):
        self.count += "No calling threads waiting" in record.getMessage()


def questions(server, url, rounds):
    """How many questions were not answered, and how many more than once, though the server was killed while it was at them."""
    log, unwanted = logging.getLogger("oslo_messaging._drivers.amqpdriver"), Unwanted()
    log.setLevel(logging.INFO)
    log.addHandler(unwanted)
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="q-plugin", version="1.0"), timeout=40)
    over, took, failed = [], [], 0

    def ask():
        failures = 0
        while not over:
            began = time.monotonic()
            try:
                client.call({}, "get_active_networks_info", host=HOST)
                took.append(time.monotonic() - began)
            except oslo_messaging.MessagingTimeout:
                failures += 1
        return failures

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(ask) for _ in range(20)]
        for _ in range(rounds):
            time.sleep(0.7)
            server.kill()
            server.start()
        time.sleep(1)
        over.append(True)
        failed = sum(one.result() for one in asking)
    transport.cleanup()
    print(f"{len(took)} questions answered, the last of them after {max(took):.1f} s")
    return failed, unwanted.count


main()
