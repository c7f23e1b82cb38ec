"""`python -m bot` and the console script: every command begins here."""

from __future__ import annotations

import sys

from bot import run


def main() -> None:
    """The entry point of the console script."""
    if sys.argv[1:] == ["run"]:
        run.main()
    else:
        run.import_lean("bot.cli").main()


if __name__ == "__main__":
    main()
