"""The modals: the form of `/vr-unpair` without arguments, and those behind Deny and Break glass.

Text in them by people or the appliance is `plain_text` or escaped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from slack_sdk.models.blocks import (
    Block,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot.request import Frozen
from bot.request.model import Request
from bot.request.who_may import Policy
from bot.slack.draw.ids import (
    ACTION_VALUE,
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    FORCE_NO,
    FORCE_YES,
    UNPAIR_BREAK_GLASS_REASON,
    UNPAIR_DENY_REASON,
    UNPAIR_REQUEST,
    AskOrigin,
    ReasonOrigin,
)
from bot.slack.draw.markup import (
    DECISION_REASON,
    REASON,
    context,
    fenced_units,
    plain,
    plain_words,
    section,
    tidy,
)
from bot.slack.draw.pairing_options import MOST, Choice, option
from bot.slack.draw.words import labels
from bot.slack.receive.payload import typed


class FormLists(Frozen):
    """What the form is filled with. `notes` are shown below, as markup: what is missing from the
    list, and why. `site` is the chosen one."""

    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()
    site: str | None = None


def reading_form(origin: AskOrigin, command: str) -> dict[str, Any]:
    """Shown at once: a trigger is valid for three seconds, and an appliance may take longer."""
    return _view(origin, section(labels.reading(command)))


def unread_form(origin: AskOrigin, sentences: Sequence[str]) -> dict[str, Any]:
    """Shown if there is nothing to choose. `sentences` end with the next step."""
    return _view(origin, *(section(words) for words in sentences))


def filled_form(origin: AskOrigin, lists: FormLists, policy: Policy) -> dict[str, Any]:
    """The form with pairings to choose. If one menu cannot hold them, it becomes a search."""
    of_site = tuple(c for c in lists.choices if c.site == lists.site)
    shown = of_site or lists.choices
    return _view(
        origin,
        *_where(policy),
        _site(policy, lists.site) if len(policy.sites) > 1 else None,
        _pairing(shown),
        _force(),
        _reason(policy),
        context("\n".join(lists.notes)) if lists.notes else None,
        submit=labels.SUBMIT,
    )


def _where(policy: Policy) -> list[Block]:
    words = labels.where(policy.label, policy.dry_run)
    return [section(words)] if words else []


def _site(policy: Policy, chosen: str | None) -> Block:
    options = [Option(text=plain_words(plain(s, 75)), value=s) for s in sorted(policy.sites)][:MOST]
    return InputBlock(
        block_id=BLOCK_SITE,
        label=plain_words(labels.SITE),
        element=StaticSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(labels.SITE_PLACEHOLDER),
            options=options,
            initial_option=next((o for o in options if o.value == chosen), None),
        ),
        optional=True,
        dispatch_action=True,
    )


def _pairing(shown: Sequence[Choice]) -> Block:
    searched = len(shown) > MOST
    element: InputInteractiveElement
    if searched:
        element = ExternalDataSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(labels.PAIRING_SEARCH),
            min_query_length=0,
        )
    else:
        element = StaticSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(labels.PAIRING_PLACEHOLDER),
            options=[option(choice) for choice in shown],
        )
    return InputBlock(
        block_id=BLOCK_PAIRING,
        label=plain_words(labels.PAIRING),
        hint=plain_words(labels.many(len(shown))) if searched else None,
        element=element,
    )


def _force() -> Block:
    both = Option(
        value=FORCE_NO,
        text=plain_words(labels.FORCE_NO),
        description=plain_words(labels.FORCE_NO_MEANS),
    )
    one = Option(
        value=FORCE_YES,
        text=plain_words(labels.FORCE_YES),
        description=plain_words(labels.FORCE_YES_MEANS),
    )
    return InputBlock(
        block_id=BLOCK_FORCE,
        label=plain_words(labels.FORCE),
        hint=plain_words(labels.FORCE_HINT),
        element=RadioButtonsElement(
            action_id=ACTION_VALUE, options=[both, one], initial_option=both
        ),
    )


def _reason(policy: Policy) -> Block:
    required = policy.require_reason or policy.reason_pattern is not None
    hint = labels.reason_hint(policy.reason_pattern)
    return InputBlock(
        block_id=BLOCK_REASON,
        label=plain_words(labels.REASON),
        hint=plain_words(hint),
        element=PlainTextInputElement(action_id=ACTION_VALUE, multiline=True, max_length=REASON),
        optional=not required,
    )


def _view(origin: AskOrigin, *blocks: Block | None, submit: str | None = None) -> dict[str, Any]:
    return View(
        type="modal",
        callback_id=UNPAIR_REQUEST,
        title=plain_words(labels.TITLE),
        submit=plain_words(submit) if submit else None,
        close=plain_words(labels.CLOSE),
        private_metadata=origin.pack(),
        blocks=[block for block in blocks if block is not None],
    ).to_dict()


# ---- behind Deny and Break glass -----------------------------------------------------------
WithReason = Literal["deny", "break_glass"]
"""The decisions that need a reason."""

_FORMS: dict[WithReason, tuple[str, labels.ReasonWords]] = {
    "deny": (UNPAIR_DENY_REASON, labels.DENY),
    "break_glass": (UNPAIR_BREAK_GLASS_REASON, labels.GLASS),
}
BUTTONS: dict[WithReason, str] = {action: words.button for action, (_, words) in _FORMS.items()}
"""The words on the button that opens each form."""


class Submitted(Frozen):
    """What was filled in and sent."""

    origin: ReasonOrigin
    reason: str


class FieldErrors(Frozen):
    """For `response_action: errors`: a sentence under each input, by its `block_id`."""

    errors: dict[str, str]


def reason_form(action: WithReason, origin: ReasonOrigin, request: Request) -> dict[str, Any]:
    """The view to open."""
    callback_id, words = _FORMS[action]
    return View(
        type="modal",
        callback_id=callback_id,
        title=plain_words(words.title),
        submit=plain_words(words.submit),
        close=plain_words("Back"),
        private_metadata=origin.pack(),
        blocks=[section(words.told(request)), _decision_reason(words)],
    ).to_dict()


def read_reason(view: Mapping[str, Any], action: WithReason) -> Submitted | FieldErrors | None:
    """A submission's values. None if it is not a submission of this modal."""
    callback_id, words = _FORMS[action]
    origin = ReasonOrigin.unpack(view.get("private_metadata"))
    if origin is None or view.get("callback_id") != callback_id:
        return None
    reason = tidy(typed(view, BLOCK_REASON))
    if not reason:
        return FieldErrors(errors={BLOCK_REASON: words.missing})
    length = fenced_units(reason)
    if length > DECISION_REASON:
        return FieldErrors(errors={BLOCK_REASON: labels.reason_too_long(length, DECISION_REASON)})
    return Submitted(origin=origin, reason=reason)


def _decision_reason(words: labels.ReasonWords) -> Block:
    return InputBlock(
        block_id=BLOCK_REASON,
        label=plain_words(words.question),
        hint=plain_words("Everybody in the channel can read it."),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE, multiline=True, min_length=1, max_length=DECISION_REASON
        ),
    )
