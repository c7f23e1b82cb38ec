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
from bot.appliance.models import Issue, Listing, MetaError, Pairing, Replication, ServerInfo, Task
from bot.appliance.problems import Clock, after_delete, problem
from bot.request import pairing as core_pairing
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteOutcome,
    PairingRead,
    PairingUnresolved,
    PresenceRead,
    TaskPolled,
    TasksRead,
)
from bot.request.lookups import ListedPairing
from bot.request.model import TaskView
from bot.request.pairing import (
    ISSUES_KEPT,
    NAME_KEPT,
    REPLICATIONS_KEPT,
    IssueLine,
    Server,
    Snapshot,
    digest_of,
)

CHECKING, ACTING = 4, 5
"""How many calls each effect makes, log-ins and further pages aside. CHECKING: the list of
pairings, count, replications, issues. ACTING: pairing, count, replications, tasks, and the DELETE.
"""

PARTIAL_KEPT = 5
"""Of the appliance's words for what its answer does not hold."""


class Port:
    """`now` is the clock of the requests, in ms epoch. `checks_at`: the priority of
    `find_and_read`, which serves people's lookups too. `label`: what the settings call this one of
    several appliances."""

    def __init__(
        self,
        appliance: Appliance,
        now: Clock,
        *,
        checks_at: Priority = Priority.CHECK,
        label: str | None = None,
    ) -> None:
        self._appliance = appliance
        self._now = now
        self._checks_at = checks_at
        self._label = label

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        calls = CHECKING + self._appliance.remote_calls()
        api = self._appliance.calls(self._checks_at, by, calls=calls)
        try:
            hit = _find(api, asked, self._label)
            if hit.pairing is None:
                titles = tuple(f"{p.title} ({p.id})" for p in hit.candidates)
                why = hit.why or "none"
                return PairingUnresolved(why=why, candidates=titles, near=hit.near)
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

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        # The DELETE is counted too. Otherwise the readings might be old, and have to be made again,
        # by the time there is room for it.
        calls = ACTING + self._appliance.remote_calls(pairing_id)
        api = self._appliance.calls(Priority.ACT, by, calls=calls, later=1)
        try:
            try:
                found = api.pairing(pairing_id)
            except (NoSuchPairing, GatewaysNotFound) as missing:
                return PresenceRead(pairing=api.listed_after(missing, pairing_id))
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

    def read_tasks(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> TasksRead | CallFailed:
        calls = 1 + (listed or task_id is not None)
        api = self._appliance.calls(Priority.FOLLOW, by, calls=calls)
        try:
            # Tasks first: one that has ended by then has taken its pairing with it.
            tasks = _tasks(api) if listed else _task(api, task_id)
            return TasksRead(tasks=tasks, pairing=api.presence(pairing_id))
        except ApplianceError as error:
            return self._failed(api, error)

    def read_presence(self, pairing_id: str, by: float) -> PresenceRead | CallFailed:
        api = self._appliance.calls(Priority.FOLLOW, by)
        try:
            return PresenceRead(pairing=api.presence(pairing_id))
        except ApplianceError as error:
            return self._failed(api, error)

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        api = self._appliance.calls(Priority.FOLLOW, by)
        try:
            return TaskPolled(task=next(iter(_task(api, task_id)), None))
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


def _find(api: Calls, asked: str, label: str | None) -> core_pairing.Hit:
    listed = api.pairings()
    complete = whole(listed)
    there = [pairing(p) for p in listed.items]
    hit = core_pairing.find(asked, there, whole=complete, label=label)
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


SITE_RECOVERY = "com.vmware.vcDr"
"""`recovery_solution` begins with it when Site Recovery Manager protects the replication (seen in
the vendor's own client scripts)."""


def server(info: ServerInfo | None) -> Server:
    if info is None:
        return Server()
    return Server(id=info.id, name=info.name, status=info.server_status, version=info.version)


def pairing(found: Pairing) -> core_pairing.Pairing:
    return core_pairing.Pairing(
        id=found.pairing_id,
        local_vc=server(found.local_vc_server),
        remote_vc=server(found.remote_vc_server),
        local_vrms=server(found.local_vrms),
        remote_vrms=server(found.remote_vrms),
    )


def snapshot(
    found: core_pairing.Pairing,
    count: int,
    replications: Listing[Replication],
    issues: Listing[Issue],
    also_partial: tuple[str, ...],
    now: int,
) -> Snapshot:
    """`complete` only if the appliance says nothing is missing and its count agrees."""
    items = replications.items
    said = tuple(meta_words(e) for e in (*replications.errors, *issues.errors))
    complete = not replications.partial and len(items) == count
    if not replications.partial and len(items) != count:
        said = (*said, f"{len(items)} replications are listed, {count} are counted")
    named = sorted((r.name or r.id, r.id) for r in items)
    return Snapshot(
        pairing_id=found.id,
        local_vc=found.local_vc,
        remote_vc=found.remote_vc,
        local_vrms=found.local_vrms,
        remote_vrms=found.remote_vrms,
        count=count,
        complete=complete,
        replications_digest=None if replications.said_partial else digest_of(r.id for r in items),
        replications=tuple(
            core_pairing.Replication(id=each, name=name[:NAME_KEPT])
            for name, each in named[:REPLICATIONS_KEPT]
        ),
        protected=sum((r.recovery_solution or "").startswith(SITE_RECOVERY) for r in items),
        issues=tuple(
            IssueLine(entity=i.entity_name, description=i.description, status=i.status)
            for i in issues.items[:ISSUES_KEPT]
        ),
        issue_count=len(issues.items),
        # Each only once: if one reason cuts off both lists, both give it.
        partial=tuple(dict.fromkeys((*also_partial, *said)))[:PARTIAL_KEPT],
        read_at=now,
    )


def task_view(task: Task) -> TaskView:
    return TaskView(
        id=task.id,
        status=task.status,
        progress=task.progress,
        entity=task.entity,
        description=task.description,
        error_message=task.error.message if task.error else None,
        error_details=task.error.details if task.error else None,
    )


def meta_words(error: MetaError) -> str:
    """What is missing from an answer, as one line: the sentence, and the vendor's code."""
    if error.message and error.code:
        return f"{error.message.rstrip('. ')} ({error.code})"
    return error.message or error.code or "part of the answer is missing"
