"""A click that comes late, finds a lost card, or is answered later: `absorb` alone."""

from __future__ import annotations

import pytest

from bot.request.absorb import absorb
from bot.request.events import CardRefused, RightsRead, Stored
from bot.request.messages import messages
from bot.request.model import Request, State
from tests.rules.samples import YES, clicked, happens, pending


def approval(request: Request) -> Request:
    return happens(request, clicked(request, "approve", "U0A"), number=2, at=2)


READ = RightsRead(verdicts={"U0A": YES}, dry_run=False, approvals_required=1)


@pytest.mark.parametrize(
    ("action", "matters"), [("approve", False), ("deny", True), ("break_glass", True)]
)
def test_who_comes_too_late_with_a_form_is_told_whatever_became_of_its_address(
    action: str, matters: bool
) -> None:
    """A form may be sent hours after it was opened, and the address to answer to is of then."""
    request = happens(approval(pending()), READ, at=2)
    assert request.state is State.APPROVED
    late = clicked(request, action, "U0B", reason="the sync is still running")
    (answer,) = absorb(request, Stored(number=3, at=3, event=late), 3).answers
    assert (answer.code, answer.matters) == ("already_decided", matters)


def test_a_card_whose_post_was_refused_and_stands_all_the_same_is_taken_for_it() -> None:
    """Slack took the first post and its answer was lost; the next was refused. Whoever presses a
    button of it hears how it ended, and the card says so from then on."""
    refused = pending(CardRefused(error="is_archived"))
    assert (refused.state, refused.card_ts) == (State.REFUSED, None)
    pressed = approval(refused)
    assert (pressed.state, pressed.card_ts, pressed.strays) == (State.REFUSED, "1.0", ())
    assert [m.slot for m in messages(pressed, 2)] == ["card"]


def test_the_answer_to_an_approval_tells_whose_it_is() -> None:
    """By the time it is drawn, rights may have been read again and that approval be gone."""
    (answer,) = absorb(approval(pending()), Stored(at=3, event=READ), 3).answers
    assert (answer.code, answer.params) == ("approval_counted", {"by": "U0A"})
