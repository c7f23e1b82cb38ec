"""`vr-unpair`, with fault points: `python -m tests.life.kills.bot_with_faults run`.

The only place where they exist: methods of the real program are wrapped before it starts, so that
the process sends itself SIGKILL, or SIGSTOP, at a pass that was chosen beforehand; or SIGKILL when
it gets SIGUSR1.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import bot.app
import bot.appliance.budget
import bot.appliance.refused_login
import bot.request.following
import bot.slack.send.poster
import bot.store.audit_trail
import bot.store.outbox
import bot.worker.drive
from bot.__main__ import main
from bot.appliance.appliance import Appliance
from bot.appliance.tls import ApplianceConnection, Flight
from bot.request.messages import Due
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.requests import Requests
from bot.worker.effects import Effects
from tests.life.kills.faults import POINTS, Faults


class Doom:
    """Counts passes and kills. Whatever was on its way to Slack at that moment is said on stderr:
    only such a post may stand twice."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._passes: dict[str, int] = dict.fromkeys(POINTS, 0)
        self._passes_in_all = 0
        self._posts: dict[int, tuple[str, str]] = {}

    def passes(self, point: str) -> None:
        with self._lock:
            self._passes[point] += 1
            self._passes_in_all += 1
            wanted = self._faults.point
            if wanted is None and self._passes_in_all == self._faults.nth:
                self._die(point)
            if point == wanted and self._passes[point] == self._faults.nth:
                self._die(point)

    def leaves(self, due: Due) -> None:
        """A call to Slack begins. Who comes to the lock while the process dies has sent nothing."""
        with self._lock:
            self._posts[threading.get_ident()] = (due.request_id, due.slot)

    def settled(self) -> None:
        """What became of it is stored."""
        with self._lock:
            self._posts.pop(threading.get_ident(), None)

    def after_a_while(self) -> None:
        seconds = self._faults.after_seconds
        if seconds is not None:
            threading.Thread(target=self._wait, args=(seconds,), daemon=True).start()

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds)
        with self._lock:
            self._die("anywhere")

    def when_told(self) -> None:
        """Before any thread starts. Not in the handler: the thread that runs that may hold the
        lock."""
        signal.signal(
            signal.SIGUSR1,
            lambda *_: threading.Thread(target=self._wait, args=(0.0,), daemon=True).start(),
        )
        # Blocked in every thread, so that it is kept for the one that waits for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})

    def _die(self, point: str) -> None:
        freezes = self._faults.freezes and point != "anywhere"
        event = {
            "event": "frozen" if freezes else "killed",
            "level": "info",
            "point": point,
            "nth": self._passes.get(point, 1),
            "posts": sorted(self._posts.values()),
        }
        # The pipe outlives the process. A line of its own, whatever another thread is writing.
        os.write(2, f"\n{json.dumps(event)}\n".encode())
        os.kill(os.getpid(), signal.SIGSTOP if freezes else signal.SIGKILL)
        # A busy machine stops a process some time after the call that asks for it, and this thread
        # would be anywhere by then: here it stays.
        signal.sigwait({signal.SIGCONT})


def around(
    doom: Doom, owner: Any, name: str, before: str | None = None, after: str | None = None
) -> None:
    """Points on both sides of a function. One that returned None or False has done nothing,
    unless it never returns anything."""
    original: Callable[..., Any] = getattr(owner, name)
    silent = name in ("release", "prepare_delete", "sent")

    @functools.wraps(original)
    def passing(*args: Any, **kwargs: Any) -> Any:
        if before:
            doom.passes(before)
        result = original(*args, **kwargs)
        if after and (silent or result):
            doom.passes(after)
        return result

    setattr(owner, name, passing)


def lay_points(doom: Doom) -> None:
    around(doom, Requests, "insert_row", "insert_row:before", "insert_row:after")
    around(doom, Requests, "claim", after="claim:after")
    around(doom, Requests, "save", "save:before", "save:after")
    around(doom, Requests, "save_intent", "intent:before", "intent:after")
    around(doom, Requests, "release", "release:before", "release:after")
    lay_point_before_commits(doom)
    around(doom, Effects, "run", "effect:before", "effect:after")
    around(doom, Appliance, "prepare_delete", "prepare:before", "prepare:after")
    around(doom, Appliance, "delete", "delete:before", "delete:after")
    around(doom, Inbox, "put", "inbox:before", "inbox:after")
    around(doom, Outbox, "claim", after="outbox:after")
    lay_points_on_the_wire(doom)
    lay_points_to_slack(doom)


