"""The commands about the audit trail: `audit export`, `verify`, `new-key` and `add-key`. Only the
last one writes to it."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.__main__ import PROBLEM, WRONG_USE
from bot.audit_key import new_key, valid
from bot.cli_stored import JsonOption, database, fail, for_machines, system_user
from bot.cli_terminal import Progress
from bot.operate import json_and_csv
from bot.operate.audit_log import Told, told_lines
from bot.request.audit_chain import Head, verify_to_the_end
from bot.request.audit_signatures import Signatures, key_id, listing
from bot.request.model import SHORT
from bot.settings import load_audit_key
from bot.store import audit_trail
from bot.store.audit_trail import MayNotSign, held_against, verify_trail

audit = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Export, verify or sign the audit trail.",
    epilog="""\b
Examples:
  vr-unpair audit verify
  vr-unpair audit export > trail.jsonl""",
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
    # On a terminal the records themselves tell how far it is.
    with database() as db, Progress("Exporting", silent=sys.stdout.isatty()):
        for line in json_and_csv.audit_lines(audit_trail.export(db, since), form):
            print(line)


@audit.command("new-key", epilog="Example: vr-unpair audit new-key /etc/vr-unpair/audit.pem")
def make_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Must not exist yet.")],
) -> None:
    """Make a key that signs the audit trail.

    FILE is private, and only its owner may read it. FILE.pub is public: give it to whoever verifies
    the trail.
    """
    try:
        made = new_key(file)
    except FileExistsError as error:
        fail(f"{error.filename} exists already: name a new file.")
    except OSError as error:
        fail(f"No key was made: {error}.")
    print(f"ok: key {made.id}, private in {file}, public in {file}.pub")


@audit.command(
    "add-key", epilog="Example: vr-unpair audit add-key new.pem.pub --retire old.pem.pub"
)
def add_key(
    public: Annotated[Path, typer.Argument(metavar="FILE.pub", help="The key that may sign.")],
    retire: Annotated[
        Path | None, typer.Option(metavar="FILE.pub", help="A key that may sign no more.")
    ] = None,
) -> None:
    """List one more key in the audit trail.

    For a copy with a key of its own, or to replace one. The key in AUDIT_KEY_FILE signs it, and
    has to be listed already.
    """
    signer = load_audit_key()
    if signer is None:
        fail("AUDIT_KEY_FILE is not set: the key there has to sign for the new one.", WRONG_USE)
    by = f"operator:{system_user()}"
    text, old = _public(public), _public(retire) if retire else None
    new, retired = key_id(text), old and key_id(old)
    with database() as db:
        db.signer = signer
        listed = audit_trail.listed(db) or (signer.id,)
        if new == retired or (retired and retired not in listed):
            fail(
                f"The key {retired} cannot be retired: it is the new one, or not listed.", WRONG_USE
            )
        if new in listed and not retired:
            fail(f"The key {new} is listed already.", WRONG_USE)
        try:
            with db.write() as conn:
                entry = listing(text, db.now(conn), by, retired or "")
                audit_trail.append(conn, None, [entry])
        except MayNotSign as error:
            fail(str(error), WRONG_USE)
    print(f"ok: the key {new} may sign" + (f", {retired} no more" if retired else ""))


@audit.command(
    epilog="""\b
