"""What the card's buttons open: the forms behind Deny, Break glass and It is settled, and all names
of replications."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from slack_sdk.models.blocks import InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot.request.model import Request
from bot.slack.draw import ids, limits
from bot.slack.draw.markup import mention, name, plain_words, section, units
from bot.slack.draw.words.pairing_names import consequences, pairing, what

WithReason = Literal["deny", "break_glass", "settle"]
"""The presses that need a reason, or words."""


class ReasonForm(NamedTuple):
    """`button` is on the button that opens the form, `missing` is said where nothing was typed."""

    callback_id: str
    block_id: str
    button: str
    title: str
    submit: str
    question: str
    missing: str


FORMS: dict[WithReason, ReasonForm] = {
    "deny": ReasonForm(
        callback_id=ids.UNPAIR_DENY_REASON,
        block_id=ids.BLOCK_REASON,
        button="Deny",
        title="Deny the request",
        submit="Deny",
        question="Why not?",
        missing="Say why, in a few words: it goes on the card.",
    ),
    "break_glass": ReasonForm(
        callback_id=ids.UNPAIR_BREAK_GLASS_REASON,
        block_id=ids.BLOCK_REASON,
        button="Break glass",
        title="Break glass",
        submit="Break glass",
        question="What is the emergency?",
        missing="Say why it cannot wait, in a few words: everybody is told.",
    ),
    "settle": ReasonForm(
        callback_id=ids.UNPAIR_SETTLE_WORDS,
        block_id=ids.BLOCK_WORDS,
        button="It is settled",
        title="It is settled",
        submit="Settle",
        question="What became of it?",
        missing="Say what became of it, in a few words: it goes into the thread.",
    ),
}

BY_CALLBACK: dict[str, WithReason] = {form.callback_id: action for action, form in FORMS.items()}


def reason_form(action: WithReason, origin: ids.ReasonOrigin, request: Request) -> dict[str, Any]:
    """The view to open."""
    form = FORMS[action]
    field = InputBlock(
        block_id=form.block_id,
        label=plain_words(form.question),
        hint=plain_words("Everybody in the channel can read it."),
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
        title=plain_words(form.title),
        submit=plain_words(form.submit),
        close=plain_words("Back"),
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
            f"Nothing is sent or changed. {pairing(request)} is no longer named as unresolved, and "
            "the thread and the audit trail keep your words."
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
        which = [name(each.name) for each in known if each.protected is guarded]
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
        title=plain_words("Replications"),
        close=plain_words("Close"),
        blocks=[section(each) for each in sections],
    ).to_dict()
