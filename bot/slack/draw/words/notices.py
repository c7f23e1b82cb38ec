"""What is posted once in the thread: that it waits, that it goes on, that an approval is void.

A notice is drawn only from itself and from the terms, so it never changes later.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import Notice, Request
from bot.slack.draw.limits import ID
from bot.slack.draw.markup import code, line, mentions, sentence, when
from bot.slack.draw.words.glass import glass_broken


def rights_lost(request: Request, notice: Notice) -> str:
    whose = mentions(notice.who) or "somebody"
    called = mentions(request.terms.notify)
    look = f"{called}: please look at the card." if called else "The card says what is missing."
    return (
        f"The approval of {whose} no longer counts: the right to approve is gone. "
        f"Somebody else may have to approve. {look}"
    )


def glass_lost(request: Request, notice: Notice) -> str:
    whose = mentions(notice.who) or "somebody"
    called = mentions(request.terms.notify)
    look = f" {called}: please look at the card." if called else ""
    return (
        f"Break glass by {whose} no longer counts: the right to it is gone. "
        f"The appliance has accepted nothing, and the request waits for a decision again.{look}"
    )


def more_approvals(request: Request, notice: Notice) -> str:
    return (
        f"The policy asks for {line(notice.text)} approvals now, more than when this was approved. "
        "The appliance has accepted nothing; the card says what is missing."
    )


def waits_to_send(request: Request, notice: Notice) -> str:
    return (
        f"Approved, but it cannot be carried out yet. {_why(notice)}"
        "The bot keeps trying until the approval runs out."
    )


def waits_to_look(request: Request, notice: Notice) -> str:
    return (
        "The delete may have gone out, and the appliance cannot be asked what became of it. "
        f"{_why(notice)}The bot keeps looking; nothing is sent a second time."
    )


def waits_to_follow(request: Request, notice: Notice) -> str:
    return (
        f"The appliance is at work, and cannot be asked how far it is. {_why(notice)}"
        "The bot keeps looking."
    )


def goes_on(request: Request, notice: Notice) -> str:
    return f"What held it up is over, {when(notice.at)}. It goes on."


def taken_after_all(request: Request, notice: Notice) -> str:
    return (
        f"The answer has come after all: the appliance has taken the delete, task "
        f"{code(notice.text, ID)}. Look again, in the final reply, says how far it is."
    )


NOTICES: dict[str, Callable[[Request, Notice], str]] = {
    f.__name__: f
    for f in (
        rights_lost,
        more_approvals,
        glass_broken,
        glass_lost,
        waits_to_send,
        waits_to_look,
        waits_to_follow,
        goes_on,
        taken_after_all,
    )
}


def notice_words(request: Request, notice: Notice) -> str:
    words = NOTICES.get(notice.code)
    if words is not None:
        return words(request, notice)
    return f"Note {code(notice.code)}, which this version has no words for. {_why(notice)}".strip()


def _why(notice: Notice) -> str:
    return f"{sentence(notice.text)} " if notice.text else ""
