"""Log-ins, local and remote: as few as possible, by one thread, and never again after a no."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from bot.appliance.budget import EffectBudget, MemoryBudget, Priority
from bot.appliance.client import Appliance
from bot.appliance.errors import (
    ApplianceError,
    ConnectionCut,
    Limited,
    LoginRefused,
    LoginRest,
    NotUnderstood,
    OverBudget,
    Refused,
    TimedOut,
    Unauthorized,
    Unavailable,
    Unproven,
)
from bot.appliance.refused_login import login_refused
from bot.appliance.session import Sessions
from tests.appliance.small_server import (
    PASSWORD,
    REMOTE,
    REMOTE_PASSWORD,
    TOKEN,
    Handler,
    Reply,
    Seen,
    Server,
    cut,
)

REMOTE_PATH = "/pairings/p-1/remote-session"
Connect = Callable[..., Appliance]


@dataclass
class Clock:
    """Real time, and what a test adds to it."""

    added: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.added


def info(appliance: Appliance, by: float | None = None) -> type[BaseException] | None:
    try:
        appliance.calls(Priority.CHECK, by).info()
    except ApplianceError as exc:
        return type(exc)
    return None


def in_threads(count: int, work: Callable[[], type[BaseException] | None]) -> list[object]:
    barrier = threading.Barrier(count)

    def one(_: int) -> object:
        barrier.wait(5)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def wait_for_all(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Returns when eight threads have come to a lock: the one that holds it and all that wait."""
    came = threading.Semaphore(0)
    wait_for = Sessions.wait_for

    def counted(self: Sessions, *args: Any) -> None:
        came.release()
        wait_for(self, *args)

    def wait() -> None:
        for _ in range(8):
            assert came.acquire(timeout=5)

    monkeypatch.setattr(Sessions, "wait_for", counted)
    return wait


def test_one_thread_logs_in_for_all(
    appliance: Appliance, server: Server, wait_for_all: Callable[[], None]
) -> None:
    log_in = server.routes["POST", "/session"]

    def slow(seen: Seen) -> Reply:
        wait_for_all()
        return log_in(seen)

    server.on_call("POST", "/session", slow)
    server.on("GET", "/info", Reply(200, {}))
    assert in_threads(8, lambda: info(appliance)) == [None] * 8
    assert (server.logins, server.count("GET")) == (1, 8)


def test_eight_threads_with_an_ended_session_log_in_once(
    appliance: Appliance, server: Server
) -> None:
    old = f"{TOKEN}1"
    ended = False
    met = threading.Barrier(8)

    def answer(seen: Seen) -> Reply:
        if not ended or seen.headers["x-dr-session"] != old:
            return Reply(200, {})
        met.wait(5)  # all eight have sent with the old session before any hears that it ended
        return Reply(401)

    server.on_call("GET", "/info", answer)
    assert info(appliance) is None
    ended = True
    assert in_threads(8, lambda: info(appliance)) == [None] * 8
    assert server.logins == 2


def test_a_late_401_drops_only_its_own_session(appliance: Appliance, server: Server) -> None:
    asked, renewed = threading.Event(), threading.Event()
    first = True

    def answer(seen: Seen) -> Reply:
        nonlocal first
        if seen.headers["x-dr-session"] != f"{TOKEN}1":
            return Reply(200, {})
        if first:
            first = False
            asked.set()
            renewed.wait(5)
        return Reply(401)

    server.on_call("GET", "/info", answer)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(info, appliance)
        assert asked.wait(5)
        assert info(appliance) is None
        renewed.set()
        assert slow.result(5) is None
    assert server.logins == 2


def test_who_waited_for_a_log_in_that_failed_does_not_try_again(
    appliance: Appliance, server: Server, wait_for_all: Callable[[], None]
) -> None:
    def slow_error(_: Seen) -> Reply:
        wait_for_all()
        return Reply(502)

    server.on_call("POST", "/session", slow_error)
    assert in_threads(8, lambda: info(appliance)) == [NotUnderstood] * 8
    assert server.count("POST") == 1


