# SPDX-License-Identifier: Apache-2.0
"""rpc_interop URL: the real oslo.messaging against the program `peer` of crates/oslo-messaging, which serves the topic `rust` at URL.

Calls, casts, fanouts, notifications, exceptions and timeouts, both ways. Exit status 0: all as it should be."""
import logging
import sys
import threading
import time

import oslo_messaging
from oslo_config import cfg

logging.getLogger("oslo_messaging").setLevel(logging.CRITICAL)
FAILED = []


def check(what, got, expected):
    good = got == expected
    print("PASS" if good else "FAIL", what, "" if good else f"got {got!r}, expected {expected!r}", flush=True)
    if not good:
        FAILED.append(what)


class Endpoint:
    target = oslo_messaging.Target(version="1.3")

    def __init__(self):
        self.told = threading.Event()
        self.context = None

    def add(self, ctxt, a, b):
        self.context = ctxt
        return a + b

    @oslo_messaging.expected_exceptions(KeyError)
    def broken(self, ctxt, **kwargs):
        raise KeyError("nothing")

    def notify(self, ctxt, **kwargs):
        self.told.set()


class Notifications:
    def __init__(self):
        self.seen = threading.Event()
        self.payload = None

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        self.payload = payload
        self.seen.set()


def raised(call):
    try:
        return call()
    except Exception as error:  # what is raised is what is checked
        return error


def main():
    conf = cfg.CONF
    conf([], project="interop")
    oslo_messaging.set_transport_defaults("neutron")
    transport = oslo_messaging.get_rpc_transport(conf, sys.argv[1], allowed_remote_exmods=["builtins"])
    conf.set_override("control_exchange", "neutron")
    endpoint, notifications = Endpoint(), Notifications()
    server = oslo_messaging.get_rpc_server(
        transport, oslo_messaging.Target(topic="python", server="py1"), [endpoint], executor="threading")
    server.start()
    listener = oslo_messaging.get_notification_listener(
        oslo_messaging.get_notification_transport(conf, sys.argv[1]), [oslo_messaging.Target(topic="interop")], [notifications],
        executor="threading")
    listener.start()
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="rust", version="1.0"), timeout=10)
    context = {"is_admin": True, "request_id": "req-1", "user": None}

    end = time.monotonic() + 60
    while isinstance(raised(lambda: client.prepare(timeout=1).call(context, "echo")), oslo_messaging.MessagingTimeout):
        assert time.monotonic() < end, "the other side does not answer"
    answer = client.call(context, "echo", x="ü", none=None, deep={"a": [1, 2.5, True]})
    check("a call is answered", answer["args"], {"x": "ü", "none": None, "deep": {"a": [1, 2.5, True]}})
    check("the context arrives", {k: answer["context"][k] for k in context}, context)
    check("a namespace arrives", client.prepare(namespace="n").call(context, "echo")["namespace"], "n")
    check("a call to one host", client.prepare(server="host1").call(context, "echo", y=1)["args"], {"y": 1})
    error = raised(lambda: client.call(context, "fail"))
    check("an allowed exception is typed", (isinstance(error, ValueError), "on purpose" in str(error)), (True, True))
    error = raised(lambda: client.call(context, "not_found"))
    check("another is a RemoteError with its name", (type(error).__name__, getattr(error, "exc_type", None)), ("RemoteError", "PortNotFound"))
    error = raised(lambda: client.call(context, "unheard_of"))
    check("an unknown method", getattr(error, "exc_type", None), "NoSuchMethod")
    error = raised(lambda: client.prepare(timeout=1).call(context, "slow"))
    check("a timeout", type(error).__name__, "MessagingTimeout")
    began = time.monotonic()
    check("signs of life", client.prepare(timeout=10, call_monitor_timeout=2).call(context, "slow"), "slow")
    check("took its time", time.monotonic() - began > 3, True)

    back = lambda **args: client.call(context, "call_back", **args)
    check("a call to oslo.messaging", back(what="add", a=1, b=2).get("ok"), 3)
    check("unknown arguments are its TypeError", back(what="add", a=1, b=2, c=3).get("class"), "TypeError")
    check("an expected exception of it", back(what="broken").get("class"), "KeyError")
    check("a method that it has not", back(what="nothing").get("class"), "NoSuchMethod")
    client.call(context, "notify", n=5)
    check("a notification", (notifications.seen.wait(10), notifications.payload), (True, {"n": 5}))
    check("a fanout", endpoint.told.wait(10), True)
    server.stop()
    listener.stop()
    server.wait()
    listener.wait()
    transport.cleanup()
    print(f"{len(FAILED)} failed")
    sys.exit(1 if FAILED else 0)


main()
