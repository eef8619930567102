"""The launcher's ends of its pipes, out of the way of the action's code."""

import os
import sys


def take(descriptor):
    """A private copy of a descriptor, which programs that the action starts do not get."""
    copy = os.dup(descriptor)
    os.close(descriptor)
    return copy


def take_input():
    """Requests come on stdin; the action itself reads nothing there."""
    copy = take(0)
    os.open(os.devnull, os.O_RDONLY)  # the lowest free number: 0
    os.set_inheritable(0, True)
    return copy


def take_output():
    """Answers go to descriptor 3, as ActionLoop wants (runtimes.md §2)."""
    return take(3)


def speak_utf8():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdout else "backslashreplace")
    os.environ.setdefault("PYTHONIOENCODING", "UTF-8")


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_exactly(descriptor, length):
    """That many bytes; None where the other side has ended instead."""
    if length <= 65536:
        data = os.read(descriptor, length) if length else b""
        if len(data) == length:
            return data
    else:
        data = b""
    parts, missing = [data], length - len(data)
    while missing:
        part = os.read(descriptor, min(missing, 1 << 20))
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
