"""Which pairing somebody meant."""

from __future__ import annotations

import pytest

from bot.request.pairing import Hit, Pairing, Server, find

ID_A = "aaaaaaaa-0000-0000-0000-000000000001"
ID_B = "bbbbbbbb-0000-0000-0000-000000000002"
ID_SELF = "cccccccc-0000-0000-0000-000000000003"


def pairing(identity: str, remote: str, local: str = "vc-home.example.net") -> Pairing:
    return Pairing(
        id=identity,
        local_vc=Server(id=f"id-{local}", name=local),
        remote_vc=Server(id=f"id-{remote}", name=remote),
    )


PRAGUE = pairing(ID_A, "vc-prague.example.net")
PRAGUE_2 = pairing(ID_B, "vc-prague-2.example.net")
ITSELF = pairing(ID_SELF, "vc-home.example.net")
ALL = [PRAGUE, PRAGUE_2, ITSELF]


@pytest.mark.parametrize("text", [ID_A, ID_A.upper(), f"  {ID_A} "])
def test_by_id(text: str) -> None:
    assert find(text, ALL).pairing == PRAGUE


@pytest.mark.parametrize(
    "text", ["vc-prague.example.net", "VC-Prague.example.net", "vc-prague", "prague.example"]
)
def test_by_a_name_that_fits_one(text: str) -> None:
    """The whole name, then the host, then a part: the exact one is not made ambiguous."""
    assert find(text, ALL).pairing == PRAGUE


def test_two_hits_are_both_named() -> None:
    assert find("prague", ALL) == Hit(why="several", candidates=(PRAGUE, PRAGUE_2))


@pytest.mark.parametrize("text", ["lisbon", "", "dddddddd-0000-0000-0000-000000000009"])
def test_none(text: str) -> None:
    assert find(text, ALL).why == "none"


@pytest.mark.parametrize("text", ["vc-prague", "lisbon", "vc-home"])
def test_a_name_finds_nothing_in_a_list_that_is_not_whole(text: str) -> None:
    """What is missing may fit as well, or be the one that is meant."""
    listed = [PRAGUE, ITSELF]
    assert find(text, listed, whole=False) == Hit(why="partial", candidates=(PRAGUE,))


def test_what_is_certain_all_the_same_in_a_list_that_is_not_whole() -> None:
    assert find(ID_A, ALL, whole=False).pairing == PRAGUE
    assert find(ID_SELF, ALL, whole=False).why == "self"
    assert find("prague", ALL, whole=False).why == "several"
    assert find("dddddddd-0000-0000-0000-000000000009", ALL, whole=False).why == "none"


def test_the_own_site_fits_every_pairing_but_the_one_with_itself() -> None:
    assert find("vc-home", ALL).candidates == (PRAGUE, PRAGUE_2)
    assert find("vc-home", [PRAGUE, ITSELF]).pairing == PRAGUE


@pytest.mark.parametrize("text", [ID_SELF, "vc-home"])
def test_a_self_pairing_is_refused_by_name(text: str) -> None:
    assert find(text, [ITSELF]).why == "self"


def test_pairings_without_names_do_not_fit_anything() -> None:
    bare = Pairing(id=ID_A)
    assert find("", [bare]).why == "none"
    assert find("unnamed", [bare]).why == "none"
    assert find(ID_A, [bare]).pairing == bare
