"""A running bot: each record of its audit trail is in its log, over stops and kills."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bot.store import audit_trail
from bot.store.audit_trail import held_against
from bot.store.database import Database
from tests.support.stage import Stage, servers
from tests.support.way_in import OverHttp


def test_each_record_has_a_line_over_stops_and_kills(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/bot.db"
    with servers() as both:
        stage = Stage(OverHttp(), *both)
        stage.start(tmp_path, DATABASE_URL=address)
        stage.wait_for_log("audit", number=1)
        assert stage.terminate() == 0
        stage.restart()
        stage.wait_for_log("audit", number=2)
        stage.kill()
        stage.restart()
        stage.wait_for_log("audit", number=3)
        assert stage.terminate() == 0
    log = [(e["number"], e["hash"]) for bot in stage.bots for e in bot.events("audit")]
    with closing(Database(address)) as db:
        recorded = [(record.number, record.hash) for record in audit_trail.export(db)]
        assert held_against(db, log).broken is None
    assert [number for number, _ in recorded] == [1, 2, 3]
    assert sorted(set(log)) == recorded
    # After a stop nothing is told again, after a kill perhaps.
    assert [number for number, _ in log][:2] == [1, 2]
