"""`vr-unpair audit`: exports the trail for machines and auditors, and checks that it is whole."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated

import typer

from bot.__main__ import PROBLEM, WRONG_USE
from bot.cli_shared import JsonOption, database, fail, for_machines
from bot.operate import logs
from bot.operate import show as shown
from bot.request.audit_chain import Head, Record
from bot.request.model import SHORT
from bot.store import audit_trail
from bot.store.verify_audit_trail import Held, held_against, verify_trail

audit_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Export or verify the audit trail."
)

SHORTEST = 12
"""The fewest characters of a head to look for: fewer could match some record by chance."""


class ExportFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


@audit_app.command(
    epilog="""\b
Examples:
  vr-unpair audit export > trail.jsonl
  vr-unpair audit export --format csv --since 1200"""
)
def export(
    form: Annotated[
        ExportFormat, typer.Option("--format", help="jsonl, or csv with a header line.")
    ] = ExportFormat.JSONL,
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
        for line in shown.audit_lines(audit_trail.export(db, since), form.value):
            print(line)


@audit_app.command(
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
    lines = None if log is None else _lines(log)
    with database() as db:
        broken, head = verify_trail(db)
        found = audit_trail.with_head(db, wanted) if wanted else None
        held = None if lines is None else held_against(db, lines)
    if as_json:
        document = _as_json(broken, head, wanted, found, held)
        print(json.dumps(document))
        raise typer.Exit(0 if document["ok"] else PROBLEM)
    if held and held.broken is not None and (broken is None or held.broken < broken):
        fail(
            f"The audit trail is not the one of which its log tells, from record {held.broken} on: "
            "that record was changed, removed or moved after its line was written, or a backup "
            "from before it was restored."
        )
    if broken is not None:
        before = f" Head {wanted} is that of record {found.number}." if found else ""
        fail(
            f"The audit trail is broken at record {broken}: it, or the head of the trail, was "
            f"changed, removed or inserted.{before}"
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
        print(f"ok: head {found.hash[:SHORT]} is record {found.number}, {shown.iso(found.at)}")


def _lines(log: typer.FileText) -> list[tuple[int, str]]:
    """What the log tells of the trail. Ends the command when that is nothing: it proves nothing."""
    found = list(logs.audit_lines(log))
    if not found:
        fail(f"{log.name} has no line of the event `audit`: is it the log of `vr-unpair run`?")
    return found


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


def _as_json(
    broken: int | None, head: Head, wanted: str | None, found: Record | None, held: Held | None
) -> dict[str, object]:
    told = held.broken if held else None
    first = {"number": broken} if broken is not None else None
    document: dict[str, object] = {
        "ok": broken is None and told is None and (wanted is None or found is not None),
        "records": head.count,
        "head": head.hash,
        "broken": first,
    }
    if wanted is not None:
        document["asked"] = {
            "head": wanted,
            "number": found.number if found else None,
            "time": shown.iso(found.at) if found else None,
        }
    if held is not None:
        document["log"] = {
            "lines": held.lines,
            "first": held.first,
            "last": held.last,
            "broken": None if told is None else {"number": told},
        }
    return document
