"""`compile.py <main> <source> <target>`: the image's compiler (runtimes.md §2.5). Silent, or the reason on stdout."""

import os
import shutil
import sys

from sluice_launcher import code

EXEC = """#!/bin/sh
cd "$(dirname "$0")" && exec python3 -E -s -X utf8 {launcher} {main}
"""


def main():
    entry, source, target = sys.argv[1:4]
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    try:
        code.prepare(target)
    except code.Refused as error:
        print(error)
        sys.exit(1)
    program = os.path.join(target, "exec")
    with open(program, "w") as file:
        file.write(EXEC.format(launcher=os.path.join(os.path.dirname(os.path.abspath(__file__)), "launcher.py"), main=quoted(entry)))
    os.chmod(program, 0o755)
    execution_env = os.environ.get("__OW_EXECUTION_ENV")
    if execution_env:
        with open(os.path.join(target, "exec.env"), "w") as file:
            file.write(execution_env + "\n")


def quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    main()
