"""What people decide and how requests end, counted while the real worker and store carry it; and
the same steps in the log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.appliance.budget import budget_key
from bot.appliance.refused_login import login_rests
from bot.operate import logs
from bot.operate.metrics import Metrics
from bot.request.audit_chain import Entry
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.store import queries, shared
from bot.store.queues import Queue
from tests.operate.running.scraped import Scrape
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING, SECOND, World, problem


class Watched(World):
    """A world whose steps are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics("1.2.3", ["default"])
        self.requests.on_saved = self.metrics.saved
        self.metrics.watch(
            figures=partial(queries.figures, self.db, [budget_key("default")]),
            login_rests=partial(login_rests, ["default"]),
            ready=lambda: True,
            socket_age=None,
            certificate_ends=dict,
        )

    def __call__(self, name: str, **labels: str) -> float | None:
        return Scrape(self.metrics)(f"vr_unpair_{name}", **labels)


@pytest.fixture
def world() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.close()


def test_a_request_that_succeeds(world: Watched) -> None:
    request = world.pending()
    world.wait(40_000)
    world.click(request, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    world.ms += 7_000
    assert world("request_oldest_seconds", state="following") == 7
    world.appliance.end_task()
    world.settle()
    assert world("requests", state="succeeded") == 1
    assert world("decisions_total", kind="approve") == 1
    assert world("ask_to_decision_seconds_count") == 1
    assert world("ask_to_decision_seconds_sum") == 40
    assert world("decision_to_end_seconds_count") == 1
    assert world("decision_to_end_seconds_sum") == 7
    assert world("requests_ended_total", state="succeeded", why="proved") == 1
    assert world("request_oldest_seconds", state="following") == 0


def test_a_denial_and_clicks_that_do_not_count(world: Watched) -> None:
    request = world.pending()
    world.click(request, "approve", ASKER)
    world.click(request, "approve", "U0OTHER")
    world.settle()
    world.ms += 5_000
    world.click(request, "deny", SECOND)
    world.settle()
    refused = "decisions_refused_total"
    assert world(refused, kind="approve", why="own_request_approve") == 1
    assert world(refused, kind="approve", why="not_listed") == 1
    assert world("decisions_total", kind="deny") == 1
    assert world("ask_to_decision_seconds_sum") == 5
    assert world("decision_to_end_seconds_count") == 0
    assert world("requests_ended_total", state="denied", why="denied") == 1


def test_a_request_that_is_withdrawn_and_one_that_is_refused(world: Watched) -> None:
    world.click(world.pending(), "cancel", ASKER)
    world.settle()
    world.appliance.present = False
    world.ask("CCCC-DDDD")
    world.settle()
    assert world("decisions_total", kind="cancel") == 1
    assert world("ask_to_decision_seconds_count") == 0
    assert world("requests_ended_total", state="cancelled", why="cancelled") == 1
    assert world("requests_ended_total", state="refused", why="pairing_none") == 1


def test_a_broken_glass_is_counted_from_the_audit_trail(world: Watched) -> None:
    """By every copy, and by one that was started after it."""
    world.policy = world.policy.model_copy(update={"break_glass": frozenset({SECOND})})
    world.worker = world.new_worker()
    request = world.pending()
    assert world("break_glass_total") == 0
    world.click(request, "break_glass", SECOND, reason="the site burns")
    world.settle()
    assert world("break_glass_total") == 1
    assert world("decisions_total", kind="break_glass") == 1
    assert world("ask_to_decision_seconds_count") == 1


def test_messages_that_wait_and_their_age(world: Watched) -> None:
    """Slack is away: nothing is posted. An edit that waits is counted, and has no age."""
    request = world.pending()
    world.click(request, "deny", SECOND)
    while world.worker.step(Queue.DECIDE):
        pass
    world.ms += 400_000
    assert world("messages_waiting", message="final") == 1
    assert world("message_oldest_seconds", message="final") == 400
    assert world("messages_waiting", message="card") == 1
    assert world("message_oldest_seconds", message="card") == 0
    world.settle()
    assert world("messages_waiting", message="final") == 0
    assert world("message_oldest_seconds", message="final") == 0


def test_an_appliance_that_rests(world: Watched) -> None:
    began, until = world.ms / 1000, world.ms + 300_000
    shared.change(
        world.db, budget_key("default"), lambda _old, _now: f'{{"rests_until_ms": {until}}}'
    )
    left = "appliance_login_rest_seconds"
    start = "appliance_login_rest_start_timestamp_seconds"
    for passed_ms, seconds in ((0, 300), (200_000, 100), (300_000, 0)):
        world.ms = until - 300_000 + passed_ms
        assert world(left, site="default") == seconds
        assert world(start, site="default") == (began if seconds else 0)


# ---- the same steps in the log -------------------------------------------------------------------


def test_each_step_is_one_event_with_every_id(world: Watched) -> None:
    with capture_logs() as logged:
        world.click(world.pending(), "approve", FIRST)
        world.settle()
        world.appliance.end_task()
        world.wait(5_000)
    steps = [event for event in logged if event["event"] == "step"]
    assert [e["step"] for e in steps] == world.actions()
    approved = next(e for e in steps if e["step"] == "approved_by")
    card = world.get().card_ts
    ids = {
        "request": "AAAA-BBBB",
        "site": "default",
        "pairing": PAIRING,
        "channel": CHANNEL,
        "card": card,
        "slack_message": f"{CHANNEL}/{card}",
        "by": FIRST,
        "before": "pending",
        "state": "pending",
    }
    assert approved.items() >= ids.items()
    assert steps[-1]["task"] == world.appliance.tasks[-1].id
    assert "moving" not in str(steps), "what people wrote stays in the trail"


def test_what_the_appliance_refused_is_logged_with_its_op_id(world: Watched) -> None:
    refusal = problem(ProblemKind.REFUSED, status=403, error_code="NO_PERMISSION", op_id="op-7")
    world.appliance.read_failures = [refusal]
    with capture_logs() as logged:
        world.ask()
        world.settle()
    wanted = {"http_status": 403, "error_code": "NO_PERMISSION", "op_id": "op-7"}.items()
    (failed,) = (e for e in logged if e["event"] == "effect_failed")
    refused = next(e for e in logged if e.get("step") == "refused")
    assert failed.items() >= wanted
    assert refused.items() >= wanted


def test_an_outage_is_one_warning_and_not_one_for_each_try(world: Watched) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 4
    with capture_logs() as logged:
        world.ask()
        for _ in range(6):
            world.wait(5_000)
    failed = [e["log_level"] for e in logged if e["event"] == "effect_failed"]
    assert failed == ["warning", "debug", "debug", "debug"]
    assert world.state() is State.PENDING


def test_a_fault_in_counting_costs_no_step(world: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "steps", lambda *_: 1 / 0)
    with capture_logs() as logged:
        world.pending()
    assert any(event["event"] == "step_not_told" for event in logged)


def test_entries_without_a_request_are_counted(world: Watched) -> None:
    detail = {"click": "approve", "why": "unknown_request"}
    at = {"actor": FIRST, "at": 1, "message": None, "before": None, "after": None}
    world.metrics.saved(None, (Entry(action="click_refused", detail=detail, **at),))
    assert world("decisions_refused_total", kind="approve", why="unknown_request") == 1
