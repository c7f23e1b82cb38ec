"""One appliance as the worker sees it (`bot.request.ports.AppliancePort`): events, never errors."""

from __future__ import annotations

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance, Calls, whole
from bot.appliance.errors import (
    ApplianceError,
    GatewaysNotFound,
    NoSuchPairing,
    NoSuchTask,
    NotUnderstood,
    OverBudget,
)
from bot.appliance.models import Issue, Listing
from bot.appliance.problems import Clock, after_delete, problem
from bot.appliance.snapshots import meta_words, pairing, snapshot, task_view
from bot.request import pairing as core_pairing
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteOutcome,
    Looked,
    PairingLooked,
    PairingRead,
    PairingUnresolved,
    TaskSeen,
)
from bot.request.lookups import ListedPairing
from bot.request.model import TaskView
from bot.request.pairing import Snapshot

CHECKING, ACTING = 4, 5
"""How many calls each effect makes, log-ins and further pages aside. CHECKING: the list of
pairings, count, replications, issues. ACTING: pairing, count, replications, tasks, and the DELETE.
"""

PARTIAL_KEPT = 5
"""Of the appliance's words for what its list does not hold."""


class Port:
    """`now` is the clock of the requests, in ms epoch. `checks_at`: the priority of
    `find_and_read`, which serves people's lookups too."""

    def __init__(
        self, appliance: Appliance, now: Clock, *, checks_at: Priority = Priority.CHECK
    ) -> None:
        self._appliance = appliance
        self._now = now
        self._checks_at = checks_at

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        calls = CHECKING + self._appliance.remote_calls()
        api = self._appliance.calls(self._checks_at, by, calls=calls)
        try:
            hit = _find(api, asked)
            if hit.pairing is None:
                titles = tuple(f"{p.title} ({p.id})" for p in hit.candidates)
                return PairingUnresolved(why=hit.why or "none", candidates=titles)
            return PairingRead(snapshot=self._read(api, hit.pairing, issues=True))
        except ApplianceError as error:
            return self._failed(api, error)

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        """Only people look at lists, so this has the priority of lookups."""
        try:
            listed = self._appliance.calls(Priority.LOOKUP, by).pairings()
        except ApplianceError as error:
            return CallFailed(problem=problem(error, self._now))
        found = [pairing(item) for item in listed.items]
        few = len(found) <= count_at_most
        counted = self._counts(found, by) if few else {}
        pairings = tuple(
            ListedPairing(
                pairing=each,
                replications=counted.get(each.id),
                uncounted=few and each.id not in counted,
            )
            for each in found
        )
        return pairings, tuple(meta_words(error) for error in listed.errors[:PARTIAL_KEPT])

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PairingLooked | CallFailed:
        # The DELETE is counted too. Otherwise the readings might be old, and have to be made again,
        # by the time there is room for it.
        calls = ACTING + self._appliance.remote_calls(pairing_id)
        api = self._appliance.calls(Priority.ACT, by, calls=calls, later=1)
        try:
            try:
                found = api.pairing(pairing_id)
            except (NoSuchPairing, GatewaysNotFound) as missing:
                return PairingLooked(pairing=api.listed_after(missing, pairing_id))
            now = self._read(api, pairing(found), issues=False)
            # Tasks last: if the answer to our DELETE is lost, a task of this pairing that somebody
            # else has started after this listing would be taken for ours. Nothing can close that
            # window, so keep it as short as possible.
            return PairingRead(snapshot=now, task_ids=tuple(t.id for t in _tasks(api)))
        except ApplianceError as error:
            return self._failed(api, error)

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        api = self._appliance.calls(Priority.ACT, by)
        try:
            api.prepare_delete(pairing_id)
        except ApplianceError as error:
            return self._failed(api, error)
        return None

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        api = self._appliance.calls(Priority.ACT, by)
        try:
            task = api.delete_pairing(pairing_id, force=force, send_by=send_by)
        except ApplianceError as error:
            return after_delete(error, self._now)
        return DeleteAccepted(task=task_view(task))

    def look_around(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> Looked | CallFailed:
        calls = 1 + (listed or task_id is not None)
        api = self._appliance.calls(Priority.FOLLOW, by, calls=calls)
        try:
            # Tasks first: one that has ended by then has taken its pairing with it.
            tasks = _tasks(api) if listed else _task(api, task_id)
            return Looked(tasks=tasks, pairing=api.presence(pairing_id))
        except ApplianceError as error:
            return self._failed(api, error)

    def look_at_pairing(self, pairing_id: str, by: float) -> PairingLooked | CallFailed:
        api = self._appliance.calls(Priority.FOLLOW, by)
        try:
            return PairingLooked(pairing=api.presence(pairing_id))
        except ApplianceError as error:
            return self._failed(api, error)

    def look_at_task(self, task_id: str, by: float) -> TaskSeen | CallFailed:
        api = self._appliance.calls(Priority.FOLLOW, by)
        try:
            return TaskSeen(task=next(iter(_task(api, task_id)), None))
        except ApplianceError as error:
            return self._failed(api, error)

    def _read(self, api: Calls, found: core_pairing.Pairing, *, issues: bool) -> Snapshot:
        # The pairing's own `_meta.errors` are not shown: it is read before there is a session at
        # the remote site, and complains of that even if everything below comes complete.
        remote_words = _remote_session(api, found.id)
        return snapshot(
            found,
            api.replication_count(found.id),
            api.replications(found.id),
            # Issues are shown, never compared: to read them again would only delay the DELETE.
            api.issues(found.id) if issues else Listing[Issue](),
            remote_words,
            self._now(),
        )

    def _counts(self, pairings: list[core_pairing.Pairing], by: float) -> dict[str, int]:
        """The counts up to the first failure. The list says of the others that they were not
        read."""
        counted: dict[str, int] = {}
        for each in pairings:
            # Each is an effect of its own: it must not go on to where checks would find no room.
            api = self._appliance.calls(Priority.LOOKUP, by)
            try:
                counted[each.id] = api.replication_count(each.id)
            except ApplianceError:
                break
        return counted

    def _failed(self, api: Calls, error: ApplianceError) -> CallFailed:
        api.give_back()
        return CallFailed(problem=problem(error, self._now))


def _find(api: Calls, asked: str) -> core_pairing.Hit:
    listed = api.pairings()
    complete = whole(listed)
    hit = core_pairing.find(asked, [pairing(p) for p in listed.items], whole=complete)
    if complete or hit.why != "none":
        return hit
    # An id that is missing from an incomplete list may still exist: ask for that pairing alone.
    try:
        return core_pairing.find(asked, [pairing(api.pairing(asked.strip()))])
    except NoSuchPairing:
        return hit


def _remote_session(api: Calls, pairing_id: str) -> tuple[str, ...]:
    """Why there is none, if so. The replications then come partial, and the card gives this
    reason."""
    try:
        api.ensure_remote_session(pairing_id)
    except OverBudget:
        raise  # no word about the remote site: nobody has asked it
    except ApplianceError as error:
        return (f"no session at the remote site: {error}",)
    return ()


def _tasks(api: Calls) -> tuple[TaskView, ...]:
    """Raises NotUnderstood for a partial listing: a task that is missing from it would count as
    gone, and later, when it is listed again, as new."""
    listed = api.tasks()
    if listed.partial:
        raise NotUnderstood("The appliance's list of tasks is incomplete by its own word.")
    return tuple(task_view(task) for task in listed.items)


def _task(api: Calls, task_id: str | None) -> tuple[TaskView, ...]:
    """The one of this id; none where there is no id, or the appliance has forgotten it."""
    if task_id is None:
        return ()
    try:
        return (task_view(api.task(task_id)),)
    except NoSuchTask:
        return ()
