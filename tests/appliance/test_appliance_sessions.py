"""Log-ins, local and remote: as few as possible, by one thread, and never again after a no."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import EffectBudget, MemoryBudget, Priority
from bot.appliance.refused_login import login_refused
from bot.appliance.session import Sessions
from bot.request.problem import ProblemKind as Kind
from tests.appliance.clients import PASSWORD, info
from tests.appliance.small_server import (
    REMOTE,
    REMOTE_PASSWORD,
    TOKEN,
    Reply,
    Seen,
    Server,
    cut,
    fails,
)
from tests.support.clock import Clock

REMOTE_PATH = "/pairings/p-1/remote-session"
Connect = Callable[..., Appliance]


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    barrier = threading.Barrier(count)

    def one(_: int) -> object:
        barrier.wait(60)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def wait_for_all(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Returns when eight threads have come to a lock: the one that holds it and all that wait."""
    came = threading.Semaphore(0)
    wait_for = Sessions.wait_for

    def counted(self: Sessions, *args: Any) -> AbstractContextManager[None]:
        came.release()
        return wait_for(self, *args)

    def wait() -> None:
        for _ in range(8):
            assert came.acquire(timeout=60)

    monkeypatch.setattr(Sessions, "wait_for", counted)
    return wait


def test_eight_threads_with_an_ended_session_log_in_once(
    appliance: Appliance, server: Server
) -> None:
    """The slower ones must not drop the new session for the end of the old one."""
    old = f"{TOKEN}1"
    ended = False
    met = threading.Barrier(8)

    def answer(seen: Seen) -> Reply:
        if not ended or seen.headers["x-dr-session"] != old:
            return Reply(200, {})
        met.wait(60)  # all eight have sent with the old session before any hears that it ended
        return Reply(401)

    server.on_call("GET", "/info", answer)
    assert info(appliance) is None
    ended = True
    assert in_threads(8, lambda: info(appliance)) == [None] * 8
    assert server.logins == 2


def test_a_refused_log_in_is_tried_once_for_all_and_then_rests(
    connect: Connect, server: Server, wait_for_all: Callable[[], None]
) -> None:
    clock = Clock(0.0, running=True)
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    together = True

    def slow_no(_: Seen) -> Reply:
        if together:
            wait_for_all()
        return Reply(401)

    server.on_call("POST", "/session", slow_no)
    found = in_threads(8, lambda: info(appliance))
    together = False
    assert sorted(found) == [*[Kind.LOGIN_REFUSED], *[Kind.LOGIN_REST] * 7]  # type: ignore[type-var]
    assert server.count("POST") == 1
    for added, kind, tries in (
        (0, Kind.LOGIN_REST, 1),
        (299, Kind.LOGIN_REST, 1),
        (301, Kind.LOGIN_REFUSED, 2),
    ):
        clock.now = added
        assert info(appliance) is kind
        assert server.count("POST") == tries
    assert server.count("GET") == 0


@pytest.mark.parametrize("status", [401, 403])
def test_what_a_refused_log_in_says(appliance: Appliance, server: Server, status: int) -> None:
    server.on("POST", "/session", Reply(status, {"message": "locked", "op_id": "o"}))
    with fails(Kind.LOGIN_REFUSED, "local user") as caught:
        appliance.calls(Priority.CHECK).info()
    error = caught.value
    assert (error.status, error.retry_after_seconds) == (status, 300)
    assert error.message == (None if status == 401 else "locked")


@pytest.mark.parametrize(
    ("reply", "kinds"),
    [
        # It leads nowhere or may have worked, and a third one would be no better.
        (Reply(400, {}), [Kind.REFUSED] * 2 + [Kind.UNPROVEN]),
        (Reply(500, {}), [Kind.SERVER_ERROR] * 2 + [Kind.UNPROVEN]),
        (Reply(502), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, b"<html>"), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, {"session_id": ""}), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, {"session_id": "a\r\nX: y"}), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, {"session_id": "tökén"}), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, {"session_id": 7}), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(200, {"session_id": "s" * 4_097}), [Kind.NOT_UNDERSTOOD] * 2 + [Kind.UNPROVEN]),
        (Reply(raw=cut), [Kind.UNANSWERED] * 2 + [Kind.UNPROVEN]),
        # It was put off, and does not count.
        (Reply(429), [Kind.LIMITED] * 3),
        (Reply(503, headers={"Retry-After": "9"}), [Kind.UNAVAILABLE] * 3),
    ],
)
def test_which_log_ins_count(
    connect: Connect, server: Server, reply: Reply, kinds: list[Kind]
) -> None:
    server.on("POST", "/session", reply)
    appliance = connect()
    assert [info(appliance) for _ in range(3)] == kinds
    tries = 2 if kinds[-1] is Kind.UNPROVEN else 3
    assert (server.count("POST"), server.count("GET")) == (tries, 0)


