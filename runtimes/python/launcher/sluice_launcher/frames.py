"""Length-prefixed frames between a proxy of ours and the launcher: three big-endian 32-bit numbers (length of the body,
id of the call, HTTP status, 0 in requests), then the body.

The first request is {"main", "folder", "env"}: the launcher was started before there was an action. Its answer is 200, or
502 with {"stage": "compile" | "start", "error"}, after which the launcher has ended. Then each request is a /run body."""

import json
import os
import struct

from . import activation, code, streams

HEADER = struct.Struct(">III")


class Channel:
    def __init__(self, source, target):
        self.source = source
        self.target = target

    def receive(self):
        """(id, body), or None when the proxy has gone."""
        header = streams.read_exactly(self.source, HEADER.size)
        if header is None:
            return None
        length, call, _ = HEADER.unpack(header)
        body = streams.read_exactly(self.source, length)
        return None if body is None else (call, body)

    def send(self, call, status, body):
        streams.write_all(self.target, HEADER.pack(len(body), call, status) + body)


def serve(channel):
    """Serves one action until the proxy closes its end."""
    request = channel.receive()
    if request is None:
        return
    call, body = request
    entry, status, answer = start(json.loads(body))
    activation.flush()
    channel.send(call, status, answer)
    while entry is not None:
        request = channel.receive()
        if request is None:
            return
        call, body = request
        channel.send(call, *activation.run(entry, body))


def start(action):
    """(function or None, status, answer) for the first request."""
    os.environ.update(action["env"])
    try:
        code.prepare(action["folder"])
    except (code.Refused, OSError) as error:
        return None, 502, activation.to_json({"stage": "compile", "error": str(error)})
    try:
        return code.load(action["folder"], action["main"]), 200, b'{"ok":true}'
    except code.Refused as error:
        return None, 502, activation.to_json({"stage": "start", "error": str(error)})
    except Exception as error:
        activation.tell(error)
        return None, 502, activation.to_json({"stage": "start", "error": ""})
