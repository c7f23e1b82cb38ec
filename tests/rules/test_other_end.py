"""One pairing as its two ends tell it."""

from __future__ import annotations

import pytest

from bot.request.lookup_results import ListedPairing, PairingsListed, other_ends
from bot.request.pairing import Pairing, Server, same_pairing


def pairing(pairing_id: str, local: str | None, remote: str | None) -> Pairing:
    return Pairing(id=pairing_id, local_vc=Server(id=local), remote_vc=Server(id=remote))


ONE = pairing("p", "a", "b")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (pairing("q", "b", "a"), True),
        (pairing("q", "a", "b"), True),  # one appliance under the name that it had before
        (pairing("P", "x", "y"), True),
        (pairing("P", None, None), True),
        (pairing("q", "B", "A"), True),
        (pairing("q", "b", "c"), False),
        (pairing("q", "b", None), False),
        (pairing("q", "a", "a"), False),
    ],
)
def test_by_id_or_by_the_two_vcenters(other: Pairing, same: bool) -> None:
    assert same_pairing(ONE, other) is same
    assert same_pairing(other, ONE) is same


def test_two_of_which_nothing_is_told_are_not_the_same() -> None:
    assert not same_pairing(pairing("p", None, None), pairing("q", None, None))
    assert not same_pairing(pairing("p", "a", "a"), pairing("q", "a", "a"))


def test_among_lists() -> None:
    def listed(site: str, *pairings: Pairing) -> PairingsListed:
        items = tuple(ListedPairing(pairing=each) for each in pairings)
        return PairingsListed(site=site, pairings=items, read_at=1)

    lists = [
        listed("berlin", ONE, pairing("r", "a", "c")),
        listed("prague", pairing("q", "b", "a")),
        listed("oslo", pairing("r", None, None)),
    ]
    assert other_ends(lists) == {
        ("berlin", "p"): ("prague",),
        ("berlin", "r"): ("oslo",),
        ("prague", "q"): ("berlin",),
        ("oslo", "r"): ("berlin",),
    }
