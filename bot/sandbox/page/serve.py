"""`vr-unpair demo`: the page, until somebody stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from queue import SimpleQueue

from bot.sandbox.page.routes import NoFreePort, Page
from bot.sandbox.page.stage import DidNotStart, Stage

PORT = 8080


def serve(port: int = PORT) -> int:
    """Exit code: 0 when it was stopped, 1 when something did not start, said on stderr."""
    say = partial(print, flush=True)
    # Not an Event: a second signal inside its `set` would wait for ever for a lock of this thread.
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: signals.put(number))
    say("Starting a simulated appliance, a local Slack and the real bot …")
    try:
        with Stage() as stage, Page(stage, port) as page:
            if port not in (0, page.port):
                say(f"Port {port} is taken, so it is the next free one: {page.port}.")
            say(f"\n    {page.url}\n")
            say("Open it in a browser: ask as Rita, approve as Alan, watch the thread.")
            say("Nothing leaves this machine. Stop with Ctrl-C: everything started here ends.")
            signals.get()
            say("\nStopping …")
    except DidNotStart as error:
        print(f"The bot did not start:\n{error}", file=sys.stderr)
        return 1
    except NoFreePort as error:
        print(f"The page cannot be served: {error}. Choose another with --port.", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        print(f"The bot did not stop within {error.timeout:g} s and was killed.", file=sys.stderr)
        return 1
    say("Everything has ended.")
    return 0
