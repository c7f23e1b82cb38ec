"""The commands about the audit trail: `audit export` and `audit verify`. They only read."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from bot.__main__ import PROBLEM, WRONG_USE
from bot.cli_stored import JsonOption, database, fail, for_machines
from bot.operate import json_and_csv
from bot.operate.audit_log import Told, told_lines
from bot.request.model import SHORT
from bot.store import audit_trail
from bot.store.audit_trail import held_against, verify_trail

audit = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Export or verify the audit trail."
)

SHORTEST = 12
"""The fewest characters of a head to look for: fewer could match some record by chance."""


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
  vr-unpair audit verify --log /var/log/vr-unpair.log --log other-copy.log
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
        list[typer.FileText] | None,
        typer.Option(
            metavar="FILE",
            encoding="utf-8",
            errors="replace",
            help="Also hold it against its lines in this log of the bot; - reads stdin. Once for "
            "each copy's log: together they have every line.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that nothing in it was changed.

    Holds the chain of records against its head. Exits with 1 and names the first wrong record where
    one was.
    """
    wanted = None if posted is None else _head(posted)
    lines: list[Told] = []
    for file in log or ():
        found_there = list(told_lines(file))
        if not found_there:
            fail(f"{file.name} has no line of the event `audit`: is it the log of `vr-unpair run`?")
        lines += found_there
    with database() as db:
        broken, head = verify_trail(db)
        found = audit_trail.with_head(db, wanted) if wanted else None
        held = held_against(db, lines) if lines else None
    of_log, gap = (held.broken, held.gap) if held else (None, None)
    first = min((n for n in (broken, of_log) if n is not None), default=None)
    if as_json:
        document: dict[str, object] = {
            "ok": first is None and gap is None and (found is not None or not wanted),
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
    if gap is not None:
        fail(
            f"The log has no line of record {gap}, though it has earlier and later ones: while a "
            "copy of the bot was down, the others wrote. Give every copy's log: --log A --log B."
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
