"""The appliance's lines: what they must not do, proxies, several appliances, the remote site."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.appliance.budget import BudgetState
from bot.appliance.client import Appliance
from bot.appliance.refused_login import REST_MS
from bot.appliance.tls import served_fingerprint
from bot.operate.health import Result
from bot.parts import budget_key
from bot.sandbox.appliance import Answer, SimulatedAppliance
from bot.settings import DEFAULT_SITE
from bot.store import shared
from bot.store.database import Database
from tests.appliance.test_appliance_trust import Proxy
from tests.operate.check.conftest import PAIRING, Stage, one, wrong_lines


def logins(appliance: SimulatedAppliance) -> int:
    return len(appliance.logins)


def remote_logins(appliance: SimulatedAppliance) -> list[Any]:
    return [c for c in appliance.calls if c.method == "POST" and "remote-session" in c.path]


def store_budget(stage: Stage, state: BudgetState) -> None:
    db = Database(stage.environment["DATABASE_URL"])
    shared.change(db, budget_key(DEFAULT_SITE), lambda _old, _now: state.model_dump_json())
    db.close()


# ---- trust ------------------------------------------------------------------------------------


def test_the_fingerprint_is_the_one_that_is_served(stage: Stage) -> None:
    stage.appliance.new_certificate(same_authority=False)
    words = one(stage.check(), "appliance-trusted").words
    assert stage.appliance.fingerprint in words
    host, _, port = stage.appliance.host.partition(":")
    assert served_fingerprint(host, int(port), 2) == stage.appliance.fingerprint


def test_the_fingerprint_that_was_shown_is_one_to_set(stage: Stage) -> None:
    stage.environment["VR_FINGERPRINT"] = stage.appliance.fingerprint
    del stage.environment["VR_CA_FILE"]
    found = stage.check()
    assert wrong_lines(found) == []
    assert "pinned" in one(found, "appliance-trusted").words


@pytest.mark.parametrize(("days", "word"), [(40, "ok"), (20, "note")])
def test_a_certificate_that_ends_soon_is_spoken_of(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, days: int, word: str
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(Appliance, "certificate_end", property(lambda _: end))
    line = one(stage.check(), "appliance-trusted")
    assert f"ends on {end:%Y-%m-%d}" in line.words
    assert ("VR_FINGERPRINT" in line.next_step) is (word == "note")
    assert wrong_lines(stage.check()) == []


def test_nothing_is_sent_to_a_stranger(stage: Stage) -> None:
    stage.appliance.new_certificate(same_authority=False)
    stage.check()
    assert stage.appliance.calls == []


def test_a_server_that_shows_no_certificate() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(OSError, match="timed out"),
    ):
        served_fingerprint("127.0.0.1", silent.getsockname()[1], 0.2)


# ---- name and proxy ---------------------------------------------------------------------------


def test_a_name_without_an_address(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "vr.example.net":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    stage.environment["VR_HOST"] = "vr.example.net"
    found = stage.check()
    assert wrong_lines(found) == ["appliance-reachable"]
    finding = one(found, "appliance-reachable")
    assert "The name vr.example.net could not be looked up" in finding.words
    assert "VR_HOST" in finding.next_step


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Proxy]]:
    """Makes a proxy and names it in the environment."""
    made: list[Proxy] = []

    def make(*args: bytes) -> Proxy:
        made.append(Proxy(*args))
        monkeypatch.setenv("HTTPS_PROXY", made[-1].url)
        return made[-1]

    yield make
    for one_proxy in made:
        one_proxy.stop()


def test_through_a_proxy_and_said_without_its_password(
    stage: Stage, proxy: Callable[..., Proxy]
) -> None:
    through = proxy()
    # One connection at a time is all that this proxy takes.
    del stage.environment["VR_REMOTE_USERNAME"], stage.environment["VR_REMOTE_PASSWORD"]
    stage.appliance.new_certificate(same_authority=False)
    found = stage.check()
    assert wrong_lines(found) == ["appliance-trusted"]
    place = through.url.rpartition("@")[2]
    assert f"{stage.appliance.host} through {place}" in one(found, "proxy").words
    assert place in one(found, "appliance-reachable").words
    untrusted = one(found, "appliance-trusted")
    assert "cannot be read through a proxy" in untrusted.words
    assert "console" in untrusted.next_step
    assert all("proxypass" not in f"{f.words} {f.next_step}" for f in found)
    assert through.asked, "it went around the proxy"


def test_no_proxy_goes_around_it(
    stage: Stage, proxy: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    through = proxy()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = stage.check()
    assert wrong_lines(found) == []
    words = one(found, "proxy").words
    assert f"{stage.appliance.host} directly" in words
    assert "NO_PROXY is 127.0.0.1" in words
    assert through.asked == []


def test_a_proxy_that_refuses(stage: Stage, proxy: Callable[..., Proxy]) -> None:
    proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    found = stage.check()
    assert wrong_lines(found) == ["appliance-reachable"]
    finding = one(found, "appliance-reachable")
    assert "403" in finding.words
    assert "NO_PROXY" in finding.next_step
    assert "proxypass" not in finding.words


# ---- log-ins ----------------------------------------------------------------------------------


def test_a_refused_log_in_is_tried_once(stage: Stage) -> None:
    stage.appliance.set_password("other")
    stage.check()
    assert logins(stage.appliance) == 1


@pytest.mark.parametrize(
    ("path", "line"), [("/info", "appliance-version"), ("/pairings", "appliance-pairings")]
)
def test_sessions_that_keep_ending_lead_to_two_log_ins_at_most(
    stage: Stage, path: str, line: str
) -> None:
    stage.appliance.fail("GET", path, Answer(401), times=None)
    assert wrong_lines(stage.check()) == [line]
    assert logins(stage.appliance) == 2


def test_the_rest_after_a_refused_log_in_is_kept(stage: Stage) -> None:
    until = time.time_ns() // 1_000_000 + 240_000
    why = "a log-in was refused with HTTP 401"
    store_budget(stage, BudgetState(rests_until_ms=until, why=why))
    found = stage.check()
    assert wrong_lines(found) == ["appliance-login"]
    since = datetime.fromtimestamp((until - REST_MS) / 1000, UTC)
    assert why in one(found, "appliance-login").words
    assert f"since {since:%H:%M} UTC" in one(found, "appliance-login").words
    assert logins(stage.appliance) == 0


def test_a_rest_that_is_over_is_none(stage: Stage) -> None:
    store_budget(stage, BudgetState(rests_until_ms=time.time_ns() // 1_000_000 - 1))
    assert wrong_lines(stage.check()) == []
    assert logins(stage.appliance) == 1


def test_a_used_up_budget_of_the_bot_does_not_matter_and_is_not_used(stage: Stage) -> None:
    now = time.time_ns() // 1_000_000
    full = BudgetState(calls_ms=tuple([now] * 40))
    store_budget(stage, full)
    assert wrong_lines(stage.check()) == []
    db = Database(stage.environment["DATABASE_URL"])
    stored = shared.read(db, budget_key(DEFAULT_SITE))
    db.close()
    assert stored is not None
    assert BudgetState.model_validate_json(stored[0]) == full


# ---- the remote site --------------------------------------------------------------------------


def test_one_remote_log_in_for_any_number_of_pairings(stage: Stage) -> None:
    for number in range(4):
        stage.appliance.add_pairing("berlin", f"far{number}")
    stage.environment["VR_REMOTE_PASSWORD"] = "other"
    found = stage.check()
    assert [key.split()[0] for key in wrong_lines(found)] == ["appliance-remote"]
    assert len(remote_logins(stage.appliance)) == 1


def test_a_site_that_is_away_does_not_hide_the_one_that_is_there(stage: Stage) -> None:
    stage.appliance.set_remote_down(PAIRING)
    other = stage.appliance.add_pairing("berlin", "oslo")
    found = stage.check()
    assert wrong_lines(found) == [f"appliance-remote {PAIRING}"]
    assert one(found, f"appliance-remote {other}").result is Result.OK


def test_a_remote_site_that_wants_a_user_of_its_own(stage: Stage) -> None:
    del stage.environment["VR_REMOTE_USERNAME"], stage.environment["VR_REMOTE_PASSWORD"]
    found = stage.check()
    assert wrong_lines(found) == ["appliance-remote"]
    assert "VR_REMOTE_USERNAME" in one(found, "appliance-remote").next_step


def test_a_pairing_with_itself_has_no_remote_site(stage: Stage) -> None:
    stage.appliance.remove_pairing(PAIRING)
    stage.appliance.add_self_pairing("berlin")
    found = stage.check()
    assert wrong_lines(found) == []
    assert remote_logins(stage.appliance) == []


# ---- several, and what they say ---------------------------------------------------------------


def test_several_appliances_are_told_apart(stage: Stage) -> None:
    with SimulatedAppliance(username="u", password="Second!2") as second:
        site = stage.settings().sites[DEFAULT_SITE]
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
    finding = one(stage.check(), "appliance-pairings")
    assert "has no role" in finding.words
    assert stage.appliance.password not in finding.words
    assert stage.slack.bot_token not in finding.words
