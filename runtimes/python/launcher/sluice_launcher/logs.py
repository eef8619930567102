"""The container's two output streams: what the action writes, and the sentinels between activations (runtimes.md §1.5)."""

import os

from . import bounds, streams

SENTINEL = b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n"


class Log:
    """One stream: a pipe from the action's process and the descriptor that it goes on to. The pipe is what lets the server
    know that all output of an activation has passed, and whether its last line is complete."""

    def __init__(self, descriptor):
        self.target = descriptor
        self.source = None
        self.line_start = True

    def open(self):
        """The end of a new pipe that the action's process writes to."""
        self.source, end = os.pipe()
        os.set_blocking(self.source, False)
        return end

    def move(self):
        """Passes on what there is, up to a pipe's capacity; False when the other side has closed."""
        moved = 0
        while moved < bounds.PIPE_BYTES:
            try:
                text = os.read(self.source, 16384)
            except BlockingIOError:
                return True
            if not text:
                return False
            self.write(text)
            moved += len(text)
        return True

    def write(self, text):
        streams.write_all(self.target, text)
        self.line_start = text.endswith(b"\n")

    def line(self, text):
        self.begin_line()
        self.write(text.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n")

    def mark(self):
        self.begin_line()
        self.write(SENTINEL)

    def begin_line(self):
        if not self.line_start:
            self.write(b"\n")

    def close(self):
        if self.source is not None:
            self.move()
            os.close(self.source)
            self.source = None
