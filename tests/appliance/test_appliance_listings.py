"""Lists: all pages, always an end, never a part shown as the whole; and the lookups in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget, Priority, ceiling, count
from bot.request.events import CallFailed, PairingRead
from bot.request.lookup_results import ListedPairing
from bot.request.pairing import PairingUnresolved
from bot.request.problem import ProblemKind as Kind
from sandbox.appliance import Answer, SimulatedAppliance
from tests.appliance.clients import client_of_simulated
from tests.appliance.small_server import Reply, Seen, Server, fails

PATH = "/pairings/p-1/replications"
Serve = Callable[[Seen], Reply]


def replications(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"r-{n}", "name": f"vm{n}"} for n in range(first, first + count)]


def paged(items: list[dict[str, Any]], *, cap: int = 1000, **meta: Any) -> Serve:
    """An appliance that keeps limit and offset, and gives at most `cap` items at once. Nobody must
    follow its links."""

    def serve(seen: Seen) -> Reply:
        limit, offset = (int(seen.query[name][0]) for name in ("limit", "offset"))
        page = items[offset : offset + min(limit, cap)]
        links = {"next": {"href": "https://127.0.0.1:1/steal"}}
        return Reply(200, {"list": page, "_meta": {"total": len(items), "links": links, **meta}})

    return serve


def read(appliance: Appliance, server: Server, serve: Serve) -> Any:
    server.seen.clear()
    server.on_call("GET", PATH, serve)
    return appliance.calls(Priority.CHECK).replications("p-1")


def pages(server: Server) -> list[tuple[str, str]]:
    return [(s.query["limit"][0], s.query["offset"][0]) for s in server.seen if s.path == PATH]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 1234])
@pytest.mark.parametrize("cap", [1000, 100, 70])
def test_all_pages(appliance: Appliance, server: Server, count: int, cap: int) -> None:
    found = read(appliance, server, paged(replications(count), cap=cap))
    assert [item.id for item in found.items] == [f"r-{n}" for n in range(count)]
    assert not found.partial
    assert len(pages(server)) <= 1 + count / min(cap, 100)
    assert pages(server)[0] == ("100", "0")


def test_a_large_site_is_read_within_a_minute_of_calls(
    connect: Callable[..., Appliance], server: Server
) -> None:
    appliance = connect(budget=MemoryBudget(40))
    assert len(read(appliance, server, paged(replications(4000))).items) == 4000


def test_an_appliance_that_gives_no_large_page(appliance: Appliance, server: Server) -> None:
    serve = paged(replications(350))

    def strict(seen: Seen) -> Reply:
        return Reply(400) if int(seen.query["limit"][0]) > 100 else serve(seen)

    for kept_small, items, tried in (
        (strict, 350, ["100", "500", "100", "100", "100"]),
        (paged(replications(600), cap=250), 600, ["100", "500", "250"]),
    ):
        found = read(appliance, server, kept_small)
        assert (len(found.items), found.partial) == (items, False)
        assert [limit for limit, _ in pages(server)] == tried
    with fails(Kind.REFUSED):
        read(appliance, server, lambda _: Reply(400))


def test_pages_are_counted_together_before_they_are_read(
    connect: Callable[..., Appliance], server: Server
) -> None:
    """Where there is no room for all of them no further one is read."""
    budget = MemoryBudget(1000)
    appliance = connect(budget=budget)
    assert len(read(appliance, server, paged(replications(1000))).items) == 1000
    assert len(pages(server)) == 3
    others = 1000 - len(budget.state.calls_ms) - 2
    budget.change(lambda state, now: count(state, now, others))
    server.seen.clear()
    with fails(Kind.OVER_BUDGET):
        appliance.calls(Priority.ACT).replications("p-1")
    assert len(pages(server)) == 1


@pytest.mark.parametrize("count", [0, 1, 100, 250])
def test_without_a_total(appliance: Appliance, server: Server, count: int) -> None:
    found = read(appliance, server, paged(replications(count), cap=100, total=None))
    assert (len(found.items), found.partial) == (count, False)


def test_an_appliance_that_ignores_offset(appliance: Appliance, server: Server) -> None:
    whole = replications(100)
    found = read(appliance, server, lambda _: Reply(200, {"list": whole, "_meta": {}}))
    assert (len(found.items), found.partial) == (100, False)
    # It announces more and always gives the same: the reader must be told.
    for total in (101, 250, 10**9):
        found = read(
            appliance, server, lambda _, n=total: Reply(200, {"list": whole, "_meta": {"total": n}})
        )
        assert (len(found.items), found.partial) == (100, True)
        assert f"{total} were announced and 100 listed" in str(found.errors[0].message)
        assert len(pages(server)) == 2


def test_an_endless_list_ends(
    appliance: Appliance, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.appliance.listing.ITEMS_MAX", 300)

    def endless(seen: Seen) -> Reply:
        return Reply(200, {"list": replications(100, int(seen.query["offset"][0]))})

    found = read(appliance, server, endless)
    assert (len(found.items), found.partial) == (300, True)


def test_a_list_that_moves_while_it_is_read(appliance: Appliance, server: Server) -> None:
    # One item is inserted in front between the pages: r-99 comes twice, with another state.
    first, second = replications(100), [{"id": "r-99", "name": "renamed"}, *replications(50, 100)]
    answers = [first, second]
    found = read(
        appliance,
        server,
        lambda _: Reply(200, {"list": answers.pop(0), "_meta": {"total": 151}}),
    )
    assert len({item.id for item in found.items}) == len(found.items) == 150
    assert found.partial


def test_errors_of_all_pages_are_kept_once(appliance: Appliance, server: Server) -> None:
    down = {"code": "DOWN", "message": "remote site", "field": "$.list"}
    own = [{"code": f"P{n}"} for n in range(3)]
    items = replications(250)

    def serve(seen: Seen) -> Reply:
        offset = int(seen.query["offset"][0])
        errors = [down, own[offset // 100]]
        meta = {"errors": errors, "total": 250}
        return Reply(200, {"list": items[offset : offset + 100], "_meta": meta})

    found = read(appliance, server, serve)
    assert found.partial
    assert [e.code for e in found.errors] == ["DOWN", "P0", "P1", "P2"]
    assert (found.errors[0].message, found.errors[0].field) == ("remote site", "$.list")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"list": None},
        {"list": {}},
        [],
        {"_meta": {"total": 1}},
        {"list": [{}]},
        {"list": ["x"]},
        {"list": [{"id": 3}]},
        {"list": [*replications(1), {"id": ".."}]},
    ],
)
def test_what_is_no_list(appliance: Appliance, server: Server, body: object) -> None:
    with fails(Kind.NOT_UNDERSTOOD):
        read(appliance, server, lambda _: Reply(200, body))


def test_every_collection(appliance: Appliance, server: Server) -> None:
    found = read(appliance, server, lambda _: Reply(200, {"_meta": {"total": 0}}))
    assert (found.items, found.partial) == ((), False), "an empty list may be left out"
    calls = appliance.calls(Priority.CHECK)
    server.on("GET", "/pairings", Reply(200, {"list": [{"pairing_id": "p-1"}]}))
    server.on("GET", "/tasks", Reply(200, {"list": [{"id": "t:1", "status": "RUNNING"}]}))
    twice = [{"description": "same"}, {"description": "same"}]
    server.on("GET", "/pairings/p-1/issues", Reply(200, {"list": twice, "_meta": {"total": 2}}))
    assert [p.id for p in calls.pairings().items] == ["p-1"]
    assert [t.id for t in calls.tasks()] == ["t:1"]
    # Issues have no id: two alike are two.
    assert (len(calls.issues("p-1").items), calls.issues("p-1").partial) == (2, False)


def test_one_of_each(appliance: Appliance, server: Server) -> None:
    calls = appliance.calls(Priority.CHECK)
    server.on("GET", "/pairings/p-1", Reply(200, {"pairing_id": "P-1"}))
    server.on("GET", "/pairings/p-1/replications/count", Reply(200, {"count": 7}))
    assert calls.pairing("p-1").id == "P-1"  # UUIDs come in either case
    assert calls.replication_count("p-1") == 7
    server.on("GET", "/pairings/p-1/replications/count", Reply(200, {"count": "7"}))
    with fails(Kind.NOT_UNDERSTOOD, match="count"):
        calls.replication_count("p-1")
    server.on("GET", "/pairings/p-2", Reply(200, {"pairing_id": "p-1"}))
    with fails(Kind.NOT_UNDERSTOOD, match="another pairing"):
        calls.pairing("p-2")


def test_ids_are_one_part_of_the_path(appliance: Appliance, server: Server) -> None:
    calls = appliance.calls(Priority.CHECK)
    for pairing_id in ("a:b:c", "a/../b", "a?force=true", "a#b", "a%2Fb", "ä b"):
        with fails(Kind.NOT_UNDERSTOOD):
            calls.replication_count(pairing_id)
    assert [s.path for s in server.seen if s.path != "/session"] == [
        "/pairings/a%3Ab%3Ac/replications/count",
        "/pairings/a%2F..%2Fb/replications/count",
        "/pairings/a%3Fforce%3Dtrue/replications/count",
        "/pairings/a%23b/replications/count",
        "/pairings/a%252Fb/replications/count",
        "/pairings/%C3%A4%20b/replications/count",
    ]
    assert all(not s.query for s in server.seen)
    server.seen.clear()
    for nothing in ("", ".", "..", " ", "a\nb", "\ud800", "x" * 2000):
        with fails(Kind.NOT_FOUND):
            calls.pairing(nothing)
    assert server.seen == []


# ---- lookups: what each costs, and what is said of a list that misses some -----------------------

PER_MINUTE = 40
NOWHERE = "dddddddd-0000-0000-0000-000000000009"
BY = 1e9  # the effects of these tests have all the time
GAP = {"code": "PARTIAL", "message": "Some pairings could not be read.", "field": "$.list"}


@pytest.fixture
def limited(simulated: SimulatedAppliance) -> Iterator[Appliance]:
    client = client_of_simulated(simulated, budget=MemoryBudget(PER_MINUTE))
    yield client
    client.close()


@pytest.fixture
def port(limited: Appliance) -> Appliance:
    return limited.for_lookups()


def _list(port: Appliance, most: int) -> tuple[ListedPairing, ...]:
    found = port.list_pairings(BY, count_at_most=most)
    assert not isinstance(found, CallFailed), found
    return found[0]


def test_few_pairings_are_counted_and_many_are_not(
    simulated: SimulatedAppliance, port: Appliance
) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome", replications=3)
    two = simulated.add_pairing(local="oslo", remote="riga", replications=5)
    counted = {item.pairing.id: item.replications for item in _list(port, 2)}
    assert counted == {one: 3, two: 5}
    assert {(item.replications, item.uncounted) for item in _list(port, 1)} == {(None, False)}
    simulated.fail("GET", f"/pairings/{one}/replications/count", Answer(500), times=None)
    assert {(item.replications, item.uncounted) for item in _list(port, 2)} == {(None, True)}


def test_lookups_stop_where_checks_still_go_on(port: Appliance, limited: Appliance) -> None:
    made = 0
    while not isinstance(found := port.list_pairings(BY, count_at_most=0), CallFailed):
        made += 1
        assert made <= PER_MINUTE
    assert made == ceiling(Priority.LOOKUP, PER_MINUTE) - 1, "and one log-in"
    for refused in (found, port.find_and_read("vcenter-rome", BY)):
        assert isinstance(refused, CallFailed)
        assert refused.problem.kind is Kind.OVER_BUDGET
        assert refused.problem.retry_at is not None
    assert limited.calls(Priority.CHECK, BY).pairings().items == ()


# ---- pairings that are missing from the list in which one is looked for --------------------------


def find(port: Appliance, asked: str) -> str:
    """The id of the pairing, or why there is none."""
    found = port.find_and_read(asked, BY)
    assert isinstance(found, PairingRead | PairingUnresolved), found
    return found.snapshot.id if isinstance(found, PairingRead) else found.why


def test_an_id_is_found_whether_it_is_listed_or_not(
    port: Appliance, simulated: SimulatedAppliance
) -> None:
    listed = simulated.add_pairing(local="oslo", remote="rome")
    missing = simulated.add_pairing(local="oslo", remote="rome-2")
    body = json.dumps({"list": [{"pairing_id": listed}], "_meta": {"total": 1, "errors": [GAP]}})
    itself = simulated.add_self_pairing("oslo")
    for asked, found in (
        ("rome", "partial"),  # a missing one may have that name too
        (f" {listed} ", listed),
        (f" {missing} ", missing),
        (NOWHERE, "none"),
        (itself, "self"),
    ):
        simulated.fail("GET", "/pairings", Answer(200, body=body))
        assert find(port, asked) == found


def test_a_remote_site_that_is_away_hides_no_pairing(
    port: Appliance, simulated: SimulatedAppliance
) -> None:
    """The list says so of each such site all the time: names must be understood then above all."""
    one = simulated.add_pairing(local="oslo", remote="riga")
    simulated.set_remote_down(one)
    assert find(port, "vcenter-riga") == one
    found = port.list_pairings(BY, count_at_most=0)
    assert not isinstance(found, CallFailed)
    assert found[1] == ()
