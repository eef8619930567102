"""From uploaded files to the action's function."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

from . import bounds

MODULE = "main__"


class Refused(Exception):
    """The upload cannot become an action; the text says why."""


def prepare(folder):
    """Puts an upload's files where `load` expects them and finds what is wrong without running it. Raises Refused."""
    source = os.path.join(folder, MODULE + ".py")
    for name in ("exec", "__main__.py"):
        uploaded = os.path.join(folder, name)
        if os.path.isfile(uploaded) and not os.path.exists(source):
            os.rename(uploaded, source)
    if not os.path.isfile(source):
        raise Refused("Zip file does not include " + os.path.basename(source))
    if os.path.isdir(os.path.join(folder, "virtualenv")):
        if activation_script(folder) is None:
            raise Refused("Invalid virtualenv. Zip file does not include 'activate_this.py'.")
    elif os.path.isfile(os.path.join(folder, "requirements.txt")):
        install(folder)
    compiled(source)


def load(folder, main):
    """Runs the module's top level in its folder and returns the function `main`. Raises what the module raises."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    activate(folder)
    source = os.path.join(folder, MODULE + ".py")
    spec = spec_from_file_location(MODULE, source)
    module = module_from_spec(spec)
    sys.modules[MODULE] = module
    exec(compiled(source), module.__dict__)
    entry = getattr(module, main, None)
    if not callable(entry):
        raise Refused("The action has no function named '%s'." % main)
    return entry


def compiled(source):
    """The module's code; a syntax error is told as Python tells it. Raises Refused."""
    try:
        with open(source, "rb") as file:
            return compile(file.read(), source, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        import traceback

        raise Refused("".join(traceback.format_exception_only(type(error), error))) from None


def activation_script(folder):
    for place in ("bin", "Scripts"):
        script = os.path.join(folder, "virtualenv", place, "activate_this.py")
        if os.path.isfile(script):
            return script
    return None


def activate(folder):
    """Makes the packages that the action brings, or that were installed for it, the first ones to be found."""
    script = activation_script(folder)
    if script is not None:
        with open(script, "rb") as file:
            exec(compile(file.read(), script, "exec"), {"__file__": script, "__name__": "__main__"})
    installed = packages(folder)
    if os.path.isdir(installed):
        sys.path.insert(1, installed)


def packages(folder):
    return os.path.join(folder, ".packages")


def install(folder):
    """Installs what requirements.txt names, unless OW_ENABLE_INIT_INSTALL is `false`. Raises Refused with pip's words."""
    import subprocess

    if os.environ.get("OW_ENABLE_INIT_INSTALL") == "false":
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore"]
    command += ["--target", packages(folder), "-r", "requirements.txt"]
    # Wheels are built where programs may be started.
    env = dict(os.environ, TMPDIR=folder, HOME=folder)
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=bounds.INSTALL_S_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused("requirements.txt could not be installed: %s" % error) from None
    if done.returncode != 0:
        raise Refused("requirements.txt could not be installed:\n" + done.stdout.decode("utf-8", "replace"))
