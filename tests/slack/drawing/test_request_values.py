"""What the request modal brought back, with several appliances."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.draw.forms import FieldErrors
from bot.slack.draw.ids import AskOrigin
from bot.slack.draw.words import labels
from bot.slack.receive.request_values import RequestSubmitted, read_request
from tests.worker.world import policy

ID = "11111111-2222-3333-4444-555555555555"
SITES = policy().sites


def sent(site: str | None, pairing: str, *sites: str) -> RequestSubmitted | FieldErrors | None:
    def choice(value: str | None) -> dict[str, Any]:
        return {"value": {"selected_option": {"value": value} if value else None}}

    view = {
        "callback_id": "unpair_request",
        "private_metadata": AskOrigin(request_id="K7QM-3XPD", channel="C1", opened_by=1).pack(),
        "state": {
            "values": {
                "site": choice(site),
                "pairing": choice(pairing),
                "force": choice("false"),
                "reason": {"value": {"value": None}},
            }
        },
    }
    terms = next(iter(SITES.values()))
    return read_request(view, policy(sites=dict.fromkeys(sites, terms)))


@pytest.mark.parametrize(
    ("site", "pairing", "meant"),
    [
        (None, f"berlin/{ID}", f"berlin/{ID}"),
        ("berlin", f"berlin/{ID}", f"berlin/{ID}"),
        ("BERLIN", f"berlin/{ID}", f"berlin/{ID}"),
        ("berlin", ID, f"berlin/{ID}"),
        ("berlin", "a/b", "berlin/a/b"),
        (None, ID, ID),
    ],
)
def test_the_chosen_site_is_that_of_the_pairing(site: str | None, pairing: str, meant: str) -> None:
    found = sent(site, pairing, "berlin", "prague")
    assert isinstance(found, RequestSubmitted)
    assert found.pairing == meant


@pytest.mark.parametrize("pairing", [f"prague/{ID}", f"PRAGUE/{ID}"])
def test_a_pairing_of_another_site_than_the_chosen_one_is_asked_about(pairing: str) -> None:
    """Which of the two was meant nobody can tell."""
    found = sent("berlin", pairing, "berlin", "prague")
    assert isinstance(found, FieldErrors)
    assert found.errors == {"pairing": labels.NOT_OF_SITE}


def test_with_one_appliance_nothing_is_put_before_it() -> None:
    found = sent("default", ID, "default")
    assert isinstance(found, RequestSubmitted)
    assert found.pairing == ID
