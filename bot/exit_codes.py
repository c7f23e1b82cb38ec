"""How every command ends (contract, console script)."""

from __future__ import annotations

FINE = 0
PROBLEM = 1
"""One was found, or the bot could not start."""
WRONG_USE = 2
"""Of the command line, or of the settings."""
