"""The buttons of a card and of its final reply, what Approve asks back, and what the others open:
the forms behind Deny, Break glass and It is settled, and all names of replications. And the links
that lead to a card."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    InputBlock,
    PlainTextInputElement,
)
from slack_sdk.models.views import View

from bot.request.model import UNDECIDED, Request, State
from bot.request.pairing import Replication
from bot.slack.draw import ids, limits
from bot.slack.draw.markup import button, code, held, markdown, mention, section, units
from bot.slack.draw.words.pairing_names import consequences, pairing, protected, what, who_drops


def card_buttons(request: Request) -> Block | None:
    """All of them while it is undecided, only Withdraw until the DELETE is sent, and with a time
    for that Deny as well, then none.

    `checking` is drawn like `pending`: the row becomes `pending` once Slack has answered the post.
    """
    undecided = request.state in UNDECIDED
    if not undecided and request.state is not State.APPROVED:
        return None
    value, alone = value_of(request), request.glass_alone
    shown = [_approve(request, value)] if undecided and not alone else []
    if undecided or request.may_be_denied:
        shown.append(button("Deny", ids.UNPAIR_DENY, value, label=f"Deny request {request.id}"))
    label = f"Withdraw request {request.id}, for who asked"
    shown.append(button("Withdraw", ids.UNPAIR_CANCEL, value, label=label))
    if undecided and request.terms.break_glass:
        # Red only where there is no red Approve beside it.
        label = f"Break glass on request {request.id}: decide alone, with a reason"
        shown.append(
            button("Break glass", ids.UNPAIR_BREAK_GLASS, value, label=label, danger=alone)
        )
    return ActionsBlock(elements=shown)


def look_buttons(request: Request) -> Block | None:
    """For the final reply of a request that a person must check, until somebody has settled it."""
    if not request.unresolved:
        return None
    value = value_of(request)
    label = f"Look again at request {request.id}, changes nothing"
    look = button("Look again", ids.UNPAIR_LOOK, value, label=label)
    label = f"Settle request {request.id}, with words on what became of it, for approvers"
    settle = button("It is settled", ids.UNPAIR_SETTLE, value, label=label)
    return ActionsBlock(elements=[look, settle])


def value_of(request: Request) -> str:
    fingerprint = request.fingerprint or ids.NO_FINGERPRINT
    return ids.ButtonValue(request_id=request.id, fingerprint=fingerprint).pack()


def _approve(request: Request, value: str) -> ButtonElement:
    """Asks back with what is approved, within the 300 characters of the dialog: as many names of
    protected VMs as fit, so that nothing else is cut off."""
    dry = request.terms.dry_run
    end = "Dry run: nothing will be deleted."
    if not dry:
        at = "Not before the time on the card. " if request.scheduled_at is not None else ""
        end = f"{at}{who_drops(request, limits.SITE_IN_QUESTION)} This can't be undone."
    first = f"{what(request, limits.SITE_IN_QUESTION)}."
    last = f"Asked by {mention(request.requester)}. {end}"
    question = f"{first}\n{last}"
    snapshot = request.snapshot
    if snapshot is not None and snapshot.protected:
        told = protected(snapshot)
        guarded = [each for each in snapshot.replications if each.protected]
        named = some(guarded, snapshot.protected, limits.REPLICATIONS_SHOWN)
        whole = f"{first}\n{told}: {named}.\n{last}"
        fits = named and units(whole) <= limits.CONFIRM_TEXT
        question = whole if fits else f"{first}\n{told}.\n{last}"
    confirm = ConfirmObject(
        title="Approve this dry run?" if dry else "Break this pairing?",
        text=markdown(question, limits.CONFIRM_TEXT),
        confirm="Approve",
        deny="Not now",
        style="danger",
    )
    label = f"Approve request {request.id}"
    return button("Approve", ids.UNPAIR_APPROVE, value, label=label, danger=True, confirm=confirm)


def some(replications: list[Replication], count: int, most: int) -> str:
    """The first names, and how many more. Empty where no name is known."""
    shown = [code(each.name) for each in replications[:most]]
    left = count - len(shown)
    return f"{', '.join(shown)}{f' and {left:,} more' if left > 0 else ''}" if shown else ""


# ---- links to a card ---------------------------------------------------------------------------
def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The same address that "Copy link" gives. It is put together here, since chat.getPermalink
    (Slack docs) would cost a call for each card. `workspace_url` comes from `auth.test`. None
    without it, and while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"


def open_card(request_id: str, url: str) -> str:
    return f"<{url}|Open {request_id}>"


def linked(words: str, request: Request, workspace_url: str | None) -> str:
    """With a link to its card where the request is named."""
    url = card_url(request, workspace_url)
    if url is None:
        return words
    named = code(request.id, limits.ID)
    opened = words.replace(f"Open {named}", open_card(request.id, url), 1)
    return opened if opened != words else words.replace(named, f"<{url}|{request.id}>", 1)


def earlier_card(request: Request | str, command: str, workspace_url: str | None) -> str:
    """A link to the card, or the command that leads there. Of a request, or of its id alone."""
    url = card_url(request, workspace_url) if isinstance(request, Request) else None
    its_id = request.id if isinstance(request, Request) else request
    if url:
        return open_card(its_id, url)
    return f"{code(f'{command} status {its_id}')} leads to its card."


# ---- what they open ----------------------------------------------------------------------------
WithReason = Literal["deny", "break_glass", "settle"]
"""The presses that need a reason, or words."""


class ReasonForm(NamedTuple):
    """`missing` is said where nothing was typed."""

    callback_id: str
    block_id: str
    title: str
    submit: str
    question: str
    missing: str


FORMS: dict[WithReason, ReasonForm] = {
    "deny": ReasonForm(
        callback_id=ids.UNPAIR_DENY_REASON,
        block_id=ids.BLOCK_REASON,
        title="Deny the request",
        submit="Deny",
        question="Why not?",
        missing="Say why, in a few words: it goes on the card.",
    ),
    "break_glass": ReasonForm(
        callback_id=ids.UNPAIR_BREAK_GLASS_REASON,
        block_id=ids.BLOCK_REASON,
        title="Break glass",
        submit="Break glass",
        question="What is the emergency?",
        missing="Say why it cannot wait, in a few words: everybody is told.",
    ),
    "settle": ReasonForm(
        callback_id=ids.UNPAIR_SETTLE_WORDS,
        block_id=ids.BLOCK_WORDS,
        title="It is settled",
        submit="Settle",
        question="What became of it?",
        missing="Say what became of it, in a few words: it goes into the thread.",
    ),
}


def reason_form(action: WithReason, origin: ids.ReasonOrigin, request: Request) -> dict[str, Any]:
    """The view to open."""
    form = FORMS[action]
    field = InputBlock(
        block_id=form.block_id,
        label=form.question,
        hint="Everybody in the channel can read it.",
        element=PlainTextInputElement(
            action_id=ids.ACTION_VALUE,
            multiline=True,
            min_length=1,
            max_length=limits.DECISION_REASON,
        ),
    )
    return View(
        type="modal",
        callback_id=form.callback_id,
        title=form.title,
        submit=form.submit,
        close="Back",
        private_metadata=origin.pack(),
        blocks=[section(_told(action, request)), field],
    ).to_dict()


def _told(action: WithReason, request: Request) -> str:
    """What people must know before they fill it in."""
    who = mention(request.requester)
    if action == "deny":
        return f"{who} asked to break {pairing(request)}."
    if action == "settle":
        return (
            f"Nothing is sent or changed. {pairing(request)} is no longer named as unresolved. The "
            "thread, the audit trail and the next card for this pairing show your words."
        )
    alone = (
        "🚨 *You decide alone.* Nobody else has to approve, and everybody is told: the channel, "
        "every approver by a direct message, and the audit trail."
    )
    return "\n".join([alone, *consequences(request), f"Asked by {who}."])


def names_view(request: Request) -> dict[str, Any]:
    """Every replication that is known by name, those in recovery plans first."""
    snapshot = request.snapshot
    known = snapshot.replications if snapshot else ()
    sections = [f"{what(request)}."]
    shown, room = 0, limits.NAMES_BYTES
    rest = "*In no recovery plan*" if snapshot and snapshot.complete else "*Others*"
    for title, guarded in (("*In recovery plans*", True), (rest, False)):
        which = [code(each.name) for each in known if each.protected is guarded]
        sections += [title] if which else []
        for each in which:
            room -= len(json.dumps(each))
            if room < 0:
                break
            shown += 1
            full = units(sections[-1]) + units(each) + 1 > limits.SECTION_TEXT
            sections[len(sections) if full else -1 :] = [
                each if full else f"{sections[-1]}\n{each}"
            ]
    left = snapshot.count - shown if snapshot else 0
    sections += [f"and {left:,} more, whose names are not kept here."] if left > 0 else []
    return View(
        type="modal",
        title="Replications",
        close="Close",
        blocks=held([section(each) for each in sections], limits.BLOCKS_IN_VIEW),
    ).to_dict()
