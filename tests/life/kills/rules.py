"""What must be true at the two servers when all is done, whatever was killed on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from bot.request.model import Request, State
from sandbox.appliance import Call
from sandbox.slack import mentions
from tests.life.kills.people import Story
from tests.life.kills.stage import Stage

NOT_ACCEPTED = frozenset({401, 429, 503})
"""Answers that say that the call had no effect: these alone may be followed by another DELETE."""

BUSY = frozenset({"database_fault"})
"""A write did not get its turn in time on a busy machine. Nothing of it is lost."""

NOTHING_ACCEPTED = frozenset({State.ATTENTION, State.CANCELLED})


@dataclass(frozen=True)
class Seen:
    """What became of one story."""

    state: State
    deletes: int
    accepted: int
    doubled: int
    """Posts that stand twice, each allowed since its answer was lost with the process."""


def check_story(story: Story, records: list[tuple[str | None, str]] | None = None) -> Seen:
    """Raises AssertionError for whatever is broken. `records`: of the whole trail, if at hand."""
    stage = story.stage
    row = the_row(story)
    wires = [call for call in stage.appliance.deletes if story.pairing in call.path]
    check_wires(story, row, wires)
    actions = Counter(
        action
        for request, action in (stage.records() if records is None else records)
        if request == row.id
    )
    assert actions["intent"] <= 1 + actions["not_accepted"], actions
    assert actions["corrected" if row.correction else row.state.value] == 1, actions
    if row.state is State.ATTENTION:
        assert actions["intent"] == 1 + actions["not_accepted"], f"{row.id}: nothing to look at"
    check_answers(story)
    return Seen(
        state=row.state,
        deletes=len(wires),
        accepted=sum(call.task_id is not None for call in wires),
        doubled=check_thread(story, row),
    )


def the_row(story: Story) -> Request:
    """She may have asked again: then the others were refused, and nobody else was told."""
    rows = [row for row in story.stage.rows() if row.channel == story.channel]
    real = [row for row in rows if row.state is not State.REFUSED]
    assert len(real) == 1, [(row.id, row.state.value) for row in rows]
    assert {row.outcome.code for row in rows if row.state is State.REFUSED and row.outcome} <= {
        "pairing_taken",
        "other_open_request",
    }
    return real[0]


def check_wires(story: Story, row: Request, wires: list[Call]) -> None:
    accepted = [call for call in wires if call.task_id is not None]
    assert len(accepted) <= 1, f"{row.id}: {len(accepted)} DELETEs were accepted"
    for earlier in wires[:-1]:
        refused = earlier.status in NOT_ACCEPTED and earlier.task_id is None
        assert refused, f"{row.id}: a DELETE after one that may have been accepted: {wires}"
    gone = story.pairing not in story.stage.appliance.pairings
    assert gone == bool(accepted)
    if row.state is State.SUCCEEDED:
        assert len(accepted) == 1, f"{row.id} is succeeded without a DELETE"
    elif row.state is State.FAILED:
        assert [call.status for call in wires[-2:]] == [401, 401], f"{row.id} failed: {row.outcome}"
    else:
        came_late = row.state is State.EXPIRED and row.correction is not None
        nothing = row.state in NOTHING_ACCEPTED or came_late
        assert nothing, f"{row.id} is {row.state.value}: {row.outcome}"
        assert accepted == [], f"{row.id} is {row.state.value}, and a DELETE was accepted"


def check_thread(story: Story, row: Request) -> int:
    """One card, one progress message, one final reply, and one more where it was corrected; a copy
    for each whose answer was lost."""
    lost = Counter(
        slot
        for death in story.stage.deaths()
        for request, slot in death["posts"]
        if request == row.id
    )
    doubled = 0
    wanted = {"card": story.cards(), "final": story.finals()}
    if row.approved_at is not None:
        wanted["progress"] = story.progress()
    else:
        assert story.progress() == []
    for slot, standing in wanted.items():
        words = [message.text for message in standing]
        due = 2 if slot == "final" and row.correction else 1
        often = due <= len(standing) <= due + lost[slot]
        assert often, f"{row.id}: {slot} stands so often: {words}"
        doubled += len(standing) - due
    for final in story.finals():
        assert story.asker in mentions(final)
    asking = sum(card.button("unpair_approve") is not None for card in story.cards())
    # A copy that nobody pressed does not know that it is one.
    assert asking <= len(story.cards()) - 1, f"{row.id}: the card asks still"
    return doubled


def check_answers(story: Story) -> None:
    """Every click that was acknowledged was answered."""
    people = {story.asker, *story.presses}
    shown = [e for person in people for e in story.stage.slack.ephemerals(person)]
    answered = {e.trigger_id for e in shown if e.via != "ack"}
    silent = [click.payload for click in story.acknowledged if click.trigger_id not in answered]
    assert silent == [], "clicks without an answer"


def check_words(stage: Stage, allowed: frozenset[str] = BUSY) -> None:
    """Slack took everything, and no life of the bot met a fault of its own but of these names."""
    assert [call for call in stage.slack.calls if call.error] == []
    for bot in stage.lives:
        for line in filter(None, bot.lines):
            assert line.startswith("{"), f"not a log event: {line}"
            event = json.loads(line)
            calm = event["level"] in ("debug", "info", "warning")
            assert calm or event["event"] in allowed, line
