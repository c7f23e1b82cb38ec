"""`vr-unpair check` as an operator runs it: a real process, its lines, its JSON, its exit code."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from bot.operate import check
from bot.operate.check_line import Line, as_text, fine, note, skipped, wrong
from tests.operate.check.conftest import CHANNEL, Stage

READS = {("POST", "/session"), ("GET", "/info"), ("GET", "/pairings")}


def run(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    done = stage.console("check", *words)
    ends = ("TOKEN", "PASSWORD", "SECRET")
    secrets = [value for name, value in stage.environment.items() if name.endswith(ends)]
    assert len(secrets) == 4
    assert not [secret for secret in secrets if secret in done.stdout + done.stderr]
    assert done.stderr == ""
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_all_is_well_and_nothing_was_changed(stage: Stage) -> None:
    before = contents(stage.folder)
    done = run(stage)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"ok"}
    assert {line.split()[1].rstrip(":") for line in lines} == set(check.NAMES) - {"slack-group"}
    assert contents(stage.folder) == before
    seen = [(call.method, call.path) for call in stage.appliance.calls]
    assert {call for call in seen if "remote-session" not in call[1]} == READS
    assert seen.count(("POST", "/session")) == 1
    assert len([call for call in seen if "remote-session" in call[1]]) == 1
    assert not stage.slack.calls_of("chat.postMessage")


def test_json_and_exit_code_of_a_failure(stage: Stage) -> None:
    stage.slack.set_channel(CHANNEL, bot_is_member=False)
    stage.appliance.refuse_connections()
    done = run(stage, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    names = {"name", "about", "ok", "result", "words", "next_step"}
    assert all(set(line) == names for line in found)
    bad = [(line["name"], line["about"]) for line in found if line["ok"] is False]
    assert bad == [("slack-channel", CHANNEL), ("appliance-reachable", "")]
    skipped = [line for line in found if line["ok"] is None]
    assert {line["result"] for line in skipped} == {"skipped"}
    assert {line["words"] for line in skipped} == {"needs appliance-reachable"}


def test_wrong_settings_end_with_2_and_name_the_setting_once(stage: Stage) -> None:
    del stage.environment["VR_HOST"]
    done = stage.console("check")
    assert done.returncode == 2
    assert done.stdout.startswith("wrong    settings VR_HOST: is not set; name the vSphere")


def test_words_have_colours_on_a_terminal() -> None:
    def of(name: str, line: Line) -> Line:
        return replace(line, name=name)

    lines = [
        of("settings", fine("1 appliance")),
        of("schema", note("there is none yet", "`run` makes it")),
        of("slack-token", wrong("refused", "copy it again")),
        of("slack-scope", skipped("slack-token")),
        of("slack-channel", skipped("slack-token")),
        of("approvers", skipped("slack-group")),
    ]
    assert list(as_text(lines, colours=True)) == [
        "\x1b[32mok     \x1b[0m  settings: 1 appliance",
        "\x1b[33mok     \x1b[0m  schema (note): there is none yet; `run` makes it",
        "\x1b[31mwrong  \x1b[0m  slack-token: refused; copy it again",
        "\x1b[2mskipped\x1b[0m  slack-scope, slack-channel: needs slack-token",
        "\x1b[2mskipped\x1b[0m  approvers: needs slack-group",
    ]
    assert "\x1b" not in "".join(as_text(lines, colours=False))
