"""Keys that sign the trail, and exports that an auditor verifies alone: with our command, and by
the recipe of docs/audit.md, which has no code of ours."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import StopSignals, serve
from bot.audit_key import AuditKey, new_key
from bot.settings import load
from bot.store import audit_trail
from bot.store.database import Database
from tests.operate.cli.conftest import Run
from tests.store.samples import born, entry

PAGE = Path(__file__).parents[3] / "docs" / "audit.md"


@pytest.fixture
def key(folder: Path) -> AuditKey:
    return new_key(folder / "audit.pem")


@pytest.fixture
def signed(db: Database, key: AuditKey, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Six records, the first of which lists the key."""
    monkeypatch.setenv("AUDIT_KEY_FILE", "audit.pem")
    db.signer = key
    for number in range(1, 5):
        born(db, number)
    with db.write() as conn:
        words = entry().model_copy(update={"detail": {"reason": "größer; =1\n'-2"}})
        audit_trail.append(conn, None, [words])
    return db


def exported(run: Run, folder: Path, form: str, *more: str) -> Path:
    file = folder / f"trail.{form}"
    file.write_text(run("audit", "export", "--format", form, *more).stdout, encoding="utf-8")
    return file


def test_a_key_is_made_once_and_its_owner_alone_may_read_it(folder: Path, run: Run) -> None:
    assert re.fullmatch(
        r"ok: key [0-9a-f]{16}, private in a.pem, public in a.pem.pub\n",
        run("audit", "new-key", "a.pem").stdout,
    )
    before = [(folder / name).read_bytes() for name in ("a.pem", "a.pem.pub")]
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in ("a.pem", "a.pem.pub")]
    assert modes == [0o600, 0o644]
    assert "a.pem exists already" in run("audit", "new-key", "a.pem", code=1).stderr
    (folder / "a.pem").unlink()
    assert "a.pem.pub exists already" in run("audit", "new-key", "a.pem", code=1).stderr
    assert not (folder / "a.pem").exists()
    assert (folder / "a.pem.pub").read_bytes() == before[1]
    assert "No key was made" in run("audit", "new-key", "no/a.pem", code=1).stderr


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_verified_without_the_database_and_without_a_secret(
    signed: Database,
    key: AuditKey,
    run: Run,
    run_json: Any,
    folder: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ("audit", "verify", "--public-key", "audit.pem.pub")
    files = [exported(run, folder, form).name]
    in_store = run_json(*given)["signed"]
    (folder / "audit.pem").unlink()
    monkeypatch.setenv("DATABASE_URL", "sqlite:///gone.db")
    said = run(*given, *files).stdout.splitlines()
    assert said[0].startswith("ok: 6 records, head ")
    assert said[
        1
    ] == f"ok: signed from record 1 on, deployment {in_store['deployment']}, now by " + (key.id)
    assert said[2] == "ok: proven by the given keys from record 1 on"
    assert run_json(*given, *files)["signed"] == in_store
    assert run_json("audit", "verify", *files)["ok"] is True
    other = new_key(folder / "other.pem")
    done = run("audit", "verify", "--public-key", "other.pem.pub", *files, code=1)
    assert f"No record lists the key {other.id}" in done.stderr


def test_a_part_of_an_export_is_held_against_the_key_that_is_given(
    signed: Database, run: Run, folder: Path
) -> None:
    file = exported(run, folder, "jsonl", "--since", "3").name
    done = run("audit", "verify", "--public-key", "audit.pem.pub", file)
    assert "proven by the given keys from record 4 on" in done.stdout
    new_key(folder / "other.pem")
    done = run("audit", "verify", "--public-key", "other.pem.pub", file, code=1)
    assert "broken at record 4: it is signed by the key" in done.stderr


Hand = Callable[[list[str]], list[str]]


def swapped(old: str, new: str, at: int) -> Hand:
    def hand(lines: list[str]) -> list[str]:
        assert old in lines[at]
        return [*lines[:at], lines[at].replace(old, new), *lines[at + 1 :]]

    return hand


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("hand", "number"),
    [
        (swapped("U0ASKER", "U0OTHER", 2), 3),
        (swapped("größer", "kleiner", 2), 3),
        (swapped("1970-", "1971-", 2), 3),
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: lines[1:], 2),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
        (lambda lines: [*lines, lines[5]], 6),
    ],
    ids=["who", "what", "when", "removed", "the first removed", "changed places", "twice"],
)
def test_what_was_changed_in_an_export_is_named(
    signed: Database, run: Run, folder: Path, form: str, hand: Hand, number: int
) -> None:
    file = exported(run, folder, form)
    lines = file.read_text(encoding="utf-8").splitlines()
    header, records = (lines[:1], lines[1:]) if form == "csv" else ([], lines)
    file.write_text("\n".join([*header, *hand(records)]), encoding="utf-8")
    if number == 2:  # it looks like a part of the trail, and what lists its key is not there
        assert run("audit", "verify", "--public-key", "audit.pem.pub", file.name).stdout
        done = run("audit", "verify", file.name, code=1)
    else:
        done = run("audit", "verify", "--public-key", "audit.pem.pub", file.name, code=1)
    assert f"broken at record {number}:" in done.stderr


