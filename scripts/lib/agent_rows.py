# SPDX-License-Identifier: Apache-2.0
"""agent_rows.py SQLITE_FILE HOST...: lets a server believe that agents live on these hosts.

Writes into the table `agents` what the heartbeats of an Open vSwitch, a DHCP, an L3, a metering and a metadata agent leave there, and
renews them until it is stopped. There is no data plane: nothing that is scheduled to them, or bound by them, works."""

import contextlib, datetime, json, sqlite3, sys, time, uuid

PERIOD_S = 20


def reports(host, number):
    ovs = {
        "bridge_mappings": {"public": "br-ex", "foo": "br-foo"}, "tunnel_types": ["vxlan", "geneve"], "tunneling_ip": f"127.0.0.{10 + number}",
        "l2_population": True, "arp_responder_enabled": True, "enable_distributed_routing": False, "datapath_type": "system",
        "ovs_capabilities": {"datapath_types": ["system", "netdev"], "iface_types": ["vxlan", "geneve"]}, "extensions": ["qos", "log"],
        "ovs_hybrid_plug": False, "integration_bridge": "br-int", "devices": 0,
    }
    l3 = {"agent_mode": "legacy", "handle_internal_only_routers": True, "interface_driver": "openvswitch", "routers": 0}
    dhcp = {"notifies_port_ready": True, "dhcp_driver": "neutron.agent.linux.dhcp.Dnsmasq", "networks": 0, "subnets": 0, "ports": 0}
    return [
        ("Open vSwitch agent", "neutron-openvswitch-agent", "N/A", None, ovs),
        ("DHCP agent", "neutron-dhcp-agent", "dhcp_agent", "nova", dhcp),
        ("L3 agent", "neutron-l3-agent", "l3_agent", "nova", l3),
        ("Metering agent", "neutron-metering-agent", "metering_agent", None, {"metering_driver": "noop"}),
        ("Metadata agent", "neutron-metadata-agent", "N/A", None, {"nova_metadata_port": 8775}),
    ]


def beat(database, host, number):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    for kind, binary, topic, zone, configurations in reports(host, number):
        known = "UPDATE agents SET heartbeat_timestamp = ? WHERE agent_type = ? AND host = ?"
        if database.execute(known, (now, kind, host)).rowcount == 0:
            database.execute(
                "INSERT INTO agents (id, agent_type, \"binary\", topic, host, availability_zone, admin_state_up, created_at, started_at,"
                " heartbeat_timestamp, configurations, \"load\") VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, 0)",
                (str(uuid.uuid4()), kind, binary, topic, host, zone, now, now, now, json.dumps(configurations)),
            )


@contextlib.contextmanager
def alive(path, hosts):
    """Agents on `hosts` from here to the end of the block, which must be over before they count as dead; then there are none."""
    if not hosts:
        yield
        return
    database = sqlite3.connect(path, timeout=30)
    with database:
        for number, host in enumerate(hosts):
            beat(database, host, number)
    yield
    with database:
        database.execute("DELETE FROM agents")
    database.close()


def main():
    database = sqlite3.connect(sys.argv[1], timeout=30)
    while True:
        with database:
            for number, host in enumerate(sys.argv[2:]):
                beat(database, host, number)
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    main()
