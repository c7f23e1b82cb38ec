"""All words of the modals: titles, labels, hints, errors. Those for `plain_text` have no markup."""

from __future__ import annotations

from collections.abc import Callable

from bot.request import Frozen
from bot.request.model import Request
from bot.slack.draw.markup import NAME, SENTENCE, code, line, mention, plain
from bot.slack.draw.words.phrases import consequences
from bot.slack.draw.words.sites import count_of, pairing

TITLE = "Break a pairing"
SUBMIT = "Ask"
CLOSE = "Close"

SITE = "Appliance"
SITE_PLACEHOLDER = "All of them"
PAIRING = "Pairing"
PAIRING_PLACEHOLDER = "Choose the pairing to break"
PAIRING_SEARCH = "Type a part of a site's name or of the id"
FORCE = "How to break it"
FORCE_NO = "Both sites drop the pairing"
FORCE_NO_MEANS = "The usual way. The other site must be reachable."
FORCE_YES = "One-sided break (force)"
FORCE_YES_MEANS = "For when the other site is gone for good."
FORCE_HINT = (
    "A one-sided break is done at this site alone: the other site keeps its half, and needs the "
    "same done there. Approvers see which of the two was asked for."
)
DATE = "Not before: day"
TIME = "Not before: time"
TIME_HINT = (
    "In your time zone. Without it the last approval sends the delete at once; with a time and no "
    "day it is the next such time."
)
REASON = "Why"
_REASON_HINT = "The card shows it to whoever decides."

CHOOSE_PAIRING = "Choose the pairing to break."
CHOOSE_AGAIN = "The list was still being read. Type again, and choose a pairing."
NOT_OF_SITE = "This pairing belongs to another appliance. Choose one of the appliance above."
CHOOSE_FORCE = "Choose how to break it."
CHOOSE_TIME = "Choose the time too, or clear the day."
REASON_NEEDED = "A reason is needed here."
LIST_NOT_READ = "The pairings are being read. Type again in a moment."


def reading(command: str) -> str:
    return (
        "Reading the appliance. The pairings come in a moment.\n"
        f"If this stays, close it and type {code(f'{command} PAIRING reason')}."
    )


def where(label: str, dry_run: bool) -> str:
    """What people should know before they fill in the form."""
    parts = [f"*{line(label, NAME)}*"] if label else []
    parts += ["🧪 *Dry run: nothing will be deleted.*"] if dry_run else []
    return "\n".join(parts)


def reason_hint(pattern: str | None) -> str:
    if pattern is None:
        return _REASON_HINT
    return f"It must contain {plain(pattern, SENTENCE)} (a regular expression). {_REASON_HINT}"


def reason_does_not_fit(pattern: str) -> str:
    return f"It must contain {plain(pattern, SENTENCE)} (a regular expression). Add it."


def reason_too_long(length: int, most: int) -> str:
    return f"It takes {length:,} characters on the card; {most:,} is the most. Shorten it."


def already_sent(request_id: str | None = None) -> str:
    """For a form that stayed open although it was taken, and was sent again with other content: the
    first one counts. At a field, so it is plain text."""
    named = f", as request {request_id}" if request_id else ""
    step = f" To change it, withdraw {request_id} on its card, and ask again." if request_id else ""
    return (
        f"This was already sent{named}: what stood here then counts, not what stands here now. "
        f"Close this form.{step}"
    )


def many(number: int) -> str:
    return f"There are {number:,}: type to search among them."


def left_out(number: int) -> str:
    pairs = "pairs a site with itself and is" if number == 1 else "pair a site with itself and are"
    return f"{count_of(number, 'pairing')} {pairs} left out: never broken by this bot."


def appliance(site: str, several: bool) -> str:
    """A single one is not named: its name is `default`, which nobody would recognise."""
    return code(site) if several else "the appliance"


def unread(named: str, why: str) -> str:
    """`named` is from `appliance`. `why` is escaped already, here and below."""
    return f"⚠️ The pairings of {named} could not be read. {why}"


def not_complete(named: str, why: str) -> str:
    return f"⚠️ The list of {named} may not be complete: {why}"


def nothing_to_break(appliances: str) -> str:
    return f"There is no pairing to break on {appliances}. Close this form."


def none_of_site(site: str) -> str:
    return f"⚠️ There is nothing to choose at {code(site)} now: the list shows those of the others."


def as_of(named: str, moment: str, why: str) -> str:
    """Says that an older list is shown because the pairings could not be read."""
    named = named[:1].upper() + named[1:]
    return f"⚠️ {named} could not be read just now, so this is its list of {moment}. {why}"


def type_instead(command: str) -> str:
    """Names the command, because it keeps trying for some minutes and the form does not."""
    return (
        f"*Next:* close this form and open it again later, or type "
        f"{code(f'{command} PAIRING reason')}: then it is tried again for some minutes."
    )


class ReasonWords(Frozen):
    """`button` is on the button that opens the form. `told`, which is markup, says what people must
    know before they fill it in."""

    button: str
    title: str
    submit: str
    question: str
    missing: str
    told: Callable[[Request], str]


def _denying(request: Request) -> str:
    return f"{mention(request.requester)} asked to break {pairing(request)}."


def _breaking(request: Request) -> str:
    return "\n".join(
        [
            "🚨 *You decide alone.* Nobody else has to approve, and everybody is told: the "
            "channel, every approver by a direct message, and the audit trail.",
            *consequences(request),
            f"Asked by {mention(request.requester)}.",
        ]
    )


DENY = ReasonWords(
    button="Deny",
    title="Deny the request",
    submit="Deny",
    question="Why not?",
    missing="Say why, in a few words: it goes on the card.",
    told=_denying,
)
SETTLE = ReasonWords(
    button="It is settled",
    title="It is settled",
    submit="Settle",
    question="What became of it?",
    missing="Say what became of it, in a few words: it goes into the thread.",
    told=lambda request: (
        f"Nothing is sent or changed. {pairing(request)} is no longer named as unresolved, and "
        "the thread and the audit trail keep your words."
    ),
)
GLASS = ReasonWords(
    button="Break glass",
    title="Break glass",
    submit="Break glass",
    question="What is the emergency?",
    missing="Say why it cannot wait, in a few words: everybody is told.",
    told=_breaking,
)
