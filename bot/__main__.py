"""`python -m bot` and the console script: every command begins here."""

from __future__ import annotations

import sys

from bot.importing import import_lean
from bot.stop_signals import StopSignals


def main() -> None:
    """The entry point of the console script."""
    if sys.argv[1:] == ["run"]:
        stop = StopSignals()  # before the imports, which take most of a start
        import_lean("bot.run").main(stop)
    else:
        import_lean("bot.cli").main()


if __name__ == "__main__":
    main()
