"""A running bot: each record of its audit trail is in its log, over stops and kills."""

from __future__ import annotations

import time
from pathlib import Path

from bot.sandbox import demo
from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from bot.store import audit_trail as audit
from bot.store.database import Database
from bot.store.verify_audit_trail import held_against

PATIENCE_SECONDS = 20
ALAN = "U0ALAN"


def told(bot: BotProcess, at_least: int) -> list[tuple[int, str]]:
    until = time.monotonic() + PATIENCE_SECONDS
    while len(bot.events("audit")) < at_least:
        assert time.monotonic() < until, bot.lines
        time.sleep(0.02)
    return [(line["number"], line["hash"]) for line in bot.events("audit")]


def test_each_record_has_a_line_over_stops_and_kills(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/bot.db"
    log: list[tuple[int, str]] = []
    with SimulatedAppliance() as appliance, LocalSlack() as slack:
        slack.add_person("Alan", id=ALAN)
        settings = {**demo.settings(appliance, slack, ALAN), "DATABASE_URL": address}
        with BotProcess(settings, tmp_path) as bot:
            log += told(bot, 1)
            assert bot.stop() == 0
        with BotProcess(settings, tmp_path) as bot:
            log += told(bot, 1)
            bot.kill()
        with BotProcess(settings, tmp_path) as bot:
            log += told(bot, 1)
            assert bot.stop() == 0
    db = Database(address)
    recorded = [(record.number, record.hash) for record in audit.export(db)]
    assert held_against(db, log).broken is None
    db.close()
    assert [number for number, _ in recorded] == [1, 2, 3]
    assert sorted(set(log)) == recorded
    # After a stop nothing is told again, after a kill perhaps.
    assert [number for number, _ in log][:2] == [1, 2]
