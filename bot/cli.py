"""The console script. Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings."""

from __future__ import annotations

import getpass
import html
import json
import logging
import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from bot import __version__
from bot.__main__ import PROBLEM, WRONG_USE
from bot.__main__ import run as run_bot
from bot.cli_audit import audit_app
from bot.cli_shared import JsonOption, database, fail, for_machines, written
from bot.operate import logs
from bot.operate import show as shown
from bot.operate.health import Line
from bot.request.events import OperatorCancelled
from bot.request.model import CANCELLABLE, Request, State, tidy_id
from bot.settings import (
    EXAMPLE,
    SettingsError,
    files_seen_by_others,
    load,
    load_database,
    load_slack_app,
)
from bot.store import audit_trail
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.queries import Overview, unsaid
from bot.store.sqlite import copy_file

app = typer.Typer(
    name="vr-unpair",
    help="Break a vSphere Replication pairing from Slack, after somebody else has approved it.",
    epilog="""Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings.

\b
Examples:
  vr-unpair demo --scripted      play one whole story on this machine
  vr-unpair settings --example   print what to put into .env
  vr-unpair check                see whether all is there, before a start
  vr-unpair run                  start the bot""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(audit_app, name="audit")


def main() -> None:
    """The entry point. Wrong settings are reported in sentences on stderr, never with a
    traceback."""
    logs.set_up("critical", "console")  # commands speak in sentences, not in log lines
    try:
        with written():
            app()
    except SettingsError as error:
        print(error, file=sys.stderr)
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
    """Break a vSphere Replication pairing from Slack, after somebody else has approved it."""


@app.command()
def run() -> None:
    """Run the bot: bring the database to its schema, then serve.

    Exits with 3 where no new start would help: Slack refuses the token, the database is damaged or
    belongs to a newer version. A database server that is away is waited for.
    """
    run_bot()  # a plain `vr-unpair run` does not get here: it is handled in `bot.__main__`


@app.command()
def demo(
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Play one whole story and print its thread.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Serve the page here, or at the next free port. [default: 8080]"
        ),
    ] = None,
) -> None:
    """Try the real bot in a browser, without any account.

    The appliance is simulated, and so is Slack. Without a terminal, as in CI, and without --port,
    the scripted story is played instead.
    """
    # Imported here: no other command needs the sandbox.
    try:
        from bot.sandbox.demo import leave_in_order, play
        from bot.sandbox.page.page_server import PORT, serve
    except ModuleNotFoundError as error:
        fail(
            f"The demo is not installed here ({error}). In a checkout: make demo. With the "
            "package: its extra, as in pipx install 'vr_unpair-VERSION-py3-none-any.whl[demo]'."
        )

    if scripted and port is not None:
        fail("--scripted serves no page, so --port has no meaning with it.", WRONG_USE)
    unwatched = not scripted and port is None and not _somebody_watches()
    if unwatched:
        print("No terminal here: playing the scripted story. `--port 8080` serves the page.")
    if scripted or unwatched:
        leave_in_order()
        raise typer.Exit(play())
    raise typer.Exit(serve(PORT if port is None else port))


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Check everything that the bot needs.

    One line for each thing: ok, or what is wrong and what to do. Changes nothing: the appliance is
    logged in to once and read, and the privilege is only named. Exits with 1 where something is
    wrong.
    """
    from bot.operate import check as checks  # imported here: the others start without Slack

    logging.disable()  # the lines say everything; libraries would only log it again
    found = []

    def kept() -> Iterator[Line]:
        for line in checks.check(load, files_seen_by_others):
            found.append(line)
            yield line

    if as_json:
        print(checks.as_json(kept()))
    else:
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for text in checks.as_text(kept(), colours=colours):
            print(text, flush=True)
    if any(line.ok is False for line in found):
        raise typer.Exit(PROBLEM)


def _somebody_watches() -> bool:
    """Whether a person is at the terminal: CI systems give some commands one without a person."""
    return sys.stdout.isatty() and os.environ.get("CI", "").lower() not in ("1", "true", "yes")


@app.command(
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
        print(shown.to_json([shown.as_json(r) for r in found], indent=2))
    elif found:
        from bot.operate import tables  # imported here: `run` starts without rich

        out = tables.stdout()
        tables.print_tables(out, tables.requests_table(found, out.width))
    else:
        print("No requests." if state is None else f"No requests in state {state.value}.")


@app.command(epilog="Example: vr-unpair show 7KQ2-M4XP --follow")
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID")],
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait until it has ended, and show it go on.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one request with its whole history."""
    with database() as db:
        store = Overview(db)
        request = _known(store, request_id)
        if follow:
            # Imported here: `run` starts without rich.
            from rich.console import Console

            from bot.operate import tables

            # The bar goes to stderr where stdout has to be pure JSON.
            console = Console(stderr=as_json)
            request = tables.follow(lambda: _known(store, request_id), time.sleep, console)
        records = audit_trail.of_request(db, request.id)
        missing = unsaid(db, request.id)
    for record in records:
        if record.hash != record.expected_hash:
            print(
                f"Record {record.number} is not as it was written: see `vr-unpair audit verify`.",
                file=sys.stderr,
            )
    if as_json:
        events = [shown.record_json(r) for r in records]
        not_said = [shown.unsaid_json(m) for m in missing]
        document = {**shown.as_json(request), "unsaid": not_said, "events": events}
        print(shown.to_json(document, indent=2))
        return
    from bot.operate import tables  # imported here: `run` starts without rich

    out = tables.stdout()
    not_in_slack = [tables.unsaid_table(missing, out.width)] if missing else []
    history = tables.history_table(records, out.width)
    facts = tables.facts_table(request, _ended(request))
    tables.print_tables(out, facts, *not_in_slack, history)


def _ended(request: Request) -> list[str]:
    """How it ended, in the words that Slack's final reply has, and the next step."""
    from bot.slack.draw.words.outcomes import ending  # imported here: no other command needs it

    outcome = request.correction or request.outcome
    if outcome is None:
        return []
    words = ending(request, outcome)
    return [_plain(text) for text in (words.title, *words.body, words.next_step) if text]


def _plain(markup: str) -> str:
    """Slack's markup as text: ids for mentions, the words of a time, no marks (Slack docs,
    formatting text)."""
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", markup)
    text = re.sub(r"<[@#!]?(?:subteam\^)?([^|>]*)(?:\|[^>]*)?>", r"\1", text)
    text = re.sub(r"\*([^*\n]+)\*|```\n?|`", r"\1", text)
    return html.unescape(" ".join(text.split()))


@app.command(epilog="Example: vr-unpair cancel 7KQ2-M4XP")
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
        stored = {"id": request.id, "state": request.state.value, "cancellation": "stored"}
        print(json.dumps(stored))
        return
    print(
        f"{request.id}: the cancellation is stored and nothing will be sent after it. "
        "The running bot, or the next start of it, says so in the thread."
    )


@app.command(
    epilog="""\b
Examples:
  vr-unpair manifest                                     for Socket Mode
  vr-unpair manifest --url https://unpair.example.com    for HTTP mode"""
)
def manifest(
    url: Annotated[
        str | None,
        typer.Option(help="Where Slack reaches the bot (HTTP mode). Without it: Socket Mode."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of YAML, as the Slack CLI wants it.")
    ] = False,
) -> None:
    """Print the Slack app manifest; no token is needed."""
    from bot.slack import manifest as app_manifest  # imported here: no other command needs Slack

    command, label = load_slack_app()
    for_machines()
    try:
        found = app_manifest.manifest(command=command, label=label, url=url)
    except app_manifest.AddressWrong as error:
        fail(str(error), WRONG_USE)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print(app_manifest.as_yaml(found), end="")


@app.command(epilog="Example: vr-unpair settings --example > .env")
def settings(
    example: Annotated[bool, typer.Option("--example", help="Every setting with its default.")],
) -> None:
    """Print a .env with every setting, its meaning and its default."""
    for_machines()
    print(EXAMPLE.read_text(encoding="utf-8"), end="")


@app.command(epilog="Example: vr-unpair backup vr-unpair-2026-11-30.db")
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


def _known(store: Overview, request_id: str) -> Request:
    request = store.get(tidy_id(request_id) or request_id)
    if request is None:
        fail(f"There is no request {request_id}. `vr-unpair requests` lists them.")
    return request


def _in_state(db: Database, request_id: str, states: frozenset[State]) -> Request:
    request = _known(Overview(db), request_id)
    if request.state not in states:
        fail(f"{request.id} is {request.state.value}: it cannot be withdrawn any more.")
    return request
