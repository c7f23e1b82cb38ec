"""The head of the audit trail in the final reply and in a correction."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from bot.request.model import Outcome, Request, State, Witness
from bot.slack.draw.message import draw
from tests.slack.cards.hostile import requests
from tests.slack.cards.samples import BY_STATE
from tests.slack.cards.slack_checker import problems, strings

WITNESS = Witness(number=1204, hash="0123456789abcdef" * 4)
LATER = Witness(number=1310, hash="fedcba9876543210" * 4)
WORDS = "Audit trail: record 1204, head `0123456789abcdef`."


def witnessed(request: Request) -> Request:
    return request.model_copy(update={"ended_in": WITNESS})


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_it_stands_whole_however_much_else_is_said(request: Request) -> None:
    shown = draw(witnessed(request), "final")
    assert problems(shown) == []
    assert [s for s in strings(list(shown.blocks)) if s == WORDS] == [WORDS]


def test_it_is_read_aloud_last() -> None:
    assert draw(witnessed(BY_STATE[State.SUCCEEDED]), "final").text.endswith(f"\n{WORDS}")


def test_a_correction_has_its_own_and_leaves_the_first_reply_as_it_is() -> None:
    first = witnessed(BY_STATE[State.ATTENTION])
    corrected = first.model_copy(
        update={
            "state": State.SUCCEEDED,
            "correction": Outcome(code="look_gone"),
            "corrected_in": LATER,
        }
    )
    assert WORDS in draw(corrected, "final").text
    reply = draw(corrected, "correction").text
    assert "record 1310, head `fedcba9876543210`." in reply
    assert WORDS not in reply


def test_without_a_record_nothing_is_said_of_it() -> None:
    assert "head" not in draw(BY_STATE[State.SUCCEEDED], "final").text
