"""`serve.py`: a Python action container that is a process. Listens on the unix socket SLUICE_LISTEN, or on 0.0.0.0 at
SLUICE_PORT, and speaks /init and /run (runtimes.md §1) until it is told to stop or killed."""

import os
import socket
import sys

from sluice_launcher import server

OWN = ("SLUICE_LISTEN", "SLUICE_PORT", "SLUICE_READY_FD", "SLUICE_PARENT", "SLUICE_BASE")


def main():
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    own = {name: os.environ.pop(name, None) for name in OWN}
    listener = listen(own["SLUICE_LISTEN"], own["SLUICE_PORT"])
    if own["SLUICE_READY_FD"] is not None:
        descriptor = int(own["SLUICE_READY_FD"])
        os.write(descriptor, b"\n")
        os.close(descriptor)
    parent = None if own["SLUICE_PARENT"] is None else int(own["SLUICE_PARENT"])
    server.Server(listener, os.path.abspath(own["SLUICE_BASE"] or os.environ.get("TMPDIR", ".")), parent).serve()
    if own["SLUICE_LISTEN"] is not None:
        os.unlink(own["SLUICE_LISTEN"])


def listen(path, port):
    if path is None:
        listener = socket.create_server(("0.0.0.0", int(port or 8080)))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(128)
    return listener


if __name__ == "__main__":
    main()
