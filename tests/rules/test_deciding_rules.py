"""The rule of approval as a property: any people, rights that change, clicks in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.request.absorb import absorb
from bot.request.checking import begin
from bot.request.events import (
    CardPosted,
    CardRefused,
    Clicked,
    Event,
    PairingRead,
    RightsRead,
    RightsToAskRead,
    Stored,
)
from bot.request.messages import messages
from bot.request.model import Request, State, Terms
from bot.request.plan import ReadRights, plan
from bot.request.who_may import Reason, Verdict
from tests.rules.samples import CHANNEL, asked, snapshot

PEOPLE = ["U0ASKER", "U0A", "U0B", "U0C", "U0D"]
YES, NO = Verdict(reason=Reason.YES), Verdict(reason=Reason.NOT_LISTED)

CARDED = CardPosted(ts="1.0")


@dataclass(frozen=True)
class Click:
    by: str
    with_right: bool
    tampered: bool


clicks = st.lists(
    st.builds(
        Click,
        by=st.sampled_from(PEOPLE),
        with_right=st.booleans(),
        tampered=st.integers(0, 9).map(lambda n: n == 0),
    ),
    max_size=14,
)


def pending(needed: int, carded: Event = CARDED) -> Request:
    """`carded`: what became of its card; by default it stands, and decisions are awaited."""
    terms = Terms(
        approvals_required=needed,
        approval_ttl_ms=3_600_000,
        execution_ttl_ms=600_000,
        follow_ttl_ms=86_400_000,
        remind_after_ms=0,
        poll_ms=5_000,
        timeout_ms=10_000,
        dry_run=False,
        notify=(),
    )
    request = begin(Stored(number=1, at=0, event=asked()), "AAAA-BBBB", terms, 0).request
    for event in (
        RightsToAskRead(requester=YES, channel_allowed=True, possible_approvers=9),
        PairingRead(snapshot=snapshot()),
        carded,
    ):
        request = absorb(request, Stored(at=0, event=event), 0).request
    return request


@settings(max_examples=400, deadline=None)
@given(needed=st.integers(1, 3), history=clicks)
def test_approved_exactly_when_enough_different_people_with_the_right_said_yes(
    needed: int, history: list[Click]
) -> None:
    """Against a model in five lines: rights are those of the last time somebody's were read."""
    request = pending(needed)
    rights: dict[str, bool] = {}
    yes: set[str] = set()
    for number, click in enumerate(history, start=2):
        rights[click.by] = click.with_right
        request = _click(request, number, click)
        if request.state is State.PENDING or _decides(request, number):
            counted = not click.tampered and click.by != "U0ASKER" and click.by not in yes
            if counted and plan_reads(request, click):
                request = _read(request, number, rights)
                yes = {who for who in yes if rights[who]} if click.with_right else yes
                if click.with_right:
                    yes.add(click.by)
        assert {d.by for d in request.approvals} == yes
        assert "U0ASKER" not in {d.by for d in request.approvals}
        assert (request.state is State.APPROVED) == (len(yes) >= needed)
        if request.state is not State.PENDING:
            return


@pytest.mark.parametrize(
    ("action", "matters"), [("approve", False), ("deny", True), ("break_glass", True)]
)
def test_who_comes_too_late_with_a_form_is_told_whatever_became_of_its_address(
    action: Literal["approve", "deny", "break_glass"], matters: bool
) -> None:
    """A form may be sent hours after it was opened, and the address to answer to is of then."""
    request = pending(1)
    first = Click(by="U0A", with_right=True, tampered=False)
    request = _read(_click(request, 2, first), 2, {"U0A": True})
    assert request.state is State.APPROVED
    late = Clicked(
        action=action,
        by="U0B",
        team="T",
        fingerprint=request.fingerprint or "",
        channel=CHANNEL,
        message_ts="1.0",
        ours=True,
        reason="the sync is still running",
    )
    (answer,) = absorb(request, Stored(number=3, at=3, event=late), 3).answers
    assert (answer.code, answer.matters) == ("already_decided", matters)


def test_a_card_whose_post_was_refused_and_stands_all_the_same_is_taken_for_it() -> None:
    """Slack took the first post and its answer was lost; the next was refused. Whoever presses a
    button of it hears how it ended, and the card says so from then on."""
    refused = pending(1, CardRefused(error="is_archived"))
    assert (refused.state, refused.card_ts) == (State.REFUSED, None)
    click = Click(by="U0A", with_right=True, tampered=False)
    pressed = _click(refused, 2, click)
    assert (pressed.state, pressed.card_ts, pressed.strays) == (State.REFUSED, "1.0", ())
    assert [m.slot for m in messages(pressed, 2)] == ["card"]


def test_the_answer_to_an_approval_tells_whose_it_is() -> None:
    """By the time it is drawn, rights may have been read again and that approval be gone."""
    clicked = _click(pending(1), 2, Click(by="U0A", with_right=True, tampered=False))
    read = RightsRead(verdicts={"U0A": YES}, dry_run=False, approvals_required=1)
    (answer,) = absorb(clicked, Stored(at=3, event=read), 3).answers
    assert (answer.code, answer.params) == ("approval_counted", {"by": "U0A"})


def plan_reads(request: Request, click: Click) -> bool:
    effect = plan(request, 10)
    return isinstance(effect, ReadRights) and effect.people[0] == click.by


def _decides(request: Request, number: int) -> bool:
    return any(c.event == number for c in request.clicks)


def _click(request: Request, number: int, click: Click) -> Request:
    event = Clicked(
        action="approve",
        by=click.by,
        team="T",
        fingerprint="0" * 16 if click.tampered else request.fingerprint or "",
        channel=CHANNEL,
        message_ts="1.0",
        ours=True,
    )
    return absorb(request, Stored(number=number, at=number, event=event), number).request


def _read(request: Request, number: int, rights: dict[str, bool]) -> Request:
    effect = plan(request, number)
    assert isinstance(effect, ReadRights)
    verdicts = {who: YES if rights[who] else NO for who in effect.people}
    read = RightsRead(
        verdicts=verdicts,
        dry_run=False,
        approvals_required=request.terms.approvals_required,
    )
    return absorb(request, Stored(at=number, event=read), number).request
