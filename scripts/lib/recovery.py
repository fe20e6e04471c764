# SPDX-License-Identifier: Apache-2.0
"""How long it takes until all is as it should be again.

Each check is looked at in a thread of its own, again and again until it holds; its time is that of the end of the look that found it so. In the
end all are looked at once more, together: what holds must go on holding."""
import concurrent.futures
import time

# Of a look: rabbitmqctl starts in a second and a half, a lease and a connection are given two, the times of reports are whole seconds, and a look
# may have begun just before it would have found it so. More than that is not granted.
LOOK_S = 4
PAUSE_S = 0.3
# Then it is given up.
PATIENCE_S = 150


def measure(since, checks):
    """{name: seconds from `since` until it held; None when it did not, or did not stay so}."""

    def watch(holds):
        while time.time() < since + PATIENCE_S:
            if holds():
                return time.time() - since
            time.sleep(PAUSE_S)
        return None

    with concurrent.futures.ThreadPoolExecutor(len(checks)) as pool:
        took = dict(zip(checks, pool.map(watch, checks.values())))
        # A look can fail by itself, on a busy machine.
        stays = dict(zip(checks, pool.map(lambda holds: holds() or holds(), checks.values())))
    return {name: seconds if stays[name] else None for name, seconds in took.items()}
