"""An appliance that was taken over: what it may fill, and what is left of what it says."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Priority
from bot.appliance.http_answers import VALUES_MAX
from bot.appliance.listing import ERRORS_MAX
from bot.appliance.models import TEXT_LENGTH_MAX, WORDS_LENGTH_MAX
from bot.appliance.tls import ANSWER_MAX_BYTES
from bot.request.events import PairingRead
from bot.request.pairing import PairingUnresolved
from bot.request.problem import ProblemKind as Kind
from tests.appliance import hostile
from tests.appliance.clients import PASSWORD
from tests.appliance.small_server import Reply, Server, fails

MOST_MEGABYTES = 200
"""Of the whole bot under any of these answers."""

GROUPS = 3


@pytest.mark.parametrize("group", range(GROUPS))
def test_none_fills_the_memory_and_another_appliance_is_served_meanwhile(
    server: Server, ca_file: Path, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in = Reply(200, {"session_id": "token"})
    monkeypatch.setattr(server, "answer", lambda seen: hostile.answer(seen, logged_in))
    numbers = [str(number) for number in hostile.NUMBERS][group::GROUPS]
    command = [sys.executable, "-m", "tests.appliance.hostile", server.host, str(ca_file), *numbers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(numbers)
    for each in told:
        assert each["peak"] < MOST_MEGABYTES, each
        assert each["honest"], each


def info(appliance: Appliance) -> str | None:
    return appliance.calls(Priority.CHECK).info().name


def test_an_answer_as_large_as_may_be_is_read_and_a_larger_one_is_not(
    appliance: Appliance, server: Server
) -> None:
    room = ANSWER_MAX_BYTES - 1_000
    server.on("GET", "/info", Reply(200, b'{"name":"vr"' + b" " * room + b"}"))
    assert info(appliance) == "vr"
    server.on("GET", "/info", Reply(200, b'{"name":"vr"' + b" " * (room + 2_000) + b"}"))
    with fails(Kind.NOT_UNDERSTOOD, match="far too many bytes"):
        info(appliance)
    # Nothing is left in the connection that the next call could take for its own answer.
    server.on("GET", "/info", Reply(200, {"name": "vr"}))
    assert info(appliance) == "vr"


def test_nothing_is_asked_for_packed_and_nothing_is_unpacked(
    appliance: Appliance, server: Server
) -> None:
    packed = gzip.compress(b"[" + b" " * 20_000_000 + b"]", 9)
    server.on("GET", "/info", Reply(200, packed, headers={"Content-Encoding": "gzip"}))
    with fails(Kind.NOT_UNDERSTOOD, match="not JSON"):
        info(appliance)
    assert {seen.headers["accept-encoding"] for seen in server.seen} == {"identity"}


def test_more_values_than_anybody_sends_are_not_taken_apart(
    appliance: Appliance, server: Server
) -> None:
    server.on("GET", "/info", Reply(200, b'{"name":"vr","x":[' + b"0," * (VALUES_MAX - 3) + b"0]}"))
    assert info(appliance) == "vr"
    server.on("GET", "/info", Reply(200, b'{"name":"vr","x":[' + b"0," * (VALUES_MAX - 2) + b"0]}"))
    with fails(Kind.NOT_UNDERSTOOD, match="not JSON"):
        info(appliance)


def test_a_name_of_two_megabytes_goes_no_further_than_its_beginning(
    appliance: Appliance, server: Server
) -> None:
    long = "x" * (2 * 1024 * 1024)
    ends = {end: {"id": end, "name": long} for end in ("local_vc_server", "remote_vc_server")}
    meta = {"total": 1, "errors": [{"code": "C", "field": "$.list[0].remote_vrms"}]}
    server.on(
        "GET", "/pairings", Reply(200, {"list": [{"pairing_id": "p-1", **ends}], "_meta": meta})
    )
    server.on("GET", "/pairings/p-1/replications/count", Reply(200, {"count": 1}))
    vm = {"id": "r-1", "name": long, "recovery_solution": long}
    server.on("GET", "/pairings/p-1/replications", Reply(200, {"list": [vm]}))
    issue = {"entity_name": long, "description": long}
    server.on("GET", "/pairings/p-1/issues", Reply(200, {"list": [issue]}))
    read = appliance.find_and_read("p-1", by=1e9)
    assert isinstance(read, PairingRead)
    assert read.snapshot.local_vc.name == "x" * TEXT_LENGTH_MAX
    assert len(read.model_dump_json()) < 30_000


def test_what_an_error_says_is_cut_and_holds_no_part_of_a_secret(
    appliance: Appliance, server: Server
) -> None:
    """The cut goes through the password, which may stand anywhere."""
    before = WORDS_LENGTH_MAX - len(PASSWORD) // 2
    server.on("GET", "/info", Reply(500, {"message": "x" * before + PASSWORD + "y" * 3_000_000}))
    with fails(Kind.SERVER_ERROR) as caught:
        info(appliance)
    assert caught.value.message == ("x" * before + "…" + "y" * WORDS_LENGTH_MAX)[:WORDS_LENGTH_MAX]


def test_a_page_with_more_than_was_asked_for_counts_as_what_was(
    connect: Callable[..., Appliance], server: Server
) -> None:
    asked = []

    def too_many(seen: object) -> Reply:
        query = seen.query  # type: ignore[attr-defined]
        first = int(query["offset"][0])
        asked.append((first, int(query["limit"][0])))
        items = [{"id": f"r-{first + n}"} for n in range(2_000)]
        return Reply(200, {"list": items, "_meta": {"total": 1_000}})

    server.on_call("GET", "/pairings/p-1/replications", too_many)
    listed = connect().calls(Priority.CHECK).replications("p-1")
    assert [item.id for item in listed.items] == [f"r-{n}" for n in range(1_100)]
    assert asked == [(0, 100), (100, 500), (600, 500)]


def test_a_list_that_complains_more_than_is_read_is_not_taken_for_whole(
    appliance: Appliance, server: Server
) -> None:
    """That a pairing does not exist is said only of a list that can miss none."""
    known = [{"code": f"C{n}", "field": "$.list[0].remote_vrms"} for n in range(ERRORS_MAX)]
    pairing = {"pairing_id": "p-1"}
    for more, why in ((0, "none"), (1, "partial")):
        errors = [*known, *[{"code": "LAST", "field": "$.list"}] * more]
        meta = {"total": 1, "errors": errors}
        server.on("GET", "/pairings", Reply(200, {"list": [pairing], "_meta": meta}))
        found = appliance.find_and_read("p-2", by=1e9)
        assert isinstance(found, PairingUnresolved)
        assert found.why == why
    listed = appliance.calls(Priority.CHECK).pairings()
    assert len(listed.errors) == ERRORS_MAX + 1