@pytest.mark.parametrize("text", ["", "no export", '{"number": 1}', "[]", "number,at\n1,2"])
def test_what_is_no_export_is_a_sentence(folder: Path, run: Run, text: str) -> None:
    (folder / "x").write_text(text)
    assert "export" in run("audit", "verify", "x", code=1).stderr
    (folder / "pub").write_text("no key")
    assert "no Ed25519" in run("audit", "verify", "x", "--public-key", "pub", code=2).stderr


def test_the_recipe_of_the_page_needs_no_code_of_ours(
    signed: Database, run: Run, folder: Path
) -> None:
    recipe = PAGE.read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]

    def result() -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-e", "-c", recipe], cwd=folder, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    file = exported(run, folder, "jsonl")
    assert result() == (0, "Signature Verified Successfully\n")
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("größer", "kleiner"), encoding="utf-8")
    assert result()[0] == 1
    last = json.loads(whole.splitlines()[-1])
    other = json.loads(whole.splitlines()[-2])
    file.write_text(whole.replace(last["signature"], other["signature"]), encoding="utf-8")
    assert result()[0] == 1


def test_a_key_comes_in_by_one_that_is_listed_and_replaces_it(
    signed: Database, key: AuditKey, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_key(folder / "new.pem")
    assert run("audit", "add-key", "new.pem.pub").stdout == f"ok: the key {made.id} may sign\n"
    assert "listed already" in run("audit", "add-key", "new.pem.pub", code=2).stderr
    replace = ("audit", "add-key", "new.pem.pub", "--retire", "audit.pem.pub")
    assert f"{key.id} no more" in run(*replace).stdout
    record = list(audit_trail.export(signed))[-1]
    assert (record.key, record.actor.partition(":")[0]) == (key.id, "operator")
    assert "has retired it" in run("audit", "add-key", "audit.pem.pub", code=2).stderr
    monkeypatch.setenv("AUDIT_KEY_FILE", "new.pem")
    assert "or not listed" in run(*replace, code=2).stderr
    assert run("audit", "verify", "--public-key", "audit.pem.pub").stdout.count("ok: ") == 3
    monkeypatch.delenv("AUDIT_KEY_FILE")
    assert "AUDIT_KEY_FILE is not set" in run("audit", "add-key", "new.pem.pub", code=2).stderr


@pytest.mark.parametrize("which", ["", "other.pem"])
def test_without_a_key_that_is_listed_the_bot_does_not_start(
    signed: Database,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    which: str,
    own_logging: None,
) -> None:
    new_key(folder / "other.pem")
    settings = load(
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": "signing",
            "SLACK_API_URL": "http://127.0.0.1:1/",
            "VR_HOST": "127.0.0.1:1",
            "VR_USERNAME": "u@vsphere.local",
            "VR_PASSWORD": "secret",
            "APPROVERS": "U1",
            "DATABASE_URL": "sqlite:///cli.db",
            "HOST": "127.0.0.1",
            "PORT": "0",
            **({"AUDIT_KEY_FILE": which} if which else {}),
        },
        folder,
    )
    assert serve(settings, StopSignals(), again=lambda: settings) == 2
    assert ("no key is set" if not which else "does not list the key") in capsys.readouterr().err
    assert audit_trail.head(signed).count == 6
