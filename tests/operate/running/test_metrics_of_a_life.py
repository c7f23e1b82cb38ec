"""What people decide and how requests end, counted while the real worker and store carry it; and
the same steps in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.appliance.budget import budget_key
from bot.operate import logs
from bot.request.audit_chain import Entry
from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.store import queries
from bot.store.database import change_shared
from bot.store.queues import Queue
from tests.operate.running.scraped import Scrape, watched
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING, SECOND, World, problem


class Watched(World):
    """A world whose steps are counted."""

    def __init__(self) -> None:
        super().__init__()
        figures = partial(queries.figures, self.db, [budget_key("default")])
        self.metrics = watched(["default"], figures)
        self.requests.on_saved = self.metrics.saved

    def __call__(self, name: str, **labels: str) -> float | None:
        return Scrape(self.metrics)(f"vr_unpair_{name}", **labels)


@pytest.fixture
def world() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.close()


# ---- what is counted ----------------------------------------------------------------------------


def succeeds(world: Watched) -> None:
    request = world.pending()
    world.wait(40_000)
    world.click(request, "approve", FIRST)
    world.settle()
    world.ms += 7_000
    assert world("request_oldest_seconds", state="following") == 7
    world.appliance.end_task()
    world.settle()


def denied(world: Watched) -> None:
    """After two clicks that do not count."""
    request = world.pending()
    world.click(request, "approve", ASKER)
    world.click(request, "approve", "U0OTHER")
    world.settle()
    world.ms += 5_000
    world.click(request, "deny", SECOND)


def withdrawn(world: Watched) -> None:
    world.click(world.pending(), "cancel", ASKER)


def refused(world: Watched) -> None:
    world.appliance.present = False
    world.ask()


def corrected(world: Watched) -> None:
    """It ended unclear, and a look an hour later finds the pairing gone."""
    world.approved(DeleteAnswered(problem=problem(ProblemKind.UNANSWERED)))
    assert world.poll(6).state is State.ATTENTION
    world.wait(3_600_000)
    world.appliance.present = False
    world.click(world.get().id, "look", FIRST)


def glass_broken(world: Watched) -> None:
    world.policy = world.policy.model_copy(update={"break_glass": frozenset({SECOND})})
    world.worker = world.new_worker()
    world.click(world.pending(), "break_glass", SECOND, reason="the site burns")


COUNTED: dict[Callable[[Watched], None], str] = {
    succeeds: """
        requests{state="succeeded"} 1.0
        request_oldest_seconds{state="following"} 0.0
        decisions_total{kind="approve"} 1.0
        ask_to_decision_seconds_count 1.0
        ask_to_decision_seconds_sum 40.0
        decision_to_end_seconds_count 1.0
        decision_to_end_seconds_sum 7.0
        requests_ended_total{state="succeeded",why="proved"} 1.0""",
    denied: """
        decisions_refused_total{kind="approve",why="own_request_approve"} 1.0
        decisions_refused_total{kind="approve",why="not_listed"} 1.0
        decisions_total{kind="deny"} 1.0
        ask_to_decision_seconds_sum 5.0
        decision_to_end_seconds_count 0.0
        requests_ended_total{state="denied",why="denied"} 1.0""",
    withdrawn: """
        decisions_total{kind="cancel"} 1.0
        ask_to_decision_seconds_count 0.0
        requests_ended_total{state="cancelled",why="cancelled"} 1.0""",
    refused: """
        requests_ended_total{state="refused",why="pairing_none"} 1.0""",
    # The correction is not an end of its own.
    corrected: """
        decision_to_end_seconds_count 1.0
        requests_ended_total{state="attention",why="outcome_unknown"} 1.0
        requests_ended_total{state="succeeded",why="look_gone"} 1.0""",
    # From the audit trail: by every copy, and by one that was started after it.
    glass_broken: """
        break_glass_total 1.0
        decisions_total{kind="break_glass"} 1.0
        ask_to_decision_seconds_count 1.0""",
}


@pytest.mark.parametrize("lives", COUNTED, ids=lambda lives: lives.__name__)
def test_a_life_is_counted(world: Watched, lives: Callable[[Watched], None]) -> None:
    lives(world)
    world.settle()
    wanted = [f"vr_unpair_{line.strip()}" for line in COUNTED[lives].splitlines() if line]
    scraped = world.metrics.text().decode().splitlines()
    assert [line for line in wanted if line not in scraped] == []


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
    change_shared(
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
