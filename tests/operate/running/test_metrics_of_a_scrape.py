"""What a scrape reads and what it does while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bot.appliance.budget import budget_key
from bot.operate.metrics import UNREAD
from bot.request.lookup_results import Figures
from bot.request.model import OPEN, State
from bot.store import queries
from bot.store.database import Database
from tests.operate.running.scraped import EMPTY, Scrape, watched

SITES = ["east", "west"]
ENDS = {"east": 1_900_000_000.0, "west": 2_000_000_000.0}


def scraped(figures: Callable[[], Figures] = lambda: EMPTY, **more: Any) -> Scrape:
    return Scrape(watched(SITES, figures, certificate_ends=lambda: ENDS, **more))


def test_what_is_known_beforehand_is_there_from_the_start() -> None:
    """A line that begins at 1 is no increase."""
    scrape = scraped(lambda: EMPTY.model_copy(update={"by_state": {"pending": 3}}))
    found = {state: scrape("vr_unpair_requests", state=state.value) for state in State}
    assert found == {state: 3 if state is State.PENDING else 0 for state in State}
    ages = {s for s in State if scrape("vr_unpair_request_oldest_seconds", state=s) is not None}
    assert ages == OPEN
    assert scrape("vr_unpair_build_info", version="1.2.3") == 1
    for name, labels in (
        ("vr_unpair_decisions_total", {"kind": "approve"}),
        ("vr_unpair_appliance_logins_total", {"site": "east", "result": "refused"}),
        ("vr_unpair_budget_wait_seconds_count", {"site": "west", "priority": "act"}),
        ("vr_unpair_slack_requests_rejected_total", {"why": "forged"}),
        ("vr_unpair_database_errors_total", {"error": "OperationalError"}),
        ("vr_unpair_break_glass_total", {}),
    ):
        assert scrape(name, **labels) == 0


def test_what_is_read_of_this_copy() -> None:
    scrape = scraped()
    certificate = "vr_unpair_appliance_certificate_end_timestamp_seconds"
    assert {site: scrape(certificate, site=site) for site in ENDS} == ENDS
    assert scrape("vr_unpair_ready") == 0
    age = "vr_unpair_socket_last_frame_age_seconds"
    assert age not in scrape.names(), "HTTP mode has no socket"
    assert scraped(socket_age=lambda: 7.5)(age) == 7.5


def test_a_database_that_cannot_be_opened_leaves_out_what_it_knows(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/no/such/folder.db"
    db = Database(address, on_error=lambda error: metrics.count("database_errors", error))
    figures = partial(queries.figures, db, [budget_key(site) for site in SITES])
    metrics = watched(SITES, figures, certificate_ends=lambda: ENDS)
    there, scrape = scraped().names(), Scrape(metrics)
    db.close()
    assert there - scrape.names() == {
        "vr_unpair_requests",
        "vr_unpair_requests_scheduled",
        "vr_unpair_request_oldest_seconds",
        "vr_unpair_messages_waiting",
        "vr_unpair_message_oldest_seconds",
        "vr_unpair_appliance_login_rest_seconds",
        "vr_unpair_appliance_login_rest_start_timestamp_seconds",
        "vr_unpair_break_glass_total",
    }
    assert scrape("vr_unpair_database_errors_total", error=UNREAD) == 1
    assert scrape("vr_unpair_database_errors_total", error="OperationalError") == 1


def test_a_value_that_nobody_understands_is_left_out_too() -> None:
    scrape = scraped(lambda: EMPTY.model_copy(update={"shared": {"budget:east": "no json"}}))
    assert "vr_unpair_requests" not in scrape.names()
    assert scrape("vr_unpair_database_errors_total", error=UNREAD) == 1
