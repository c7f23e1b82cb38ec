"""The one progress message, which is edited as the work goes on.

It names no time, so it only changes if there is something new to see.
"""

from __future__ import annotations

from bot.request.delivery import Drawn
from bot.request.model import Request, State, TaskView
from bot.request.problem import ProblemKind
from bot.slack.draw.blocks import drawn, section
from bot.slack.draw.limits import ID
from bot.slack.draw.markup import code, sentence
from bot.slack.draw.words.phrases import nothing_sent, signs_of_ours
from bot.slack.draw.words.states import heading_in_thread

BAR = 10


def progress(request: Request) -> Drawn:
    text = _words(request)
    return drawn(text, section(text))


def _words(request: Request) -> str:
    match request.state:
        case State.CHECKING | State.PENDING:
            return f"🟡 Stopped. {nothing_sent(request)} Approval is needed again."
        case State.APPROVED:
            return _approved(request)
        case State.DELETING:
            return _deleting(request)
        case State.FOLLOWING:
            return _following(request)
        case _:
            return f"{heading_in_thread(request)}. The final reply in this thread says how it went."


def _approved(request: Request) -> str:
    decided = "🚨 Break glass" if request.glass else "🔵 Approved"
    if request.waiting:
        so_far = "turned away so far" if request.turned_away else "not sent yet"
        return f"{decided}, {so_far}. {sentence(request.waiting.text)} Trying again."
    what = "the delete is sent again" if request.turned_away else "anything is sent"
    return f"{decided}. Reading rights and pairing once more before {what}."


def _deleting(request: Request) -> str:
    if request.waiting:
        return f"🔵 Looking for what became of the delete. {sentence(request.waiting.text)}"
    if request.answer and request.answer.kind is ProblemKind.NOT_FOUND:
        return "🔵 The delete was answered 404. Looking whether the pairing is gone."
    if request.answer:
        return "🔵 The answer to the delete does not settle it. Looking at tasks and pairing."
    if request.looking_since is not None:
        return "🔵 The delete may have gone out: no answer is known. Looking at tasks and pairing."
    return "🔵 Delete on its way, waiting for the appliance's answer."


def _following(request: Request) -> str:
    task = request.task
    if task is None:
        return "🔵 The appliance has accepted the delete."
    lines = [f"🔵 Task {code(task.status, ID)}{_bar(task)}", f"id {code(task.id, ID)}"]
    if task.status == "SUCCESS":
        lines.append("Checking that the pairing is really gone.")
    elif request.looking_since is not None:
        lines.append("The appliance does not know the task just now. Asking again.")
    elif request.waiting:
        lines.append(f"{sentence(request.waiting.text)} Trying again.")
    lines += filter(None, [signs_of_ours(request)])
    return "\n".join(lines)


def _bar(task: TaskView) -> str:
    """Empty if the appliance gives no percentage."""
    if task.progress is None:
        return ""
    percent = min(100, max(0, task.progress))
    full = percent * BAR // 100
    return f" {'▰' * full}{'▱' * (BAR - full)} {percent} %"
