"""Imports as a start wants them: a third of its time and a twentieth of its memory were here."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any


def import_lean(name: str) -> Any:
    """The module of that name, imported without looking for garbage on the way.

    What an import makes stays for good; looking through it again and again was a tenth of a start.
    Afterwards it is set aside, so that no later look goes through it either.
    """
    looking = gc.isenabled()
    gc.disable()
    try:
        _structlog_without_rich()
        return import_module(name)
    finally:
        gc.freeze()
        if looking:
            gc.enable()


def _structlog_without_rich() -> None:
    """structlog imports rich for tracebacks in a form that is never used here, since it prints
    local variables and with them secrets (`bot.operate.logs`): 4 MB and 50 ms. None hides a module
    from imports (Python docs, the import system); what prints tables imports it later."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