def test_a_refused_log_in_is_tried_once_for_all_and_then_rests(
    connect: Connect, server: Server, wait_for_all: Callable[[], None]
) -> None:
    clock = Clock()
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    together = True

    def slow_no(_: Seen) -> Reply:
        if together:
            wait_for_all()
        return Reply(401)

    server.on_call("POST", "/session", slow_no)
    found = in_threads(8, lambda: info(appliance))
    together = False
    assert set(found) == {LoginRefused}
    assert server.count("POST") == 1
    assert info(appliance) is LoginRest
    clock.added = 299
    assert info(appliance) is LoginRest
    clock.added = 301
    assert info(appliance) is LoginRefused
    assert server.count("POST") == 2
    assert server.count("GET") == 0


@pytest.mark.parametrize("status", [401, 403])
def test_what_a_refused_log_in_says(appliance: Appliance, server: Server, status: int) -> None:
    server.on("POST", "/session", Reply(status, {"message": "locked", "op_id": "o"}))
    with pytest.raises(LoginRefused) as caught:
        appliance.calls(Priority.CHECK).info()
    error = caught.value
    assert (error.which, error.status, error.retry_after_seconds) == ("local", status, 300)
    assert error.message == (None if status == 401 else "locked")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, {}), Refused),
        (Reply(500, {}), Refused),
        (Reply(502), NotUnderstood),
        (Reply(302, headers={"Location": "/x"}), NotUnderstood),
        (Reply(200, b"<html>"), NotUnderstood),
        (Reply(200, {}), NotUnderstood),
        (Reply(200, {"session_id": ""}), NotUnderstood),
        (Reply(200, {"session_id": "a\r\nX: y"}), NotUnderstood),
        (Reply(200, {"session_id": "tökén"}), NotUnderstood),
        (Reply(200, {"session_id": 7}), NotUnderstood),
    ],
)
def test_a_log_in_that_leads_nowhere_counts(
    connect: Connect, server: Server, reply: Reply, error: type[ApplianceError]
) -> None:
    clock = Clock()
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    server.on("POST", "/session", reply)
    assert [info(appliance) for _ in range(3)] == [error, error, LoginRest]
    assert (server.count("POST"), server.count("GET")) == (2, 0)


def test_a_log_in_whose_answer_is_lost_says_nothing_of_the_next(
    connect: Connect, server: Server
) -> None:
    """It may have worked: whoever asks meanwhile waits, and is not refused."""
    clock = Clock()
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    server.on("POST", "/session", Reply(raw=cut))
    assert [info(appliance) for _ in range(2)] == [ConnectionCut, ConnectionCut]
    assert info(appliance) is Unproven


@pytest.mark.parametrize(
    ("reply", "error"),
    [(Reply(429), Limited), (Reply(503, headers={"Retry-After": "9"}), Unavailable)],
)
def test_a_log_in_that_was_put_off_does_not_count(
    appliance: Appliance, server: Server, reply: Reply, error: type[ApplianceError]
) -> None:
    server.on("POST", "/session", reply)
    assert [info(appliance) for _ in range(5)] == [error] * 5


def test_sessions_that_never_work_lead_to_a_rest(connect: Connect, server: Server) -> None:
    clock = Clock()
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    server.on("GET", "/info", Reply(401))
    assert info(appliance) is Unauthorized
    assert info(appliance) is LoginRest, "nobody's call can still prove one of the two"
    clock.added = 299
    assert info(appliance) is LoginRest
    assert server.logins == 2
    clock.added = 301
    server.on("GET", "/info", Reply(200, {}))
    assert info(appliance) is None


