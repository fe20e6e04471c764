# SPDX-License-Identifier: Apache-2.0
"""The walk through the `openstack` command. Everything it makes is named walk-cli-*, and removed."""


def networks(run, check):
    net = run("network", "create", "walk-cli-net", "--description", "first", "--mtu", "1400", "--disable-port-security")
    check.has("network create", net, name="walk-cli-net", description="first", mtu=1400, port_security_enabled=False, status="ACTIVE", shared=False)
    run("network", "set", "walk-cli-net", "--name", "walk-cli-net2", "--description", "second", "--enable-port-security", "--disable")
    check.has("network set", run("network", "show", "walk-cli-net2"), description="second", port_security_enabled=True, admin_state_up=False)
    if check.supports("standard-attr-tag"):
        run("network", "set", "walk-cli-net2", "--tag", "blue")
        check.has("network set --tag", run("network", "show", "walk-cli-net2"), tags=["blue"])
        run("network", "unset", "walk-cli-net2", "--tag", "blue")
        check.has("network unset", run("network", "show", net["id"]), tags=[])
    run("network", "set", net["id"], "--name", "walk-cli-net", "--enable")
    ext = run("network", "create", "walk-cli-ext", "--external", "--provider-network-type", "flat", "--provider-physical-network", "walkcli")
    check.has("external network", ext, **{"router:external": True, "provider:network_type": "flat", "provider:physical_network": "walkcli"})
    names = {n["Name"] for n in run("network", "list")}
    check.true("network list", {"walk-cli-net", "walk-cli-ext"} <= names)
    check.equal("network list --external", [n["Name"] for n in run("network", "list", "--external", "--name", "walk-cli-ext")], ["walk-cli-ext"])
    run("network", "delete", "walk-cli-ext")
    return net["id"]


def subnets(run, check, net):
    run("address", "scope", "create", "walk-cli-scope", "--ip-version", "4")
    run("address", "scope", "set", "walk-cli-scope", "--name", "walk-cli-scope2")
    pool = run("subnet", "pool", "create", "walk-cli-pool", "--pool-prefix", "10.90.0.0/16", "--default-prefix-length", "26", "--address-scope", "walk-cli-scope2")
    check.has("subnet pool create", pool, prefixes=["10.90.0.0/16"], default_prefixlen=26, ip_version=4)
    run("subnet", "pool", "set", "walk-cli-pool", "--pool-prefix", "10.92.0.0/16", "--min-prefix-length", "24")
    check.has("subnet pool set", run("subnet", "pool", "show", "walk-cli-pool"), min_prefixlen=24, prefixes=["10.90.0.0/16", "10.92.0.0/16"])
    sub = run("subnet", "create", "walk-cli-sub", "--network", net, "--subnet-pool", "walk-cli-pool", "--dns-nameserver", "9.9.9.9",
              "--host-route", "destination=10.99.0.0/24,gateway=10.90.0.9", "--service-type", "compute:nova")
    check.has("subnet create", sub, cidr="10.90.0.0/26", gateway_ip="10.90.0.1", dns_nameservers=["9.9.9.9"], service_types=["compute:nova"],
              allocation_pools=[{"start": "10.90.0.2", "end": "10.90.0.62"}])
    run("subnet", "set", "walk-cli-sub", "--no-dns-nameservers", "--dns-nameserver", "8.8.8.8", "--gateway", "10.90.0.5", "--no-allocation-pool",
        "--allocation-pool", "start=10.90.0.10,end=10.90.0.20", "--description", "set")
    check.has("subnet set", run("subnet", "show", "walk-cli-sub"), dns_nameservers=["8.8.8.8"], gateway_ip="10.90.0.5", description="set",
              allocation_pools=[{"start": "10.90.0.10", "end": "10.90.0.20"}])
    run("subnet", "unset", "walk-cli-sub", "--dns-nameserver", "8.8.8.8", "--host-route", "destination=10.99.0.0/24,gateway=10.90.0.9", "--service-type", "compute:nova")
    check.has("subnet unset", run("subnet", "show", "walk-cli-sub"), dns_nameservers=[], host_routes=[], service_types=[])
    check.equal("subnet list", [s["Name"] for s in run("subnet", "list", "--network", net)], ["walk-cli-sub"])
    return sub["id"]


