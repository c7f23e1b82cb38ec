"""What somebody is told before there is any request."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack.limits import ID
from bot.slack.markup import code


def being_checked(pairing: str) -> str:
    """At once, before the appliance was asked anything."""
    return f"Reading {code(pairing)} from the appliance. The card comes next, in this channel."


def being_previewed(pairing: str) -> str:
    """At once; the preview itself follows."""
    return f"Reading {code(pairing)} from the appliance. The preview comes next, for you alone."


def being_listed(sites: Sequence[str]) -> str:
    at = "the appliance" if len(sites) == 1 else f"{len(sites)} appliances"
    return f"Reading {at}. The list comes next, for you alone."


def being_looked_up(request_id: str | None) -> str:
    """At once. Neither an id that is known nor one that is not is told apart here: who asks is not
    known yet."""
    if request_id is None:
        return "Looking at the requests. They come next, for you alone."
    return f"Looking for {code(request_id, ID)}. What is known of it comes next, for you alone."


def unreadable_button() -> str:
    """A button whose value is not ours, or not any more."""
    return "This button is not known here. Nothing was done. Ask again if it is still wanted."
