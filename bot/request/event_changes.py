"""`Step`: one event being absorbed. Collects its changes, audit entries and answers.

A wait for the appliance or for Slack is silent at first. Then the thread is told that the request
waits, and later that it goes on, in one notice that is changed in place: an appliance that comes
and goes for a day makes neither a long thread nor a growing row.
"""

from __future__ import annotations

from typing import Any

from bot.request import Frozen
from bot.request.audit_chain import SYSTEM, Entry
from bot.request.events import PairingRead, RightsRead, Stored
from bot.request.messages import Answer
from bot.request.model import Notice, Outcome, Readings, Request, State, WaitingClick
from bot.request.plan import LONGEST_READING_MS, TELL_AFTER_MS
from bot.request.problem import Problem, ProblemKind

WAITS = {
    State.APPROVED: "waits_to_send",
    State.DELETING: "waits_to_look",
    State.FOLLOWING: "waits_to_follow",
}
GOES_ON = "goes_on"


class Absorbed(Frozen):
    """The new request, with what must be stored in the same transaction. `number`: that of the
    event, 0 for one that never went through the inbox."""

    request: Request
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
    number: int = 0


WITH_FORM = frozenset({"deny", "break_glass", "settle"})
"""For these a form is filled in. The answer goes to where that was opened, which may have lapsed
while somebody typed. Then it must come as a direct message: who is refused a Deny would otherwise
believe that they had stopped the request."""


class Step:
    """Collects what one event does. Nothing is visible before `done`."""

    def __init__(self, request: Request, stored: Stored, now: int) -> None:
        self.request = request
        self.stored = stored
        self.now = now
        self._before = request.state
        self._entries: list[Entry] = []
        self._answers: list[Answer] = []

    def read_at(self, event: RightsRead | PairingRead) -> int:
        """The moment for which the reading holds: now, or its beginning if the process froze."""
        begun = self.now if event.read_at is None else event.read_at
        longest = max(LONGEST_READING_MS, 2 * self.request.terms.timeout_ms)
        return self.now if self.now - begun <= longest else begun

    def change(self, **changes: Any) -> None:
        self.request = self.request.model_copy(update={**changes, "updated_at": self.now})

    def end(self, state: State, outcome: Outcome) -> None:
        """A final state: waiting clicks are answered, and nothing is due any more."""
        self.answer_waiting_clicks()
        self.change(
            state=state,
            outcome=outcome,
            ended_at=self.now,
            not_before=None,
            waiting=None,
        )

    def approve(self) -> None:
        """Enough people agreed. EXECUTION_TTL begins here, or at the time that was asked for: who
        approved before it while the bot was away over it has approved a window that is missed."""
        at = self.request.scheduled_at
        begins = self.now if at is None else at
        self.change(
            state=State.APPROVED,
            approved_at=self.now,
            time_came=False,
            execute_by=begins + self.request.terms.execution_ttl_ms,
            not_before=None,
        )

    def back_to_pending(self) -> None:
        """The decision does not hold any more. The old deadline stays; what was read is void."""
        self.change(
            state=State.PENDING,
            readings=Readings(),
            not_before=None,
            waiting=None,
            unreachable_since=None,
            gone_since=None,
            execute_by=None,
        )

    def answer_waiting_clicks(self, *, approved: bool = False) -> None:
        """It is decided. Clicks whose rights are not read yet cannot count any more, and are
        answered now: otherwise nobody would hear of them until the request has ended. Denials of
        what waits for its time still can."""
        waits = approved and self.request.may_be_denied
        kept = tuple(c for c in self.request.clicks if waits and c.action == "deny")
        for click in self.request.clicks:
            if click not in kept:
                self.turn_away(click, "already_decided", "already_decided")
        self.change(clicks=kept)

    def turn_away(
        self, click: WaitingClick, why: str, code: str, retry_at: int | None = None
    ) -> None:
        """A click that does not count: `why` is for the audit trail, `code` for whoever clicked.
        The same again is counted, and recorded at the tenth, the hundredth and so on: nobody fills
        the trail by pressing all day."""
        same = f"{click.by} {click.message} {click.action} {why}"
        times = self.request.refused.get(same, 0) + 1
        self.change(refused={**self.request.refused, same: times})
        if str(times).strip("0") == "1":
            about = {"click": click.action, "why": why, "times": times if times > 1 else None}
            self.record("click_refused", click.by, click.message, **about)
        params = {} if retry_at is None else {"retry_at": str(retry_at)}
        self.answer(code, event=click.event, matters=click.action in WITH_FORM, **params)

    def record(
        self, action: str, actor: str = SYSTEM, message: str | None = None, **detail: Any
    ) -> None:
        self._entries.append(
            Entry(
                action=action,
                actor=actor,
                at=self.now,
                message=message,
                before=self._before,
                after=self.request.state,
                detail={k: v for k, v in detail.items() if v is not None},
            )
        )

    def answer(
        self, code: str, *, event: int | None = None, matters: bool = False, **params: str
    ) -> None:
        number = self.stored.number if event is None else event
        if number:
            self._answers.append(Answer(event=number, code=code, params=params, matters=matters))

    def notice(self, code: str, text: str = "", **people: tuple[str, ...]) -> None:
        """`people` as in `Notice`."""
        added = Notice(code=code, at=self.now, text=text, **people)
        self.change(notices=(*self.request.notices, added))

    def wait_for(self, problem: Problem, until: int) -> None:
        """Do nothing before `until`. The thread is told when the wait is or will be a long one, and
        never that a reading after the DELETE waits for our own limit of calls: the next one finds
        out as much as this one would have."""
        if problem.kind is ProblemKind.OVER_BUDGET and self.request.state is not State.APPROVED:
            self.change(not_before=until)
            return
        since = self.request.unreachable_since
        if since is None:
            since = self.now
        self.change(not_before=until, unreachable_since=since, waiting=problem)
        if told_of_wait(self.request):
            return
        if self.now - since >= TELL_AFTER_MS or until - self.now >= TELL_AFTER_MS:
            self._tell_of_wait(WAITS[self.request.state], since, problem.text)
            self.record("waits", problem=problem.model_dump(exclude_none=True))

    def went_on(self) -> None:
        """The wait is over, not just one call of several: whoever was told of it is told so."""
        request = self.request
        if request.waiting is None and request.unreachable_since is None:
            return
        self.change(waiting=None, unreachable_since=None, not_before=None)
        if told_of_wait(request):
            self._tell_of_wait(GOES_ON, self.now)

    def _tell_of_wait(self, code: str, at: int, text: str = "") -> None:
        before, told = wait_notice(self.request), Notice(code=code, at=at, text=text)
        if before is None:
            return self.change(notices=(*self.request.notices, told))
        told = told.model_copy(update={"times": before.times + (code != GOES_ON)})
        told_now = (told if each is before else each for each in self.request.notices)
        return self.change(notices=tuple(told_now))

    def done(self) -> Absorbed:
        return Absorbed(
            request=self.request,
            entries=tuple(self._entries),
            answers=tuple(self._answers),
            number=self.stored.number,
        )


def wait_notice(request: Request) -> Notice | None:
    codes = (*WAITS.values(), GOES_ON)
    return next((each for each in request.notices if each.code in codes), None)


def told_of_wait(request: Request) -> bool:
    """Whether the thread believes that it waits, since the approval that holds."""
    told = wait_notice(request)
    return told is not None and told.code != GOES_ON and told.at >= (request.approved_at or 0)
