"""Follow the task of an accepted DELETE, and prove that the pairing is gone."""

from __future__ import annotations

from bot.request.event_changes import Step
from bot.request.events import (
    PresenceRead,
    TaskPolled,
)
from bot.request.model import Outcome, State
from bot.request.pairing import Presence
from bot.request.plan import (
    POLLS_OVER_TIMEOUTS,
    polled_long_enough,
)
from bot.request.task import TaskView
from bot.request.who_may import SiteTerms

MINUTE_MS = 60_000


def pause_to_next_poll_ms(site: SiteTerms, place: int, followed: int, now: int) -> int:
    """When a running task is asked for again, while so many are followed at this appliance by all
    copies of the bot: so seldom that all polls together take at most half of what it may be asked,
    in any minute. So each has turns of its own, by its place among them: after a restart all are
    due at once, and would stay so."""
    # A twentieth longer, so that no minute holds one more than that by the time a call takes.
    each_ms = 2 * MINUTE_MS // site.calls_per_minute * 21 // 20
    round_ms = each_ms * followed
    if round_ms <= site.poll_ms:
        return site.poll_ms
    pause_ms = max(site.poll_ms, round_ms // 2)
    return pause_ms + (place * each_ms - now - pause_ms) % round_ms


def task_polled(step: Step, event: TaskPolled) -> None:
    """What the task says of itself, or that the appliance does not know it."""
    step.went_on()
    if event.task is not None:
        step.change(polling_since=None)
        return watch(step, event.task, event.pause_ms)
    since = step.request.polling_since
    step.change(polling_since=step.now if since is None else since)
    enough = polled_long_enough(step.request, step.now)
    pause_ms = max(event.pause_ms, step.request.terms.poll_ms)
    step.change(not_before=None if enough else step.now + pause_ms)
    return None


def watch(step: Step, task: TaskView, pause_ms: int = 0) -> None:
    """Take over what the task says. SUCCESS is not yet the end of the request: that needs proof."""
    known = step.request.task
    step.change(task=task)
    if known is None or known.status != task.status:
        step.record("task", task=task.id, status=task.status, progress=task.progress)
    if not task.ended:
        step.change(not_before=step.now + max(pause_ms, step.request.terms.poll_ms))
    elif task.status == "SUCCESS":
        step.change(polling_since=None, not_before=None)
    else:
        fail(step, f"task_{task.status.lower()}")


def presence_read(step: Step, event: PresenceRead) -> None:
    """The proof: gone ends the request. Still there: polled again, then a person is called."""
    step.went_on()
    request = step.request
    success = request.task is not None and request.task.status == "SUCCESS"
    if is_gone(step, event.pairing):
        return succeed(step, "proved")
    there = event.pairing == "there"
    if there and not success:
        return attention(step, "end_unknown")
    since = step.now if request.polling_since is None else request.polling_since
    not_before = step.now + request.terms.poll_ms
    step.change(polling_since=since, not_before=not_before)
    if there and polled_long_enough(step.request, step.now):
        attention(step, "end_unknown")
    return None


def is_gone(step: Step, pairing: Presence) -> bool:
    """Whether that is proved: by the list of pairings, or where that is not whole by answers of 404
    that have gone on for long enough. Then `gone_since` tells by which."""
    if pairing != "unlisted":
        step.change(gone_since=None)
        return pairing == "gone"
    since = step.now if step.request.gone_since is None else step.request.gone_since
    step.change(gone_since=since)
    return step.now - since >= POLLS_OVER_TIMEOUTS * step.request.terms.timeout_ms


def succeed(step: Step, code: str) -> None:
    by_404s = step.request.gone_since is not None
    outcome = Outcome(code=code, problem=step.request.answer, by_404s=by_404s)
    step.end(State.SUCCEEDED, outcome)
    step.record("succeeded", why=code, by_404s=by_404s or None)


def fail(step: Step, code: str) -> None:
    step.end(State.FAILED, Outcome(code=code, problem=step.request.answer))
    step.record("failed", why=code)


def attention(step: Step, code: str) -> None:
    problem = step.request.answer or step.request.waiting
    step.end(State.ATTENTION, Outcome(code=code, problem=problem))
    step.record("attention", why=code)
