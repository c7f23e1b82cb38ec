"""The appliance is there, and the bot cannot come in: password, certificate, log-ins that died."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.appliance.refused_login import begin_login
from bot.request.model import State
from bot.request.problem import ProblemKind
from sandbox.appliance import SimulatedAppliance
from tests.life.outages.appliance_world import ApplianceWorld

MINUTE = 60_000
OLD = "Sandbox!1"


@pytest.fixture
def world() -> Iterator[ApplianceWorld]:
    options = {"calls_per_minute": None, "task_seconds": 0.0}
    with SimulatedAppliance(**options) as server:  # type: ignore[arg-type]
        made = ApplianceWorld(server)
        yield made
        made.close()


def password_changed(world: ApplianceWorld, to: str = "Other!2") -> None:
    world.server.set_password(to)
    world.server.expire_sessions()


# ---- the password was changed -----------------------------------------------------------------


def test_a_check_makes_one_log_in_for_everybody_and_then_rests(world: ApplianceWorld) -> None:
    password_changed(world)
    assert world.ask_for_pairing("AAAA-BBBB").state is State.REFUSED
    assert world.kind("AAAA-BBBB") is ProblemKind.LOGIN_REFUSED
    for number in range(4):
        world.ms += MINUTE
        request_id = f"CCCC-DDD{number}"
        assert world.ask_for_pairing(request_id).state is State.REFUSED
        assert world.kind(request_id) is ProblemKind.LOGIN_REST
    assert world.log_ins == 1
    password_changed(world, OLD)
    world.ms += MINUTE
    assert world.ask_for_pairing("EEEE-FFFF").state is State.PENDING
    assert world.log_ins == 2
    assert not world.server.account_locked


def test_an_approval_waits_out_the_rest_and_is_sent_once(world: ApplianceWorld) -> None:
    world.ask_for_pairing()
    before = world.log_ins
    password_changed(world)
    world.approve()
    world.settle()
    assert world.notices() == ["waits_to_send"]  # it is known to last, so it is said at once
    world.poll(59)
    assert world.log_ins == before + 1
    password_changed(world, OLD)
    world.poll(2)
    assert world.notices() == ["goes_on"]
    assert world.log_ins == before + 2
    assert world.deletes == 1
    world.poll(2)
    assert world.state() is State.SUCCEEDED


def test_an_approval_runs_out_with_two_log_ins_in_ten_minutes(world: ApplianceWorld) -> None:
    world.ask_for_pairing()
    before = world.log_ins
    password_changed(world)
    world.approve()
    world.poll(132)
    assert world.state() is State.EXPIRED
    assert world.log_ins == before + 2
    assert world.notices() == ["waits_to_send"]
    assert world.deletes == 0
    assert not world.server.account_locked


# ---- the certificate was changed --------------------------------------------------------------


@pytest.mark.parametrize("during_the_task", [False, True])
def test_it_goes_on_when_the_new_certificate_is_trusted(
    world: ApplianceWorld, during_the_task: bool
) -> None:
    world.server.hold_tasks()
    world.ask_for_pairing()
    if during_the_task:
        world.approve()
        world.settle()
        assert world.state() is State.FOLLOWING
    seen = len(world.server.calls)
    world.server.new_certificate(same_authority=False)
    if not during_the_task:
        world.approve()
    world.poll(24)
    assert len(world.server.calls) == seen
    assert world.notices() == ["waits_to_follow" if during_the_task else "waits_to_send"]
    world.server.release_tasks()
    # As after an operator has compared it and set VR_CA_FILE: a new start with new trust.
    world.new_process()
    world.poll(4)
    assert world.notices() == ["goes_on"]
    assert world.state() is State.SUCCEEDED
    assert world.deletes == 1


# ---- killed twice between log-in and first call ----------------------------------------------


def test_two_kills_after_a_log_in_refuse_nobody(world: ApplianceWorld) -> None:
    world.change_budget(begin_login)
    world.change_budget(begin_login)
    world.ms += 6_000
    assert world.ask_for_pairing().state is State.CHECKING
    world.poll(58)
    assert (world.state(), world.log_ins) == (State.CHECKING, 0)
    world.poll(2)
    assert (world.state(), world.log_ins) == (State.PENDING, 1)
    assert [code for _, code in world.answers] == ["appliance_away"]
