"""One call of the action's function: from the bytes of a /run body to those of its answer."""

import json
import os
import sys

from . import messages


def run(entry, body):
    """Calls `entry` for one /run body and returns (HTTP status, body). Output is flushed; SystemExit passes through."""
    try:
        return answer(entry, body)
    finally:
        flush()


def answer(entry, body):
    try:
        message = json.loads(body) if body.strip() else {}
        if not isinstance(message, dict):
            raise ValueError("the request is not an object")
    except (ValueError, RecursionError) as error:
        return failure(400, messages.UNMARSHALING % error)
    value = message.pop("value", None)
    export(message)
    try:
        result = entry({} if value is None else value)
    except Exception as error:
        tell(error)
        return 200, to_json({"error": text_of(error)})
    if result is None:
        return 200, b"{}"
    try:
        encoded = to_json(result)
    except Exception as error:
        tell(error)
        return failure(502, "The action returned a value that is not JSON: %s" % text_of(error))
    if encoded[:1] not in b"{[":
        print('Result must be a dict or list but has type "%s".' % type(result).__name__, file=sys.stderr)
        return failure(502, messages.NOT_DICTIONARY)
    return 200, encoded


def export(fields):
    """Makes a variable of every field around `value`; what is no string becomes JSON (runtimes.md §1.3)."""
    for name, value in fields.items():
        text = value if isinstance(value, str) else to_json(value).decode()
        try:
            os.environ["__OW_" + name.upper()] = text
        except (ValueError, UnicodeError) as error:
            print("%s cannot be a variable: %s" % (name, error), file=sys.stderr)


def to_json(value):
    """Compact UTF-8 on one line; surrogates that UTF-8 cannot carry are escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def failure(status, text):
    return status, to_json({"error": text})


def tell(error):
    """The traceback on stderr, without the launcher's own frames."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def text_of(error):
    try:
        return str(error)
    except Exception:
        return type(error).__name__


def flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass  # the action may have closed or replaced it
