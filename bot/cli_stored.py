"""The commands about what is stored: `requests`, `show`, `cancel`, `backup`, `audit export` and
`audit verify`. They only read, or store one event."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.__main__ import PROBLEM, WRONG_USE
from bot.operate import json_and_csv, logs
from bot.operate.json_and_csv import to_json
from bot.request.events import OperatorCancelled
from bot.request.model import CANCELLABLE, SHORT, Request, State, tidy_id
from bot.settings import load_database
from bot.store import audit_trail
from bot.store.audit_trail import held_against, verify_trail
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import SchemaMissing, SchemaTooNew, require
from bot.store.queries import Overview, unsaid
from bot.store.sqlite import copy_file

stored = typer.Typer(rich_markup_mode=None)
audit = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Export or verify the audit trail."
)

SHORTEST = 12
"""The fewest characters of a head to look for: fewer could match some record by chance."""


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
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        fail(f"The database cannot be used: {reason}. DATABASE_URL names it.")
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
        int | None, typer.Option(min=1, max=1_000_000_000, help="At most so many.")
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
        event = OperatorCancelled(operator=_system_user())
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
    place = make_url(load_database())
    if place.get_backend_name() != "sqlite":
        fail("DATABASE_URL names PostgreSQL: back it up with pg_dump.", WRONG_USE)
    source = Path(place.database or "")
    if not source.is_file():
        fail(f"There is no database {source} here. DATABASE_URL names it.")
    if file.exists():
        fail(f"{file} exists already: name a new file.")
    try:
        copy_file(source, file)
    except (OSError, sqlite3.Error) as error:
        fail(f"No backup was made: {error}.")
    print(f"ok: {file}, {file.stat().st_size:,} bytes")


def _system_user() -> str:
    """The name of the system's user, or its number: in a container it may have no account
    (OpenShift)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return f"uid {os.getuid()}"


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


# --- audit


@audit.command(
    epilog="""\b
Examples:
  vr-unpair audit export > trail.jsonl
  vr-unpair audit export --format csv --since 1200"""
)
def export(
    form: Annotated[
        Literal["jsonl", "csv"],
        typer.Option("--format", help="jsonl, or csv with a header line."),
    ] = "jsonl",
    since: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=0, max=1_000_000_000, help="Only the records after this one."
        ),
    ] = None,
) -> None:
    """Export the records of the audit trail, in order."""
    for_machines()
    with database() as db:
        for line in json_and_csv.audit_lines(audit_trail.export(db, since), form):
            print(line)


@audit.command(
    epilog="""\b
Examples:
  vr-unpair audit verify --head 3f9c0a7be2d1
  vr-unpair audit verify --log /var/log/vr-unpair.log
  journalctl -o cat -u vr-unpair | vr-unpair audit verify --log -"""
)
def verify(
    posted: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="HEAD",
            help="Also look for this head, as a final reply in Slack shows it.",
        ),
    ] = None,
    log: Annotated[
        typer.FileText | None,
        typer.Option(
            metavar="FILE",
            encoding="utf-8",
            errors="replace",
            help="Also hold it against its lines in this log of the bot; - reads stdin.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that nothing in it was changed.

    Holds the chain of records against its head. Exits with 1 and names the first wrong record where
    one was.
    """
    wanted = None if posted is None else _head(posted)
    lines = None if log is None else list(logs.audit_lines(log))
    if log and not lines:
        fail(f"{log.name} has no line of the event `audit`: is it the log of `vr-unpair run`?")
    with database() as db:
        broken, head = verify_trail(db)
        found = audit_trail.with_head(db, wanted) if wanted else None
        held = held_against(db, lines) if lines else None
    of_log = held.broken if held else None
    first = min((n for n in (broken, of_log) if n is not None), default=None)
    if as_json:
        document: dict[str, object] = {
            "ok": first is None and (found is not None or not wanted),
            "records": head.count,
            "head": head.hash,
            "broken": None if broken is None else {"number": broken},
        }
        if wanted:
            number, time_ = (found.number, json_and_csv.iso(found.at)) if found else (None, None)
            document["asked"] = {"head": wanted, "number": number, "time": time_}
        if held:
            told = None if of_log is None else {"number": of_log}
            document["log"] = {**asdict(held), "broken": told}
        print(json.dumps(document))
        raise typer.Exit(0 if document["ok"] else PROBLEM)
    if first is not None:
        fail(
            f"The audit trail is broken at record {first}: it, or the head of the trail, was "
            f"changed, removed or inserted{'' if first == broken else ', as the log tells'}."
        )
    if wanted and not found:
        fail(
            f"No record of the audit trail has the head {wanted}. It was posted by another "
            "deployment, or a backup from before it was restored since, or the trail was made "
            "anew: compare with an export from before."
        )
    print(f"ok: {head.count} records, head {head.short}")
    if held:
        print(f"ok: {held.lines} of them as told in the log, {held.first} to {held.last}")
    if found:
        time_ = json_and_csv.iso(found.at)
        print(f"ok: head {found.hash[:SHORT]} is record {found.number}, {time_}")


def _head(typed: str) -> str:
    """The head in the form in which it is stored. Ends the command when it cannot be a head."""
    head = typed.strip("`'\". \t\n").lower()
    if re.fullmatch(f"[0-9a-f]{{{SHORTEST},64}}", head) is None:
        fail(
            f"--head takes the {SHORT} characters behind `head` in a final reply, or all 64 of a "
            f"hash: digits and the letters a to f, {SHORTEST} at least.",
            WRONG_USE,
        )
    return head
