"""A site has another appliance than when it was asked: the bot was started with another VR_HOST."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import SiteTerms
from bot.store.queries import Overview
from tests.support.world import (
    ASKER,
    FIRST,
    PAIRING,
    FakeAppliance,
    World,
    policy,
    problem,
    snapshot,
)

SHOWN, OTHER = "vr.example.net", "other.example.net"


def started_with(world: World, host: str, appliance: FakeAppliance | None = None) -> FakeAppliance:
    """The bot starts anew with this VR_HOST; the appliance there does not know the pairing."""
    site = SiteTerms(appliance=host, poll_ms=5_000, timeout_ms=10_000)
    world.policy = policy(sites={"default": site})
    world.appliance = appliance or FakeAppliance(present=False)
    world.worker = world.new_worker()
    return world.appliance


def approved(world: World) -> FakeAppliance:
    world.click(world.pending(), "approve", FIRST)
    world.settle()
    return world.appliance


def test_what_is_followed_is_not_proved_by_another_appliance(world: World) -> None:
    shown = approved(world)
    other = started_with(world, OTHER)
    for _ in range(12):
        world.wait(5_000)
    waiting = world.get()
    assert waiting.state is State.FOLLOWING
    assert [notice.code for notice in waiting.notices] == ["waits_to_follow"]
    assert SHOWN in waiting.notices[0].text
    assert OTHER in waiting.notices[0].text
    assert other.listings == 0
    shown.end_task()
    started_with(world, SHOWN, shown)
    world.wait(10_000)
    assert world.state() is State.SUCCEEDED


def test_what_is_approved_is_not_sent_to_another_appliance(world: World) -> None:
    world.pending()
    other = started_with(world, OTHER, FakeAppliance())
    world.press("approve", FIRST)
    world.wait(31_000)
    assert world.state() is State.APPROVED
    assert [notice.code for notice in world.get().notices] == ["waits_to_send"]
    world.wait(world.get().terms.execution_ttl_ms)
    assert world.state() is State.EXPIRED
    assert other.deletes == []


def test_a_look_does_not_take_another_appliance_for_it(world: World) -> None:
    approved(world)
    started_with(world, OTHER)
    world.wait(world.get().terms.follow_ttl_ms - 5_000)
    world.wait(5_000)
    assert world.state() is State.ATTENTION
    world.press("look", ASKER)
    assert world.state() is State.ATTENTION
    assert world.answers[-1] == (ASKER, "look_failed")


def test_a_check_shows_the_appliance_that_it_has_read(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.ask()
    world.settle()
    assert world.state() is State.CHECKING
    started_with(world, OTHER, FakeAppliance())
    world.wait(2_000)
    assert world.state() is State.PENDING
    assert world.get().terms.appliance == OTHER


def unclear(world: World) -> None:
    approved(world)
    world.wait(world.get().terms.follow_ttl_ms - 5_000)
    world.wait(5_000)
    assert world.state() is State.ATTENTION


@pytest.mark.parametrize("found_as", [PAIRING.upper(), "99999999-2222-3333-4444-555555555555"])
def test_a_site_with_another_name_still_names_what_ended_unclear(
    world: World, found_as: str
) -> None:
    """By the ids of the pairing or of its two vCenters: the name is only a setting."""
    unclear(world)
    site = SiteTerms(appliance=SHOWN, poll_ms=5_000, timeout_ms=10_000)
    world.policy = policy(sites={"berlin": site})
    shown = snapshot().model_copy(update={"id": found_as})
    world.appliance = FakeAppliance(now=shown)
    world.worker = world.new_worker()
    world.put(world.ask_event(site="berlin", pairing="prague"), "BBBB-CCCC")
    world.settle()
    assert world.get("BBBB-CCCC").state is State.PENDING
    assert world.get("BBBB-CCCC").earlier_attention == "AAAA-BBBB"
    assert Overview(world.db).unclear(world.appliance.now) == world.get("AAAA-BBBB")
