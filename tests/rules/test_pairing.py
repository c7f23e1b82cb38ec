"""What somebody typed is found: a pairing, at either of its ends, and the id of a request."""

from __future__ import annotations

import pytest

from bot.request.pairing import Pairing, PairingUnresolved, Server, find, same_pairing
from bot.request.request_id import ALPHABET, new_request_id, tidy_id

ID_A = "aaaaaaaa-0000-0000-0000-000000000001"
ID_B = "bbbbbbbb-0000-0000-0000-000000000002"
ID_SELF = "cccccccc-0000-0000-0000-000000000003"
ID_NONE = "dddddddd-0000-0000-0000-000000000009"


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
TITLES = [f"{each.title} ({each.id})" for each in ALL]


def unresolved(
    text: str, among: list[Pairing], *, whole: bool = True, label: str | None = None
) -> PairingUnresolved:
    found = find(text, among, whole=whole, label=label)
    assert isinstance(found, PairingUnresolved)
    return found


@pytest.mark.parametrize(
    "text",
    [
        *(ID_A, ID_A.upper(), f"  {ID_A} "),
        *("vc-prague.example.net", "VC-Prague.example.net", "vc-prague", "aaaaaaaa", "AAAAAAAA"),
        "vc-home → vc-prague",
        "VC-HOME.example.net -> vc-prague.example.net",
        "vc-home→vc-prague.example.net",
    ],
)
def test_by_id_or_a_name_that_fits_one(text: str) -> None:
    """The whole name, its first label, the id as lists show it, or both sites as they do."""
    assert find(text, ALL) == PRAGUE


@pytest.mark.parametrize(
    "text",
    [
        *("prague", "prague.example", "vc-pragu", "aaaaaaa", "aaaaaaaa-0000", "e", "10"),
        *("vc-prague →", "→ vc-prague", "vc-prague → vc-home", "vc-home → prague"),
        *("vc-home → vc-prague → vc-home", "lisbon", "", ID_NONE, "unnamed"),
    ],
)
def test_a_part_of_a_name_is_no_name(text: str) -> None:
    by_address = pairing("dddddddd-0000-0000-0000-000000000004", "10.1.2.3", "10.1.2.4")
    found = unresolved(text, [*ALL, by_address, Pairing(id="without names")])
    assert (found.why, found.candidates) == ("none", ())
    assert 0 < len(found.near) <= 5
    assert ID_SELF not in {near.pairing_id for near in found.near}


def test_what_the_settings_call_an_appliance_is_its_only_pairing() -> None:
    assert find("Lab", [PRAGUE, ITSELF], label="lab") == PRAGUE
    assert unresolved("lab", ALL, label="lab").why == "several"
    assert unresolved("la", [PRAGUE], label="lab").why == "none"


def test_the_likeliest_come_first_and_are_at_most_five() -> None:
    many = [pairing(f"{n:08d}-0000-0000-0000-000000000000", f"vc-{n}") for n in range(9)]
    near = unresolved("pragu", [*many, PRAGUE_2, PRAGUE]).near
    assert [each.pairing_id for each in near][:2] == [ID_A, ID_B]
    assert len(near) == 5


@pytest.mark.parametrize("whole", [True, False])
def test_the_own_site_fits_every_pairing_but_the_one_with_itself(whole: bool) -> None:
    found = unresolved("vc-home", ALL, whole=whole)
    assert (found.why, found.candidates) == ("several", tuple(TITLES[:2]))
    assert find("vc-home", [PRAGUE, ITSELF]) == PRAGUE


@pytest.mark.parametrize(
    ("text", "fitting"), [("vc-prague", TITLES[:1]), ("lisbon", []), ("vc-home", TITLES[:1])]
)
def test_a_name_finds_nothing_in_a_list_that_is_not_whole(text: str, fitting: list[str]) -> None:
    """What is missing may fit as well, or be the one that is meant."""
    found = unresolved(text, [PRAGUE, ITSELF], whole=False)
    assert (found.why, found.candidates) == ("partial", tuple(fitting))
    assert [near.pairing_id for near in found.near] == [ID_A]


def test_an_id_is_certain_in_a_list_that_is_not_whole() -> None:
    assert find(ID_A, ALL, whole=False) == PRAGUE
    assert unresolved(ID_NONE, ALL, whole=False).why == "none"


@pytest.mark.parametrize(("text", "whole"), [(ID_SELF, True), (ID_SELF, False), ("vc-home", True)])
def test_a_self_pairing_is_refused_by_name(text: str, whole: bool) -> None:
    assert unresolved(text, [ITSELF], whole=whole).why == "self"


# ---- one pairing as its two ends tell it ---------------------------------------------------------


def end(pairing_id: str, local: str | None, remote: str | None) -> Pairing:
    return Pairing(id=pairing_id, local_vc=Server(id=local), remote_vc=Server(id=remote))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (end("p", "a", "b"), end("q", "b", "a"), True),
        (end("p", "a", "b"), end("q", "a", "b"), True),  # an appliance by the name of before
        (end("p", "a", "b"), end("P", "x", "y"), True),
        (end("p", "a", "b"), end("P", None, None), True),
        (end("p", "a", "b"), end("q", "B", "A"), True),
        (end("p", "a", "b"), end("q", "b", "c"), False),
        (end("p", "a", "b"), end("q", "b", None), False),
        (end("p", "a", "b"), end("q", "a", "a"), False),
        (end("p", None, None), end("q", None, None), False),
        (end("p", "a", "a"), end("q", "a", "a"), False),
    ],
)
def test_by_id_or_by_the_two_vcenters(one: Pairing, other: Pairing, same: bool) -> None:
    assert same_pairing(one, other) is same
    assert same_pairing(other, one) is same


# ---- ids of requests -----------------------------------------------------------------------------


def test_ids_of_requests_are_speakable_and_vary() -> None:
    made = {new_request_id() for _ in range(500)}
    assert len(made) == 500
    assert all(len(i) == 9 and i[4] == "-" and set(i) <= {*ALPHABET, "-"} for i in made)


def test_an_id_is_found_however_typed() -> None:
    identity = new_request_id()
    for typed in (identity, identity.lower(), identity.replace("-", ""), f" {identity} "):
        assert tidy_id(typed) == identity


@pytest.mark.parametrize("typed", ["", "AAAA", "AAAA-BBBBB", "0OIL-1111", "<@U1>", "%"])
def test_what_cannot_be_an_id(typed: str) -> None:
    assert tidy_id(typed) is None