def groups(run, check):
    group = run("security", "group", "create", "walk-cli-sg", "--description", "first", "--stateless")
    check.has("security group create", group, description="first", stateful=False)
    rule = run("security", "group", "rule", "create", "walk-cli-sg", "--protocol", "tcp", "--dst-port", "22:23", "--remote-ip", "10.0.0.0/8")
    check.has("rule create", rule, protocol="tcp", port_range_min=22, port_range_max=23, remote_ip_prefix="10.0.0.0/8", direction="ingress", ether_type="IPv4")
    check.equal("rule list", len(run("security", "group", "rule", "list", "walk-cli-sg")), 3)
    run("security", "group", "rule", "delete", rule["id"])
    run("security", "group", "set", "walk-cli-sg", "--description", "second")
    check.has("security group set", run("security", "group", "show", "walk-cli-sg"), description="second")
    return group["id"]


def ports(run, check, net, sub, group):
    port = run("port", "create", "walk-cli-port", "--network", net, "--fixed-ip", f"subnet={sub},ip-address=10.90.0.15", "--security-group", group,
               "--allowed-address", "ip-address=10.90.0.50", "--extra-dhcp-option", "name=bootfile-name,value=x.0", "--mac-address", "fa:16:3e:ca:fe:01")
    check.has("port create", port, mac_address="fa:16:3e:ca:fe:01", security_group_ids=[group], status="DOWN", fixed_ips=[{"subnet_id": sub, "ip_address": "10.90.0.15"}])
    run("port", "set", "walk-cli-port", "--description", "set", "--fixed-ip", f"subnet={sub},ip-address=10.90.0.16", "--host", "walk-host")
    got = run("port", "show", "walk-cli-port")
    check.has("port set", got, description="set", binding_host_id="walk-host")
    check.equal("port addresses", {f["ip_address"] for f in got["fixed_ips"]}, {"10.90.0.15", "10.90.0.16"})
    run("port", "unset", "walk-cli-port", "--fixed-ip", f"subnet={sub},ip-address=10.90.0.15", "--security-group", group, "--allowed-address", "ip-address=10.90.0.50,mac-address=fa:16:3e:ca:fe:01", "--host")
    check.has("port unset", run("port", "show", "walk-cli-port"), fixed_ips=[{"subnet_id": sub, "ip_address": "10.90.0.16"}], security_group_ids=[], allowed_address_pairs=[], binding_host_id="")
    check.equal("port list", [p["Name"] for p in run("port", "list", "--fixed-ip", "ip-address=10.90.0.16")], ["walk-cli-port"])
    run("port", "delete", "walk-cli-port")


def walk(run, check):
    check.true("extension list", {"provider", "security-group"} <= {e["Alias"] for e in run("extension", "list", "--network")})
    net = networks(run, check)
    sub = subnets(run, check, net)
    group = groups(run, check)
    ports(run, check, net, sub, group)
    run("address", "group", "create", "walk-cli-ag", "--address", "10.0.0.0/24")
    run("address", "group", "set", "walk-cli-ag", "--address", "10.0.1.0/24")
    run("address", "group", "unset", "walk-cli-ag", "--address", "10.0.0.0/24")
    check.has("address group", run("address", "group", "show", "walk-cli-ag"), addresses=["10.0.1.0/24"])
    check.has("ip availability", run("ip", "availability", "show", net), used_ips=0, total_ips=11)
    run("address", "group", "delete", "walk-cli-ag")
    run("subnet", "delete", "walk-cli-sub")
    run("subnet", "pool", "delete", "walk-cli-pool")
    run("address", "scope", "delete", "walk-cli-scope2")
    run("network", "delete", "walk-cli-net")
    run("security", "group", "delete", "walk-cli-sg")
    left = [n["Name"] for n in run("network", "list") if n["Name"].startswith("walk-cli")]
    check.equal("nothing is left", left, [])
