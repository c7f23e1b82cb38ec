"""`vr-unpair run`: one process of the bot, from its start to its exit code.

Not in `cli.py`, because only the other commands need typer. Its 1.4 MB would stay in memory for
months, and importing it takes a twentieth of the time of a start.
"""

from __future__ import annotations

import sys

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.app import Bot
from bot.exit_codes import FINE, PROBLEM, WRONG_USE
from bot.operate import logs
from bot.parts import secrets_of
from bot.settings import Settings, SettingsError, load
from bot.stop_signals import StopSignals
from bot.store.faults import fault_of
from bot.store.migrate import Damaged, SchemaTooNew


def main(stop: StopSignals) -> None:
    """Run, and exit with the contract's exit code. Wrong settings are reported in sentences on
    stderr, never with a traceback."""
    try:
        sys.exit(run(load(to_run=True), stop))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG_USE)


def run(settings: Settings, stop: StopSignals) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after such a stop, 1 when the bot
    could not start or ended by itself."""
    settings.mode()  # raises SettingsError when both ways for Slack are set, or none
    logs.set_up(settings.log_level, settings.log_format, secrets_of(settings))

    def end(sentence: str) -> None:
        _cannot_start(sentence)
        stop.end()

    try:
        bot = Bot(settings, end=end)
        bot.start()
    except (SchemaTooNew, Damaged) as error:
        return _cannot_start(str(error))
    except SQLAlchemyError as error:
        fault = fault_of(error, make_url(settings.database_url.get_secret_value()))
        if fault is not None:
            return _cannot_start(fault.at_start())
        reason = getattr(error, "orig", None) or type(error).__name__
        return _cannot_start(f"The database cannot be used: {reason}. DATABASE_URL names it.")
    except OSError as error:
        return _cannot_start(f"HOST and PORT cannot be listened on: {error}.")
    told_to_stop = stop.wait()
    bot.stop()
    return FINE if told_to_stop else PROBLEM


def _cannot_start(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return PROBLEM
