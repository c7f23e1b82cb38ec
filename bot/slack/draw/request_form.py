"""The modal of `/vr-unpair` without arguments: while pairings are read, filled, or unreadable.

Text in it by people or the appliance is `plain_text` or escaped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

from bot.request.frozen import Frozen
from bot.request.policy import Policy
from bot.slack.draw import limits
from bot.slack.draw.blocks import context, plain_words, section
from bot.slack.draw.ids import (
    ACTION_VALUE,
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    FORCE_NO,
    FORCE_YES,
    UNPAIR_REQUEST,
    AskOrigin,
)
from bot.slack.draw.markup import plain
from bot.slack.draw.pairing_options import MOST, Choice, option
from bot.slack.draw.words import form


class FormLists(Frozen):
    """What the form is filled with. `notes` are shown below, as markup: what is missing from the
    list, and why. `site` is the chosen one."""

    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()
    site: str | None = None


def reading_form(origin: AskOrigin, command: str) -> dict[str, Any]:
    """Shown at once: a trigger is valid for three seconds, and an appliance may take longer."""
    return _view(origin, section(form.reading(command)))


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
        submit=form.SUBMIT,
    )


def _where(policy: Policy) -> list[Block]:
    words = form.where(policy.label, policy.dry_run)
    return [section(words)] if words else []


def _site(policy: Policy, chosen: str | None) -> Block:
    options = [Option(text=plain_words(plain(s, 75)), value=s) for s in sorted(policy.sites)][:MOST]
    return InputBlock(
        block_id=BLOCK_SITE,
        label=plain_words(form.SITE),
        element=StaticSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(form.SITE_PLACEHOLDER),
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
            placeholder=plain_words(form.PAIRING_SEARCH),
            min_query_length=0,
        )
    else:
        element = StaticSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(form.PAIRING_PLACEHOLDER),
            options=[option(choice) for choice in shown],
        )
    return InputBlock(
        block_id=BLOCK_PAIRING,
        label=plain_words(form.PAIRING),
        hint=plain_words(form.many(len(shown))) if searched else None,
        element=element,
    )


def _force() -> Block:
    both = Option(
        value=FORCE_NO,
        text=plain_words(form.FORCE_NO),
        description=plain_words(form.FORCE_NO_MEANS),
    )
    one = Option(
        value=FORCE_YES,
        text=plain_words(form.FORCE_YES),
        description=plain_words(form.FORCE_YES_MEANS),
    )
    return InputBlock(
        block_id=BLOCK_FORCE,
        label=plain_words(form.FORCE),
        hint=plain_words(form.FORCE_HINT),
        element=RadioButtonsElement(
            action_id=ACTION_VALUE, options=[both, one], initial_option=both
        ),
    )


def _reason(policy: Policy) -> Block:
    required = policy.require_reason or policy.reason_pattern is not None
    hint = form.reason_hint(policy.reason_pattern)
    return InputBlock(
        block_id=BLOCK_REASON,
        label=plain_words(form.REASON),
        hint=plain_words(hint),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE, multiline=True, max_length=limits.REASON
        ),
        optional=not required,
    )


def _view(origin: AskOrigin, *blocks: Block | None, submit: str | None = None) -> dict[str, Any]:
    return View(
        type="modal",
        callback_id=UNPAIR_REQUEST,
        title=plain_words(form.TITLE),
        submit=plain_words(submit) if submit else None,
        close=plain_words(form.CLOSE),
        private_metadata=origin.pack(),
        blocks=[block for block in blocks if block is not None],
    ).to_dict()