@pytest.mark.parametrize("reply", [Reply(404), Reply(403, {}), Reply(500, {})])
def test_an_answer_of_the_application_proves_the_session(
    appliance: Appliance, server: Server, reply: Reply
) -> None:
    for _ in range(4):
        server.on("GET", "/info", Reply(401), reply)
        assert info(appliance) not in {LoginRest, Unauthorized}
    assert server.logins == 5


def test_log_ins_and_repetitions_are_counted(connect: Connect, server: Server) -> None:
    budget = MemoryBudget(1000)
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    assert info(connect(budget=budget)) is None
    assert len(budget.state.calls_ms) == len(server.seen) == 4


def test_a_log_in_that_the_budget_has_no_room_for_does_not_count(
    connect: Connect, server: Server
) -> None:
    full = MemoryBudget(20)
    EffectBudget(full, Priority.ACT, calls=20).pay()
    assert info(connect(budget=full)) is OverBudget
    assert server.seen == []
    assert (full.state.logins_unproven, len(full.state.calls_ms)) == (0, 20)


def test_how_each_log_in_went_is_told(connect: Connect, server: Server) -> None:
    told: list[str] = []
    budget = MemoryBudget(1000)
    budget.on_login = told.append
    log_in = server.routes["POST", "/session"]
    server.on("POST", "/session", Reply(429))
    assert info(connect(budget=budget)) is Limited
    server.on_call("POST", "/session", log_in)
    server.on("GET", "/info", Reply(200, {}))
    assert info(connect(budget=budget)) is None
    server.on("POST", "/session", Reply(401))
    assert info(connect(budget=budget)) is LoginRefused
    assert info(connect(budget=budget)) is LoginRest
    assert told == ["not_sent", "worked", "refused", "rest"]


def test_a_log_in_that_rests_uses_no_call(connect: Connect, server: Server) -> None:
    budget = MemoryBudget(20)
    budget.change(partial(login_refused, why="HTTP 401"))
    assert info(connect(budget=budget)) is LoginRest
    assert (server.seen, budget.state.calls_ms) == ([], ())


def test_who_waits_for_a_log_in_keeps_the_own_deadline(
    appliance: Appliance, server: Server
) -> None:
    over, begun = threading.Event(), threading.Event()
    log_in = server.routes["POST", "/session"]

    def hang(seen: Seen) -> Reply:
        begun.set()
        over.wait(5)
        return log_in(seen)

    server.on_call("POST", "/session", hang)
    server.on("GET", "/info", Reply(200, {}))
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(info, appliance)
        assert begun.wait(5)
        begin = time.monotonic()
        assert info(appliance, begin + 0.2) is TimedOut
        assert time.monotonic() - begin < 1
        over.set()
        assert leader.result(5) is None
    assert server.logins == 1


