"""What people decide and how requests end, counted while the real worker and store carry it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass
class Watched:
    """A world whose steps are counted."""

    world: World
    metrics: Metrics

    def scrape(self) -> Scrape:
        return Scrape(self.metrics)


@pytest.fixture
def watched() -> Iterator[Watched]:
    world, metrics = World(), Metrics("1.2.3", ["default"])
    world.requests.on_saved = metrics.saved
    metrics.watch(
        figures=partial(queries.figures, world.db, [budget_key("default")]),
        login_rests=partial(login_rests, ["default"]),
        ready=lambda: True,
        socket_age=None,
        certificate_ends=lambda: {"default": 1.0},
    )
    yield Watched(world, metrics)
    world.close()


def test_a_request_that_succeeds(watched: Watched) -> None:
    world = watched.world
    request = world.pending()
    world.wait(40_000)
    world.click(request, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    world.ms += 7_000
    assert watched.scrape()("vr_unpair_request_oldest_seconds", state="following") == 7
    world.appliance.end_task()
    world.settle()
    scrape = watched.scrape()
    assert scrape("vr_unpair_requests", state="succeeded") == 1
    assert scrape("vr_unpair_decisions_total", kind="approve") == 1
    assert scrape("vr_unpair_ask_to_decision_seconds_count") == 1
    assert scrape("vr_unpair_ask_to_decision_seconds_sum") == 40
    assert scrape("vr_unpair_decision_to_end_seconds_count") == 1
    assert scrape("vr_unpair_decision_to_end_seconds_sum") == 7
    assert scrape("vr_unpair_requests_ended_total", state="succeeded", why="proved") == 1
    assert scrape("vr_unpair_request_oldest_seconds", state="following") == 0


def test_a_denial_and_clicks_that_do_not_count(watched: Watched) -> None:
    world = watched.world
    request = world.pending()
    world.click(request, "approve", ASKER)
    world.click(request, "approve", "U0OTHER")
    world.settle()
    world.ms += 5_000
    world.click(request, "deny", SECOND)
    world.settle()
    scrape = watched.scrape()
    refused = "vr_unpair_decisions_refused_total"
    assert scrape(refused, kind="approve", why="own_request_approve") == 1
    assert scrape(refused, kind="approve", why="not_listed") == 1
    assert scrape("vr_unpair_decisions_total", kind="deny") == 1
    assert scrape("vr_unpair_ask_to_decision_seconds_sum") == 5
    assert scrape("vr_unpair_decision_to_end_seconds_count") == 0
    assert scrape("vr_unpair_requests_ended_total", state="denied", why="denied") == 1


def test_a_request_that_is_taken_back_and_one_that_is_refused(watched: Watched) -> None:
    world = watched.world
    world.click(world.pending(), "cancel", ASKER)
    world.settle()
    world.appliance.present = False
    world.ask("CCCC-DDDD")
    world.settle()
    scrape = watched.scrape()
    assert scrape("vr_unpair_decisions_total", kind="cancel") == 1
    assert scrape("vr_unpair_ask_to_decision_seconds_count") == 0
    ended = "vr_unpair_requests_ended_total"
    assert scrape(ended, state="cancelled", why="cancelled") == 1
    assert scrape(ended, state="refused", why="pairing_none") == 1


def test_a_broken_glass_is_counted_from_the_audit_trail(watched: Watched) -> None:
    """By every copy, and by one that was started after it."""
    world = watched.world
    world.policy = world.policy.model_copy(update={"break_glass": frozenset({SECOND})})
    world.worker = world.new_worker()
    request = world.pending()
    assert watched.scrape()("vr_unpair_break_glass_total") == 0
    world.click(request, "break_glass", SECOND, reason="the site burns")
    world.settle()
    assert "glass_broken" in world.actions()
    assert watched.scrape()("vr_unpair_break_glass_total") == 1
    assert watched.scrape()("vr_unpair_decisions_total", kind="break_glass") == 1
    assert watched.scrape()("vr_unpair_ask_to_decision_seconds_count") == 1


def test_messages_that_wait_and_their_age(watched: Watched) -> None:
    """Slack is away: nothing is posted. An edit that waits is counted, and has no age."""
    world = watched.world
    request = world.pending()
    world.click(request, "deny", SECOND)
    while world.worker.step(Queue.DECIDE):
        pass
    world.ms += 400_000
    scrape = watched.scrape()
    assert scrape("vr_unpair_messages_waiting", message="final") == 1
    assert scrape("vr_unpair_message_oldest_seconds", message="final") == 400
    assert scrape("vr_unpair_messages_waiting", message="card") == 1
    assert scrape("vr_unpair_message_oldest_seconds", message="card") == 0
    assert scrape("vr_unpair_messages_waiting", message="answer") == 1
    world.settle()
    scrape = watched.scrape()
    assert scrape("vr_unpair_messages_waiting", message="final") == 0
    assert scrape("vr_unpair_message_oldest_seconds", message="final") == 0


def test_an_appliance_that_rests(watched: Watched) -> None:
    world = watched.world
    began, until = world.ms / 1000, world.ms + 300_000
    shared.change(world.db, "budget:default", lambda _old, _now: f'{{"rests_until_ms": {until}}}')
    rest_seconds = "vr_unpair_appliance_login_rest_seconds"
    start = "vr_unpair_appliance_login_rest_start_timestamp_seconds"
    assert watched.scrape()(rest_seconds, site="default") == 300
    assert watched.scrape()(start, site="default") == began
    world.ms += 200_000
    assert watched.scrape()(rest_seconds, site="default") == 100
    assert watched.scrape()(start, site="default") == began
    world.ms += 100_000
    assert watched.scrape()(rest_seconds, site="default") == 0
    assert watched.scrape()(start, site="default") == 0


# ---- the same steps in the log -------------------------------------------------------------------


def test_each_step_is_one_event_with_every_id(watched: Watched) -> None:
    world = watched.world
    with capture_logs() as logged:
        world.click(world.pending(), "approve", FIRST)
        world.settle()
        world.appliance.end_task()
        world.wait(5_000)
    steps = [event for event in logged if event["event"] == "step"]
    assert [e["step"] for e in steps] == world.actions()
    approved = next(e for e in steps if e["step"] == "approved_by")
    card = world.get().card_ts
    assert (
        approved.items()
        >= {
            "request": "AAAA-BBBB",
            "site": "default",
            "pairing": PAIRING,
            "channel": CHANNEL,
            "card": card,
            "slack_message": f"{CHANNEL}/{card}",
            "by": FIRST,
            "before": "pending",
            "state": "pending",
        }.items()
    )
    assert steps[-1]["task"] == world.appliance.tasks[-1].id
    assert not any("moving" in str(event) for event in steps), (
        "what people wrote stays in the trail"
    )


def test_what_the_appliance_refused_is_logged_with_its_op_id(watched: Watched) -> None:
    world = watched.world
    refusal = problem(ProblemKind.REFUSED, status=403, error_code="NO_PERMISSION", op_id="op-7")
    world.appliance.read_failures = [refusal]
    with capture_logs() as logged:
        world.ask()
        world.settle()
    wanted = {"http_status": 403, "error_code": "NO_PERMISSION", "op_id": "op-7"}.items()
    (failed,) = (e for e in logged if e["event"] == "effect_failed")
    assert failed.items() >= wanted
    assert failed["state"] == "checking"
    refused = next(e for e in logged if e.get("step") == "refused")
    assert refused.items() >= wanted


def test_an_outage_is_one_warning_and_not_one_for_each_try(watched: Watched) -> None:
    world = watched.world
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 4
    with capture_logs() as logged:
        world.ask()
        for _ in range(6):
            world.wait(5_000)
    failed = [e["log_level"] for e in logged if e["event"] == "effect_failed"]
    assert failed == ["warning", "debug", "debug", "debug"]
    assert world.state() is State.PENDING


def test_a_fault_in_counting_costs_no_step(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(logs, "steps", fail)
    with capture_logs() as logged:
        watched.world.pending()
    assert any(event["event"] == "step_not_told" for event in logged)


def test_entries_without_a_request_are_counted() -> None:
    metrics = Metrics("1", [])
    entry = Entry(
        action="click_refused",
        actor=FIRST,
        at=1,
        message=None,
        before=None,
        after=None,
        detail={"click": "approve", "why": "unknown_request"},
    )
    metrics.saved(None, (entry,))
    metrics.watch(
        figures=lambda: 1 / 0,  # type: ignore[arg-type,return-value]
        login_rests=lambda f: {},
        ready=lambda: True,
        socket_age=None,
        certificate_ends=dict,
    )
    refused = "vr_unpair_decisions_refused_total"
    assert Scrape(metrics)(refused, kind="approve", why="unknown_request") == 1
