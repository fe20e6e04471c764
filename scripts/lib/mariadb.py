# SPDX-License-Identifier: Apache-2.0
"""Starts MariaDB for a test script on a free port of 127.0.0.1 in a folder of its own, and stops or kills it by its pid.

Owns nothing but the processes that it started. Debian's package mariadb-server must be there; as root the server runs as its user `mysql`."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from .server import free_port

USER = "neutron"


def available():
    return bool(shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin"))


class MariaDB:
    """`more`: further options of mariadbd."""

    def __init__(self, folder, more=()):
        self.top = pathlib.Path(folder)
        self.data, self.socket, self.log = self.top / "data", self.top / "s", self.top / "mariadb.log"
        self.port, self.more, self.process = free_port(), list(more), None

    def install(self):
        self.top.mkdir(parents=True, exist_ok=True)
        self.top.chmod(0o755)
        self.data.mkdir()
        if os.geteuid() == 0:
            for path in (self.top, self.data):
                shutil.chown(path, "mysql")
        command = ["mariadb-install-db", "--no-defaults", *self.user(), f"--datadir={self.data}", "--auth-root-authentication-method=normal"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db: {(done.stdout + done.stderr)[-1500:]}")
        return self

    def user(self):
        return ["--user=mysql"] if os.geteuid() == 0 else []

    def launch(self, *more):
        """Starts the process and does not wait for it."""
        command = ["mariadbd", "--no-defaults", *self.user(), f"--datadir={self.data}", f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.socket}",
                   "--character-set-server=utf8mb3", "--innodb-buffer-pool-size=128M", "--max-connections=500", "--skip-name-resolve", *self.more, *more]  # fmt: skip
        with open(self.log, "ab") as log:
            path = os.environ["PATH"] + ":/usr/sbin"
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": path})

    def wait(self, seconds=120):
        for _ in range(seconds * 10):
            if self.process.poll() is not None:
                raise RuntimeError(f"MariaDB ended: {self.log.read_text(errors='replace')[-1500:]}")
            if subprocess.run(["mariadb-admin", "--no-defaults", "-uroot", f"-S{self.socket}", "--silent", "ping"], capture_output=True).returncode == 0:
                return self
            time.sleep(0.1)
        raise RuntimeError("MariaDB does not answer")

    def start(self, *more):
        self.launch(*more)
        return self.wait()

    def database(self, name):
        """An empty database, and a user without the right to write where writing is turned off."""
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb3; CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY 'secret';"
                 f" CREATE OR REPLACE USER {USER}@localhost IDENTIFIED BY 'secret'; GRANT ALL ON {name}.* TO {USER}@'127.0.0.1'; GRANT ALL ON {name}.* TO {USER}@localhost")  # fmt: skip
        return self.url(name)

    def url(self, name, port=None):
        return f"mysql+pymysql://{USER}:secret@127.0.0.1:{port or self.port}/{name}?charset=utf8mb4"

    def sql(self, text, database=""):
        command = ["mariadb", "--no-defaults", "-uroot", f"-S{self.socket}", "-N", "-B", "-e", text, *([database] if database else [])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{text}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