def test_the_password_is_sent_in_utf_8(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/info", Reply(200, {}))
    info(appliance)
    kind, value = server.seen[0].headers["authorization"].split()
    assert kind == "Basic"
    assert base64.b64decode(value).decode() == f"admin:{PASSWORD}"
    assert "authorization" not in server.seen[1].headers


def remote(connect: Connect, clock: Clock | None = None) -> Appliance:
    timer = clock or Clock()
    return connect(budget=MemoryBudget(1000, timer), monotonic=timer, **REMOTE)


def test_no_remote_credentials_no_remote_session(appliance: Appliance, server: Server) -> None:
    appliance.calls(Priority.CHECK).ensure_remote_session("p-1")
    assert server.seen == []


def test_the_remote_session_is_made_once_on_each_local_one(
    connect: Connect, server: Server
) -> None:
    clock = Clock()
    appliance = remote(connect, clock)
    calls = appliance.calls(Priority.CHECK)
    server.on("POST", REMOTE_PATH, Reply(204))
    for _ in range(3):
        calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 1
    sent = server.seen[-1].headers
    assert sent["x-dr-session"] == f"{TOKEN}1"
    assert base64.b64decode(sent["authorization"].split()[1]).decode() == (
        f"remote-admin:{REMOTE_PASSWORD}"
    )
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    calls.info()
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2
    assert server.seen[-1].headers["x-dr-session"] == f"{TOKEN}2"
    clock.added = 301
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 3


def test_eight_threads_make_one_remote_session(
    connect: Connect, server: Server, request: pytest.FixtureRequest
) -> None:
    appliance = remote(connect)
    server.on("GET", "/info", Reply(200, {}))
    appliance.calls(Priority.CHECK).info()  # logged in: from here on they meet at one lock
    wait_for_all = request.getfixturevalue("wait_for_all")

    def slow(_: Seen) -> Reply:
        wait_for_all()
        return Reply(204)

    server.on_call("POST", REMOTE_PATH, slow)
    in_threads(8, lambda: appliance.calls(Priority.CHECK).ensure_remote_session("p-1"))
    assert server.count("POST", REMOTE_PATH) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_remote_log_in_is_not_tried_for_five_minutes(
    connect: Connect, server: Server, status: int
) -> None:
    clock = Clock()
    appliance = remote(connect, clock)
    calls = appliance.calls(Priority.CHECK)
    server.on("POST", REMOTE_PATH, Reply(status))
    server.on("POST", "/pairings/p-2/remote-session", Reply(204))
    for added, tries in ((0, 1), (0, 1), (299, 1), (301, 2)):
        clock.added = added
        with pytest.raises(LoginRefused) as caught:
            calls.ensure_remote_session("p-1")
        assert (caught.value.which, caught.value.status) == ("remote", status)
        assert server.count("POST", REMOTE_PATH) == tries
    # Neither the local session nor another pairing suffers from it.
    assert server.logins == 1
    calls.ensure_remote_session("p-2")
    # A new local session does not make the password right.
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    calls.info()
    with pytest.raises(LoginRefused):
        calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2


def test_a_401_of_the_local_session_is_not_taken_for_the_remote_password(
    connect: Connect, server: Server
) -> None:
    calls = remote(connect).calls(Priority.CHECK)

    def by_token(good: Reply) -> Callable[[Seen], Reply]:
        return lambda seen: good if seen.headers["x-dr-session"] != f"{TOKEN}1" else Reply(401)

    server.on_call("POST", REMOTE_PATH, by_token(Reply(204)))
    server.on_call("GET", "/session", by_token(Reply(200, {})))
    calls.ensure_remote_session("p-1")
    assert server.logins == 2
    assert server.count("POST", REMOTE_PATH) == 2


class LateReply(Reply):
    """Nine seconds pass before it."""

    def __init__(self, clock: Clock, status: int) -> None:
        super().__init__(status, {})
        self.clock = clock

    def write(self, handler: Handler) -> None:
        self.clock.added += 9.0
        super().write(handler)


def test_a_remote_site_that_took_long_to_fail_is_not_waited_for_again_at_once(
    connect: Connect, server: Server
) -> None:
    """At the reading and again before the DELETE: together that is a whole lease."""
    clock = Clock()
    calls = remote(connect, clock).calls(Priority.ACT)

    server.on("POST", REMOTE_PATH, LateReply(clock, 504))
    with pytest.raises(NotUnderstood):
        calls.ensure_remote_session("p-1")
    calls.prepare_delete("p-1")
    assert server.count("POST", REMOTE_PATH) == 1
    # Each reading tries anew: a site that is back is no reason for a one-sided break any more.
    with pytest.raises(NotUnderstood):
        calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2
    clock.added += 30.0
    calls.prepare_delete("p-1")
    assert server.count("POST", REMOTE_PATH) == 3


def test_a_remote_site_that_is_down_is_no_refusal(connect: Connect, server: Server) -> None:
    calls = remote(connect).calls(Priority.CHECK)
    server.on("POST", REMOTE_PATH, Reply(500, {"message": "down"}), Reply(204))
    with pytest.raises(Refused, match="HTTP 500"):
        calls.ensure_remote_session("p-1")
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2
