"""What people are told before there is any request."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.draw.limits import ID
from bot.slack.draw.markup import code


def being_checked(pairing: str) -> str:
    """Said at once, before anything is read from the appliance."""
    return f"Reading {code(pairing)} from the appliance. The card comes next, in this channel."


def being_previewed(pairing: str) -> str:
    """Said at once. The preview itself follows."""
    return f"Reading {code(pairing)} from the appliance. The preview comes next, for you alone."


def being_listed(sites: Sequence[str]) -> str:
    at = "the appliance" if len(sites) == 1 else f"{len(sites)} appliances"
    return f"Reading {at}. The list comes next, for you alone."


def being_looked_up(request_id: str | None) -> str:
    """Said at once. It does not show whether the id exists, since the bot does not know yet who
    asks."""
    if request_id is None:
        return "Looking at the requests. They come next, for you alone."
    return f"Looking for {code(request_id, ID)}. What is known of it comes next, for you alone."


def unreadable_button() -> str:
    """For a button whose value this version does not know."""
    return "This button is not known here. Nothing was done. Ask again if it is still wanted."
