"""A collector that must have the intent before the DELETE, away and back, over the real process;
and its signed records, verified as the collector has them."""

from __future__ import annotations

import json
from pathlib import Path

from bot.audit_key import new_key
from tests.support.collector import collecting
from tests.support.stage import ALAN
from tests.whole.scenarios.conftest import NewStage

TOKEN = "the-token-of-the-collector"


def test_a_delete_waits_for_the_collector(new_stage: NewStage, tmp_path: Path) -> None:
    key = new_key(tmp_path / "audit.pem")
    with collecting(status=503) as collector:
        stage = new_stage(
            AUDIT_BEFORE_ACT="http",
            AUDIT_URL=collector.url,
            AUDIT_TOKEN=TOKEN,
            AUDIT_KEY_FILE=str(tmp_path / "audit.pem"),
        )
        deletes_when_told: dict[int, int] = {}

        def note(records: list[dict[str, object]]) -> None:
            deletes_when_told.update(
                {int(str(r["number"])): len(stage.appliance.deletes) for r in records}
            )

        collector.on_taken = note
        asked = stage.asks_to_break(stage.pairing())
        asked.clicks(ALAN, "approve")
        place = collector.url.split("/")[2]
        said = asked.wait_for_progress_to_say("has not got the records").all_text
        assert place in said
        assert "it answered 503" in said
        assert TOKEN not in said
        assert "source=secret" not in said
        assert stage.appliance.deletes == []
        collector.status = 204
        asked.wait_for_final()
        assert stage.console.show(asked.id)["state"] == "succeeded"
        assert len(stage.appliance.deletes) == 1
        intents = [r["number"] for r in collector.taken if r["action"] == "intent"]
        assert deletes_when_told[intents[-1]] == 0
        assert stage.terminate() == 0
    assert not [line for line in stage.log_lines if TOKEN in line or "source=secret" in line]
    assert all(headers["Authorization"] == f"Bearer {TOKEN}" for headers, _ in collector.asked)
    numbers = [r["number"] for r in collector.taken]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    once = {r["number"]: r for r in collector.taken}
    file = stage.bot.folder / "collected.jsonl"
    file.write_text("".join(f"{json.dumps(once[n])}\n" for n in sorted(once)))
    given = ("--public-key", str(tmp_path / "audit.pem.pub"))
    for held in ((), (file.name,)):
        done = stage.console.run("audit", "verify", *given, *held)
        assert done.returncode == 0, done.stderr
        assert f"now by {key.id}" in done.stdout
