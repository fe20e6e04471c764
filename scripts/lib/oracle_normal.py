# SPDX-License-Identifier: Apache-2.0
"""Makes the answers of two servers comparable: what is random or a matter of wording is replaced by its kind.

Owns what "equal" means to the oracle; does no I/O. Ids that a case saved are shown by their names, so that a wrong id is a difference."""
import json
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ| \d\d:\d\d:\d\d(\.\d+)?)")
MAC = re.compile(r"fa:16:3e(:[0-9a-f]{2}){3}")
# lists that Neutron serves in the order of the database's rows
UNORDERED = {"security_group_rules", "subnets", "tags", "security_groups", "fixed_ips", "external_fixed_ips", "dns_assignment", "routes", "allowed_address_pairs", "extra_dhcp_opts",
             "service_types", "addresses", "host_routes", "subnet_ip_availability", "allocation_pools", "resources", "port_forwardings"}
# lists of objects with an address that the server may have chosen
ADDRESSED = {"fixed_ips", "external_fixed_ips", "dns_assignment"}
# numbers of rows that Neutron shows where it forgets to hide them
INTERNAL = {"standard_attr_id"}
# what stands for a value that the server chose, and what such a value looks like: one that a case happens to name elsewhere is shown as it is
CHOSEN = {"<segmentation id>": re.compile(r"\d+"), "<ipv4>": re.compile(r"[\d.]+"), "<ipv6>": re.compile(r"[0-9a-f:]+"), "<mac>": MAC, "<name of the address>": re.compile(r".+")}
HEADERS = ("allow", "location", "content-type", "www-authenticate")


class Normalizer:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.names = {}       # id -> name
        self.literals = set()  # every scalar that a request of this case carried

    def learn(self, body):
        if isinstance(body, dict):
            for k, v in body.items():
                self.literals.add(k)
                self.learn(v)
        elif isinstance(body, list):
            for v in body:
                self.learn(v)
        elif body is not None:
            self.literals.add(body)

    def text(self, value):
        value = value.replace(self.endpoint, "$ENDPOINT")
        value = UUID.sub(lambda m: f"<{self.names.get(m.group(0), 'id')}>", value)
        value = TIME.sub("<time>", value)
        if MAC.fullmatch(value) and value not in self.literals:
            return "<mac>"
        return value

    def value(self, value, key=None, exact=False):
        if isinstance(value, dict):
            if isinstance(value.get("security_group_rules"), list) and key is not None:
                # Neutron shows rules inside their group with what it hides or knows elsewhere; see docs/differences.md
                value = value | {"security_group_rules": [{k: v for k, v in r.items() if k not in ("tags", "belongs_to_default_sg")} for r in value["security_group_rules"]]}
            out = {self.text(k): self.value(v, k, exact) for k, v in sorted(value.items()) if k not in INTERNAL}
            if key in ADDRESSED and not exact and isinstance(value.get("ip_address"), str) and value["ip_address"] not in self.literals:
                out["ip_address"] = "<ipv6>" if ":" in value["ip_address"] else "<ipv4>"
                out |= {k: "<name of the address>" for k in ("fqdn", "hostname") if k in out}
            return out
        if isinstance(value, list):
            items = [self.value(v, key, exact) for v in value]
            return sorted(items, key=lambda v: json.dumps(v, sort_keys=True)) if key in UNORDERED else items
        if key == "floating_ip_address" and isinstance(value, str) and value not in self.literals and not exact:
            return "<ipv4>"
        if isinstance(value, str):
            return self.text(value)
        if key == "provider:segmentation_id" and isinstance(value, int) and value not in self.literals:
            return "<segmentation id>"
        return value

    def error(self, body):
        """Errors are compared by type; the keys show the form."""
        if isinstance(body.get("NeutronError"), dict):
            error = body["NeutronError"]
            usual = sorted(error) == ["detail", "message", "type"]
            return {"NeutronError": error["type"] if usual else {k: "<text>" for k in sorted(error)}}
        return {k: "<text>" if isinstance(v, str) else self.value(v, k) for k, v in sorted(body.items()) if k != "message"} | (
            {"message": "<text>"} if "message" in body else {})

    def answer(self, step, answer):
        out = {"status": answer.status}
        headers = {h: self.text(answer.headers[h]) for h in HEADERS if h in answer.headers}
        if "content-type" in headers:
            headers["content-type"] = re.sub(r";\s*", "; ", headers["content-type"]).lower()
        if headers.get("content-type") == "application/json":
            del headers["content-type"]
        rid = answer.headers.get("x-openstack-request-id", "")
        if not re.fullmatch("req-" + UUID.pattern, rid):
            headers["x-openstack-request-id"] = rid or "absent"
        if headers:
            out["headers"] = headers
        if answer.json is None:
            if answer.data:
                out["body"] = "null" if answer.data.strip() == b"null" else "<not JSON>"
        elif answer.status >= 400 and isinstance(answer.json, dict):
            out["body"] = self.error(answer.json)
        else:
            body = self.pick(step, answer.json)
            body = self.value(body, None, step.exact)
            out["body"] = self.order(step, body)
        return out

    def pick(self, step, body):
        """Keep the keys that the step compares."""
        def keep(resource):
            if not isinstance(resource, dict):
                return resource
            return {k: v for k, v in resource.items() if (step.only is None or k in step.only) and k not in step.ignore}
        if (step.only is None and not step.ignore) or not isinstance(body, dict):
            return body
        return {k: [keep(v) for v in inner] if isinstance(inner, list) else keep(inner) for k, inner in body.items()}

    def order(self, step, body):
        """A list without sort_key comes in the order of ids, which are random; extensions, in that of Neutron's files."""
        if step.method == "GET" and isinstance(body, dict) and "sort_key" not in step.path and step.path != "/":
            return {k: sorted(v, key=lambda x: json.dumps(x, sort_keys=True)) if isinstance(v, list) and not k.endswith("_links") else v
                    for k, v in body.items()}
        return body


def accepted(want, got):
    """Neutron answers some bad input with 500; any 4xx in the ordinary form is as good or better."""
    return want.get("status") == 500 and isinstance(got.get("status"), int) and 400 <= got["status"] < 500 and "NeutronError" in (got.get("body") or {})


def broken(got):
    """An answer that is wrong whatever Neutron says: an unexpected error of ours."""
    return not isinstance(got["status"], int) or (got["status"] >= 500 and "HTTPInternalServerError" in json.dumps(got.get("body")))


def chosen(want, got):
    """Whether `got` is a value where Neutron's answer has the sign of one that it chose."""
    kind = CHOSEN.get(want) if isinstance(want, str) else None
    return kind is not None and isinstance(got, (int, str)) and kind.fullmatch(str(got)) is not None


def differences(want, got, path=""):
    """Every place where two normalised answers differ, as (path, wanted, got)."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            if key not in got:
                yield f"{path}.{key}", want[key], "(absent)"
            elif key not in want:
                yield f"{path}.{key}", "(absent)", got[key]
            else:
                yield from differences(want[key], got[key], f"{path}.{key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, (a, b) in enumerate(zip(want, got)):
            yield from differences(a, b, f"{path}[{i}]")
    elif (want != got or type(want) is not type(got)) and not chosen(want, got):
        yield path, want, got
