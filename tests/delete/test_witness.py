"""AUDIT_BEFORE_ACT: the intent is with its witness before the first byte of the DELETE, or nothing
is sent. And what a witness is told, by whom, in which order."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from bot.audit_key import new_key
from bot.operate import check_audit
from bot.operate.collector import Collector, NotTaken
from bot.operate.json_and_csv import audit_lines
from bot.request.audit_chain import Record, verify
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.settings import load
from bot.store import audit_trail
from bot.store.audit_witness import COLLECTED, Telling, before_act
from bot.store.schema import audit as table
from tests.support.collector import collecting
from tests.support.world import FIRST, POLL_MS, World

AWAY = "The collector at c.example.net has not got the records of the audit trail (away)"


class Witness:
    """`away`: at the calls with these numbers. Notes how many DELETEs there were at each."""

    def __init__(self, world: World, *away: int) -> None:
        self.world, self.away, self.calls = world, away, 0
        self.told: list[Record] = []
        self.deletes: list[int] = []

    def __call__(self, records: Sequence[Record], _by: float) -> None:
        self.calls += 1
        if self.calls in self.away:
            raise NotTaken("away")
        self.told += records
        self.deletes.append(len(self.world.appliance.deletes))


def witnessed(world: World, *away: int) -> tuple[Witness, Telling]:
    witness = Witness(world, *away)
    telling = Telling(world.db, COLLECTED, witness)
    world.witness = before_act(telling, "The collector at c.example.net")
    world.worker = world.new_worker()
    return witness, telling


def test_the_intent_is_told_before_the_delete(world: World) -> None:
    witness, telling = witnessed(world)
    request_id = world.pending()
    world.press("approve", FIRST, request_id)
    assert len(world.appliance.deletes) == 1
    recorded = list(audit_trail.export(world.db))
    intent = next(r.number for r in recorded if r.action == "intent")
    assert [r.number for r in witness.told] == list(range(1, intent + 1))
    assert witness.deletes == [0, 0]
    telling.up_to_now(10.0)
    assert witness.told == recorded
    assert verify(witness.told, audit_trail.head(world.db)) is None


@pytest.mark.parametrize("away", [1, 2], ids=["before the intent", "within its second"])
def test_without_its_witness_nothing_is_sent(world: World, away: int) -> None:
    witness, _ = witnessed(world, away)
    request_id = world.pending()
    world.press("approve", FIRST, request_id)
    request = world.get(request_id)
    assert (request.state, world.appliance.deletes) == (State.APPROVED, [])
    assert world.actions().count("intent") == away - 1
    assert world.actions().count("not_accepted") == away - 1
    assert request.deletes_sent == 0
    assert request.waiting is not None
    assert request.waiting.kind is ProblemKind.UNWITNESSED
    assert request.waiting.text.startswith(AWAY)
    world.wait(POLL_MS)
    assert len(world.appliance.deletes) == 1, "it is back"
    numbers = [r.number for r in witness.told]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_witness_that_stays_away_lets_the_approval_expire(world: World) -> None:
    witnessed(world, *range(1, 10_000))
    request_id = world.pending()
    world.press("approve", FIRST, request_id)
    world.wait(world.get(request_id).terms.execution_ttl_ms + POLL_MS)
    request = world.get(request_id)
    assert (request.state, world.appliance.deletes) == (State.EXPIRED, [])
    assert request.outcome is not None
    assert request.outcome.problem is not None
    assert request.outcome.problem.text.startswith(AWAY)


def test_a_witness_that_takes_longer_than_the_second_is_too_late(world: World) -> None:
    witness, _ = witnessed(world)
    request_id = world.pending()

    def slow(_within_s: float) -> None:
        if witness.calls:
            world.frozen_ms += 1_001
        witness.calls += 1

    world.witness = slow
    world.worker = world.new_worker()
    world.press("approve", FIRST, request_id)
    assert world.appliance.deletes == []
    assert "not_accepted" in world.actions()


# ---- what it is told -----------------------------------------------------------------------------


def test_it_is_told_what_was_in_hand_and_not_what_the_database_says_later(world: World) -> None:
    witness, telling = witnessed(world)
    world.pending()
    was = list(audit_trail.export(world.db))
    with world.db.write() as conn:
        conn.execute(table.update().where(table.c.number == 2).values(actor="U0OTHER"))
        conn.execute(table.delete().where(table.c.number == 3))
    telling.up_to_now(10.0)
    assert witness.told == was


def test_copies_tell_it_together_each_record_at_least_once(world: World) -> None:
    one, telling = witnessed(world)
    world.pending()
    telling.up_to_now(10.0)
    telling.keep()
    other = Witness(world)
    telling = Telling(world.db, COLLECTED, other)
    world.ask("AAAA-CCCC")
    world.settle()
    telling.up_to_now(10.0)
    numbers = [r.number for r in one.told + other.told]
    assert numbers == list(range(1, audit_trail.head(world.db).count + 1))
    with world.db.write() as conn:  # a hand that would have it believe that all is told
        conn.exec_driver_sql("UPDATE shared SET value = '999' WHERE key = 'audit-collected'")
    again = Witness(world)
    Telling(world.db, COLLECTED, again).up_to_now(10.0)
    assert [r.number for r in again.told] == numbers


# ---- over HTTP -----------------------------------------------------------------------------------


def post(world: World, url: str) -> None:
    one = Collector(url, lambda _refused: "the-token", "vr-unpair/test")
    one.take(list(audit_trail.export(world.db)), time.monotonic() + 5)


def test_records_are_posted_as_the_export_shows_them(world: World) -> None:
    world.pending()
    with collecting() as collector:
        post(world, collector.url)
    ((headers, records),) = collector.asked
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["Content-Type"] == "application/x-ndjson"
    assert records == [json.loads(x) for x in audit_lines(audit_trail.export(world.db), "jsonl")]


@pytest.mark.parametrize("status", [300, 302, 400, 401, 500, 503])
def test_only_2xx_counts_and_no_redirect_is_followed(world: World, status: int) -> None:
    world.pending()
    with (
        collecting() as elsewhere,
        collecting(status=status, headers={"Location": elsewhere.url}) as collector,
    ):
        with pytest.raises(NotTaken, match=f"it answered {status}"):
            post(world, collector.url)
        assert (elsewhere.asked, len(collector.asked)) == ([], 2 if status == 401 else 1)


def test_what_went_wrong_is_told_without_address_and_token(world: World) -> None:
    world.pending()
    with collecting() as collector:
        pass
    assert Collector(collector.url, None, "x").place == collector.url.split("/")[2]
    with pytest.raises(NotTaken) as refused:
        post(world, collector.url)
    assert str(refused.value) == "it cannot be connected to"


def test_a_certificate_that_nobody_trusts_is_refused(world: World) -> None:
    world.pending()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        with pytest.raises(NotTaken, match="certificate is not trusted"):
            post(world, f"https://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ---- `vr-unpair check` --------------------------------------------------------------------------


def test_check_has_a_line_for_the_key_and_one_for_the_collector(
    world_on_file: World, tmp_path: Path
) -> None:
    made = new_key(tmp_path / "audit.pem")
    world_on_file.db.signer = made
    new_key(tmp_path / "other.pem")
    given = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "signing",
        "VR_HOST": "vr.example.net",
        "VR_USERNAME": "u@vsphere.local",
        "VR_PASSWORD": "secret",
        "APPROVERS": "U1",
        "DATABASE_URL": world_on_file.db.engine.url.render_as_string(),
    }

    def key(file: str) -> str:
        more = {"AUDIT_KEY_FILE": file} if file else {}
        line = check_audit.key(load({**given, **more}, tmp_path))
        return f"{line.ok} {line.sentence}"

    assert key("") == "True the audit trail is not signed"
    assert key("audit.pem") == f"True {made.id} signs the audit trail from its next start on"
    world_on_file.pending()
    assert key("audit.pem") == f"True {made.id} signs the audit trail"
    assert key("").startswith("False The records of the audit trail are signed, and no key is set")
    assert "does not list the key" in key("other.pem")
    with collecting() as collector:
        http = {"AUDIT_BEFORE_ACT": "http", "AUDIT_URL": collector.url, "AUDIT_TOKEN": "the-token"}
        settings = load({**given, **http}, tmp_path)
        for status, words in (
            *((204, "answers"), (400, "answers"), (403, "refuses the token (403)")),
            *((302, "answers 302"), (503, "answers 503")),
        ):
            collector.status = status
            line = check_audit.collector(settings)
            assert (line.ok, words in line.words) == (status in (204, 400), True)
        assert collector.taken == []
    assert "does not answer" in check_audit.collector(settings).words
    assert "none: AUDIT_BEFORE_ACT is off" in check_audit.collector(load(given, tmp_path)).words
