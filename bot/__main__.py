"""`python -m bot`, and the console script: everything that is run begins here."""

from __future__ import annotations

import sys

from bot.importing import import_lean


def main() -> None:
    """The console script, with its exit code."""
    import_lean("bot.run" if sys.argv[1:] == ["run"] else "bot.cli").main()


if __name__ == "__main__":
    main()
