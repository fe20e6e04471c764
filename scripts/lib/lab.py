# SPDX-License-Identifier: Apache-2.0
"""The lab of scripts/agents: a broker, a user-space Open vSwitch, our server, and Neutron's own agents, through the peer kit.

Everything lies in one new folder, on ports of its own; it is stopped by pid. The folder can be read by all, because dnsmasq gives up its
rights and then reads its files again."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from .http import Client
from .server import ROOT, binary

# The kit's ports are a base plus offsets below 1000.
OFFSETS = (306, 369, 640, 653, 671, 672, 698, 775)
BROKER = 671
# Neutron's own, and each question of an agent and each answer that reaches it.
LOG_LEVELS = "amqp=WARN,stevedore=WARN,iso8601=WARN,urllib3.connectionpool=WARN,OFPHandler=INFO,os_ken.base.app_manager=INFO," \
    "oslo.messaging=INFO,oslo_messaging=INFO,oslo_messaging._drivers.amqpdriver=DEBUG"


class NotPossible(Exception):
    """Why there can be no lab here."""


def kit():
    folder = pathlib.Path(os.environ.get("NEUTRINO_PEER", ROOT.parent / "shared" / "peer")).resolve()
    if not (folder / "agents" / "bin" / "agents-up").exists():
        raise NotPossible("there is no peer kit; name its folder with NEUTRINO_PEER")
    return folder


def check():
    """The reason why namespaces and taps cannot be made here, as an exception."""
    if os.geteuid() != 0:
        raise NotPossible("namespaces and taps need root")
    if not os.path.exists("/dev/net/tun"):
        raise NotPossible("there is no /dev/net/tun")
    if shutil.which("ip") is None:
        return
    if os.path.exists("/sys/class/net/br-int"):
        raise NotPossible("there is a bridge br-int on this machine: another lab, or a real host")
    name = f"neutrino-probe-{os.getpid()}"
    probe = subprocess.run(["ip", "netns", "add", name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if probe.returncode:
        raise NotPossible(f"network namespaces cannot be made: {probe.stderr.strip()}")
    subprocess.run(["ip", "netns", "del", name], check=True)


def free_base():
    for base in range(27000, 60000, 1000):
        try:
            for offset in OFFSETS:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue
    raise NotPossible("no thousand of ports is free")


class Lab:
    """The server is ours unless `peer` asks for the real one. `two_hosts`: another host, a namespace with an Open vSwitch and agents of its own;
    routers can be distributed then. `apart`: our server as three processes, as large deployments run it. `report_interval`: of the agents, in seconds."""

    def __init__(self, peer=False, environment=(), two_hosts=False, apart=False, report_interval=5):
        self.kit, self.peer, self.two_hosts = kit(), peer, two_hosts
        self.programs = ["neutron-api", "neutron-rpc-server", "neutron-periodic-workers"] if apart else ["neutron-server"]
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="nxa.", dir="/tmp"))
        self.home.chmod(0o755)
        self.base = base = free_base()
        self.endpoint = f"http://127.0.0.1:{base + 698}"
        self.environment = {
            **os.environ,
            "VENV": os.environ.get("VENV", str(pathlib.Path.home() / ".cache" / "neutron-peer" / "venv")),
            "PEER_HOME": str(self.home), "PEER_PORT_BASE": str(base), "ENDPOINT": self.endpoint,
            "DB_URL": "" if peer else os.environ.get("DB_URL", f"sqlite:///{self.home}/neutron.sqlite"),
            "REPORT_INTERVAL": str(report_interval), "OS_DEFAULT__DEFAULT_LOG_LEVELS": LOG_LEVELS,
            **({"LOCAL_IP": "198.18.0.1", "DVR": "True", "L3_MODE": "dvr_snat"} if two_hosts else {}),
            **dict(environment),
        }
        self.processes = []
        # When its processes were started.
        self.server_since = 0.0
        self.clients = threading.local()

    # --- the kit's scripts

    def run(self, script, *arguments, check=True, quiet=True):
        """One of the kit's scripts; its output."""
        path = self.kit / ("agents/bin" if (self.kit / "agents/bin" / script).exists() else "bin") / script
        done = subprocess.run([path, *arguments], env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not quiet:
            print(done.stdout, end="", flush=True)
        if check and done.returncode:
            raise RuntimeError(f"{script}: exit {done.returncode}\n{done.stdout[-2000:]}")
        return done.stdout if check else (done.returncode, done.stdout)

    def shell(self, command):
        """A command with the kit's settings; its exit status and output."""
        script = f'. "$0/agents/bin/env.sh"; {command}'
        done = subprocess.run(["bash", "-c", script, self.kit], env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def pings(self, source, address, seconds=0):
        """Does one ping from a namespace get through within so many seconds?"""
        end = time.monotonic() + seconds
        while True:
            if self.shell(f"ip netns exec {source} ping -c 1 -W 1 {address}")[0] == 0:
                return True
            if time.monotonic() > end:
                return False

    def answers(self, server, port, client, address, outside=None):
        """Does what listens on a TCP port in one namespace answer to another one, under this address (and there on the port `outside`)?"""
        listen = f'ip netns exec {server} timeout 3 ncat -l {port} -c "echo ok" & sleep 0.3; '
        ask = f"ip netns exec {client} timeout 2 ncat --recv-only -w 1 {address} {outside or port} </dev/null; kill $!; wait"
        return "ok" in self.shell(listen + ask)[1]

    def install(self):
        done = subprocess.run([self.kit / "install", "core", "agents"], env={**self.environment, "PEER_HOME": str(pathlib.Path(self.environment["VENV"]).parent)},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise NotPossible(f"the kit cannot be installed here:\n{done.stdout[-1000:]}")

    def pid_file(self, name):
        """Of what the kit started: `rabbitmq`, `a-ovs`. It is as old as the process."""
        folder = self.home / ("agents/run" if (self.home / "agents/run" / f"{name}.pid").exists() else "run")
        return folder / f"{name}.pid"

    def pid(self, name):
        return int(self.pid_file(name).read_text().split()[0])

    def start_broker(self):
        """When it listened."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            started = pool.submit(self.run, "mq-up", "agents")
            while not started.done():
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", self.base + BROKER)) == 0:
                        break
                time.sleep(0.05)
            since = time.time()
            started.result()
        return since

    def broker(self, *arguments):
        """rabbitmqctl; its lines."""
        script = '. "$0/lib/env.sh"; rmq "$@"'
        done = subprocess.run(["bash", "-c", script, self.kit, *arguments], env=self.environment, text=True, stdout=subprocess.PIPE, check=True)
        return done.stdout.splitlines()

    # --- our server

    def files(self):
        conf = self.run("conf-gen", "ovs").split()[-1]
        return ["--config-file", f"{conf}/neutron.conf", "--config-file", f"{conf}/ml2.ini"]

    def start_server(self):
        if self.peer:
            self.run("server-up", "ovs")
            self.server_since = self.pid_file("n-api").stat().st_mtime
            return
        files = self.files()
        environment = {**self.environment, "OS_NEUTRINO__METRICS_PORT": "0"}
        subprocess.run([binary("neutron-db-manage"), *files, "upgrade", "heads"], check=True, stdout=subprocess.DEVNULL, env=environment)
        self.server_since = time.time()
        with open(self.home / "server.log", "ab") as log:
            self.processes = [subprocess.Popen([binary(program), *files], stdout=log, stderr=log, cwd=self.home, env=environment) for program in self.programs]
        self.until("the server answers", lambda: self.get("/v2.0/networks?limit=1") is not None, 30)

    def kill_server(self):
        for name in ("n-api", "n-rpc", "n-periodic") if self.peer else ():
            os.killpg(self.pid(name), signal.SIGKILL)
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def stop_server(self):
        if self.peer:
            self.run("server-down")
        running = [process for process in self.processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(40)

    # --- the API

    @property
    def api(self):
        """A connection of this thread's."""
        if not hasattr(self.clients, "client"):
            self.clients.client = Client(self.endpoint, 60)
        return self.clients.client

    def make(self, kind, **attributes):
        answer = self.api.request("POST", f"/v2.0/{kind.replace('_', '-')}s", {kind: {"project_id": "labproj", **attributes}})
        if answer.status != 201:
            raise RuntimeError(f"a {kind} is not made: {answer.data[:300]}")
        return answer.json[kind]

    def delete(self, path):
        return self.api.request("DELETE", f"/v2.0/{path}").status == 204

    def get(self, path):
        try:
            answer = self.api.get(path)
        except OSError:
            return None
        return json.loads(answer.data) if answer.status == 200 else None

    def until(self, what, holds, seconds):
        """Waits until `holds()` is true; its value. An error when it is not after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}; log: {self.home}/server.log")
            value = holds()
            if value:
                return value
            if time.monotonic() > end:
                raise RuntimeError(f"not so after {seconds} s: {what}")
            time.sleep(0.3)

    def agents(self):
        return (self.get("/v2.0/agents") or {"agents": []})["agents"]

    def topology(self):
        return json.loads((self.home / "agents/run/topo.json").read_text())

    # --- life

    def alive(self, count, seconds=90):
        self.until(f"{count} agents are alive", lambda: len([a for a in self.agents() if a["alive"]]) == count, seconds)

    def start(self):
        self.install()
        if self.peer:
            self.run("infra-up")
        else:
            self.run("mq-up", "agents")
        self.run("ovs-up")
        self.start_server()
        if self.two_hosts:
            self.run("host2-up")
        self.run("agents-up")
        if self.two_hosts:
            self.run("in-h2", str(self.kit / "agents/bin/host2-agents-up"))
        self.alive(7 if self.two_hosts else 5)

    def spawn(self, name, program, *arguments):
        """A program of Neutron's in the kit's way, so that `agents-down` and this end it by its pid."""
        script = '. "$0/agents/bin/env.sh"; spawn "$@"'
        subprocess.run(["bash", "-c", script, self.kit, name, program, *map(str, arguments)], env=self.environment, check=True)

    def end(self, name):
        script = '. "$0/agents/bin/env.sh"; reap "$@"'
        subprocess.run(["bash", "-c", script, self.kit, name], env=self.environment, check=False)

    def stop(self):
        for script in (("host2-down",) if self.two_hosts else ()) + ("agents-down", "ovs-down"):
            self.run(script, check=False)
        try:
            self.stop_server()
        finally:
            self.run("mq-down", check=False)
            if self.peer:
                self.run("db-down", check=False)
            self.api.close()
