"""One appliance as the rest of the bot sees it (`bot.request.plan.AppliancePort`).

Each effect is a few calls with one budget and one deadline. It brings an event, never an error:
what goes wrong becomes a problem here, and stays that up to the sentence that people read.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from bot.appliance.budget import Budget, EffectBudget, Priority
from bot.appliance.call_errors import CallError
from bot.appliance.calls import Calls, hiding, says_missing
from bot.appliance.http_answers import NOT_ACCEPTED
from bot.appliance.http_call import OnCall, Transport
from bot.appliance.listing import Listing, PageSizes
from bot.appliance.models import Replicated
from bot.appliance.session import Secrets, Sessions
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    DeleteOutcome,
    PairingRead,
    PairingUnresolved,
    PresenceRead,
    TaskPolled,
    TasksRead,
)
from bot.request.lookup_results import ListedPairing
from bot.request.model import TaskView
from bot.request.pairing import (
    ISSUES_KEPT,
    NAME_KEPT,
    REPLICATIONS_KEPT,
    Hit,
    IssueLine,
    Pairing,
    Replication,
    Snapshot,
    digest_of,
    find,
)
from bot.request.problem import ProblemKind

CHECKING, ACTING = 4, 5
"""How many calls each effect makes, log-ins and further pages aside. CHECKING: the list of
pairings, count, replications, issues. ACTING: pairing, count, replications, tasks, and the DELETE.
"""

LASTS_TIMEOUTS = 6
"""All calls of an effect together, in timeouts, where nobody says more: a log-in and some reads,
each may be slow."""

PARTIAL_KEPT = 5
"""Of the appliance's words for what its answer does not hold."""

T = TypeVar("T")


