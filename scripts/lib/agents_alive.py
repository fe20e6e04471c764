# SPDX-License-Identifier: Apache-2.0
"""agents_alive.py TRANSPORT_URL HOST...: heartbeats of the agents of agent_rows.py, for a server that listens on a message bus.

Needs the real oslo.messaging (the interpreter of ../shared/peer). L3 agents also confirm the routers that they are given. There is no data plane."""
import datetime
import pathlib
import sys
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])  # not this folder: its http.py would stand before Python's
sys.dont_write_bytecode = True
import oslo_messaging  # noqa: E402
from oslo_config import cfg  # noqa: E402

from lib.agent_rows import PERIOD_S, reports  # noqa: E402


class L3Agent:
    target = oslo_messaging.Target(version="1.99")

    def router_added_to_agent(self, ctxt, payload):
        """A call: the server waits for its answer."""


def main():
    oslo_messaging.set_transport_defaults("neutron")
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, sys.argv[1])
    hosts = sys.argv[2:]
    for host in hosts:
        target = oslo_messaging.Target(topic="l3_agent", server=host)
        oslo_messaging.get_rpc_server(transport, target, [L3Agent()], executor="threading").start()
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="q-reports-plugin", version="1.2"))
    begun = False
    while True:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        for number, host in enumerate(hosts):
            for kind, binary, topic, zone, configurations in reports(host, number):
                state = {"agent_type": kind, "binary": binary, "topic": topic, "host": host, "configurations": configurations}
                state |= {"availability_zone": zone} if zone else {}
                state |= {} if begun else {"start_flag": True}
                client.call({}, "report_state", agent_state={"agent_state": state}, time=now)
        if not begun:
            print("alive", flush=True)
        begun = True
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    main()
