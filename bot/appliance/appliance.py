"""One appliance as the rest of the bot sees it (`bot.request.plan.AppliancePort`).

Each effect is a few calls with one budget and one deadline. It brings an event, never an error:
what goes wrong becomes a problem here, and stays that up to the sentence that people read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from bot.appliance.budget import EffectBudget, Priority
from bot.appliance.calls import Calls, delete_of, hiding
from bot.appliance.http_answers import NOT_ACCEPTED, CallError
from bot.appliance.listing import Listing
from bot.appliance.session import Sessions
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    DeleteOutcome,
    PairingRead,
    PresenceRead,
    TaskPolled,
)
from bot.request.lookup_results import ListedPairing
from bot.request.pairing import (
    ISSUES_KEPT,
    REPLICATIONS_KEPT,
    IssueLine,
    Pairing,
    PairingUnresolved,
    Replication,
    Snapshot,
    digest_of,
    find,
)
from bot.request.problem import ProblemKind
from bot.request.task import TaskView

CHECKING, ACTING = 4, 5
"""How many calls each effect makes, log-ins and further pages aside. CHECKING: the list of
pairings, count, replications, issues. ACTING: pairing, count, replications, tasks, and the DELETE.
"""

LASTS_TIMEOUTS = 6
"""All calls of an effect together, in timeouts, where nobody says more: a log-in and some reads,
each may be slow."""

NOT_MADE = (ProblemKind.UNSENT, ProblemKind.TOO_LATE)
"""After these no byte of a call has left."""

PARTIAL_KEPT = 5
"""Of the appliance's words for what its answer does not hold."""

T = TypeVar("T")


@dataclass(eq=False)
class Appliance:
    """One appliance. Thread-safe; holds its connections and its session until `close`.

    `label`: what the settings call this one of several appliances. `checks_at`: the priority of
    `find_and_read`.
    """

    sessions: Sessions
    label: str | None = None
    checks_at: Priority = Priority.CHECK
    _deletes: dict[str, EffectBudget] = field(default_factory=dict, init=False)
    """By pairing, the DELETE that was counted and may come still."""

    def __repr__(self) -> str:
        return f"Appliance({self.host})"

    @property
    def host(self) -> str:
        return self.sessions.transport.host

    @property
    def certificate_end(self) -> datetime | None:
        """When the certificate of the last connection ends; None before there was one."""
        return self.sessions.transport.certificate_end

    def for_lookups(self) -> Appliance:
        """The same, whose `find_and_read` has the priority of people's lookups."""
        return replace(self, checks_at=Priority.LOOKUP)

    def calls(
        self, priority: Priority, by: float | None = None, *, calls: int = 1, later: int = 0
    ) -> Calls:
        """Calls for one effect, which must be over at the monotonic second `by`. It makes `calls`,
        log-ins aside, of which `later` belong to the effect after it (`EffectBudget`)."""
        way = self.sessions.transport
        if by is None:
            by = way.monotonic() + LASTS_TIMEOUTS * way.timeout_seconds
        effect = EffectBudget(self.sessions.budget, priority, calls=calls, later=later, by=by)
        return Calls(self.sessions, effect)

    def close(self) -> None:
        """Close the connections. The session is left to end by itself."""
        self.sessions.transport.close()

    # ---- the effects ----------------------------------------------------------------------------

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        def read(api: Calls) -> PairingRead | PairingUnresolved:
            found = _find(api, asked, self.label)
            if isinstance(found, PairingUnresolved):
                return found
            return PairingRead(snapshot=self._read(api, found, issues=True))

        return self._effect(read, self.checks_at, by, calls=CHECKING)

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
        self.give_back(pairing_id)  # to be counted anew

        def read(api: Calls) -> PairingRead | PresenceRead:
            found = api.pairing_or_presence(pairing_id)
            if not isinstance(found, Pairing):
                return PresenceRead(pairing=found)
            now = self._read(api, found, issues=False)
            # Tasks last: if the answer to our DELETE is lost, a task of this pairing that somebody
            # else has started after this listing would be taken for ours. Nothing can close that
            # window, so keep it as short as possible.
            task_ids = tuple(task.id for task in api.tasks())
            self._deletes[pairing_id] = api.effect.handed_on()
            return PairingRead(snapshot=now, task_ids=task_ids)

        # The DELETE is counted too. Otherwise the readings might be old, and have to be made again,
        # by the time there is room for it.
        return self._effect(read, Priority.ACT, by, calls=ACTING, later=1)

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        return self._effect(lambda api: api.prepare_delete(pairing_id), Priority.ACT, by)

    def end_delete(self, pairing_id: str) -> None:
        self.sessions.transport.close_opened(delete_of(pairing_id))

    def give_back(self, pairing_id: str) -> None:
        counted = self._deletes.pop(pairing_id, None)
        if counted is not None:
            counted.give_back()

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        def send(api: Calls) -> TaskView:
            return api.delete_pairing(pairing_id, force=force, send_by=send_by)

        task = self._effect(send, Priority.ACT, by)
        if not isinstance(task, CallFailed) or task.problem.kind not in NOT_MADE:
            self._deletes.pop(pairing_id, None)
        if not isinstance(task, CallFailed):
            return DeleteAccepted(task=task)
        # If in doubt, it may have been accepted.
        if task.problem.kind in NOT_ACCEPTED:
            return DeleteNotAccepted(problem=task.problem)
        return DeleteAnswered(problem=task.problem)

    def read_presence(
        self, pairing_id: str, by: float, *, listed: bool = False, task_id: str | None = None
    ) -> PresenceRead | CallFailed:
        def read(api: Calls) -> PresenceRead:
            # Tasks first: one that has ended by then has taken its pairing with it.
            one = None if listed or task_id is None else api.task(task_id)
            tasks = api.tasks() if listed else (one,) if one else ()
            return PresenceRead(tasks=tasks, pairing=api.presence(pairing_id))

        calls = 1 + (listed or task_id is not None)
        return self._effect(read, Priority.FOLLOW, by, calls=calls)

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
        found: T | CallFailed
        try:
            found = run(api)
        except CallError as error:
            found = CallFailed(problem=error.problem(self.sessions.now()))
        api.effect.give_back()
        return found

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
            self.sessions.now(),
        )


