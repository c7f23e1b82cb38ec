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
    "text",
    [
        "vc-prague.example.net",
        "VC-Prague.example.net",
        "vc-prague",
        "aaaaaaaa",
        "AAAAAAAA",
        "vc-home → vc-prague",
        "VC-HOME.example.net -> vc-prague.example.net",
        "vc-home→vc-prague.example.net",
    ],
)
def test_by_a_name_that_fits_one(text: str) -> None:
    """The whole name, its first label, the id as lists show it, or both sites as they do."""
    assert find(text, ALL).pairing == PRAGUE


@pytest.mark.parametrize(
    "text",
    [
        *("prague", "prague.example", "vc-pragu", "aaaaaaa", "aaaaaaaa-0000", "e", "10"),
        *("vc-prague →", "→ vc-prague", "vc-prague → vc-home", "vc-home → prague"),
        "vc-home → vc-prague → vc-home",
    ],
)
def test_a_part_of_a_name_is_no_name(text: str) -> None:
    by_address = pairing("dddddddd-0000-0000-0000-000000000004", "10.1.2.3", "10.1.2.4")
    found = find(text, [*ALL, by_address])
    assert (found.pairing, found.why) == (None, "none")
    assert 0 < len(found.near) <= 5
    assert ID_SELF not in {near.pairing_id for near in found.near}


def test_what_the_settings_call_an_appliance_is_its_only_pairing() -> None:
    assert find("Lab", [PRAGUE, ITSELF], label="lab").pairing == PRAGUE
    assert find("lab", ALL, label="lab").why == "several"
    assert find("la", [PRAGUE], label="lab").why == "none"


def test_the_likeliest_come_first_and_are_at_most_five() -> None:
    many = [pairing(f"{n:08d}-0000-0000-0000-000000000000", f"vc-{n}") for n in range(9)]
    near = find("pragu", [*many, PRAGUE_2, PRAGUE]).near
    assert [each.pairing_id for each in near][:2] == [ID_A, ID_B]
    assert len(near) == 5


def test_two_hits_are_both_named() -> None:
    assert find("vc-home", ALL) == Hit(why="several", candidates=(PRAGUE, PRAGUE_2))


@pytest.mark.parametrize("text", ["lisbon", "", "dddddddd-0000-0000-0000-000000000009"])
def test_none(text: str) -> None:
    assert find(text, ALL).why == "none"


@pytest.mark.parametrize(
    ("text", "fitting"), [("vc-prague", (PRAGUE,)), ("lisbon", ()), ("vc-home", (PRAGUE,))]
)
def test_a_name_finds_nothing_in_a_list_that_is_not_whole(
    text: str, fitting: tuple[Pairing, ...]
) -> None:
    """What is missing may fit as well, or be the one that is meant."""
    found = find(text, [PRAGUE, ITSELF], whole=False)
    assert (found.pairing, found.why, found.candidates) == (None, "partial", fitting)
    assert [near.pairing_id for near in found.near] == [ID_A]


def test_what_is_certain_all_the_same_in_a_list_that_is_not_whole() -> None:
    assert find(ID_A, ALL, whole=False).pairing == PRAGUE
    assert find(ID_SELF, ALL, whole=False).why == "self"
    assert find("vc-home", ALL, whole=False).why == "several"
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
