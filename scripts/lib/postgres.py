# SPDX-License-Identifier: Apache-2.0
"""Starts PostgreSQL for a test script on a free port of 127.0.0.1 in a folder of its own, and stops or crashes it.

Owns nothing but the server that it started. Debian's package postgresql must be there; as root the server runs as its user `postgres`."""
import os
import pathlib
import shutil
import subprocess

from .server import free_port


def programs():
    """The folder of initdb and pg_ctl, or None."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    plain = shutil.which("initdb")
    return found[-1].parent if found else (pathlib.Path(plain).parent if plain else None)


class Postgres:
    def __init__(self, folder):
        self.data, self.port = pathlib.Path(folder), free_port()

    def run(self, program, *words):
        command = [programs() / program, *words]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout[-1500:]}")
        return done.stdout

    def install(self):
        self.data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres")
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "neutron", "--no-sync", "-E", "UTF8")
        return self

    def start(self):
        options = f"-p {self.port} -k {self.data} -h 127.0.0.1 -c max_connections=300 -c max_locks_per_transaction=512"
        # Its output goes to a file: a pipe would stay open with the server.
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", options, "start")
        return self

    def crash(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def stop(self):
        try:
            self.crash()
        except RuntimeError:
            pass

    def sql(self, text, database="postgres"):
        return self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "neutron", "-At", "-c", text, database)

    def database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg2://neutron@127.0.0.1:{self.port}/{name}"
