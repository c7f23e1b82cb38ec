"""`python -m sandbox`: the demo, as `vr-unpair demo` runs it."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> int:
    """Exit code: 0 fine, 1 it did not work, 2 wrong use."""
    arguments = argparse.ArgumentParser("vr-unpair demo", description=__doc__)
    arguments.add_argument("--scripted", action="store_true")
    arguments.add_argument("--port", type=int, help="its page, 0 for any (default: 8080)")
    asked = arguments.parse_args()
    if asked.scripted and asked.port is not None:
        arguments.error("--scripted serves no page, so --port has no meaning with it.")
    try:
        from sandbox.demo import leave_in_order, play
        from sandbox.page.page_server import PORT, serve
    except ModuleNotFoundError as error:
        print(
            f"The demo is not installed here ({error}). In a checkout: make demo. With the "
            "package: its extra, as in pipx install 'vr_unpair-VERSION-py3-none-any.whl[demo]'.",
            file=sys.stderr,
        )
        return 1
    unwatched = not asked.scripted and asked.port is None and not _somebody_watches()
    if unwatched:
        print("No terminal here: playing the scripted story. `--port 8080` serves the page.")
    if asked.scripted or unwatched:
        leave_in_order()
        return play()
    return serve(PORT if asked.port is None else asked.port)


def _somebody_watches() -> bool:
    """Whether a person is at the terminal: CI systems give some commands one without a person."""
    return sys.stdout.isatty() and os.environ.get("CI", "").lower() not in ("1", "true", "yes")


if __name__ == "__main__":
    sys.exit(main())
