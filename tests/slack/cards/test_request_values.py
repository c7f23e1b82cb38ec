"""What the request modal brought back, with several appliances."""

from __future__ import annotations

import pytest

from bot.slack.draw import ask_form
from bot.slack.draw.ids import AskOrigin
from bot.slack.receive.form_submitted import RequestSent, read_request
from bot.slack.receive.payload import View
from tests.support.world import policy

ID = "11111111-2222-3333-4444-555555555555"
SITES = policy().sites


def sent(site: str | None, pairing: str, *sites: str) -> RequestSent | dict[str, str] | None:
    opened = AskOrigin(request_id="K7QM-3XPD", channel="C1", opened_by=1)
    chosen = {"pairing": pairing, "force": "false", **({"site": site} if site else {})}
    values = {name: {"value": {"selected_option": {"value": v}}} for name, v in chosen.items()}
    view = View.model_validate(
        {
            "callback_id": "unpair_request",
            "private_metadata": opened.pack(),
            "state": {"values": values},
        }
    )
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
    assert isinstance(found, RequestSent)
    assert found.pairing == meant


@pytest.mark.parametrize("pairing", [f"prague/{ID}", f"PRAGUE/{ID}"])
def test_a_pairing_of_another_site_than_the_chosen_one_is_asked_about(pairing: str) -> None:
    """Which of the two was meant nobody can tell."""
    found = sent("berlin", pairing, "berlin", "prague")
    assert isinstance(found, dict)
    assert found == {"pairing": ask_form.NOT_OF_SITE}


def test_with_one_appliance_nothing_is_put_before_it() -> None:
    found = sent("default", ID, "default")
    assert isinstance(found, RequestSent)
    assert found.pairing == ID
