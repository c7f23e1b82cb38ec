"""Progress, reminders, notices, a correction, a stray copy."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.absorb import absorb
from bot.request.events import CallFailed, Stored, TasksRead
from bot.request.model import Notice, State, WaitingClick
from bot.request.problem import ProblemKind
from bot.slack.draw.message import draw
from tests.slack.cards.samples import (
    APPROVED,
    BY_STATE,
    CUT_OFF,
    ENDED_BADLY,
    ENDED_WELL,
    NOW,
    RUNNING,
    over,
    sample,
)
from tests.slack.cards.slack_checker import calls, elements, reading, wrapped

TRAIL = {
    "reading": APPROVED,
    "cannot send": APPROVED.model_copy(update={"waiting": CUT_OFF}),
    "sent": BY_STATE[State.DELETING],
    "looking": BY_STATE[State.DELETING].model_copy(update={"answer": CUT_OFF}),
    "no answer known": BY_STATE[State.DELETING].model_copy(update={"polling_since": NOW}),
    "not there": BY_STATE[State.DELETING].model_copy(
        update={"answer": CUT_OFF.model_copy(update={"kind": ProblemKind.NOT_FOUND})}
    ),
    "running": BY_STATE[State.FOLLOWING],
    "proving": BY_STATE[State.FOLLOWING].model_copy(update={"task": ENDED_WELL}),
    "missing": BY_STATE[State.FOLLOWING].model_copy(update={"polling_since": NOW}),
    "ended": BY_STATE[State.FAILED],
    "back to the approvers": sample(),
}


def test_progress() -> None:
    assert {n: reading(draw(r, "progress")).split("\n") for n, r in TRAIL.items()} == snapshot(
        {
            "reading": [
                "🔵 Approved. Reading rights and pairing once more before anything is sent."
            ],
            "cannot send": [
                "🔵 Approved, not sent yet. The appliance did not answer within 10 s. Trying again."
            ],
            "sent": ["🔵 Delete on its way, waiting for the appliance's answer."],
            "looking": [
                "🔵 The answer to the delete does not settle it. Looking at tasks and pairing."
            ],
            "no answer known": [
                "🔵 The delete may have gone out: no answer is known. Looking at tasks and pairing."
            ],
            "not there": ["🔵 The delete was answered 404. Looking whether the pairing is gone."],
            "running": ["🔵 Task `RUNNING` ▰▰▰▰▱▱▱▱▱▱ 42 %", "id `HmsTask:42:0b7f`"],
            "proving": [
                "🔵 Task `SUCCESS` ▰▰▰▰▰▰▰▰▰▰ 100 %",
                "id `HmsTask:42:0b7f`",
                "Checking that the pairing is really gone.",
            ],
            "missing": [
                "🔵 Task `RUNNING` ▰▰▰▰▱▱▱▱▱▱ 42 %",
                "id `HmsTask:42:0b7f`",
                "The appliance does not know the task just now. Asking again.",
            ],
            "ended": ["❌ Failed. The final reply in this thread says how it went."],
            "back to the approvers": [
                "🟡 Stopped. Nothing was sent to the appliance. Approval is needed again."
            ],
        }
    )


def test_progress_of_a_task_that_may_be_somebody_elses() -> None:
    adopted = BY_STATE[State.FOLLOWING].model_copy(update={"task_adopted": True})
    assert reading(draw(adopted, "progress")) == snapshot("""\
🔵 Task `RUNNING` ▰▰▰▰▱▱▱▱▱▱ 42 %
id `HmsTask:42:0b7f`
No answer to the delete names this task. It is taken for ours: it was not in the
list read just before, and it names this pairing.\
""")


@pytest.mark.parametrize(
    ("number", "bar"),
    [(None, ""), (0, " 0 %"), (9, "▱▱ 9 %"), (100, "▰▰ 100 %"), (250, "▰▰ 100 %"), (-3, " 0 %")],
)
def test_progress_bar(number: int | None, bar: str) -> None:
    task = RUNNING.model_copy(update={"progress": number})
    text = draw(BY_STATE[State.FOLLOWING].model_copy(update={"task": task}), "progress").text
    assert text.split("\n")[0].endswith(bar or "`RUNNING`")


def test_correction() -> None:
    """Through the core, so that what is drawn is what a look really leaves behind."""
    click = WaitingClick(event=9, action="look", by="UANY", team="T1", at=NOW)
    request = BY_STATE[State.ATTENTION].model_copy(update={"clicks": (click,)})
    gone = Stored(at=NOW, event=TasksRead(tasks=(), pairing="gone"))
    assert reading(draw(absorb(request, gone, NOW).request, "correction")) == snapshot("""\
