"""The buttons of a card and of its final reply, what Approve asks back, and all names, which are a
click away. With the links that lead to a card."""

from __future__ import annotations

import json
from typing import Any

from slack_sdk.models.blocks import Block, ButtonElement
from slack_sdk.models.views import View

from bot.request.model import UNDECIDED, Request, State
from bot.request.pairing import Replication
from bot.slack.draw.ids import (
    NO_FINGERPRINT,
    UNPAIR_APPROVE,
    UNPAIR_BREAK_GLASS,
    UNPAIR_CANCEL,
    UNPAIR_DENY,
    UNPAIR_LOOK,
    UNPAIR_NAMES,
    UNPAIR_SETTLE,
    ButtonValue,
)
from bot.slack.draw.markup import (
    ALL_SHOWN,
    CONFIRM_TEXT,
    REPLICATIONS_SHOWN,
    SECTION_TEXT,
    button,
    buttons,
    code,
    confirmation,
    mention,
    name,
    plain_words,
    section,
    units,
)
from bot.slack.draw.words.phrases import (
    open_card,
    protected,
    who_drops,
)
from bot.slack.draw.words.sites import (
    what,
)


def card_buttons(request: Request) -> Block | None:
    """All of them while it is undecided, only Withdraw until the DELETE is sent, and with a time
    for that Deny as well, then none.

    `checking` is drawn like `pending`: the row becomes `pending` once Slack has answered the post.
    """
    if request.state in UNDECIDED:
        glass = [_break_glass(request)] if request.terms.break_glass else []
        approve = [] if request.glass_alone else [_approve(request)]
        return buttons(*approve, _deny(request), _withdraw(request), *glass)
    if request.state is not State.APPROVED:
        return None
    deny = [_deny(request)] if request.may_be_denied else []
    return buttons(*deny, _withdraw(request))


def look_button(request: Request) -> Block:
    """For the final reply of a request that a person must check, until somebody has settled it."""
    look = button(
        "Look again",
        UNPAIR_LOOK,
        value_of(request),
        label=f"Look again at request {request.id}, changes nothing",
    )
    settle = button(
        "It is settled",
        UNPAIR_SETTLE,
        value_of(request),
        label=f"Settle request {request.id}, with words on what became of it",
    )
    return buttons(look, settle) if request.unresolved else buttons(look)


def value_of(request: Request) -> str:
    fingerprint = request.fingerprint or NO_FINGERPRINT
    return ButtonValue(request_id=request.id, fingerprint=fingerprint).pack()


def _approve(request: Request) -> ButtonElement:
    return button(
        "Approve",
        UNPAIR_APPROVE,
        value_of(request),
        label=f"Approve request {request.id}",
        danger=True,
        confirm=confirmation(
            "Approve this dry run?" if request.terms.dry_run else "Break this pairing?",
            _question(request),
            yes="Approve",
            no="Not now",
        ),
    )


_SITE_IN_QUESTION = 30


def _question(request: Request) -> str:
    """What is approved, within the 300 characters of the dialog: as many names of protected VMs as
    fit, so that nothing else is cut off."""
    end = "Dry run: nothing will be deleted."
    if not request.terms.dry_run:
        at = "Not before the time on the card. " if request.scheduled_at is not None else ""
        end = f"{at}{who_drops(request, _SITE_IN_QUESTION)} This can't be undone."
    first = f"{what(request, _SITE_IN_QUESTION)}."
    last = f"Asked by {mention(request.requester)}. {end}"
    snapshot = request.snapshot
    told = protected(snapshot)
    if snapshot is None or not told:
        return f"{first}\n{last}"
    guarded = [each for each in snapshot.replications if each.protected]
    named = some(guarded, snapshot.protected, REPLICATIONS_SHOWN)
    whole = f"{first}\n{told}: {named}.\n{last}"
    return whole if named and units(whole) <= CONFIRM_TEXT else f"{first}\n{told}.\n{last}"


def _deny(request: Request) -> ButtonElement:
    return button("Deny", UNPAIR_DENY, value_of(request), label=f"Deny request {request.id}")


def _break_glass(request: Request) -> ButtonElement:
    """Red only where there is no red Approve beside it."""
    return button(
        "Break glass",
        UNPAIR_BREAK_GLASS,
        value_of(request),
        label=f"Break glass on request {request.id}: decide alone, with a reason",
        danger=request.glass_alone,
    )


def _withdraw(request: Request) -> ButtonElement:
    return button(
        "Withdraw",
        UNPAIR_CANCEL,
        value_of(request),
        label=f"Withdraw request {request.id}, for who asked",
    )


def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The same address that "Copy link" gives. It is put together here, since chat.getPermalink
    (Slack docs) would cost a call for each card. `workspace_url` comes from `auth.test`. None
    without it, and while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"


def earlier_card(request: Request | str, command: str, workspace_url: str | None) -> str:
    """A link to the card, or the command that leads there. Of a request, or of its id alone."""
    url = card_url(request, workspace_url) if isinstance(request, Request) else None
    its_id = request.id if isinstance(request, Request) else request
    return (
        open_card(its_id, url)
        if url
        else f"{code(f'{command} status {its_id}')} leads to its card."
    )


def some(replications: list[Replication], count: int, most: int) -> str:
    """The first names, and how many more. Empty where no name is known."""
    shown = [name(each.name) for each in replications[:most]]
    left = count - len(shown)
    return f"{', '.join(shown)}{f' and {left:,} more' if left > 0 else ''}" if shown else ""


# ---- all names, a click away ---------------------------------------------------------------
def names_button(request: Request) -> ButtonElement | None:
    """Beside the names, where not all of them are on the card, while it can be decided."""
    known = request.snapshot.replications if request.snapshot else ()
    if request.state not in UNDECIDED or len(known) <= ALL_SHOWN:
        return None
    label = f"Names of all replications of request {request.id}"
    return button("All names", UNPAIR_NAMES, value_of(request), label=label)


NAMES_BYTES = 150_000
"""Of all names in a view. Slack refuses one of 250,001 bytes (Slack docs, views)."""


def names_view(request: Request) -> dict[str, Any]:
    """Every replication that is known by name, those in recovery plans first."""
    snapshot = request.snapshot
    known = snapshot.replications if snapshot else ()
    sections = [f"{what(request)}."]
    shown, room = 0, NAMES_BYTES
    rest = "*In no recovery plan*" if snapshot and snapshot.complete else "*Others*"
    for title, guarded in (("*In recovery plans*", True), (rest, False)):
        which = [name(each.name) for each in known if each.protected is guarded]
        sections += [title] if which else []
        for each in which:
            room -= len(json.dumps(each))
            if room < 0:
                break
            shown += 1
            full = units(sections[-1]) + units(each) + 1 > SECTION_TEXT
            sections[len(sections) if full else -1 :] = [
                each if full else f"{sections[-1]}\n{each}"
            ]
    left = snapshot.count - shown if snapshot else 0
    sections += [f"and {left:,} more, whose names are not kept here."] if left > 0 else []
    return View(
        type="modal",
        title=plain_words("Replications"),
        close=plain_words("Close"),
        blocks=[section(each) for each in sections],
    ).to_dict()
