"""The appliance's lines: what they must not do, proxies, several appliances, the remote site."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import BudgetState, MemoryBudget, budget_key
from bot.appliance.refused_login import REST_MS
from bot.operate.check import at_start
from bot.operate.check_line import Result
from bot.secrets_now import appliance_of
from bot.settings import DEFAULT_SITE
from bot.store.database import Database, change_shared, read_shared
from sandbox.appliance import Answer, SimulatedAppliance
from tests.operate.check.conftest import PAIRING, Stage, one, wrong_lines
from tests.support.proxy import PASSWORD, Proxy


def remote_logins(stage: Stage) -> list[Any]:
    calls = stage.appliance.calls
    return [call for call in calls if call.method == "POST" and "remote-session" in call.path]


# ---- trust ------------------------------------------------------------------------------------


def test_nothing_is_sent_to_a_stranger_whose_fingerprint_is_shown(stage: Stage) -> None:
    stage.appliance.new_certificate(same_authority=False)
    found = stage.check()
    assert wrong_lines(found) == ["appliance-trusted"]
    assert stage.appliance.fingerprint in one(found, "appliance-trusted").words
    assert stage.appliance.calls == []
    stage.environment["VR_FINGERPRINT"] = stage.appliance.fingerprint  # which is one to set
    del stage.environment["VR_CA_FILE"]
    found = stage.check()
    assert wrong_lines(found) == []
    assert "pinned" in one(found, "appliance-trusted").words


@pytest.mark.parametrize(("days", "result"), [(40, Result.OK), (20, Result.NOTE)])
def test_a_certificate_that_ends_soon_is_spoken_of(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, days: int, result: Result
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(Appliance, "certificate_end", property(lambda _: end))
    line = one(stage.check(), "appliance-trusted")
    assert f"ends on {end:%Y-%m-%d}" in line.words
    assert line.result is result


# ---- proxy ------------------------------------------------------------------------------------


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Proxy]]:
    """Makes a proxy and names it in the environment."""
    made: list[Proxy] = []

    def make(port: int | None) -> Proxy:
        made.append(Proxy(port))
        monkeypatch.setenv("HTTPS_PROXY", made[-1].url)
        return made[-1]

    yield make
    for one_proxy in made:
        one_proxy.close()


def test_through_a_proxy_and_said_without_its_password(
    stage: Stage, proxy: Callable[..., Proxy]
) -> None:
    through = proxy(int(stage.appliance.host.rpartition(":")[2]))
    stage.appliance.new_certificate(same_authority=False)
    found = stage.check()
    assert wrong_lines(found) == ["appliance-trusted"]
    place = through.url.rpartition("@")[2]
    assert f"{stage.appliance.host} through {place}" in one(found, "proxy").words
    assert place in one(found, "appliance-reachable").words
    assert "console" in one(found, "appliance-trusted").next_step
    assert all(PASSWORD not in line.sentence for line in found)
    assert through.asked, "it went around the proxy"


def test_a_proxy_that_refuses(stage: Stage, proxy: Callable[..., Proxy]) -> None:
    proxy(None)
    found = stage.check()
    assert wrong_lines(found) == ["appliance-reachable"]
    assert "NO_PROXY" in one(found, "appliance-reachable").next_step
    assert PASSWORD not in one(found, "appliance-reachable").words


# ---- log-ins ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("breaks", "line", "logins"),
    [
        (lambda appliance: appliance.set_password("other"), "appliance-login", 1),
        (lambda a: a.fail("GET", "/info", Answer(401), times=None), "appliance-version", 2),
        (lambda a: a.fail("GET", "/pairings", Answer(401), times=None), "appliance-pairings", 2),
    ],
    ids=["refused", "session ends at the version", "session ends at the pairings"],
)
def test_how_often_is_logged_in(stage: Stage, breaks: Any, line: str, logins: int) -> None:
    breaks(stage.appliance)
    assert wrong_lines(stage.check()) == [line]
    assert len(stage.appliance.logins) == logins


@pytest.mark.parametrize(("rests_ms", "wrong"), [(240_000, ["appliance-login"]), (-1, [])])
def test_the_login_rest_of_the_bot_is_kept_and_nothing_else_of_its_budget(
    stage: Stage, rests_ms: int, wrong: list[str]
) -> None:
    now = time.time_ns() // 1_000_000
    used_up = (now,) * 40
    budget = BudgetState(rests_until_ms=now + rests_ms, why="HTTP 401", calls_ms=used_up)
    stored, key = budget.model_dump_json(), budget_key(DEFAULT_SITE)
    with closing(Database(stage.environment["DATABASE_URL"])) as db:
        change_shared(db, key, lambda _old, _now: stored)
        found, kept = stage.check(), read_shared(db, key)
    assert wrong_lines(found) == wrong
    assert ("HTTP 401" in one(found, "appliance-login").words) is bool(wrong)
    assert len(stage.appliance.logins) == (0 if wrong else 1)
    assert kept is not None
    assert kept[0] == stored, "it was used"


def test_a_refused_password_is_not_tried_again_by_itself(stage: Stage) -> None:
    """The check of a running bot is repeated, and the rest may be over by then."""
    stage.appliance.set_password("other")
    settings, ms = stage.loaded(), 1_000_000
    budget = MemoryBudget(40, now=lambda: ms)
    site = settings.sites[DEFAULT_SITE]
    with closing(appliance_of(site, budget, lambda: ms)) as appliance:
        secret = settings.slack_bot_token.get_secret_value()
        found = at_start(settings, {DEFAULT_SITE: appliance}, lambda _: None, lambda _: secret)
        results = []
        for _ in range(2):
            results.append(one(list(found()), "appliance-login").result)
            ms += 2 * REST_MS
    assert results == [Result.WRONG, Result.SKIPPED]
    assert len(stage.appliance.logins) == 1


def test_a_name_that_is_unknown_sends_nobody_to_the_appliance(stage: Stage) -> None:
    """The check of a running bot has the log-in alone to tell by."""
    stage.environment["VR_HOST"] = "vr.invalid"
    settings = stage.loaded()
    budget = MemoryBudget(40, now=lambda: 0)
    with closing(appliance_of(settings.sites[DEFAULT_SITE], budget, lambda: 0)) as appliance:
        secret = settings.slack_bot_token.get_secret_value()
        found = at_start(settings, {DEFAULT_SITE: appliance}, lambda _: None, lambda _: secret)()
        line = one(list(found), "appliance-login")
    assert "could not be looked up" in line.words
    assert "known to this machine's DNS" in line.next_step


# ---- the remote site --------------------------------------------------------------------------


def test_one_remote_log_in_for_any_number_of_pairings(stage: Stage) -> None:
    """Also where one of the sites is away, which does not hide what the others refuse."""
    for number in range(4):
        stage.appliance.add_pairing("berlin", f"far{number}")
    stage.appliance.set_remote_down(PAIRING)
    found = stage.check()
    assert wrong_lines(found) == ["appliance-remote"]
    assert "prague" in one(found, "appliance-remote").words
    assert len(remote_logins(stage)) == 1
    stage.environment["VR_REMOTE_PASSWORD"] = "other"
    found = stage.check()
    assert wrong_lines(found) == ["appliance-remote"]
    assert "VR_REMOTE_PASSWORD" in one(found, "appliance-remote").next_step
    assert len(remote_logins(stage)) == 2


def test_a_pairing_with_itself_has_no_remote_site(stage: Stage) -> None:
    stage.appliance.remove_pairing(PAIRING)
    stage.appliance.add_self_pairing("berlin")
    assert wrong_lines(stage.check()) == []
    assert remote_logins(stage) == []


# ---- several, and what they say ---------------------------------------------------------------


def test_several_appliances_are_told_apart(stage: Stage) -> None:
    with SimulatedAppliance(username="u", password="Second!2") as second:
        site = stage.loaded().sites[DEFAULT_SITE]
        away = site.model_copy(
            update={"host": second.host, "ca_file": Path(second.ca_file), "remote_username": None}
        )
        found = stage.check(sites={"berlin": site, "lyon": away})
    assert wrong_lines(found) == ["appliance-login lyon"]
    assert "VR_SITES__LYON__PASSWORD" in one(found, "appliance-login lyon").next_step
    assert one(found, "appliance-login berlin").result is Result.OK
    assert one(found, "appliance-version lyon").words == "needs appliance-login"


def test_a_password_in_the_words_of_a_server_is_masked(stage: Stage) -> None:
    said = f"User bot with {stage.appliance.password} and {stage.slack.bot_token} has no role."
    stage.appliance.fail("GET", "/pairings", Answer(403, message=said))
    line = one(stage.check(), "appliance-pairings")
    assert "has no role" in line.words
    assert stage.appliance.password not in line.words
    assert stage.slack.bot_token not in line.words
