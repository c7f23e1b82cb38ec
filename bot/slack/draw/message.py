"""Draws a message from a row: one function for every slot of the core, and one for answers."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.messages import Answer, Drawn, Message, Slot
from bot.request.model import Request
from bot.slack.draw.buttons import card_url, earlier_card
from bot.slack.draw.card import card
from bot.slack.draw.forms import suggestions
from bot.slack.draw.markup import drawn, section
from bot.slack.draw.thread import alarm, correction, final, notice, progress, reminder, stray, told
from bot.slack.draw.words.answers import answer_words
from bot.slack.draw.words.phrases import linked

COMMAND = "/vr-unpair"


def draw(
    request: Request,
    slot: str,
    command: str = COMMAND,
    workspace_url: str | None = None,
    stored: Callable[[str], Request | None] = lambda _: None,
) -> Drawn:
    """The message of this slot, as the row is now. `command` is the slash command, `workspace_url`
    is for links to cards, and `stored` finds another request that is named.

    Raises ValueError for a slot that no row asks for (an answer, an unknown kind, a notice that
    does not exist).
    """
    message = Message(slot=slot)
    match message.kind:
        case Slot.CARD:
            earlier = request.earlier_attention
            if earlier is None:
                return card(request)
            return card(request, earlier_card(stored(earlier) or earlier, command, workspace_url))
        case Slot.PROGRESS:
            return progress(request)
        case Slot.REMINDER:
            return reminder(request)
        case Slot.NOTICE:
            return notice(request, _number(request, message.which))
        case Slot.ALARM:
            return alarm(request, _number(request, message.which))
        case Slot.TOLD:
            number = _number(request, message.which.partition(":")[2])
            return told(request, number, card_url(request, workspace_url))
        case Slot.FINAL:
            return final(request)
        case Slot.CORRECTION:
            return correction(request)
        case Slot.STRAY:
            return stray(request)
        case Slot.ANSWER:
            raise ValueError("an answer is drawn by draw_answer")


def draw_answer(
    answer: Answer,
    request: Request | None,
    workspace_url: str | None = None,
    stored: Callable[[str], Request | None] = lambda _: None,
) -> Drawn:
    """A message for one person: text, and pairings to press where none was named. `request` is None
    if there is no row. The rest as for `draw`."""
    words = answer_words(answer, request)
    if request is not None:
        words = linked(words, request.id, card_url(request, workspace_url))
        if request.outcome is not None and request.outcome.code == "pairing_taken":
            other = stored(request.outcome.lines[0]) if request.outcome.lines else None
            words = linked(words, other.id, card_url(other, workspace_url)) if other else words
    if answer.code != "refused" or not request or not request.outcome or not request.outcome.near:
        return drawn(words)
    site = request.site if request.terms.several else None
    near = suggestions(request.outcome.near, site, force=request.force, refused=request.id)
    return drawn(words, section(words), near)


def _number(request: Request, which: str) -> int:
    number = int(which)
    if not 1 <= number <= len(request.notices):
        raise ValueError(f"request {request.id} has no notice {which}")
    return number