def _find(api: Calls, asked: str, label: str | None) -> Pairing | PairingUnresolved:
    listed = api.pairings()
    complete = not hiding(listed)
    found = find(asked, listed.items, whole=complete, label=label)
    if complete or isinstance(found, Pairing) or found.why != "none":
        return found
    # An id that is missing from an incomplete list may still exist: ask for that pairing alone.
    try:
        return find(asked, [api.pairing(asked.strip())])
    except CallError as error:
        if error.kind is not ProblemKind.NOT_FOUND:
            raise
        return found


def snapshot(
    found: Pairing,
    count: int,
    replications: Listing[Replication],
    issues: Listing[IssueLine],
    also_partial: tuple[str, ...],
    now: int,
) -> Snapshot:
    """`complete` only if the appliance says nothing is missing, its count agrees, and it can be
    read of each replication whether a recovery plan protects it."""
    items = replications.items
    guarded = [each.id for each in items if each.protected]
    said = [*also_partial, *(e.words for e in (*replications.errors, *issues.errors))]
    if not replications.partial and len(items) != count:
        said.append(f"{len(items)} replications are listed, {count} are counted")
    unread = [each.name for each in items if each.protected is None]
    if unread:
        more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        said.append(f"whether a recovery plan protects {unread[0]}{more} cannot be read")
    ordered = sorted(items, key=lambda each: (not each.protected, each.name, each.id))
    return Snapshot(
        id=found.id,
        local_vc=found.local_vc,
        remote_vc=found.remote_vc,
        local_vrms=found.local_vrms,
        remote_vrms=found.remote_vrms,
        count=count,
        complete=not replications.partial and len(items) == count and not unread,
        replications_digest=None if replications.said_partial else digest_of(r.id for r in items),
        replications=tuple(ordered[:REPLICATIONS_KEPT]),
        protected=len(guarded),
        protected_digest=digest_of(guarded),
        issues=issues.items[:ISSUES_KEPT],
        issue_count=len(issues.items),
        # Each only once: if one reason cuts off both lists, both give it.
        partial=tuple(dict.fromkeys(said))[:PARTIAL_KEPT],
        read_at=now,
    )