class Appliance:
    """One appliance. Thread-safe; holds its connections and its session until `close`.

    `host` is `host` or `host:port`; `base_path` such as `/api/rest/vr/v2`. `secrets` gives what is
    set now; it is called again before each log-in, and once a minute. `timeout_seconds` is for the
    connect and for each wait for an answer. `now` is the clock of the requests, in ms epoch.
    `label`: what the settings call this one of several appliances. `on_call(method, path_template,
    outcome, seconds)` is told after every HTTP call, with the status or the kind of the problem.
    """

    def __init__(
        self,
        *,
        host: str,
        secrets: Callable[[], Secrets],
        base_path: str,
        timeout_seconds: float,
        budget: Budget,
        user_agent: str,
        now: Callable[[], int],
        label: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        on_call: OnCall = lambda *_: None,
    ) -> None:
        self.host = host
        self._now = now
        self._label = label
        self._monotonic = monotonic
        self._page_sizes: PageSizes = {}
        self._checks_at = Priority.CHECK
        self._sessions = Sessions(
            Transport(
                host=host,
                base_path=base_path,
                trust=secrets().trust,
                timeout_seconds=timeout_seconds,
                user_agent=user_agent,
                monotonic=monotonic,
                on_call=on_call,
            ),
            budget,
            secrets,
            now,
            monotonic,
        )

    def __repr__(self) -> str:
        return f"Appliance({self.host})"

    @property
    def certificate_end(self) -> datetime | None:
        """When the certificate of the last connection ends; None before there was one."""
        return self._sessions.transport.certificate_end

    def for_lookups(self) -> Appliance:
        """The same, whose `find_and_read` has the priority of people's lookups."""
        same = copy.copy(self)
        same._checks_at = Priority.LOOKUP
        return same

    def calls(
        self, priority: Priority, by: float | None = None, *, calls: int = 1, later: int = 0
    ) -> Calls:
        """Calls for one effect, which must be over at the monotonic second `by`. It makes `calls`,
        log-ins aside, of which `later` belong to the effect after it (`EffectBudget`)."""
        if by is None:
            by = self._monotonic() + LASTS_TIMEOUTS * self._sessions.transport.timeout_seconds
        effect = EffectBudget(self._sessions.budget, priority, calls=calls, later=later, by=by)
        return Calls(self._sessions, effect, self._page_sizes)

    def close(self) -> None:
        """Close the connections. The session is left to end by itself."""
        self._sessions.transport.close()

    # ---- the effects ----------------------------------------------------------------------------

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        def read(api: Calls) -> PairingRead | PairingUnresolved:
            hit = _find(api, asked, self._label)
            if hit.pairing is None:
                titles = tuple(f"{p.title} ({p.id})" for p in hit.candidates)
                why = hit.why or "none"
                return PairingUnresolved(why=why, candidates=titles, near=hit.near)
            return PairingRead(snapshot=self._read(api, hit.pairing, issues=True))

        return self._effect(read, self._checks_at, by, calls=CHECKING)

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        """Only people look at lists, so this has the priority of lookups."""
        listed = self._effect(Calls.pairings, Priority.LOOKUP, by)
        if isinstance(listed, CallFailed):
            return listed
        few = len(listed.items) <= count_at_most
        counted: dict[str, int] = {}
        for each in listed.items if few else ():
            # Each is an effect of its own: it must not go on to where checks would find no room.
            # After the first that fails, the list says of the others that they were not read.
            count = partial(Calls.replication_count, pairing_id=each.id)
            found = self._effect(count, Priority.LOOKUP, by)
            if isinstance(found, CallFailed):
                break
            counted[each.id] = found
        pairings = tuple(
            ListedPairing(
                pairing=each,
                replications=counted.get(each.id),
                uncounted=few and each.id not in counted,
            )
            for each in listed.items
        )
        return pairings, tuple(error.words for error in hiding(listed)[:PARTIAL_KEPT])

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        def read(api: Calls) -> PairingRead | PresenceRead:
            try:
                found = api.pairing(pairing_id)
            except CallError as error:
                if not says_missing(error):
                    raise
                return PresenceRead(pairing=api.listed_after(error, pairing_id))
            now = self._read(api, found, issues=False)
            # Tasks last: if the answer to our DELETE is lost, a task of this pairing that somebody
            # else has started after this listing would be taken for ours. Nothing can close that
            # window, so keep it as short as possible.
            return PairingRead(snapshot=now, task_ids=tuple(task.id for task in api.tasks()))

        # The DELETE is counted too. Otherwise the readings might be old, and have to be made again,
        # by the time there is room for it.
        return self._effect(read, Priority.ACT, by, calls=ACTING, later=1)

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        return self._effect(lambda api: api.prepare_delete(pairing_id), Priority.ACT, by)

    def end_delete(self, pairing_id: str) -> None:
        self.calls(Priority.ACT).end_delete(pairing_id)

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        def send(api: Calls) -> TaskView:
            return api.delete_pairing(pairing_id, force=force, send_by=send_by)

        task = self._effect(send, Priority.ACT, by)
        if not isinstance(task, CallFailed):
            return DeleteAccepted(task=task)
        # If in doubt, it may have been accepted.
        if task.problem.kind in NOT_ACCEPTED:
            return DeleteNotAccepted(problem=task.problem)
        return DeleteAnswered(problem=task.problem)

    def read_tasks(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> TasksRead | CallFailed:
        def read(api: Calls) -> TasksRead:
            # Tasks first: one that has ended by then has taken its pairing with it.
            one = None if listed or task_id is None else api.task(task_id)
            tasks = api.tasks() if listed else (one,) if one else ()
            return TasksRead(tasks=tasks, pairing=api.presence(pairing_id))

        calls = 1 + (listed or task_id is not None)
        return self._effect(read, Priority.FOLLOW, by, calls=calls)

    def read_presence(self, pairing_id: str, by: float) -> PresenceRead | CallFailed:
        found = self._effect(lambda api: api.presence(pairing_id), Priority.FOLLOW, by)
        return found if isinstance(found, CallFailed) else PresenceRead(pairing=found)

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        found = self._effect(lambda api: api.task(task_id), Priority.FOLLOW, by)
        return found if isinstance(found, CallFailed) else TaskPolled(task=found)

    def _effect(
        self,
        run: Callable[[Calls], T],
        priority: Priority,
        by: float,
        *,
        calls: int = 1,
        later: int = 0,
    ) -> T | CallFailed:
        """The one place where an error becomes a problem."""
        api = self.calls(priority, by, calls=calls, later=later)
        try:
            return run(api)
        except CallError as error:
            api.effect.give_back()
            return CallFailed(problem=error.problem(self._now()))

    def _read(self, api: Calls, found: Pairing, *, issues: bool) -> Snapshot:
        """Without the pairing's own `_meta.errors`: it is read before there is a session at the
        remote site, and complains of that even if everything below comes complete."""
        remote_words: tuple[str, ...] = ()
        try:
            api.ensure_remote_session(found.id)
        except CallError as error:
            if error.kind is ProblemKind.OVER_BUDGET:
                raise  # no word about the remote site: nobody has asked it
            # The replications then come partial, and the card gives this reason.
            remote_words = (f"no session at the remote site, since {error}",)
        return snapshot(
            found,
            api.replication_count(found.id),
            api.replications(found.id),
            # Issues are shown, never compared: to read them again would only delay the DELETE.
            api.issues(found.id) if issues else Listing(),
            remote_words,
            self._now(),
        )


def _find(api: Calls, asked: str, label: str | None) -> Hit:
    listed = api.pairings()
    complete = not hiding(listed)
    hit = find(asked, listed.items, whole=complete, label=label)
    if complete or hit.why != "none":
        return hit
    # An id that is missing from an incomplete list may still exist: ask for that pairing alone.
    try:
        return find(asked, [api.pairing(asked.strip())])
    except CallError as error:
        if error.kind is not ProblemKind.NOT_FOUND:
            raise
        return hit


def snapshot(
    found: Pairing,
    count: int,
    replications: Listing[Replicated],
    issues: Listing[IssueLine],
    also_partial: tuple[str, ...],
    now: int,
) -> Snapshot:
    """`complete` only if the appliance says nothing is missing and its count agrees."""
    items = replications.items
    said = [*also_partial, *(e.words for e in (*replications.errors, *issues.errors))]
    if not replications.partial and len(items) != count:
        said.append(f"{len(items)} replications are listed, {count} are counted")
    ordered = sorted(items, key=lambda each: (not each.protected, each.name, each.id))
    return Snapshot(
        pairing_id=found.id,
        local_vc=found.local_vc,
        remote_vc=found.remote_vc,
        local_vrms=found.local_vrms,
        remote_vrms=found.remote_vrms,
        count=count,
        complete=not replications.partial and len(items) == count,
        replications_digest=None if replications.said_partial else digest_of(r.id for r in items),
        replications=tuple(
            Replication(id=each.id, name=each.name[:NAME_KEPT], protected=each.protected)
            for each in ordered[:REPLICATIONS_KEPT]
        ),
        protected=sum(each.protected for each in items),
        issues=issues.items[:ISSUES_KEPT],
        issue_count=len(issues.items),
        # Each only once: if one reason cuts off both lists, both give it.
        partial=tuple(dict.fromkeys(said))[:PARTIAL_KEPT],
        read_at=now,
    )
