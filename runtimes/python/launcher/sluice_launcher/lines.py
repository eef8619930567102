"""OpenWhisk's own protocol, for actions that were compiled before and for proxies that are not ours (runtimes.md §2.4)."""

import os

from . import activation, code, streams


def serve(source, target, folder, main):
    """Loads the action, acknowledges if that is wanted, and answers one line with one until there are no more."""
    entry = code.load(folder, main)
    activation.flush()
    if os.environ.get("__OW_WAIT_FOR_ACK"):
        streams.write_all(target, b'{"ok": true}\n')
    with open(source, "rb") as lines:
        for line in lines:
            _, answer = activation.run(entry, line)
            # An error's status has no place in a line: what is no object makes a 502 of it.
            streams.write_all(target, answer + b"\n")
