# SPDX-License-Identifier: Apache-2.0
"""Clients that write at random and remember what was acknowledged, and the comparison of that with what a server holds.

Owns no server. Invariant of the names: each object that is asked for has a name of its own, so that one that was made twice, or made though its
request was refused, is seen."""
import collections
import http.client
import random
import threading

from .http import Client

PLURALS = {"network": "networks", "subnet": "subnets", "port": "ports", "security_group": "security-groups"}
# What our server says when it cannot know whether a change was stored.
UNDECIDED = b"cannot be known"


class Known(dict):
    """What one client was told: id -> (kind, fields), ("gone", {}), or None when its fate is open."""

    def __init__(self):
        super().__init__()
        # Names of objects whose creation was refused for a passing reason; names of which nobody knows.
        self.refused, self.undecided = set(), set()


class Refused(Exception):
    """503: not done, try again later."""


class Undecided(Exception):
    """Nobody knows whether it was done."""


class Writer(threading.Thread):
    """One client with networks of its own. Ends at `ended`, at the first connection that breaks (`persistent`: goes on), or at the first error."""

    def __init__(self, endpoint, number, seed, known, persistent=False):
        super().__init__(daemon=True)
        self.client, self.random = Client(endpoint, 120), random.Random(seed)
        self.number, self.known, self.persistent = number, known, persistent
        self.ended, self.done, self.error, self.unavailable, self.unknown = threading.Event(), 0, None, 0, 0

    def of(self, kind):
        return [i for i, v in self.known.items() if v is not None and v[0] == kind]

    def call(self, method, path, body=None, want=(200, 201, 204)):
        answer = self.client.request(method, path, body)
        if answer.status == 503:
            raise Refused
        if answer.status >= 500:
            if UNDECIDED in answer.data:
                raise Undecided
            raise AssertionError(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
        self.done += 1
        return answer if answer.status in want else None

    def keep(self, kind, answer, bulk=False):
        if answer is None:
            return
        for item in answer.json[kind + "s"] if bulk else [answer.json[kind]]:
            self.known[item["id"]] = (kind, {"name": item["name"], "revision_number": item["revision_number"]} | {
                k: item[k] for k in ("cidr", "fixed_ips", "mac_address", "network_id") if k in item})

    def create(self, kind, objects, bulk=False):
        names = {item["name"] for item in objects}
        self.known.undecided |= names
        body = {f"{kind}s": objects} if bulk else {kind: objects[0]}
        try:
            answer = self.call("POST", f"/v2.0/{PLURALS[kind]}", body)
        except Refused:
            self.known.undecided -= names
            self.known.refused |= names
            raise
        self.known.undecided -= names
        self.keep(kind, answer, bulk)

    def step(self):
        dice, nets = self.random.random(), self.of("network")
        name = f"w{self.number}-{self.random.randrange(10**12)}"
        if not nets or dice < 0.12:
            self.create("network", [{"name": name}])
        elif dice < 0.17:
            self.create("network", [{"name": name + "a"}, {"name": name + "b"}], bulk=True)
        elif dice < 0.28:
            cidr = f"10.{self.random.randrange(256)}.{self.random.randrange(256)}.0/24"
            self.create("subnet", [{"name": name, "network_id": self.random.choice(nets), "ip_version": 4, "cidr": cidr}])
        elif dice < 0.50:
            self.create("port", [{"name": name, "network_id": self.random.choice(nets)}])
        elif dice < 0.58:
            net = self.random.choice(nets)
            self.create("port", [{"name": f"{name}-{i}", "network_id": net} for i in range(10)], bulk=True)
        elif dice < 0.66:
            self.create("security_group", [{"name": name}])
        elif dice < 0.86:
            self.change(name)
        else:
            self.remove()

    def change(self, name):
        ids = [i for kind in PLURALS for i in self.of(kind)]
        target = self.random.choice(ids)
        kind = self.known[target][0]
        before, self.known[target] = self.known[target], None
        try:
            answer = self.call("PUT", f"/v2.0/{PLURALS[kind]}/{target}", {kind: {"name": name}})
        except Refused:
            self.known[target] = before
            raise
        self.known[target] = before
        self.keep(kind, answer)

    def remove(self):
        kind = self.random.choice(("port", "port", "subnet", "network", "security_group"))
        ids = self.of(kind)
        if not ids:
            return
        target = self.random.choice(ids)
        # a network takes its subnets along
        along = [target] + [i for i in self.of("subnet") if self.known[i][1]["network_id"] == target]
        before = {i: self.known[i] for i in along}
        self.known.update(dict.fromkeys(along))
        try:
            deleted = self.call("DELETE", f"/v2.0/{PLURALS[kind]}/{target}") is not None
        except Refused:
            self.known.update(before)
            raise
        self.known.update(dict.fromkeys(along, ("gone", {})) if deleted else before)

    def run(self):
        while not self.ended.is_set():
            try:
                self.step()
            except Refused:
                self.unavailable += 1
                self.ended.wait(0.05)
            except Undecided:
                self.unknown += 1
            except (OSError, http.client.HTTPException):
                self.client.close()
                if not self.persistent:
                    return  # the server was killed
                self.ended.wait(0.1)
            except Exception as error:
                self.error = error
                return


def listed(client):
    """({id: object} of all kinds, how often each name is there), or a sentence."""
    there, names = {}, collections.Counter()
    for kind, plural in PLURALS.items():
        answer = client.get(f"/v2.0/{plural}")
        if answer.status != 200:
            return f"GET {plural}: {answer.status}"
        rows = answer.json[plural.replace("-", "_")]
        there.update({x["id"]: x for x in rows})
        names.update(x["name"] for x in rows)
    return there, names


def verify(client, known):
    """What differs from what was acknowledged."""
    found = listed(client)
    if isinstance(found, str):
        return [found]
    there, names = found
    wrong = [f"{name} was refused for a passing reason, and is there" for name in known.refused if names[name]]
    wrong += [f"{name} is there {names[name]} times" for name in known.undecided if names[name] > 1]
    for target, entry in list(known.items()):
        if entry is None:
            # its fate is decided now
            if target in there:
                known.pop(target)
            else:
                known[target] = ("gone", {})
        elif entry[0] == "gone":
            if target in there:
                wrong.append(f"{target} was deleted and is there")
        elif target not in there:
            wrong.append(f"{entry[0]} {target} was acknowledged and is lost")
        else:
            if names[entry[1]["name"]] > 1:
                wrong.append(f"{entry[0]} {entry[1]['name']} was made {names[entry[1]['name']]} times")
            for key, value in entry[1].items():
                # a port or subnet of the same network moves a network's revision on
                same = there[target][key] >= value if key == "revision_number" else there[target][key] == value
                if not same:
                    wrong.append(f"{entry[0]} {target}: {key} was acknowledged as {value!r} and is {there[target][key]!r}")
    return wrong
