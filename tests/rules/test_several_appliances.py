"""Several appliances in the worker: both ends of a pairing, none named, one that is not configured
any more, one that hangs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

from bot.request.events import Asked, CallFailed, PairingRead
from bot.request.model import ANY_SITE, State
from bot.request.pairing import (
    PairingUnresolved,
    Snapshot,
)
from bot.request.problem import ProblemKind
from bot.request.who_may import SiteTerms
from bot.store.queues import Queue
from bot.worker.find_pairings import at_once, search
from bot.worker.queue_threads import left_to_others
from tests.support.world import FIRST, PAIRING, World, policy, problem, snapshot

OTHER_ID = "99999999-2222-3333-4444-555555555555"
PATIENCE_SECONDS = 60.0
ASKED = Asked(site="", pairing="p", force=False, reason="", requester="U", team=None, channel="C")
Read = PairingRead | PairingUnresolved | CallFailed
AWAY = CallFailed(problem=problem(ProblemKind.UNSENT))


def site(name: str) -> SiteTerms:
    return SiteTerms(appliance=f"vr-{name}.example.net", poll_ms=5_000, timeout_ms=10_000)


SITES = {"berlin": site("berlin"), "prague": site("prague")}


def mirrored(of: Snapshot, pairing_id: str = OTHER_ID) -> Snapshot:
    """The same pairing as its other end tells it."""
    servers = {"local_vc": of.remote_vc, "remote_vc": of.local_vc}
    vrms = {"local_vrms": of.remote_vrms, "remote_vrms": of.local_vrms}
    return of.model_copy(update={"id": pairing_id, **servers, **vrms})


pytestmark = pytest.mark.policy(sites=SITES)


@pytest.fixture(autouse=True)
def two_ends(world: World) -> None:
    """Two appliances that are each other's remote, and call their pairing by different ids."""
    world.appliances["prague"].now = mirrored(snapshot())


def ask(world: World, at: str, request_id: str, **changes: object) -> str:
    pairing = world.appliances[at].now.id if at else PAIRING
    world.put(world.ask_event(site=at, **{"pairing": pairing, **changes}), request_id)
    world.settle()
    return request_id


# ---- both ends -----------------------------------------------------------------------------------


def test_a_second_request_through_the_other_end_is_refused(world: World) -> None:
    ask(world, "berlin", "AAAA-AAAA")
    ask(world, "prague", "BBBB-BBBB")
    assert world.state("AAAA-AAAA") is State.PENDING
    refused = world.get("BBBB-BBBB")
    assert refused.state is State.REFUSED
    assert refused.outcome is not None
    assert (refused.outcome.code, refused.outcome.lines) == (
        "pairing_taken",
        ("AAAA-AAAA", "berlin"),
    )


def test_after_a_one_sided_break_the_other_end_may_be_asked_for(world: World) -> None:
    """Which is what a one-sided break needs."""
    ask(world, "berlin", "AAAA-AAAA", force=True)
    world.press("approve", FIRST, "AAAA-AAAA")
    world.appliance.end_task()
    world.wait(6_000)
    assert world.state("AAAA-AAAA") is State.SUCCEEDED
    ask(world, "prague", "BBBB-BBBB", force=True)
    assert world.state("BBBB-BBBB") is State.PENDING


# ---- none named ----------------------------------------------------------------------------------


def test_a_pairing_alone_is_found_at_the_one_that_has_it(world: World) -> None:
    world.appliances["prague"].present = False
    ask(world, "", "AAAA-AAAA", pairing="prague")
    found = world.get("AAAA-AAAA")
    assert (found.state, found.site) == (State.PENDING, "berlin")
    assert found.terms.appliance == "vr-berlin.example.net"
    world.press("approve", FIRST, "AAAA-AAAA")
    assert world.appliances["berlin"].deletes == [(PAIRING, False)]
    assert world.appliances["prague"].deletes == []


@dataclass
class Answers:
    answer: Read

    def find_and_read(self, asked: str, by: float) -> Read:
        return self.answer


HIT, NONE = PairingRead(snapshot=snapshot()), PairingUnresolved(why="none")
PARTIAL = PairingUnresolved(why="partial", candidates=("x",))
TWO = PairingUnresolved(why="several", candidates=("one (1)", "two (2)"))


