# SPDX-License-Identifier: Apache-2.0
"""rpc_objects_server URL PYTHON: our server with all service plugins at the broker of URL, and `rpc_objects`, run by PYTHON, against it."""
import subprocess
import sys
import tempfile

from .server import Server

with tempfile.TemporaryDirectory(prefix="neutrino-objects-") as folder:
    server = Server(folder, config="services", settings=f"[DEFAULT]\ntransport_url = {sys.argv[1]}\nhost = objects\nrpc_workers = 1\nenable_ndp_proxy_by_default = False\n")
    with server:
        done = subprocess.run([sys.argv[2], "-W", "ignore", "-m", "lib.rpc_objects", sys.argv[1], server.endpoint])
        if done.returncode:
            print(server.tail(15))
    sys.exit(done.returncode)
