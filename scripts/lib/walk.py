# SPDX-License-Identifier: Apache-2.0
"""The client walk: through python-openstackclient and openstacksdk over every core resource. Run by scripts/client-walk."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from . import walk_cli, walk_sdk
from .server import Server


class Check:
    """Counts what was expected and found; says what was not."""

    def __init__(self):
        self.passed = self.failed = 0
        self.extensions, self.skipped = set(), set()

    def supports(self, alias):
        """Is the extension on? What is left out for want of it is said at the end."""
        if alias not in self.extensions:
            self.skipped.add(alias)
        return alias in self.extensions

    def equal(self, what, got, want):
        if got == want:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: expected {want!r}, got {got!r}", flush=True)

    def true(self, what, got):
        self.equal(what, bool(got), True)

    def has(self, what, got, **want):
        """The fields of an object or of a dict."""
        for key, value in want.items():
            found = got.get(key) if isinstance(got, dict) else getattr(got, key)
            self.equal(f"{what}: {key}", found, value)

    def refused(self, what, error, call, *args, **kwargs):
        try:
            call(*args, **kwargs)
        except error:
            self.passed += 1
        except Exception as other:
            self.equal(what, f"{type(other).__name__}: {other}", error)
        else:
            self.equal(what, "accepted", "refused")


class Cli:
    """The `openstack` command of the same environment as this program."""

    def __init__(self, endpoint):
        self.program = pathlib.Path(sys.executable).with_name("openstack")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OS_") and k != "PYTHONPATH"}
        self.env.update(OS_AUTH_TYPE="none", OS_ENDPOINT=endpoint, OS_CLIENT_CONFIG_FILE=os.devnull)

    def __call__(self, *words):
        """Run it; what it printed as JSON, or None when it printed nothing."""
        verb = {w for w in words[:4]}
        form = ["-f", "json"] if verb & {"create", "show", "list"} else []
        done = subprocess.run([self.program, *words, *form], env=self.env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"openstack {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None


def main():
    parser = argparse.ArgumentParser(prog="client-walk", description=__doc__)
    parser.add_argument("endpoint", nargs="?")
    parser.add_argument("--skip-cli", action="store_true", help="only openstacksdk (fast, while developing)")
    options = parser.parse_args()
    check, began = Check(), time.monotonic()
    folder = tempfile.TemporaryDirectory(prefix="neutrino-walk-")
    server = None if options.endpoint else Server(folder.name, row=1).start()
    endpoint = options.endpoint or server.endpoint

    def restart():
        if server is None:
            return False
        check.equal("exit status after SIGTERM", server.stop(), 0)
        server.start()
        return True

    try:
        walk_sdk.walk(endpoint, check, restart)
        if not options.skip_cli:
            walk_cli.walk(Cli(endpoint), check)
    except Exception as error:
        check.failed += 1
        print(f"FAILED {type(error).__name__}: {error}", flush=True)
        import traceback
        traceback.print_exc()
    finally:
        if server:
            if check.failed:
                print(server.tail(), file=sys.stderr)
            server.stop()
        folder.cleanup()
    if check.skipped:
        print(f"left out, because the server does not list the extension: {', '.join(sorted(check.skipped))}")
    print(f"client walk: {check.passed} checks passed, {check.failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