@pytest.mark.parametrize(
    ("asked", "berlin", "prague", "why"),
    [
        ("lyon", NONE, NONE, "none"),
        ("lyon", HIT, AWAY, "unread"),
        ("lyon", NONE, AWAY, "unread"),
        ("lyon", AWAY, AWAY, "unread"),
        ("lyon", TWO, NONE, "several"),
        ("lyon", HIT, TWO, "several"),
        ("lyon", PairingUnresolved(why="self", candidates=("x",)), NONE, "self"),
        ("lyon", HIT, PARTIAL, "partial"),
        ("lyon", PARTIAL, NONE, "partial"),
        ("lyon", PARTIAL, PARTIAL, "partial"),
        ("lyon", PARTIAL, AWAY, "unread"),
        ("lyon", PARTIAL, TWO, "several"),
        (PAIRING, HIT, AWAY, None),
        ("lyon", HIT, NONE, None),
    ],
)
def test_what_is_found_at_all_together(
    asked: str, berlin: Read, prague: Read, why: str | None
) -> None:
    both = {"berlin": Answers(berlin), "prague": Answers(prague)}
    found = search(asked, both, 30.0, monotonic=lambda: 0.0)  # type: ignore[arg-type]
    if isinstance(found, PairingRead):
        assert why is None
        assert found.found_at == "berlin"
    else:
        assert found.why == why
        assert bool(found.unread) == (why == "unread")
        assert all("/" in candidate for candidate in found.candidates)


# ---- not configured any more ---------------------------------------------------------------------


def only(world: World, *names: str) -> None:
    """The bot starts anew with these appliances alone."""
    world.policy = policy(sites={name: SITES[name] for name in names})
    world.appliance = world.appliances[names[0]]
    world.worker = world.new_worker()


def test_a_new_request_for_a_site_that_is_gone_is_refused(world: World) -> None:
    only(world, "prague")
    ask(world, "berlin", "AAAA-AAAA")
    ask(world, "prague", "BBBB-BBBB")
    refused = world.get("AAAA-AAAA")
    assert refused.outcome is not None
    assert (refused.state, refused.outcome.code) == (State.REFUSED, "pairing_no_site")
    assert world.state("BBBB-BBBB") is State.PENDING, "and nobody else waits for it"


def test_an_approved_one_waits_and_says_so_and_nothing_is_sent(world: World) -> None:
    ask(world, "berlin", "AAAA-AAAA")
    only(world, "prague")
    world.press("approve", FIRST, "AAAA-AAAA")
    world.wait(31_000)
    waiting = world.get("AAAA-AAAA")
    assert waiting.state is State.APPROVED
    assert [n.code for n in waiting.notices] == ["waits_to_send"]
    assert f"{SITES['berlin'].appliance}, and the settings of this bot name none" in (
        waiting.notices[0].text
    )
    world.wait(waiting.terms.execution_ttl_ms)
    assert world.state("AAAA-AAAA") is State.EXPIRED
    assert [a.deletes for a in world.appliances.values()] == [[], []]


# ---- one that hangs ------------------------------------------------------------------------------


@pytest.mark.parametrize(("sites", "pairs"), [(1, [1, 1, 1]), (2, [3, 1, 2]), (50, [8, 1, 8])])
def test_each_site_has_threads_in_each_queue(sites: int, pairs: list[int]) -> None:
    named = [f"site{number}" for number in range(sites)]
    for queue, count in zip(Queue, pairs, strict=True):
        shares = left_to_others(queue, named)
        assert len(shares) == count
        for site in (*named, ANY_SITE, "no longer in the settings"):
            assert any(site not in left for left in shares)


def test_one_that_does_not_answer_is_waited_for_until_the_deadline_and_no_longer() -> None:
    hold, deadlines = threading.Event(), []

    def hangs(by: float) -> Asked | CallFailed:
        deadlines.append(by)
        assert hold.wait(PATIENCE_SECONDS)
        return ASKED

    began = time.monotonic()
    answers = at_once({"berlin": hangs, "prague": lambda by: ASKED}, began + 30.0, seconds=0.05)
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    hold.set()
    assert [answer.kind for answer in answers.values()] == ["call_failed", "asked"]
    assert [by - began < 15 for by in deadlines] == [True]


def test_an_error_of_one_is_the_error_of_all() -> None:
    def broken(by: float) -> CallFailed:
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        at_once({"berlin": broken, "prague": lambda by: AWAY}, float("inf"))