def lay_point_before_commits(doom: Doom) -> None:
    """The audit head is locked last: everything of the transaction is written, nothing committed.
    The record of a start is of no request, and no line of a life."""
    append = bot.store.audit_trail.append

    def appending(conn: Any, request_id: str | None, entries: Any) -> None:
        append(conn, request_id, entries)
        if request_id is not None:
            doom.passes("commit:before")

    bot.store.audit_trail.append = appending


def lay_points_on_the_wire(doom: Doom) -> None:
    """The DELETE alone: it is in time, and no byte has left; its last byte has left; its answer has
    come and nobody has read it."""
    request, getresponse = ApplianceConnection.request, ApplianceConnection.getresponse
    leave = Flight.leave

    def leaving(self: Flight) -> None:
        leave(self)
        if self.send_by is not None:
            doom.passes("delete:leaving")

    def writing(self: ApplianceConnection, method: str, *args: Any, **options: Any) -> None:
        self.deletes = method == "DELETE"  # type: ignore[attr-defined]
        request(self, method, *args, **options)
        if method == "DELETE":
            doom.passes("delete:written")

    def hearing(self: ApplianceConnection) -> Any:
        response = getresponse(self)
        if self.deletes:  # type: ignore[attr-defined]
            doom.passes("delete:received")
        return response

    Flight.leave = leaving  # type: ignore[method-assign]
    ApplianceConnection.request = writing  # type: ignore[assignment]
    ApplianceConnection.getresponse = hearing  # type: ignore[method-assign]


def lay_points_to_slack(doom: Doom) -> None:
    """The poster's three kinds of call, and the storing of what Slack said."""
    poster: Any = bot.slack.send.poster
    in_time = poster.Poster._in_time

    def kind(due: Due) -> str:
        return "answer" if due.answer else "edit" if due.ts else "post"

    def leaving(self: Any, due: Due, begun: float) -> bool:
        """Before the last look at the clock: whoever stood still here must not send."""
        doom.passes(f"{kind(due)}:before")
        doom.leaves(due)
        left: bool = in_time(self, due, begun)
        if not left:
            doom.settled()
        return left

    def calling(original: Callable[..., Any]) -> Any:
        def call(client: Any, due: Due, *args: Any, **options: Any) -> Any:
            outcome = original(client, due, *args, **options)
            doom.passes(f"{kind(due)}:after")
            return outcome

        return call

    def storing(original: Callable[..., None]) -> Any:
        def store(*args: Any, **options: Any) -> None:
            original(*args, **options)
            doom.settled()

        return store

    poster.Poster._in_time = leaving
    poster.send, poster.tell = calling(poster.send), calling(poster.tell)
    for name in ("sent", "put_off", "given_up"):
        setattr(Outbox, name, storing(getattr(Outbox, name)))
    around(doom, Outbox, "sent", "sent:before", "sent:after")


def change_figures(faults: Faults) -> None:
    if faults.lease_ms is not None:
        bot.worker.drive.LEASE_MS = faults.lease_ms
    if faults.commit_ms is not None:
        bot.worker.drive.COMMIT_MS = faults.commit_ms
    if faults.sending_ms is not None:
        bot.app.SENDING_MS = faults.sending_ms
    if faults.login_rest_ms is not None:
        bot.appliance.refused_login.REST_MS = faults.login_rest_ms
    if faults.window_ms is not None:
        bot.appliance.budget.WINDOW_MS = bot.request.following.MINUTE_MS = faults.window_ms
        bot.appliance.budget.LATER_MS = faults.window_ms // 6
    if faults.calls_per_minute is not None:
        os.environ["VR_CALLS_PER_MINUTE"] = str(faults.calls_per_minute)


def die_after_the_start(doom: Doom) -> None:
    start = bot.app.Bot.start

    def starting(self: bot.app.Bot) -> bool:
        started = start(self)
        doom.after_a_while()
        return started

    bot.app.Bot.start = starting  # type: ignore[method-assign]


if __name__ == "__main__":
    told = Faults.of()
    end = Doom(told)
    change_figures(told)
    lay_points(end)
    die_after_the_start(end)
    end.when_told()
    main()
