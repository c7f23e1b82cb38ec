"""The console script. Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings."""

from __future__ import annotations

import getpass
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot import __version__
from bot.core import ids
from bot.core.events import OperatorCancelled
from bot.core.request import State
from bot.operate import show as shown
from bot.settings import SettingsError, load, load_database
from bot.store import audit as trail
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import SchemaMissing, SchemaTooNew, require
from bot.store.requests import Requests

PROBLEM = 1
WRONG_USE = 2

app = typer.Typer(
    name="vr-unpair",
    help="Break a vSphere Replication pairing from Slack, after somebody else has approved it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail: export it, verify it.")
app.add_typer(audit_app, name="audit")

JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def main() -> None:
    """The entry point. Settings that are wrong are sentences on stderr, never a traceback."""
    try:
        app()
    except SettingsError as error:
        for problem in error.problems:
            print(problem.sentence, file=sys.stderr)
        sys.exit(WRONG_USE)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Nothing is done without a command."""


@app.command()
def run() -> None:
    """Run the bot: bring the database to its schema, then serve."""
    from bot.app import run as run_bot  # imported here: the other commands start without Slack

    raise typer.Exit(run_bot(load()))


@app.command()
def demo(
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Play one whole story and print its thread.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8080,
) -> None:
    """The sandbox: the real bot against a simulated appliance and a local Slack."""
    from bot.sandbox.demo import play

    if not scripted:
        print(
            "The page of the demo is not built in this version. "
            "`vr-unpair demo --scripted` plays one whole story in the terminal.",
            file=sys.stderr,
        )
        raise typer.Exit(WRONG_USE)
    raise typer.Exit(play())


@app.command()
def requests(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What is and was asked, newest first."""
    with _database() as db:
        found = _requests(db).newest(state, limit)
    if as_json:
        print(json.dumps([shown.as_json(r) for r in found], ensure_ascii=False, indent=2))
        return
    if not found:
        print("No requests." if state is None else f"No requests in state {state.value}.")
        return
    Console().print(shown.requests_table(found))


@app.command()
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False
) -> None:
    """One request with its whole history."""
    with _database() as db:
        request = _requests(db).get(_tidy(request_id))
        records = trail.of_request(db, _tidy(request_id))
    if request is None:
        _fail(f"There is no request {request_id}. `vr-unpair requests` lists them.")
    if as_json:
        events = [shown.record_json(r) for r in records]
        document = {**shown.as_json(request), "events": events}
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(shown.facts_table(request))
    console.print()
    console.print(shown.history_table(records))


@app.command()
def cancel(request_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Take a request back that is not yet sent, for when Slack is away."""
    with _database() as db:
        store, wanted = _requests(db), _tidy(request_id)
        request = store.get(wanted)
        if request is None:
            _fail(f"There is no request {request_id}. `vr-unpair requests` lists them.")
        if request.state not in (State.CHECKING, State.PENDING, State.APPROVED):
            _fail(f"{request.id} is {request.state.value}: it cannot be taken back any more.")
        # The event alone keeps the DELETE from being sent: no intent is stored while one waits.
        event = OperatorCancelled(operator=getpass.getuser())
        Inbox(db).put(event, origin=f"operator:{uuid.uuid4()}", request_id=request.id)
    print(
        f"{request.id}: the cancellation is stored and nothing will be sent after it. "
        "The running bot, or the next start of it, says so in the thread."
    )


@audit_app.command()
def export(
    form: Annotated[
        ExportFormat, typer.Option("--format", help="jsonl, or csv with a header line.")
    ] = ExportFormat.JSONL,
) -> None:
    """All records of the audit trail, in order."""
    with _database() as db:
        for line in shown.audit_lines(trail.export(db), form.value):
            print(line)


@audit_app.command()
def verify() -> None:
    """Check the chain of the audit trail against its head."""
    with _database() as db:
        broken, head = trail.check(db)
    if broken:
        _fail(f"The audit trail is broken at record {broken.number}: {broken.why}.")
    print(f"ok: {head.count} records, head {head.short}")


@contextmanager
def _database() -> Iterator[Database]:
    """For commands that read or leave an event: the schema must be there already."""
    db = Database(load_database())
    try:
        require(db)
        yield db
    except (SchemaMissing, SchemaTooNew) as error:
        _fail(str(error))
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        _fail(f"The database cannot be used: {reason}. DATABASE_URL names it.")
    finally:
        db.close()


def _requests(db: Database) -> Requests:
    return Requests(db=db, lease_ms=0)


def _tidy(request_id: str) -> str:
    return ids.tidy(request_id) or request_id


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(PROBLEM)