✅ *Looked again: the pairing is gone; whether by this call cannot be told.*
The appliance no longer knows *Lyon → Oslo*.
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
""")
    with_task = request.model_copy(update={"task": RUNNING})
    told = draw(absorb(with_task, gone, NOW).request, "correction").text
    assert told.startswith("✅ *Looked again: the pairing is gone.*")
    failed = Stored(
        at=NOW,
        event=TasksRead(tasks=(ENDED_BADLY.model_copy(update={"id": "new"}),), pairing="there"),
    )
    corrected = absorb(request, failed, NOW).request
    assert reading(draw(corrected, "correction")) == snapshot("""\
❌ *Looked again: the task ended with `ERROR`, and the pairing is still there.*
*Lyon → Oslo* was not broken.
No answer to the delete names this task. It is taken for ours: it was not in the
list read just before, and it names this pairing.
---
Task status `ERROR`, id `new`
---
Task error message:
```
Cannot &lt;break&gt; &amp; leave
```
---
Task error details:
```
server `vr-oslo` said no
```
---
*Next:* Look for the cause in what the task says, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
""")
    assert reading(draw(corrected, "card")).split("\n---\n")[:2] == snapshot(
        [
            "# ❌ Failed: see the thread",
            """\
*Lyon → Oslo*: 12 replications.
Looked again: the task ended with `ERROR`, and the pairing is still there.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.\
""",
        ]
    )


def test_reminder_calls_those_who_are_to_be_notified() -> None:
    drawn = draw(sample(reminders=2), "reminder:2")
    assert wrapped(drawn.text) == snapshot("""\
🔔 Still undecided: *Lyon → Oslo*, 0 of 2 approvals. Please decide on the card by
⟨23:13⟩.
<@UNOTIFY1>, <!subteam^SNIGHTS>\
""")
    assert calls(drawn.text) == {"UNOTIFY1", "SNIGHTS"}


def test_stray_copy_points_to_the_card() -> None:
    drawn = draw(sample(), "stray:1700000009.000200")
    assert wrapped(drawn.text) == snapshot(
        """\
This copy is not in use. The card of `K7QM-3XPD` is another message in this
channel, posted ⟨22:13⟩: use that one.\
"""
    )
    assert elements(drawn) == {}


NOTICES = ("rights_lost", "waits_to_send", "waits_to_look", "waits_to_follow", "goes_on")


def test_notices() -> None:
    notices = tuple(
        Notice(code=c, at=NOW, text="" if c in ("rights_lost", "goes_on") else CUT_OFF.text)
        for c in NOTICES
    )
    told = (notices[0].model_copy(update={"who": ("UFIRST",)}), *notices[1:])
    request = APPROVED.model_copy(update={"notices": told})
    drawn = [wrapped(draw(request, f"notice:{n}").text) for n in range(1, len(told) + 1)]
    assert drawn == snapshot(
        [
            """\
The approval of <@UFIRST> no longer counts: the right to approve is gone.
<@UNOTIFY1>, <!subteam^SNIGHTS>: please look at the card.\
""",
            """\
Approved, but it cannot be carried out yet. The appliance did not answer within 10
s. The bot keeps trying until the approval runs out.\
""",
            """\
The delete may have gone out, and the appliance cannot be asked what became of it.
The appliance did not answer within 10 s. The bot keeps looking, and does not send
it again.\
""",
            """\
The appliance is at work, and cannot be asked how far it is. The appliance did not
answer within 10 s. The bot keeps looking.\
""",
            "The wait ended ⟨22:13⟩; continuing.",
        ]
    )


def test_a_notice_stays_as_it_was_told() -> None:
    """Edited later it would say something that was never the case."""
    waits = Stored(at=NOW, event=CallFailed(problem=CUT_OFF))
    early = APPROVED.model_copy(update={"unreachable_since": NOW - 60_000})
    told = absorb(early, waits, NOW).request
    later = told.model_copy(update={"state": State.FOLLOWING, "task": RUNNING, "waiting": None})
    assert draw(told, "notice:1").digest == draw(later, "notice:1").digest


@pytest.mark.parametrize("slot", ["notice:0", "notice:1", "notice:x", "answer:3", "poem"])
def test_slots_that_no_row_asks_for(slot: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        draw(over(State.EXPIRED, "not_decided"), slot)


@pytest.mark.parametrize(
    ("away", "words"),
    [
        ("appliance", "Appliance reachable again at ⟨22:13⟩; continuing."),
        ("", "The wait ended ⟨22:13⟩; continuing."),
    ],
)
def test_what_a_wait_was_for_is_said_when_it_is_over(away: str, words: str) -> None:
    request = sample(notices=(Notice(code="goes_on", at=NOW, text=away),))
    assert wrapped(draw(request, "notice:1").text) == words
