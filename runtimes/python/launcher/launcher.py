"""`launcher.py`: waits for its action, in frames. `launcher.py <main>`: the action in the working directory, in lines."""

import os
import sys

from sluice_launcher import frames, lines, streams


def main():
    # The action's modules may have any name; nothing of ours is to be found by them, or written beside them.
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    source, target = streams.take_input(), streams.take_output()
    streams.speak_utf8()
    if len(sys.argv) == 2:
        lines.serve(source, target, os.getcwd(), sys.argv.pop())
    else:
        frames.serve(frames.Channel(source, target))


if __name__ == "__main__":
    main()
