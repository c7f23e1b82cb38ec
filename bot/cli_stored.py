"""The commands about what is stored: `requests`, `show`, `cancel` and `backup`. They only read, or
store one event. Those about the audit trail are in `cli_audit.py`."""

from __future__ import annotations

import io
import json
import os
import pwd
import re
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.__main__ import PROBLEM, WRONG_USE
from bot.cli_terminal import Progress
from bot.operate import json_and_csv
from bot.operate.json_and_csv import printable, to_json
from bot.request.events import OperatorCancelled
from bot.request.model import CANCELLABLE, Request, State
from bot.request.request_id import tidy_id
from bot.settings import load_database
from bot.store import audit_trail
from bot.store.database import Database
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.migrate import SchemaMissing, SchemaTooNew, require
from bot.store.queries import Overview, unsaid
from bot.store.sqlite import copy_file, file_of

stored = typer.Typer(rich_markup_mode=None)


def for_machines(asked: bool = True) -> bool:
    """JSON, CSV and YAML are written in UTF-8, whatever the terminal's encoding is."""
    if asked and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return asked


JsonOption = Annotated[
    bool, typer.Option("--json", callback=for_machines, help="JSON instead of a table.")
]


def fail(sentence: str, code: int = PROBLEM) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


@contextmanager
def database() -> Iterator[Database]:
    """The database, for commands that only read or store an event. Ends the command if the schema
    is not there yet."""
    db = Database(load_database())
    try:
        require(db)
        yield db
    except (SchemaMissing, SchemaTooNew) as error:
        fail(str(error))
    except StoreError as error:
        fail(f"The database cannot be used: {error}. DATABASE_URL names it.")
    finally:
        db.close()


@stored.command(
    epilog="""\b
Examples:
  vr-unpair requests --state pending
  vr-unpair requests --limit 10 --json"""
)
def requests(
    state: Annotated[
        State | None, typer.Option(metavar="STATE", help="Only those in this state.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=1, max=1_000_000_000, help="At most so many. [default: all]"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is and was asked, newest first."""
    with database() as db:
        found = Overview(db).newest(state, limit)
    if as_json:
        print(to_json([json_and_csv.as_json(r) for r in found], indent=2))
    elif found:
        from bot.operate import show as tables  # imported here: `run` starts without rich

        tables.print_tables(tables.stdout(), tables.requests_table(found))
    else:
        print("No requests." if state is None else f"No requests in state {state.value}.")


@stored.command(epilog="Example: vr-unpair show 7KQ2-M4XP --json")
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: JsonOption = False,
) -> None:
    """Show one request with its whole history."""
    from bot.operate import show as tables  # imported here: `run` starts without rich
    from bot.slack.draw.words.endings import ending

    with database() as db:
        request = _known(db, request_id)
        records = audit_trail.of_request(db, request.id)
        missing = unsaid(db, request.id)
    for record in records:
        if record.hash != record.expected_hash:
            print(
                f"Record {record.number} is not as it was written: see `vr-unpair audit verify`.",
                file=sys.stderr,
            )
    if as_json:
        events = [json_and_csv.record_json(r) for r in records]
        not_said = [tables.unsaid_json(m) for m in missing]
        document = {**json_and_csv.as_json(request), "unsaid": not_said, "events": events}
        print(to_json(document, indent=2))
        return
    outcome = request.correction or request.outcome
    words = ending(request, outcome) if outcome else None
    told = (words.title, *words.body, words.next_step) if words else ()
    not_in_slack = [tables.unsaid_table(missing)] if missing else []
    facts, history = tables.facts_table(request, told), tables.history_table(records)
    tables.print_tables(tables.stdout(), facts, *not_in_slack, history)


@stored.command(epilog="Example: vr-unpair cancel 7KQ2-M4XP")
def cancel(
    request_id: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False
) -> None:
    """Withdraw a request that is not yet sent.

    For when Slack is away. The audit trail names the system's user.
    """
    with database() as db:
        request = _in_state(db, request_id, CANCELLABLE)
        # The stored event is enough to keep the DELETE from being sent: no intent is stored while
        # an event waits.
        event = OperatorCancelled(operator=system_user())
        Inbox(db).put(event, origin=f"operator:{uuid.uuid4()}", request_id=request.id)
        # Checked again: the intent may have been stored between the first check and the event.
        _in_state(db, request_id, CANCELLABLE | {State.CANCELLED})
    if as_json:
        document = {"id": request.id, "state": request.state.value, "cancellation": "stored"}
        print(json.dumps(document))
        return
    print(
        f"{request.id}: the cancellation is stored and nothing will be sent after it. "
        "The running bot, or the next start of it, says so in the thread."
    )


@stored.command(epilog="Example: vr-unpair backup vr-unpair-2026-11-30.db")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; must not exist yet.")],
) -> None:
    """Copy the SQLite database, also while the bot runs.

    Only its owner can read the copy. PostgreSQL is backed up with pg_dump.
    """
    source = file_of(load_database())
    if source is None:
        fail("DATABASE_URL names PostgreSQL: back it up with pg_dump.", WRONG_USE)
    if not source.is_file():
        fail(f"There is no database {source} here. DATABASE_URL names it.")
    if file.exists():
        fail(f"{file} exists already: name a new file.")
    try:
        with Progress(f"Copying {source}"):
            copy_file(source, file)
    except (OSError, sqlite3.Error) as error:
        fail(f"No backup was made: {error}.")
    print(f"ok: {file}, {file.stat().st_size:,} bytes")


def system_user() -> str:
    """Who runs this, as the kernel says: anybody can set LOGNAME and USER. Under sudo also who
    called it; its variables are believed of root alone, who could act as anybody anyway."""
    user, caller = _user(os.getuid()), os.environ.get("SUDO_UID", "")
    if os.geteuid() != 0 or not re.fullmatch(r"\d{1,9}", caller):
        return user
    return f"{_user(int(caller), os.environ.get('SUDO_USER', ''))}, by sudo as {user}"


def _user(uid: int, name: str = "") -> str:
    """The account's name; without an account, as in a container of OpenShift, the number and what
    `name` says."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}" + (f" ({printable(name[:32])})" if name else "")


def _known(db: Database, request_id: str) -> Request:
    request = Overview(db).get(tidy_id(request_id) or request_id)
    if request is None:
        fail(f"There is no request {request_id}. `vr-unpair requests` lists them.")
    return request


def _in_state(db: Database, request_id: str, states: frozenset[State]) -> Request:
    request = _known(db, request_id)
    if request.state not in states:
        fail(f"{request.id} is {request.state.value}: it cannot be withdrawn any more.")
    return request