Examples:
  vr-unpair audit verify --head 3f9c0a7be2d1
  vr-unpair audit verify --public-key audit.pem.pub trail.jsonl
  vr-unpair audit verify --log /var/log/vr-unpair.log --log other-copy.log
  journalctl -o cat -u vr-unpair | vr-unpair audit verify --log -"""
)
def verify(
    export: Annotated[
        typer.FileText | None,
        typer.Argument(
            metavar="EXPORT",
            encoding="utf-8",
            errors="surrogateescape",
            help="Verify this export instead, without the database.",
        ),
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.pub", help="Also hold its signatures against this key, or several."
        ),
    ] = None,
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

    Holds the chain of records against its head, and its signatures against the keys that it lists.
    Exits with 1 and names the first wrong record where one was.
    """
    wanted = None if posted is None else _head(posted)
    given = [_public(file) for file in public_key or ()]
    lines = _lines(log or ())
    found = held = None
    if export:
        if wanted or lines:
            fail("--head and --log go with the database, not with an export.", WRONG_USE)
        signatures, broken, head = _of_export(export, given)
    else:
        with database() as db, Progress("Verifying"):
            signatures = Signatures(valid, given)
            broken, head = verify_trail(db, signatures)
            found = audit_trail.with_head(db, wanted) if wanted else None
            held = held_against(db, lines) if lines else None
    of_log, gap = (held.broken, held.gap) if held else (None, None)
    first = min((n for n in (broken, of_log) if n is not None), default=None)
    unproven = "" if first is not None else _unproven(signatures)
    signed = {
        "from": signatures.first,
        "proven_from": signatures.proven,
        "deployment": signatures.deployment,
        "keys": list(signatures.keys),
    }
    if as_json:
        ok = first is None and gap is None and not unproven
        document: dict[str, object] = {
            "ok": ok and (found is not None or not wanted),
            "records": head.count,
            "head": head.hash,
            "broken": None if broken is None else {"number": broken},
            "signed": signed if signatures.first else None,
        }
        if wanted:
            number, time_ = (found.number, json_and_csv.iso(found.at)) if found else (None, None)
            document["asked"] = {"head": wanted, "number": number, "time": time_}
        if held:
            told = None if of_log is None else {"number": of_log}
            document["log"] = {**asdict(held), "broken": told}
        print(json.dumps(document))
        raise typer.Exit(0 if document["ok"] else PROBLEM)
    if first is not None and first == broken and signatures.why:
        fail(f"The audit trail is broken at record {first}: {signatures.why}.")
    if first is not None:
        fail(
            f"The audit trail is broken at record {first}: it, or the head of the trail, was "
            f"changed, removed or inserted{'' if first == broken else ', as the log tells'}."
        )
    if unproven:
        fail(unproven)
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
    if signatures.first:
        keys = ", ".join(signatures.keys)
        place = f", deployment {signatures.deployment}" if signatures.deployment else ""
        print(f"ok: signed from record {signatures.first} on{place}, now by {keys}")
    if given:
        print(f"ok: proven by the given keys from record {signatures.proven} on")


def _lines(logs: Iterable[typer.FileText]) -> list[Told]:
    lines: list[Told] = []
    for file in logs:
        found = list(told_lines(file))
        if not found:
            fail(f"{file.name} has no line of the event `audit`: is it the log of `vr-unpair run`?")
        lines += found
    return lines


def _of_export(file: typer.FileText, given: list[str]) -> tuple[Signatures, int | None, Head]:
    """It begins where `--since` said, and does not know its own end: the last record is its
    head."""
    try:
        records = json_and_csv.read_export(file)
        first = next(records, None)
        if first is None:
            fail(f"{file.name} has no records: is it an export of the audit trail?")
        before = max(first.number - 1, 0)
        start = Head(count=before, hash=first.previous) if before else Head()
        signatures = Signatures(valid, given, partial=before > 0)
        return signatures, *verify_to_the_end(
            itertools.chain([first], records), signatures.refuses, start
        )
    except ValueError as error:
        fail(str(error))


def _unproven(signatures: Signatures) -> str:
    """What the given keys do not prove, of a trail that is whole."""
    if signatures.unlisted:
        return (
            f"No record lists the key {signatures.unlisted[0]}: this is the trail of another "
            "deployment, or it was cut or made anew."
        )
    if signatures.given and not signatures.proven:
        return "No record is signed by a given key, or by one that such a key has listed."
    return ""


def _public(file: Path) -> str:
    """A public key in PEM. Ends the command where it is none."""
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'not PEM'}.", WRONG_USE)
    if key_id(text) is None:
        fail(f"{file} holds no Ed25519 public key in PEM, as `audit new-key` makes it.", WRONG_USE)
    return text


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
