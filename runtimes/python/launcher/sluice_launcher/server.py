"""Serves /init and /run for one Python action where there is no proxy: containers that are processes of a machine. Keeps
the proxy's contract (runtimes.md §1, §2) for this one language.

One thread and one selector: the process may fork at any time, and a request costs no switch between threads."""

import json
import os
import selectors
import signal
import socket

from . import activation, bounds, http, logs, messages, upload, worker


class Connection:
    def __init__(self, peer):
        self.peer = peer
        self.parser = http.Parser()
        self.last = False
        self.open = True

    def answer(self, status, body):
        if not self.open:
            return
        try:
            self.peer.setblocking(True)
            self.peer.sendall(http.response(status, body, self.last))
            self.peer.setblocking(False)
        except OSError:
            self.last = True


class Server:
    def __init__(self, listener, base, parent=None):
        self.listener = listener
        self.base = base
        self.parent = parent
        self.stdout, self.stderr = logs.Log(1), logs.Log(2)
        self.selector = selectors.DefaultSelector()
        self.connections = set()
        self.folders = 0
        self.initialized = False
        self.draining = False
        # The connection and the kind of request that wait for the worker's answer.
        self.waiting = None
        self.worker = None
        self.spare = None
        self.wake, self.woken = socket.socketpair()

    def serve(self):
        """Answers until it is told to stop or its parent has gone."""
        for end in (self.wake, self.woken, self.listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self.woken.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.drain())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.wake, selectors.EVENT_READ, self.on_wake)
        self.selector.register(self.listener, selectors.EVENT_READ, self.on_connect)
        self.prepare()
        timeout = None if self.parent is None else bounds.PARENT_LOOK_S
        while not (self.draining and self.waiting is None):
            for key, _ in self.selector.select(timeout):
                key.data()
            if self.parent is not None and os.getppid() != self.parent:
                break
        self.close()

    def drain(self):
        """Refuses what is new from now on; the loop ends with the last answer."""
        self.draining = True

    def close(self):
        for one in (self.worker, self.spare):
            if one is not None:
                one.end()

    # ---------------------------------------------------------------- connections

    def on_wake(self):
        try:
            self.wake.recv(4096)
        except BlockingIOError:
            pass
        self.on_reply()

    def on_connect(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        peer.setblocking(False)
        connection = Connection(peer)
        self.connections.add(connection)
        self.selector.register(peer, selectors.EVENT_READ, lambda: self.on_data(connection))

    def on_data(self, connection):
        try:
            data = connection.peer.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.hang_up(connection)
        connection.parser.feed(data)
        self.proceed(connection)

    def proceed(self, connection):
        """Handles the requests that are complete; those behind one that waits for the worker have to wait as well."""
        while connection.open and not self.is_waiting(connection):
            try:
                request = connection.parser.next()
            except http.BadRequest as error:
                connection.last = True
                connection.answer(error.status, activation.to_json({"error": str(error)}))
                return self.finish(connection)
            if request is None:
                if connection.parser.wants_go_on:
                    connection.parser.expects = False
                    connection.peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            method, path, body, connection.last = request
            answer = self.handle(connection, method, path, body)
            if answer is not None:
                connection.answer(*answer)
                if connection.last:
                    return self.finish(connection)

    def is_waiting(self, connection):
        return self.waiting is not None and self.waiting[0] is connection

    def finish(self, connection):
        """Ends a connection whose client may still be sending: it has to see the answer first."""
        try:
            connection.peer.shutdown(socket.SHUT_WR)
        except OSError:
            return self.hang_up(connection)
        connection.open = False
        self.selector.modify(connection.peer, selectors.EVENT_READ, lambda: self.discard(connection))

    def discard(self, connection):
        try:
            if connection.peer.recv(1 << 18):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.hang_up(connection)

    def hang_up(self, connection):
        connection.open = False
        self.connections.discard(connection)
        self.selector.unregister(connection.peer)
        connection.peer.close()

    # ---------------------------------------------------------------- routes

    def handle(self, connection, method, path, body):
        """(status, body), or None when the answer comes later."""
        if self.draining:
            return failure(503, messages.SHUTTING_DOWN)
        if path not in ("/init", "/run"):
            return failure(404, messages.NOT_FOUND)
        if method != "POST":
            return failure(405, messages.METHOD)
        if self.waiting is not None:
            return failure(403, messages.NOT_READY % self.waiting[1])
        return self.init(connection, body) if path == "/init" else self.run(connection, body)

    def init(self, connection, body):
        if self.initialized:
            return self.refuse(403, messages.INITIALIZED_BEFORE)
        try:
            value = read_init(body)
            code = value["code"].encode()
        except (ValueError, TypeError, RecursionError) as error:
            return failure(400, messages.UNMARSHALING % error)
        if not code:
            return self.refuse(403, messages.MISSING_CODE)
        if value["binary"]:
            try:
                code = decode(code)
            except ValueError as error:
                return failure(400, messages.CANNOT_DECODE % error)
        folder = self.next_folder()
        try:
            upload.extract(code, folder)
        except (upload.Offence, OSError) as error:
            self.stderr.line(str(error))
            return self.init_failure(messages.NO_BINARY)
        self.prepare()
        action = {"main": value["main"], "folder": folder, "env": value["env"]}
        self.waiting = (connection, "starting")
        if not self.spare.send(activation.to_json(action)):
            self.on_reply()
        return None

    def run(self, connection, body):
        if self.worker is None:
            return failure(500, messages.NO_ACTION)
        if self.worker.has_exited():
            self.worker.drain()
            self.mark()
            return failure(500, messages.EXITED)
        self.waiting = (connection, "running")
        if not self.worker.send(body):
            self.on_reply()
        return None

    def on_reply(self):
        """Takes what the worker has answered, or that it will not."""
        if self.waiting is None:
            return
        connection, state = self.waiting
        one = self.spare if state == "starting" else self.worker
        try:
            reply = one.receive()
        except EOFError:
            reply = 0, b""
        if reply is None:
            return
        one.drain()
        answer = self.after_init(*reply) if state == "starting" else self.after_run(*reply)
        self.waiting = None
        connection.answer(*answer)
        if connection.open and connection.last:
            return self.finish(connection)
        self.proceed(connection)

    def after_init(self, status, body):
        if status == 200:
            self.worker, self.spare, self.initialized = self.spare, None, True
            return 200, b'{"ok":true}\n'
        self.retire(self.spare)
        self.spare = None
        told = json.loads(body) if status else {"stage": "start", "error": messages.EXITED_EARLY}
        if told["error"]:
            self.stderr.line(told["error"])
        return self.init_failure(messages.CANNOT_START if told["stage"] == "start" else messages.NO_BINARY)

    def after_run(self, status, body):
        if status == 0:
            self.retire(self.worker)
            self.worker = None
            status, body = failure(400, messages.EXITED)
        self.mark()
        return status, body

    def init_failure(self, text):
        self.mark()
        return failure(502, text)

    def refuse(self, status, text):
        self.stderr.line(text)
        return failure(status, text)

    def mark(self):
        self.stdout.mark()
        self.stderr.mark()

    # ---------------------------------------------------------------- workers

    def prepare(self):
        """Has a worker at hand: most of a cold start is Python's own."""
        if self.spare is not None and self.spare.has_exited():
            self.retire(self.spare)
            self.spare = None
        if self.spare is not None:
            return
        self.spare = worker.Worker(self.stdout, self.stderr, self.close_in_child)
        self.selector.register(self.spare.replies, selectors.EVENT_READ, self.on_reply)
        for log in (self.stdout, self.stderr):
            self.selector.register(log.source, selectors.EVENT_READ, lambda log=log: self.on_output(log))

    def on_output(self, log):
        if log.source is not None and not log.move():
            self.selector.unregister(log.source)

    def retire(self, one):
        for descriptor in (one.replies, self.stdout.source, self.stderr.source):
            try:
                self.selector.unregister(descriptor)
            except (KeyError, ValueError):
                pass
        one.end()

    def close_in_child(self):
        """What the action's process must not have: doors, and the connections of the hub."""
        self.selector.close()
        for end in (self.listener, self.wake, self.woken, *(connection.peer for connection in self.connections)):
            end.close()

    def next_folder(self):
        self.folders += 1
        return os.path.join(self.base, "action", str(self.folders), "bin")


def read_init(body):
    """The fields of an /init body. Raises ValueError or TypeError."""
    message = json.loads(body) if body.strip() else {}
    value = (message.get("value") if isinstance(message, dict) else None) or {}
    if not isinstance(value, dict):
        raise TypeError("value is not an object")
    code, main, env = value.get("code"), value.get("main"), value.get("env")
    if not isinstance(code, (str, type(None))) or not isinstance(main, (str, type(None))):
        raise TypeError("code and main must be strings")
    return {"code": code or "", "main": main or "main", "binary": value.get("binary") is True, "env": variables(env)}


def variables(env):
    """Strings as they are, null as nothing, the rest as compact JSON (runtimes.md §1.2)."""
    texts = {}
    for name, value in (env or {}).items():
        text = "" if value is None else value if isinstance(value, str) else activation.to_json(value).decode()
        if name and "=" not in name and "\0" not in name + text:
            texts[name] = text
    return texts


def decode(code):
    import base64

    return base64.b64decode(code, validate=True)


def failure(status, text):
    return status, activation.to_json({"error": text})
