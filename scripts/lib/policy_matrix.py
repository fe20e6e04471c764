# SPDX-License-Identifier: Apache-2.0
"""Compare what our server answered with what the real oslo.policy decides (see scripts/policy-matrix)."""
import collections
import json
import logging
import os
import re
import sys
import warnings

from oslo_config import cfg
from oslo_policy import policy

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@policy.register("project_id")
@policy.register("tenant_id")
class Owner(policy.Check):
    """The project of the object, or of its parent, which the target carries already."""

    def __call__(self, target, creds, enforcer, current_rule=None):
        key = re.match(r"%\((.*)\)s$", self.match)[1]
        return key in target and str(target[key]) == str(creds.get(self.kind))


@policy.register("field")
class Field(policy.Check):
    def __call__(self, target, creds, enforcer, current_rule=None):
        resource, rest = self.match.split(":", 1)
        name, wanted = rest.split("=", 1) if not rest.startswith("router:external") else ("router:external", rest.split("=", 1)[1])
        value = target.get(name)
        if value is None and (resource, name) == ("networks", "shared"):
            value = target.get("networks:shared")
        if value is None:
            return False
        if wanted.startswith("~"):
            return re.match(wanted[1:], value) is not None
        return value == {"True": True, "False": False}.get(wanted, wanted)


def enforcer():
    contract = os.environ.get("NEUTRINO_CONTRACT") or os.path.join(ROOT, "..", "shared", "contract")
    with open(os.path.join(contract, "policies.json")) as file:
        entries = json.load(file)["neutron"]
    conf = cfg.ConfigOpts()
    conf([])
    made = policy.Enforcer(conf, policy_file="none.yaml")
    made.suppress_deprecation_warnings = made.suppress_default_change_warnings = True
    made.register_defaults([policy.RuleDefault(e["name"], e["check_str"], scope_types=e.get("scope_types") or None) for e in entries])
    made.load_rules(True)
    return made


def parts(seen):
    """The rules of an operation, as neutron/policy.py puts them together."""
    action = f"{seen['verb']}_{seen['member']}"
    yield action
    for name, value in seen["set"].items():
        yield f"{action}:{name}"
        if isinstance(value, list):
            for key in sorted({key for item in value if isinstance(item, dict) for key in item}):
                yield f"{action}:{name}:{key}"


def holds(rules, names, seen):
    target, creds = dict(seen["target"]), dict(seen["creds"])
    first, *rest = names
    if not rules.enforce(first, dict(target), dict(creds)):
        return False
    return all(policy.RuleCheck("rule", name)(target, creds, rules) for name in rest)


# Attributes that rules of reading look at and that an update does not fetch, since they are not marked as required by the policy
# (`_fetch_resource` in neutron/pecan_wsgi/hooks/policy_enforcement.py).
NOT_FETCHED = {"address_group": ["shared"], "policy": ["shared"]}


def prefetched(seen):
    """What an update knows of the object when it asks whether the caller may know of it."""
    if seen["verb"] != "update":
        return seen
    left_out = NOT_FETCHED.get(seen["member"], [])
    return {**seen, "target": {key: value for key, value in seen["target"].items() if key not in left_out}}


def main():
    with open(sys.argv[1]) as file:
        observations = json.load(file)
    rules = enforcer()
    counts, wrong = collections.Counter(), []
    for seen in observations:
        allowed = holds(rules, list(parts(seen)), seen)
        sees = holds(rules, [f"get_{seen['member']}"], prefetched(seen))
        if allowed:
            expected = "let through"
            right = seen["status"] not in (401, 403, 404)
        elif seen["verb"] == "create" or (seen["verb"] != "get" and sees):
            expected = "403"
            right = seen["status"] == 403
        else:
            expected = "404"
            right = seen["status"] == 404
        counts[expected] += 1
        if not right:
            wrong.append(f"{seen['who']}, {seen['verb']} {seen['ownership']} {seen['member']} {seen['set']}: {seen['status']} {seen['type']}, "
                         f"oslo.policy: {expected}")
    for line in wrong[:60]:
        print(line)
    print(f"policy matrix: {len(observations)} requests ({dict(counts)}), {len(wrong)} differ from oslo.policy")
    sys.exit(bool(wrong))


main()
