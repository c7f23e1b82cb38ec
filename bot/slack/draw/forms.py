"""The modals: the form of `/vr-unpair` without arguments, and those behind Deny and Break glass.

Text in them by people or the appliance is `plain_text` or escaped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from slack_sdk.models.blocks import (
    Block,
    DatePickerElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    StaticSelectElement,
    TimePickerElement,
)
from slack_sdk.models.views import View

from bot.request import Frozen
from bot.request.lookup_results import PairingsListed, other_ends
from bot.request.model import Request
from bot.request.pairing import SHORT_ID, Near, Pairing
from bot.request.who_may import Policy
from bot.slack.draw.ids import (
    ACTION_VALUE,
    BLOCK_DATE,
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    BLOCK_TIME,
    BLOCK_WORDS,
    FORCE_NO,
    FORCE_YES,
    UNPAIR_BREAK_GLASS_REASON,
    UNPAIR_DENY_REASON,
    UNPAIR_REQUEST,
    UNPAIR_SETTLE_WORDS,
    UNPAIR_SUGGEST,
    AskOrigin,
    ReasonOrigin,
    Suggestion,
)
from bot.slack.draw.markup import (
    DECISION_REASON,
    REASON,
    button,
    buttons,
    context,
    plain,
    plain_words,
    section,
    units,
)
from bot.slack.draw.words import labels

# ---- pairings as the options of a menu: their names, and which fit what was typed --------------
# Lengths and numbers: Slack docs, option object (text and description 75, value 150) and select
# menu (100 options).
OPTIONS_MOST = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
BUTTON_VALUE = 2_000

NOT_READ = "-"
"""The value of the option that says "not read yet". No pairing has it."""


class Choice(Frozen):
    """One pairing that can be asked for. `value` is what one would type as PAIRING."""

    site: str
    pairing: Pairing
    value: str
    with_site: bool
    also_at: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its two sites, and the beginning of its id in case they have several pairings."""
        before = f"{self.site}: " if self.with_site else ""
        after = f" · {plain(self.pairing.id[:SHORT_ID], SHORT_ID * 2)}"
        return plain(f"{before}{self.pairing.title}", OPTION_TEXT - units(after)) + after

    @property
    def description(self) -> str:
        """The whole id, and which other sites list this pairing."""
        end = f" · also {', '.join(self.also_at)}" if self.also_at else ""
        return plain(f"{self.pairing.id}{end}", OPTION_TEXT)

    @property
    def searched(self) -> str:
        p = self.pairing
        servers = (p.local_vc, p.remote_vc, p.local_vrms, p.remote_vrms)
        names = [server.name or "" for server in servers]
        return " ".join([self.site, p.id, *names]).casefold()


def choices(listed: Sequence[PairingsListed], *, several_sites: bool) -> list[Choice]:
    """All pairings that can be asked for, sorted by name. A site paired with itself cannot, and an
    id that is too long for Slack has to be typed."""
    ends = other_ends(listed) if several_sites else {}
    made = [
        Choice(
            site=each.site,
            pairing=item.pairing,
            value=f"{each.site}/{item.pairing.id}" if several_sites else item.pairing.id,
            with_site=several_sites,
            also_at=ends.get((each.site, item.pairing.id), ()),
        )
        for each in listed
        for item in each.pairings
        if not item.pairing.of_itself
    ]
    fitting = [c for c in made if units(c.value) <= OPTION_VALUE]
    return sorted(fitting, key=lambda c: (c.site, c.pairing.title.casefold(), c.pairing.id))


def matching(among: Sequence[Choice], typed: str) -> list[Choice]:
    """Those that have every typed word in one of their names or in the id."""
    words = typed.casefold().split()
    return [c for c in among if all(word in c.searched for word in words)]


def option(choice: Choice) -> Option:
    return Option(
        text=PlainTextObject(text=choice.label, emoji=False),
        value=choice.value,
        description=PlainTextObject(text=choice.description, emoji=False),
    )


def not_read_option(words: str) -> Option:
    """Shown if there is no list yet. An empty list would say that there are no pairings."""
    return Option(text=PlainTextObject(text=plain(words, OPTION_TEXT), emoji=False), value=NOT_READ)


def suggestions(
    near: Sequence[Near], site: str | None, *, force: bool, refused: str | None = None
) -> Block | None:
    """A button for each pairing that may have been meant: it opens the form, filled in. `site` was
    asked, where there are several appliances."""
    found = []
    for number, each in enumerate(near):
        at = each.site or site
        named = f"{at}/{each.pairing_id}" if at else each.pairing_id
        value = Suggestion(pairing=named, force=force, refused=refused).pack()
        if units(named) > OPTION_VALUE or units(value) > BUTTON_VALUE:
            continue  # too long for a form, so it has to be typed
        after = f" · {plain(each.pairing_id[:SHORT_ID], SHORT_ID * 2)}"
        label = plain(f"{at}: {each.title}" if at else each.title, OPTION_TEXT - units(after))
        found.append(
            button(f"{label}{after}", f"{UNPAIR_SUGGEST}_{number}", value, label=f"{label}{after}")
        )
    return buttons(*found) if found else None


