"""What must be true of a history when everything has come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.request import audit_chain
from bot.request.messages import ANSWER_LOST, Slot, messages
from bot.request.model import Request, State
from tests.life.simulation.process import digest

if TYPE_CHECKING:
    from tests.life.simulation.rules import Rules

NOTHING_SENT = frozenset(
    {
        State.REFUSED,
        State.DENIED,
        State.CANCELLED,
        State.EXPIRED,
        State.CHANGED,
        State.REHEARSED,
    }
)
OTHER_SETTING = "has another setting"
"""Who may decide is another one then than the rules know."""


def at_rest(rules: Rules) -> None:
    rules.wires()
    store = rules.sim.store
    if broken := audit_chain.verify(store.records, store.head):
        rules.broken(f"the audit trail is broken: {broken}")
    if waiting := store.waiting():
        rules.broken(f"events were never absorbed: {[i.event.kind for i in waiting]}")
    for row in store.rows.values():
        _ended(rules, row.request)
        _shown(rules, row.request)
    _answered(rules)
    _outcomes_kept(rules)


def _ended(rules: Rules, request: Request) -> None:
    if request.state.open:
        rules.broken(f"stuck: {request.id} is {request.state.value} for ever")
    mine = [
        w
        for w in rules.sim.estate.wires
        if w.pairing == request.pairing_id and _latest_before(rules, w.at, w.pairing) == request.id
    ]
    possible = [w for w in mine if w.possible]
    if len(possible) > request.deletes_sent:
        rules.broken(f"{len(possible)} DELETEs left for {request.id}: {request.deletes_sent} told")
    if request.state in NOTHING_SENT and possible:
        rules.broken(f"{request.id} is {request.state.value} although a DELETE went out")
    differs = request.outcome and request.outcome.code == "changed"
    if differs and not rules.told("at the appliance", OTHER_SETTING):
        rules.broken(f"{request.id} is changed although nothing has changed")
    # A clock that jumps ahead makes two answers of 404 look as if they were far apart.
    jumped = request.outcome and request.outcome.by_404s and rules.told("jumps")
    there = rules.sim.estate.present[request.pairing_id or ""] if request.pairing_id else True
    if request.state is State.SUCCEEDED and there and not jumped:
        rules.broken(f"{request.id} is succeeded and the pairing is there")
    if request.task and request.answer is not None and mine and mine[-1].none_began:
        rules.broken(f"{request.id} follows a task although its DELETE was answered 404")
    if request.state is State.FAILED and any(w.accepted for w in possible):
        failed_task = request.task and request.task.status in ("ERROR", "CANCELLED")
        # A task that names no entity, or that the listing forgets, cannot be found by looking.
        hidden = any(t.entity is None or not t.listed for t in rules.sim.estate.tasks)
        if not failed_task and not hidden:
            rules.broken(f"{request.id} is failed although its DELETE was accepted")


def _latest_before(rules: Rules, at: int, pairing: str) -> str | None:
    rows = rules.sim.store.rows.values()
    mine = [r.request.id for r in rows if r.request.pairing_id == pairing]
    began = [(rules.intent_at[i], i) for i in mine if rules.intents.get(i, at + 1) <= at]
    return max(began, default=(0, None))[1]


def _shown(rules: Rules, request: Request) -> None:
    store = rules.sim.store
    wanted = {m.slot for m in messages(request, store.now())}
    for slot in wanted:
        post = store.posts.get((request.id, slot))
        if post is None:
            rules.broken(f"{request.id}: {slot} was never asked for")
        # Given up: deleted, not wanted, or sent six times without a word from Slack (rule 5).
        if post.last_error in ("message_not_found", "no_longer_wanted", ANSWER_LOST):
            continue
        if post.due_at is not None:
            rules.broken(f"{request.id}: {slot} is due for ever")
        if post.shown != digest(request, slot):
            rules.broken(f"{request.id}: {slot} does not show what is stored")
    standing = rules.sim.workspace.messages.values()
    finals = [m for m in standing if m.text.startswith(f"('{Slot.FINAL}', '{request.id}'")]
    lost = sum(m.lost for m in finals)
    expected = 1 if Slot.FINAL in wanted else 0
    final = store.posts.get((request.id, Slot.FINAL.value))
    if final and final.last_error == ANSWER_LOST:
        if not any(slot.startswith(f"{Slot.FINAL}:") for _, slot in store.posts):
            rules.broken(f"{request.id}: its final words were given up, and nobody was told")
        return
    # A post whose answer was lost with the process may stand twice as well (rule 5).
    lost_with_it = ("killed", "freezes", "cannot reach")
    killed = any(word in w for word in lost_with_it for w in rules.sim.story)
    if len(finals) < expected or (len(finals) > expected + lost and not killed):
        rules.broken(f"{request.id}: {len(finals)} final replies, {expected} expected")
    ended = not request.state.open and request.state is not State.REFUSED
    if ended and request.card_ts and not expected:
        rules.broken(f"{request.id} ended without a final reply")


def _answered(rules: Rules) -> None:
    """Every click is decided or answered."""
    said = {r.detail.get("event") for r in rules.sim.store.records}
    posts = rules.sim.store.posts.values()
    answered = {p.answer.event for p in posts if p.answer}
    for number, click in rules.clicks.items():
        if number not in answered and number not in said:
            rules.broken(f"click {number} ({click.action} by {click.by}) was never answered")


def _outcomes_kept(rules: Rules) -> None:
    """Whatever the appliance answered a DELETE to a process that lived on is in the trail."""
    heard = rules.sim.heard
    words = ("accepted", "answered", "not_accepted", "came_late")
    told = sum(record.action in words for record in rules.sim.store.records)
    if told < heard:
        rules.broken(f"{heard} answers to DELETEs were heard, {told} are in the trail")
