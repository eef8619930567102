"""The process that an action runs in: forked while nobody waits, so that Python has started when /init comes."""

import os
import select
import signal
import sys

from . import bounds, frames, streams


class Worker:
    """Talks frames with the process; its output goes to `stdout` and `stderr`, which are Logs."""

    def __init__(self, stdout, stderr, close_in_child):
        self.logs = (stdout, stderr)
        self.call = 0
        self.received = bytearray()
        self.exited = False
        requests, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        ends = [log.open() for log in self.logs]
        self.pid = os.fork()
        if self.pid == 0:
            close_in_child()
            for descriptor in (self.requests, self.replies, stdout.source, stderr.source):
                os.close(descriptor)
            become(requests, replies, ends)
        for descriptor in (requests, replies, *ends):
            os.close(descriptor)
        os.set_blocking(self.requests, False)
        os.set_blocking(self.replies, False)

    def send(self, body):
        """Sends one request; output is passed on meanwhile, so that neither side waits for the other. False if it is gone."""
        self.call += 1
        view = memoryview(frames.HEADER.pack(len(body), self.call, 0) + body)
        while view:
            _, writable, _ = select.select([log.source for log in self.logs], [self.requests], [])
            for log in self.logs:
                log.move()
            if writable:
                try:
                    view = view[os.write(self.requests, view) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    return False
        return True

    def receive(self):
        """(status, body) when an answer is complete, None before; raises EOFError when none will come."""
        while True:
            try:
                part = os.read(self.replies, 1 << 16)
            except BlockingIOError:
                break
            if not part:
                break
            self.received += part
        size = frames.HEADER.size
        if len(self.received) >= size:
            length, _, status = frames.HEADER.unpack_from(self.received)
            if length > bounds.REPLY_BYTES_MAX:
                raise EOFError
            if len(self.received) >= size + length:
                body = bytes(self.received[size : size + length])
                del self.received[: size + length]
                return status, body
        if self.has_exited():
            raise EOFError
        return None

    def has_exited(self):
        if not self.exited:
            pid, _ = os.waitpid(self.pid, os.WNOHANG)
            self.exited = pid != 0
        return self.exited

    def drain(self):
        for log in self.logs:
            log.move()

    def end(self):
        if not self.has_exited():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.exited = True
        for log in self.logs:
            log.close()
        os.close(self.requests)
        os.close(self.replies)


def become(requests, replies, ends):
    """Turns the forked child into a launcher that waits for its action. Does not return."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for number, end in zip((1, 2), ends):
        os.dup2(end, number)
        os.close(end)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    streams.speak_utf8()
    code = 0
    try:
        frames.serve(frames.Channel(requests, replies))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1 if error.code else 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        end_process(code)


def end_process(code):
    """As the interpreter ends a program, but without returning into the server's frames below."""
    import atexit
    import threading

    from . import activation

    threading._shutdown()
    atexit._run_exitfuncs()
    activation.flush()
    os._exit(code & 0xFF)