# ---- the form of the command -------------------------------------------------------------------
class Filled(Frozen):
    """What the form begins with: `pairing` as an option's value; day and time as pickers take
    them."""

    pairing: str
    force: bool
    reason: str = ""
    day: str | None = None
    time: str | None = None


class FormLists(Frozen):
    """What the form is filled with. `notes` are shown below, as markup: what is missing from the
    list, and why. `site` is the chosen one."""

    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()
    site: str | None = None
    filled: Filled | None = None


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
    where = labels.where(policy.label, policy.dry_run)
    return _view(
        origin,
        section(where) if where else None,
        _site(policy, lists.site) if len(policy.sites) > 1 else None,
        _pairing(shown, lists.filled),
        _force(lists.filled),
        *(_time(lists.filled) if policy.schedule_max_ms else ()),
        _reason(policy, lists.filled),
        context("\n".join(lists.notes)) if lists.notes else None,
        submit=labels.SUBMIT,
    )


def _site(policy: Policy, chosen: str | None) -> Block:
    sites = sorted(policy.sites)[:OPTIONS_MOST]
    options = [Option(text=plain_words(plain(s, OPTION_TEXT)), value=s) for s in sites]
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


def _pairing(shown: Sequence[Choice], filled: Filled | None) -> Block:
    searched = len(shown) > OPTIONS_MOST
    begins_with = [option(c) for c in shown if filled and c.value == filled.pairing]
    initial = begins_with[0] if begins_with else None
    element: InputInteractiveElement
    if searched:
        element = ExternalDataSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(labels.PAIRING_SEARCH),
            min_query_length=0,
            initial_option=initial,
        )
    else:
        element = StaticSelectElement(
            action_id=ACTION_VALUE,
            placeholder=plain_words(labels.PAIRING_PLACEHOLDER),
            options=[option(choice) for choice in shown],
            initial_option=initial,
        )
    return InputBlock(
        block_id=BLOCK_PAIRING,
        label=plain_words(labels.PAIRING),
        hint=plain_words(labels.many(len(shown))) if searched else None,
        element=element,
    )


def _force(filled: Filled | None) -> Block:
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
            action_id=ACTION_VALUE,
            options=[both, one],
            initial_option=one if filled and filled.force else both,
        ),
    )


def _time(filled: Filled | None) -> list[Block]:
    """Both are read in the time zone of who fills them in, which no picker says."""
    day, time = (filled.day, filled.time) if filled else (None, None)
    days = DatePickerElement(action_id=ACTION_VALUE, initial_date=day)
    times = TimePickerElement(action_id=ACTION_VALUE, initial_time=time)
    return [
        InputBlock(
            block_id=block_id,
            label=plain_words(label),
            hint=plain_words(hint) if hint else None,
            element=element,
            optional=True,
        )
        for block_id, label, hint, element in (
            (BLOCK_DATE, labels.DATE, None, days),
            (BLOCK_TIME, labels.TIME, labels.TIME_HINT, times),
        )
    ]


def _reason(policy: Policy, filled: Filled | None) -> Block:
    required = policy.require_reason or policy.reason_pattern is not None
    hint = labels.reason_hint(policy.reason_pattern)
    return InputBlock(
        block_id=BLOCK_REASON,
        label=plain_words(labels.REASON),
        hint=plain_words(hint),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE,
            multiline=True,
            max_length=REASON,
            initial_value=filled.reason if filled and filled.reason else None,
        ),
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


# ---- behind Deny, Break glass and It is settled ------------------------------------------------
WithReason = Literal["deny", "break_glass", "settle"]
"""The presses that need a reason, or words."""

_FORMS: dict[WithReason, tuple[str, labels.ReasonWords]] = {
    "deny": (UNPAIR_DENY_REASON, labels.DENY),
    "break_glass": (UNPAIR_BREAK_GLASS_REASON, labels.GLASS),
    "settle": (UNPAIR_SETTLE_WORDS, labels.SETTLE),
}


def block_of(action: WithReason) -> str:
    """The input that its form has."""
    return BLOCK_WORDS if action == "settle" else BLOCK_REASON


def reason_form(action: WithReason, origin: ReasonOrigin, request: Request) -> dict[str, Any]:
    """The view to open."""
    callback_id, words = _FORMS[action]
    field = InputBlock(
        block_id=block_of(action),
        label=plain_words(words.question),
        hint=plain_words("Everybody in the channel can read it."),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE, multiline=True, min_length=1, max_length=DECISION_REASON
        ),
    )
    return View(
        type="modal",
        callback_id=callback_id,
        title=plain_words(words.title),
        submit=plain_words(words.submit),
        close=plain_words("Back"),
        private_metadata=origin.pack(),
        blocks=[section(words.told(request)), field],
    ).to_dict()
