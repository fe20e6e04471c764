# SPDX-License-Identifier: Apache-2.0
"""Reads the oracle's case files and expands them to single steps. Does no I/O but reading those files.

A step names one request: {"do": "PUT /v2.0/networks/{net}", "body": .., "save": ..}. See tests/oracle/README.md for the short
forms ("each", "tries", "gets"). Invariant: the id of a step depends on its text and on equal steps before it, never on its number,
so that a new step does not move the others."""
import copy
import json
import pathlib
import re



def singular(path):
    """The body's key for a path: /v2.0/address-scopes -> address_scope, /v2.0/qos/policies/{p}/dscp_marking_rules -> dscp_marking_rule."""
    segments = [s for s in path.split("?")[0].split("/") if s and not s.startswith("{")]
    collection = segments[-1].replace("-", "_").removesuffix(".json")
    if collection.endswith("ies"):
        return collection[:-3] + "y"
    return collection[:-1] if collection.endswith("s") else collection


class Step:
    def __init__(self, method, path, **more):
        self.method, self.path = method, path
        self.body = more.get("body")
        self.raw = more.get("raw")
        self.headers = more.get("headers")
        self.save = more.get("save")
        self.only = more.get("only")        # keys of the resource to compare; None: all
        self.fresh = more.get("fresh")      # (path, body): made before, removed after
        self.remove = more.get("remove", False)  # remove what was created
        self.ignore = more.get("ignore", [])
        self.exact = more.get("exact", False)
        self.name = more.get("name") or f"{method} {path}"
        self.id = None


def brief(value):
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 70 else text[:50] + f"..({len(text)})"


def special(value):
    """"$x*300" stands for 300 times x."""
    if isinstance(value, str):
        m = re.fullmatch(r"\$(.+)\*(\d+)", value, re.S)
        return m.group(1) * int(m.group(2)) if m else value
    if isinstance(value, list):
        m = len(value) == 2 and isinstance(value[0], str) and re.fullmatch(r"\$(\d+) times", value[0])
        if m:
            return [json.loads(json.dumps(value[1]).replace("%d", str(i + 1))) for i in range(int(m.group(1)))]
        return [special(v) for v in value]
    if isinstance(value, dict):
        return {k: special(v) for k, v in value.items()}
    return value


def matrix(entry, method, path, defaults):
    """One step for each value of each attribute ("each") and for each group of attributes ("tries")."""
    wrap = entry.get("wrap") or singular(path)
    base = entry.get("base", {})
    variants = []
    for attribute, values in entry.get("each", {}).items():
        for value in values:
            variants.append((f"{attribute}={brief(value)}", {attribute: value}, [attribute]))
    for label, change in entry.get("tries", {}).items():
        variants.append((label, change, list(change)))
    for label, change, keys in variants:
        body = copy.deepcopy(base)
        for key, value in change.items():
            if value == "$absent":
                body.pop(key, None)
            else:
                body[key] = special(value)
        fresh = None
        if "fresh" in entry:
            collection = path.split("/{new}")[0]
            fresh = (entry.get("fresh_path", collection), {singular(collection): special(entry["fresh"])})
        yield Step(method, path, body={wrap: body}, name=f"{method} {path} {label}", fresh=fresh, remove=method == "POST",
                   only=None if entry.get("whole") else list(dict.fromkeys(keys + entry.get("watch", []) + defaults.get("watch", []))),
                   headers=entry.get("headers"), ignore=entry.get("ignore", []), exact=entry.get("exact", defaults.get("exact", False)))


def expand(entry, defaults):
    method, path = entry["do"].split(" ", 1)
    if "each" in entry or "tries" in entry:
        yield from matrix(entry, method, path, defaults)
    elif "gets" in entry:
        for query in entry["gets"]:
            yield Step(method, f"{path}?{query}" if query else path, only=entry.get("show"), headers=entry.get("headers"))
    else:
        yield Step(method, path, body=special(entry.get("body")), raw=special(entry.get("raw")), headers=special(entry.get("headers")),
                   save=entry.get("save"), only=entry.get("show"), name=entry.get("name"), ignore=entry.get("ignore", []),
                   exact=entry.get("exact", defaults.get("exact", False)))


def configuration(path):
    """The name of the configuration that a case file wants, "" for the plain one; and the hosts whose agents it wants to be alive."""
    case = json.loads(pathlib.Path(path).read_text())
    return case.get("config", ""), case.get("agents", [])


def plain(path):
    """A path without what differs between the ways to write it: its version, /qos, underscores, names in braces."""
    path = path.split("?")[0].removeprefix("/v2.0").replace("_", "-").removeprefix("/qos")
    return re.sub(r"\{[^}]*\}", "{}", path)


def uncovered(document, steps):
    """The operations of an OpenAPI document that no step asks for, as "GET /networks"."""
    operations = [(method.upper(), path) for path, item in document["paths"].items() for method in item if method in ("get", "put", "post", "delete")]
    # "/quotas/{}" also stands for "/quotas/p1"
    forms = {o: re.compile(re.escape(plain(o[1])).replace(r"\{\}", "[^/]+") + r"\Z") for o in operations}
    asked = {(s.method, plain(s.path)) for s in steps}
    asked |= {("DELETE", plain((s.fresh[0] if s.fresh else s.path) + "/{new}")) for s in steps if s.fresh or s.remove}
    asked |= {("POST", plain(s.fresh[0])) for s in steps if s.fresh}
    return [" ".join(o) for o in operations if not any(method == o[0] and forms[o].match(path) for method, path in asked)]


def load(path):
    """The steps of one case file, each with its own id."""
    case = json.loads(pathlib.Path(path).read_text())
    seen, steps = {}, []
    for entry in case["steps"]:
        for step in expand(entry, case):
            count = seen[step.name] = seen.get(step.name, 0) + 1
            step.id = step.name if count == 1 else f"{step.name} #{count}"
            steps.append(step)
    return steps
