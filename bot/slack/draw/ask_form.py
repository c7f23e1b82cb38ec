"""The form of the command without a pairing: what it shows while the appliance is read, what can be
chosen in it, and what is said at its fields. Text by others is `plain_text` or escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from slack_sdk.models.blocks import (
    Block,
    DatePickerElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
    TimePickerElement,
)
from slack_sdk.models.views import View

from bot.request import Frozen
from bot.request.who_may import Policy
from bot.slack.draw import ids, limits
from bot.slack.draw.markup import code, context, held, line, plain, plain_text, section
from bot.slack.draw.pairing_lists import Choice
from bot.slack.draw.words.pairing_names import count_of


class Filled(Frozen):
    """What the form begins with: `pairing` as an option's value; day and time as pickers take
    them."""

    pairing: str
    force: bool
    reason: str = ""
    day: str | None = None
    time: str | None = None


class FormLists(NamedTuple):
    """What the form is filled with. `notes` are shown below, as markup: what is missing from the
    list, and why. `site` is the chosen one."""

    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()
    site: str | None = None
    filled: Filled | None = None


def reading_form(origin: ids.AskOrigin, command: str) -> dict[str, Any]:
    """Shown at once: a trigger is valid for three seconds, and an appliance may take longer."""
    words = (
        "Reading the appliance. The pairings come in a moment.\n"
        f"If this stays, close it and type {code(f'{command} PAIRING reason')}."
    )
    return _view(origin, section(words))


def unread_form(origin: ids.AskOrigin, sentences: Sequence[str]) -> dict[str, Any]:
    """Shown if there is nothing to choose. `sentences` end with the next step."""
    return _view(origin, *(section(words) for words in sentences))


def filled_form(origin: ids.AskOrigin, lists: FormLists, policy: Policy) -> dict[str, Any]:
    """The form with pairings to choose. If one menu cannot hold them, it becomes a search."""
    of_site = tuple(c for c in lists.choices if c.site == lists.site)
    where = [f"*{line(policy.label, limits.NAME)}*"] if policy.label else []
    where += ["🧪 *Dry run: nothing will be deleted.*"] if policy.dry_run else []
    return _view(
        origin,
        section("\n".join(where)) if where else None,
        _site(policy, lists.site) if len(policy.sites) > 1 else None,
        _pairing(of_site or lists.choices, lists.filled),
        _force(lists.filled),
        *(_time(lists.filled) if policy.schedule_max_ms else ()),
        _reason(policy, lists.filled),
        context("\n".join(lists.notes)) if lists.notes else None,
        submit="Ask",
    )


def _view(
    origin: ids.AskOrigin, *blocks: Block | None, submit: str | None = None
) -> dict[str, Any]:
    return View(
        type="modal",
        callback_id=ids.UNPAIR_REQUEST,
        title="Break a pairing",
        submit=submit,
        close="Close",
        private_metadata=origin.pack(),
        blocks=held([block for block in blocks if block is not None], limits.BLOCKS_IN_VIEW),
    ).to_dict()


# ---- the fields --------------------------------------------------------------------------------
def _site(policy: Policy, chosen: str | None) -> Block:
    sites = sorted(policy.sites)[: limits.OPTIONS_MOST]
    options = [
        Option(text=plain_text(plain(each, limits.OPTION_TEXT)), value=each) for each in sites
    ]
    menu = StaticSelectElement(
        action_id=ids.ACTION_VALUE,
        placeholder="All of them",
        options=options,
        initial_option=next((o for o in options if o.value == chosen), None),
    )
    return InputBlock(
        block_id=ids.BLOCK_SITE,
        label="Appliance",
        element=menu,
        optional=True,
        dispatch_action=True,
    )


def _pairing(shown: Sequence[Choice], filled: Filled | None) -> Block:
    chosen = [c.option for c in shown if filled and c.option.value == filled.pairing]
    begins_with = chosen[0] if chosen else None
    menu: InputInteractiveElement = StaticSelectElement(
        action_id=ids.ACTION_VALUE,
        placeholder="Choose the pairing to break",
        options=[choice.option for choice in shown],
        initial_option=begins_with,
    )
    hint = None
    if len(shown) > limits.OPTIONS_MOST:
        menu = ExternalDataSelectElement(
            action_id=ids.ACTION_VALUE,
            placeholder="Type a part of a site's name or of the id",
            min_query_length=0,
            initial_option=begins_with,
        )
        hint = f"There are {len(shown):,}: type to search among them."
    return InputBlock(block_id=ids.BLOCK_PAIRING, label="Pairing", element=menu, hint=hint)


def _force(filled: Filled | None) -> Block:
    both = Option(
        value=ids.FORCE_NO,
        text="Both sites drop the pairing",
        description="The usual way. The other site must be reachable.",
    )
    one = Option(
        value=ids.FORCE_YES,
        text="One-sided break (force)",
        description="For when the other site is gone for good.",
    )
    element = RadioButtonsElement(
        action_id=ids.ACTION_VALUE,
        options=[both, one],
        initial_option=one if filled and filled.force else both,
    )
    hint = (
        "A one-sided break is done at this site alone: the other site keeps its half, and needs "
        "the same done there. Approvers see which of the two was asked for."
    )
    return InputBlock(block_id=ids.BLOCK_FORCE, label="How to break it", element=element, hint=hint)


def _time(filled: Filled | None) -> list[Block]:
    """Both are read in the time zone of who fills them in, which no picker says."""
    day = DatePickerElement(action_id=ids.ACTION_VALUE, initial_date=filled.day if filled else None)
    time = TimePickerElement(
        action_id=ids.ACTION_VALUE, initial_time=filled.time if filled else None
    )
    hint = (
        "In your time zone. Without it the last approval sends the delete at once; with a time and "
        "no day it is the next such time."
    )
    return [
        InputBlock(block_id=ids.BLOCK_DATE, label="Not before: day", element=day, optional=True),
        InputBlock(
            block_id=ids.BLOCK_TIME,
            label="Not before: time",
            element=time,
            hint=hint,
            optional=True,
        ),
    ]


def _reason(policy: Policy, filled: Filled | None) -> Block:
    hint = "The card shows it to whoever decides."
    if policy.reason_pattern is not None:
        hint = f"{reason_needed(policy.reason_pattern)} {hint}"
    words = PlainTextInputElement(
        action_id=ids.ACTION_VALUE,
        multiline=True,
        max_length=limits.REASON,
        initial_value=filled.reason if filled and filled.reason else None,
    )
    needed = policy.require_reason or policy.reason_pattern is not None
    return InputBlock(
        block_id=ids.BLOCK_REASON,
        label="Why",
        element=words,
        hint=plain_text(hint),
        optional=not needed,
    )


# ---- what is said at a field, as plain text ----------------------------------------------------
CHOOSE_PAIRING = "Choose the pairing to break."
CHOOSE_AGAIN = "The list was still being read. Type again, and choose a pairing."
NOT_OF_SITE = "This pairing belongs to another appliance. Choose one of the appliance above."
CHOOSE_FORCE = "Choose how to break it."
CHOOSE_TIME = "Choose the time too, or clear the day."


def already_sent(request_id: str) -> str:
    """For a form that stayed open although it was taken, and was sent again with other content."""
    return (
        f"This was already sent, for request {request_id}: what stood here then counts, not what "
        "stands here now. Close this form."
    )


def reason_needed(pattern: str | None) -> str:
    if pattern is None:
        return "A reason is needed here."
    return f"It must contain {plain(pattern, limits.SENTENCE)} (a regular expression)."


def reason_too_long(length: int, most: int) -> str:
    return f"It takes {length:,} characters on the card; {most:,} is the most. Shorten it."


# ---- why pairings are missing from it, as markup -----------------------------------------------
def left_out(number: int) -> str:
    pairs = count_of(number, "pairing")
    return f"Left out: {pairs} of a site with itself, never broken by this bot."


def appliance(site: str, several: bool) -> str:
    """A single one is not named: its name is `default`, which nobody would recognise."""
    return code(site) if several else "the appliance"


def unread(named: str, why: str) -> str:
    """`named` is from `appliance`. `why` is escaped already."""
    return f"⚠️ The pairings of {named} could not be read. {why}"


def not_complete(named: str, words: str) -> str:
    """`words` are the appliance's."""
    return f"⚠️ The list of {named} may not be complete: {code(words, limits.LINE)}"


def nothing_to_break(appliances: str) -> str:
    return f"There is no pairing to break on {appliances}. Close this form."


def none_of_site(site: str) -> str:
    return f"⚠️ There is nothing to choose at {code(site)} now: the list shows those of the others."


def type_instead(command: str) -> str:
    """Names the command, because it keeps trying for some minutes and the form does not."""
    return (
        f"*Next:* close this form and open it again later, or type "
        f"{code(f'{command} PAIRING reason')}: then it is tried again for some minutes."
    )