def test_sessions_that_never_work_lead_to_a_rest(connect: Connect, server: Server) -> None:
    clock = Clock(0.0, running=True)
    appliance = connect(budget=MemoryBudget(1000, clock), monotonic=clock)
    server.on("GET", "/info", Reply(401))
    assert info(appliance) is Kind.UNAUTHORIZED
    tokens = [s.headers["x-dr-session"] for s in server.seen if s.path == "/info"]
    assert tokens == [f"{TOKEN}1", f"{TOKEN}2"], "repeated once, on the new session"
    for clock.now in (0, 299):
        assert info(appliance) is Kind.UNPROVEN
    assert server.logins == 2
    clock.now = 301
    server.on("GET", "/info", Reply(200, {}))
    assert info(appliance) is None


@pytest.mark.parametrize("reply", [Reply(404), Reply(403, {}), Reply(500, {})])
def test_an_answer_of_the_application_proves_the_session(
    appliance: Appliance, server: Server, reply: Reply
) -> None:
    for _ in range(4):
        server.on("GET", "/info", Reply(401), reply)
        assert info(appliance) not in {Kind.UNPROVEN, Kind.UNAUTHORIZED}
    assert server.logins == 5


def test_log_ins_and_repetitions_are_counted(connect: Connect, server: Server) -> None:
    budget = MemoryBudget(1000)
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    assert info(connect(budget=budget)) is None
    assert len(budget.state.calls_ms) == len(server.seen) == 4
    assert server.seen[0].user == f"admin:{PASSWORD}", "in UTF-8"
    assert "authorization" not in server.seen[1].headers
    full, resting = MemoryBudget(20), MemoryBudget(20)
    EffectBudget(full, Priority.ACT, calls=20).pay()
    resting.change(partial(login_refused, why="HTTP 401"))
    server.seen.clear()
    assert info(connect(budget=full)) is Kind.OVER_BUDGET
    assert info(connect(budget=resting)) is Kind.LOGIN_REST
    assert server.seen == []
    assert (full.state.logins_unproven, len(full.state.calls_ms)) == (0, 20)
    assert resting.state.calls_ms == ()


def test_how_each_log_in_went_is_told(connect: Connect, server: Server) -> None:
    told: list[str] = []
    budget = MemoryBudget(1000)
    budget.on_login = told.append
    log_in = server.routes["POST", "/session"]
    server.on("POST", "/session", Reply(429))
    assert info(connect(budget=budget)) is Kind.LIMITED
    server.on_call("POST", "/session", log_in)
    assert info(connect(budget=budget)) is None
    server.on("POST", "/session", Reply(401))
    assert info(connect(budget=budget)) is Kind.LOGIN_REFUSED
    assert info(connect(budget=budget)) is Kind.LOGIN_REST
    assert told == ["not_sent", "worked", "refused", "rest"]


def test_who_waits_for_a_log_in_keeps_the_own_deadline(
    appliance: Appliance, server: Server
) -> None:
    over, begun = threading.Event(), threading.Event()
    log_in = server.routes["POST", "/session"]

    def hang(seen: Seen) -> Reply:
        begun.set()
        over.wait(60)
        return log_in(seen)

    server.on_call("POST", "/session", hang)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(info, appliance)
        assert begun.wait(60)
        begin = time.monotonic()
        assert info(appliance, begin + 0.2) is Kind.UNSENT
        assert time.monotonic() - begin < 30
        over.set()
        assert leader.result(60) is None
    assert server.logins == 1


# ---- the remote site's session -------------------------------------------------------------------


def remote(connect: Connect, clock: Clock | None = None) -> Appliance:
    timer = clock or Clock(0.0, running=True)
    return connect(budget=MemoryBudget(1000, timer), monotonic=timer, **REMOTE)


def test_the_remote_session_is_made_once_on_each_local_one(
    connect: Connect, server: Server
) -> None:
    connect().calls(Priority.CHECK).ensure_remote_session("p-1")
    assert server.seen == [], "without credentials of its own there is none to make"
    clock = Clock(0.0, running=True)
    appliance = remote(connect, clock)
    calls = appliance.calls(Priority.CHECK, clock() + 900)
    server.on("POST", REMOTE_PATH, Reply(204))
    for _ in range(3):
        calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 1
    assert server.seen[-1].headers["x-dr-session"] == f"{TOKEN}1"
    assert server.seen[-1].user == f"remote-admin:{REMOTE_PASSWORD}"
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    calls.info()
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2
    assert server.seen[-1].headers["x-dr-session"] == f"{TOKEN}2"
    clock.now = 301
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 3


def test_eight_threads_make_one_remote_session(
    connect: Connect, server: Server, request: pytest.FixtureRequest
) -> None:
    appliance = remote(connect)
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
    clock = Clock(0.0, running=True)
    calls = remote(connect, clock).calls(Priority.CHECK, clock() + 900)
    server.on("POST", REMOTE_PATH, Reply(status))
    server.on("POST", "/pairings/p-2/remote-session", Reply(204))
    for added, tries in ((0, 1), (0, 1), (299, 1), (301, 2)):
        clock.now = added
        with fails(Kind.LOGIN_REFUSED, "remote user"):
            calls.ensure_remote_session("p-1")
        assert server.count("POST", REMOTE_PATH) == tries
    # Neither the local session nor another pairing suffers from it.
    assert server.logins == 1
    calls.ensure_remote_session("p-2")
    # A new local session does not make the password right.
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    calls.info()
    with fails(Kind.LOGIN_REFUSED):
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
