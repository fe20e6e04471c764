# SPDX-License-Identifier: Apache-2.0
"""Starts our neutron-server for a test script on a free port with a state folder of its own, and stops it by its pid.

Owns nothing but the processes that it started."""
import os
import pathlib
import signal
import socket
import subprocess
import time

from .http import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = ROOT / "tests" / "oracle"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def binary(name="neutron-server"):
    """The newest build of `name`, or the one that NEUTRINO_BIN_DIR holds; builds it if there is none."""
    folder = os.environ.get("NEUTRINO_BIN_DIR")
    if folder:
        return pathlib.Path(folder) / name
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [p for p in (target / "release" / name, target / "debug" / name) if p.exists()]
    if not built:
        subprocess.run(["cargo", "build", "--locked", "--bins"], cwd=ROOT, check=True)
        built = [target / "debug" / name]
    return max(built, key=lambda p: p.stat().st_mtime)


class Server:
    """Our server with a configuration of the oracle's and no authentication. `config` names a file tests/oracle/NAME.conf beside the plain
    ones; `url` a database other than an SQLite file in the state folder; `settings` more lines of configuration. With `row` a debug build draws the random
    numbers of that row: the same addresses each time, in one life of a database."""

    def __init__(self, state_dir, port=None, config="", url="", settings="", row=None):
        self.config, self.settings = config, settings
        self.environment = os.environ | ({} if row is None else {"NEUTRINO_TEST_SEED": str(row)})
        self.state = pathlib.Path(state_dir)
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.database = self.state / "neutron.sqlite"
        self.url = url or f"sqlite:///{self.database}"
        self.log = self.state / "server.log"
        self.process = None

    def arguments(self):
        local = self.state / "local.conf"
        local.write_text(
            "[DEFAULT]\n"
            f"bind_host = 127.0.0.1\nbind_port = {self.port}\nstate_path = {self.state}\n"
            f"[database]\nconnection = {self.url}\n"
            f"[oslo_concurrency]\nlock_path = {self.state}/lock\n{self.settings}\n"
        )
        more = [CONFIG / f"{self.config}.conf"] if self.config else []
        files = [CONFIG / "neutron.conf", CONFIG / "ml2_conf.ini", *more, local]
        return [a for f in files for a in ("--config-file", str(f))]

    def manage(self, *words):
        """neutron-db-manage on this server's database: (exit status, what it printed)."""
        done = subprocess.run([binary("neutron-db-manage"), *self.arguments(), *words], capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()

    def start(self, wait_s=60):
        arguments = self.arguments()
        if self.url.startswith("sqlite:") and not self.database.exists():
            manage = binary("neutron-db-manage")
            if manage.exists():
                subprocess.run([manage, *arguments, "upgrade", "heads"], check=True, stdout=subprocess.DEVNULL)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([binary(), *arguments], stdout=log, stderr=log, cwd=self.state, env=self.environment)
        client, until = Client(self.endpoint, 5), time.monotonic() + wait_s
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"neutron-server ended with {self.process.returncode}:\n{self.tail()}")
            try:
                if client.get("/v2.0/networks?limit=1").status < 500:
                    return self
            except OSError:
                pass
            finally:
                client.close()
            time.sleep(0.02)
        raise RuntimeError(f"neutron-server did not answer in {wait_s} s:\n{self.tail()}")

    def tail(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, wait_s=30):
        """SIGTERM; the exit status. Killed, and an error, when it has not ended after `wait_s`."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"neutron-server did not end {wait_s} s after SIGTERM") from None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()
