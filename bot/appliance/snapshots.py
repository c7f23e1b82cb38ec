"""Turns the appliance's answers into what the core keeps of them."""

from __future__ import annotations

from bot.appliance.models import Issue, Listing, MetaError, Pairing, Replication, ServerInfo, Task
from bot.request import pairing as core_pairing
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

SITE_RECOVERY = "com.vmware.vcDr"
"""`recovery_solution` begins with it when Site Recovery Manager protects the replication (seen in
the vendor's own client scripts)."""

PARTIAL_KEPT = 5


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
