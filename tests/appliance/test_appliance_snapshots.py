"""What the core is told of answers that are not whole."""

from __future__ import annotations

import pytest

from bot.appliance import models
from bot.appliance.appliance import snapshot
from bot.appliance.listing import Listing, MetaError
from bot.appliance.models import Replicated
from bot.request.fingerprint import differences
from bot.request.pairing import Pairing, Server

AWAY = MetaError(
    code="REMOTE_SITE_UNREACHABLE", message="The remote site cannot be reached.", field="$.list"
)
FOUND = Pairing(
    id="p1", local_vc=Server(), remote_vc=Server(), local_vrms=Server(), remote_vrms=Server()
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AWAY, "The remote site cannot be reached (REMOTE_SITE_UNREACHABLE)"),
        (MetaError(message="It is away."), "It is away."),
        (MetaError(code="a.b.CODE."), "a.b.CODE."),
        (MetaError(), "part of the answer is missing"),
    ],
)
def test_a_gap_is_one_line_with_the_code_as_it_came(error: MetaError, words: str) -> None:
    assert error.words == words


def test_one_cause_in_two_lists_is_said_once() -> None:
    made = snapshot(FOUND, 0, Listing(errors=(AWAY,)), Listing(errors=(AWAY,)), (), now=1)
    assert made.partial == (AWAY.words,)
    assert not made.complete


def test_replications_are_kept_with_id_and_name_the_first_of_them_by_name() -> None:
    items = [Replicated(f"r{n}", f"vm-{9_999 - n}") for n in range(1_200)]
    items.append(models.replicated({"id": "nameless"}))
    made = snapshot(FOUND, 1_201, Listing(items=tuple(items)), Listing(), (), now=1)
    assert len(made.replications) == 1_000
    first = made.replications[0]
    assert (first.id, first.name) == ("nameless", "nameless")
    assert (made.replications[1].id, made.replications[1].name) == ("r1199", "vm-8800")
    assert not made.all_named
    few = snapshot(FOUND, 2, Listing(items=tuple(items[:2])), Listing(), (), now=1)
    assert few.all_named


FEWER = MetaError(message="4 announced", ours=True)
LISTED = tuple(Replicated(f"r{n}", f"r{n}") for n in range(3))
WHOLE = Listing[Replicated](items=LISTED)


@pytest.mark.parametrize(
    ("listed", "counted", "down"),
    [
        (WHOLE, 4, False),
        (
            Listing[Replicated](items=LISTED, errors=(FEWER,)),
            4,
            False,
        ),
        (Listing[Replicated](items=LISTED, errors=(AWAY,)), 3, True),
        (
            Listing[Replicated](items=LISTED, errors=(AWAY, FEWER)),
            4,
            True,
        ),
    ],
)
def test_only_the_appliances_own_word_makes_a_remote_site_unreachable(
    listed: Listing[Replicated], counted: int, down: bool
) -> None:
    """A list that moved while it was read is no reason for a force, and so none that can go."""
    shown = snapshot(FOUND, counted, listed, Listing(), (), now=1)
    assert (shown.complete, shown.remote_down) == (False, down)
    later = snapshot(FOUND, 3, WHOLE, Listing(), (), now=2)
    told = "\n".join(differences(shown, later, force=True))
    assert ("remote site: was unreachable" in told) is down
