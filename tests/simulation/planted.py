"""The planted bugs: each a small change of the real code, as somebody might make it some day."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import textwrap
from types import FunctionType, ModuleType
from typing import Any

from bot.request import deciding, fingerprint, following
from bot.request import sending as deleting
from bot.request.model import Request
from bot.worker import drive as lives
from bot.worker.sender import Sender
from tests.simulation.bugs import Bugs
from tests.simulation.memory_store import OutboxView

plan = importlib.import_module("bot.request.plan")
"""The module: the package's own `plan` is the function."""


def mutated(owner: ModuleType | type, name: str, old: str, new: str) -> tuple[Any, str, Any]:
    """The function with `old` replaced in its source. Fails when the source no longer has it, so
    that no planted bug can turn into no bug at all."""
    original = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(original))
    assert source.count(old) == 1, f"{name} has no single {old!r} any more"
    space: dict[str, Any] = dict(original.__globals__)
    exec(compile(source.replace(old, new), f"<planted in {name}>", "exec"), space)
    made = space[name]
    assert isinstance(made, FunctionType)
    # The new function lives in the old module's names, so that other patches reach it too.
    same = FunctionType(made.__code__, original.__globals__, name, made.__defaults__)
    same.__kwdefaults__ = made.__kwdefaults__
    return owner, name, same


class StaleOutbox:
    """Gives the poster each row as it was when it was last asked for."""

    def __init__(self, outbox: OutboxView) -> None:
        self._outbox = outbox
        self._old: dict[str, Request | None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    def request(self, request_id: str) -> Request | None:
        now = self._outbox.request(request_id)
        old = self._old.get(request_id, now)
        self._old[request_id] = now
        return old


class LateSender(Sender):
    """Sends however long ago the intent was stored."""

    def send(self, request: Request, intended_at: float, by: float) -> Any:
        return self.appliance.delete(
            request.pairing_id or "", force=request.force, send_by=math.inf, by=by
        )


BUGS = (
    Bugs(
        "sent before the commit",
        (
            mutated(
                lives.Lives,
                "_send",
                "    try:\n        claim = self.requests.save_intent(",
                "    outcome = sender.send(absorbed.request, intended_at, by)\n"
                "    try:\n        claim = self.requests.save_intent(",
            ),
        ),
    ),
    Bugs("no version", switch_off=("check_version",)),
    Bugs("no lease", switch_off=("check_lease",)),
    Bugs(
        "lease shorter than the effect",
        (
            mutated(
                lives.Lives,
                "drive",
                "time_for(effect, claim.request, left_ms, self.requests.lease_ms)",
                "self.requests.lease_ms * 0.6",
            ),
        ),
        lease_ms=3_000,
    ),
    Bugs(
        "DELETE repeated after a timeout",
        (
            mutated(
                deleting,
                "answered",
                "if problem.kind is ProblemKind.REFUSED:",
                "if problem.kind is ProblemKind.UNANSWERED:\n"
                "        step.change(state=State.APPROVED)\n"
                "    if problem.kind is ProblemKind.REFUSED:",
            ),
        ),
    ),
    Bugs(
        "task adopted from before the intent",
        (mutated(deleting, "intent_stored", "task_ids=request.readings.task_ids", "task_ids=()"),),
    ),
    Bugs(
        "own approval counted",
        (mutated(deciding, "clicked", "event.by == request.requester", "event.by == ''"),),
    ),
    Bugs(
        "one person counted twice",
        (
            mutated(deciding, "clicked", 'if event.action == "approve" and any(', "if any(0 and "),
            mutated(deciding, "rights_read_at_click", "if any(", "if any(0 and "),
        ),
    ),
    Bugs(
        "fingerprint ignored before the DELETE",
        (mutated(deleting, "pairing_read_before_intent", "if found:", "if not True:"),),
    ),
    Bugs(
        "fingerprint ignored at the click",
        (
            mutated(
                deciding, "clicked", "event.fingerprint != request.fingerprint", "event.by == ''"
            ),
        ),
    ),
    Bugs(
        "outcome thrown away with the claim",
        (mutated(lives.Lives, "_leave", "self.inbox.put(", "(lambda *a, **k: None)("),),
    ),
    Bugs(
        "ids compared by case",
        (mutated(fingerprint, "_compared", "id_key(value)", "value"),),
    ),
    Bugs(
        "tasks looked at after a 404 to the DELETE",
        (mutated(plan, "_read_tasks", "listed=not nothing_began", "listed=True"),),
    ),
    Bugs(
        "gone by one 404, though the list is not whole",
        (
            mutated(
                following,
                "is_gone",
                "return step.now - since >=",
                "return True or step.now - since >=",
            ),
        ),
    ),
    Bugs("release hides a click", switch_off=("events_make_due",)),
    Bugs(
        "what goes into another lane is due to nobody there",
        (mutated(lives, "_due_at", "else now", "else None"),),
    ),
    Bugs(
        "expiry races approval",
        (
            mutated(
                plan,
                "_pending",
                "if request.clicks:",
                "if request.clicks and now < (request.decide_by or 0):",
            ),
        ),
    ),
    Bugs("message drawn from a stale row", change_outbox=StaleOutbox),
    Bugs("intent does not see a stored cancel", switch_off=("check_waiting",)),
    Bugs(
        "sent long after the intent",
        change_sender=lambda sender: LateSender(**_fields(sender)),
    ),
    Bugs(
        "rights not read again before the intent",
        (mutated(plan, "_approved", "if not _fresh(readings.rights_at, now):", "if not True:"),),
    ),
    Bugs("a dead holder's request waits for its old time", switch_off=("due_after_lease",)),
    Bugs(
        "an approval does not run out",
        (mutated(plan, "_approved", "request.execute_by", "None"),),
        switch_off=("check_execute_by",),
    ),
    # What only several copies on a store with several transactions at once can get wrong.
    Bugs("claim without a lock on the row", switch_off=("lock_rows",)),
    Bugs("two copies claim the same message", switch_off=("lock_posts",)),
    Bugs("pairing looked up, and no unique index", switch_off=("lock_pairing",)),
    Bugs("intent asks the inbox, then waits for the row", switch_off=("lock_first",)),
    Bugs("expiry does not ask the inbox", switch_off=("check_passed",)),
    Bugs(
        "outcome in hand lost with the store",
        (mutated(lives.Lives, "_keep", "if not isinstance(outcome, DeleteOutcome):", "if True:"),),
    ),
    Bugs(
        "a commit without an answer taken for a DELETE that was not sent",
        (
            mutated(
                lives.Lives,
                "_keep",
                "raise\n        self._leave(claim, outcome)",
                "raise\n        self._leave(claim, not_told(claim.request))",
            ),
        ),
    ),
    Bugs(
        "sent although the intent's commit was not answered",
        (
            mutated(
                lives.Lives,
                "_send",
                "self._leave(claim, not_told(absorbed.request))",
                "self._leave(claim, sender.send(absorbed.request, intended_at, by))",
            ),
        ),
    ),
    Bugs(
        "'not accepted' undoes the next intent",
        (mutated(deleting, "of_this_intent", "return about is None", "return True"),),
    ),
)


def _fields(sender: Sender) -> dict[str, Any]:
    return {f.name: getattr(sender, f.name) for f in dataclasses.fields(sender)}
