"""`python -m bot`, and the console script: everything that is run begins here."""

from __future__ import annotations

import sys

from bot.importing import import_lean
from bot.stop_signals import StopSignals


def main() -> None:
    """The console script, with its exit code."""
    if sys.argv[1:] == ["run"]:
        stop = StopSignals()  # before the imports, which are most of a start
        import_lean("bot.run").main(stop)
    else:
        import_lean("bot.cli").main()


if __name__ == "__main__":
    main()
