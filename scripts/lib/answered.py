# SPDX-License-Identifier: Apache-2.0
"""What the agents of a lab asked, and how often each question was answered, by their own logs (of oslo.messaging, at the level of debugging)."""
import collections
import datetime
import re
import time

CALL = re.compile(r"^(\S+ \S+) (\d+) .*CALL msg_id: ([0-9a-f]{32}) .*topic '([^']+)'", re.M)
REPLY = re.compile(r"received reply msg_id: ([0-9a-f]{32})")
# An answer for which nobody waits any longer: it is a second one, or came after the agent's patience.
UNWANTED = re.compile(r"No calling threads waiting for msg_id : ([0-9a-f]{32})")


class Answered:
    """From here on. `lost`: questions of agents that run, not of the last seconds, without an answer; `twice`: with more than one, or a late one."""

    def __init__(self, lab):
        self.logs, self.since = list((lab.home / "agents").glob("**/log/a-*.log")), time.time()

    def read(self):
        asked, answers, unwanted, failed = {}, collections.Counter(), set(), 0
        for log in self.logs:
            text = log.read_text(errors="replace")
            began = text[: text.rfind("Logging enabled!")].rfind("\n")
            answers.update(REPLY.findall(text))
            unwanted.update(UNWANTED.findall(text))
            for match in CALL.finditer(text):
                at = datetime.datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S.%f").timestamp()
                if at > self.since:
                    # Of an agent that was killed, what it had asked goes with it.
                    asked[match[3]] = (at, f"{log.stem} of {match[4]}, {match[1]}", match.start() > began)
        self.asked = len(asked)
        self.lost = [what for identity, (at, what, lives) in asked.items() if lives and not answers[identity] and at < time.time() - 2]
        self.twice = [what for identity, (_, what, _) in asked.items() if answers[identity] > 1 or identity in unwanted]
        self.unanswered = sum(1 for identity in asked if not answers[identity])
        return self
