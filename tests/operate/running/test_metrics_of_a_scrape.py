"""What a scrape reads and what it does while the database is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bot.operate.health import Bounded
from bot.operate.metrics import KEPT_SECONDS, UNREAD, Copy, Metrics
from bot.parts import login_rests, read_figures
from bot.request.model import OPEN, Figures, State
from bot.store.database import Database
from tests.operate.running.scraped import EMPTY, Scrape

PATIENCE_SECONDS = 10
SITES = ("east", "west")
ENDS = {"east": 1_900_000_000.0, "west": 2_000_000_000.0}


def watched(
    figures: Callable[[], Figures] = lambda: EMPTY,
    *,
    metrics: Metrics | None = None,
    ready: Callable[[], bool] = lambda: True,
    socket_age: Callable[[], float] | None = None,
) -> Metrics:
    made = metrics or Metrics("1.2.3", SITES)
    made.watch(
        figures=figures,
        login_rests=partial(login_rests, SITES),
        ready=ready,
        socket_age=socket_age,
        certificate_ends=lambda: ENDS,
    )
    return made


def test_every_state_is_there_also_with_nothing_in_it() -> None:
    scrape = Scrape(watched(lambda: EMPTY.model_copy(update={"by_state": {"pending": 3}})))
    found = {state: scrape("vr_unpair_requests", state=state.value) for state in State}
    assert found == {state: 3 if state is State.PENDING else 0 for state in State}
    ages = {s for s in State if scrape("vr_unpair_request_oldest_seconds", state=s) is not None}
    assert ages == OPEN
    assert scrape("vr_unpair_build_info", version="1.2.3") == 1


def test_what_is_counted_begins_at_nought_and_not_in_the_middle() -> None:
    """A line that begins at 1 is no increase."""
    scrape = Scrape(watched())
    for name, labels in (
        ("vr_unpair_decisions_total", {"kind": "approve"}),
        ("vr_unpair_appliance_logins_total", {"site": "east", "result": "refused"}),
        ("vr_unpair_budget_wait_seconds_count", {"site": "west", "priority": "act"}),
        ("vr_unpair_slack_requests_rejected_total", {"why": "forged"}),
        ("vr_unpair_database_errors_total", {"error": "OperationalError"}),
        ("vr_unpair_break_glass_total", {}),
    ):
        assert scrape(name, **labels) == 0


def test_when_the_certificate_of_each_appliance_ends() -> None:
    """Of those that have been connected to."""
    scrape = Scrape(watched())
    name = "vr_unpair_appliance_certificate_end_timestamp_seconds"
    assert {site: scrape(name, site=site) for site in ENDS} == ENDS


def test_http_mode_has_no_socket() -> None:
    assert "vr_unpair_socket_last_frame_age_seconds" not in Scrape(watched()).names()
    age = Scrape(watched(socket_age=lambda: 7.5))("vr_unpair_socket_last_frame_age_seconds")
    assert age == 7.5


# ---- the database is away ----------------------------------------------------------------------


def test_a_database_that_cannot_be_opened_leaves_out_what_it_knows(tmp_path: Path) -> None:
    metrics = Metrics("1.2.3", SITES)
    db = Database(f"sqlite:///{tmp_path}/no/such/folder.db", on_error=metrics.database_failed)
    scrape = Scrape(watched(partial(read_figures, db, SITES), metrics=metrics, ready=lambda: False))
    db.close()
    left_out = {
        "vr_unpair_requests",
        "vr_unpair_request_oldest_seconds",
        "vr_unpair_messages_waiting",
        "vr_unpair_message_oldest_seconds",
        "vr_unpair_appliance_login_rest_seconds",
        "vr_unpair_appliance_login_rest_start_timestamp_seconds",
        "vr_unpair_break_glass_total",
    }
    assert not left_out & scrape.names()
    assert scrape("vr_unpair_database_errors_total", error=UNREAD) == 1
    assert scrape("vr_unpair_database_errors_total", error="OperationalError") == 1
    assert scrape("vr_unpair_ready") == 0
    assert scrape("vr_unpair_decisions_total", kind="approve") == 0


def test_a_database_that_answers_nothing_holds_a_scrape_up_for_so_long_and_no_longer() -> None:
    release, entered = threading.Event(), threading.Semaphore(0)

    def hang() -> int:
        entered.release()
        release.wait(PATIENCE_SECONDS)
        return 7

    bounded = Bounded(hang, seconds=0.02)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            bounded()
    assert entered.acquire(timeout=PATIENCE_SECONDS)
    assert not entered.acquire(blocking=False), "threads pile up behind it"
    release.set()
    slow = Bounded(lambda: 8, seconds=PATIENCE_SECONDS)
    assert slow() == 8


def test_what_the_read_raised_is_raised() -> None:
    def fail() -> None:
        raise OSError("disk is full")

    with pytest.raises(OSError, match="disk is full"):
        Bounded(fail, seconds=PATIENCE_SECONDS)()


def test_a_value_that_nobody_understands_is_left_out_too() -> None:
    odd = EMPTY.model_copy(update={"shared": {"budget:east": "no json"}})
    scrape = Scrape(watched(lambda: odd))
    assert "vr_unpair_requests" not in scrape.names()
    assert scrape("vr_unpair_database_errors_total", error=UNREAD) == 1


# ---- readiness -----------------------------------------------------------------------------------


def test_readiness_is_asked_anew_only_after_a_while() -> None:
    answers, asked = [True, False], []
    seconds = 100.0

    def ready() -> bool:
        asked.append(seconds)
        return answers[len(asked) - 1]

    copy = Copy(ready, None, dict, monotonic=lambda: seconds)

    def said() -> float:
        (family,) = copy.collect()
        return float(family.samples[0].value)

    assert (said(), said()) == (1, 1)
    assert asked == [100.0]
    seconds += KEPT_SECONDS
    assert said() == 0
    assert asked == [100.0, 105.0]
