"""The final reply where it cannot be told what happened, or where nothing was accepted."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.model import Decision, Outcome, State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.message import draw
from tests.slack.cards.samples import (
    BY_STATE,
    CUT_OFF,
    ENDED,
    ENDED_WELL,
    FIRST,
    MINUTE,
    NOW,
    RUNNING,
    SECOND,
    decided,
    over,
)
from tests.slack.cards.slack_checker import calls, elements, problems, reading, strings

UNREAD = Problem(
    kind=ProblemKind.SERVER_ERROR,
    text="vr refused GET /tasks (HTTP 500)",
    status=500,
    message="no database",
)

FINAL = {
    "outcome_unknown": (
        BY_STATE[State.ATTENTION],
        snapshot("""\
⚠️ *It cannot be told whether the delete arrived.*
The delete had no clear answer. No task for it can be seen, and *Lyon → Oslo* is
still there. It was not sent again: that takes the appliance's word that it did
not take the first.
Its history: `vr-unpair show K7QM-3XPD`
---
The appliance did not answer within 10 s.
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "outcome_unknown, no answer known": (
        decided(State.ATTENTION, "outcome_unknown"),
        snapshot("""\
⚠️ *It cannot be told whether the delete arrived.*
The delete had no clear answer. No task for it can be seen, and *Lyon → Oslo* is
still there. It was not sent again: that takes the appliance's word that it did
not take the first.
Its history: `vr-unpair show K7QM-3XPD`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "outcome_unknown, a task that may be ours": (
        decided(State.ATTENTION, "outcome_unknown", nameless_task=True),
        snapshot("""\
⚠️ *It cannot be told whether the delete arrived.*
The delete had no clear answer. A new task there may be ours: it does not say what
it works on, and *Lyon → Oslo* is still there. It was not sent again: that takes
the appliance's word that it did not take the first.
Its history: `vr-unpair show K7QM-3XPD`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "task_lost": (
        decided(State.ATTENTION, "task_lost", task=RUNNING),
        snapshot("""\
⚠️ *The appliance no longer knows the task, and the pairing is still there.*
How the work on *Lyon → Oslo* ended cannot be told.
Its history: `vr-unpair show K7QM-3XPD`
---
Task status `RUNNING`, id `HmsTask:42:0b7f`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "success_but_there": (
        decided(State.ATTENTION, "success_but_there", task=ENDED_WELL),
        snapshot("""\
⚠️ *The task says SUCCESS, but the pairing is still there.*
The appliance still lists *Lyon → Oslo*, after several looks.
Its history: `vr-unpair show K7QM-3XPD`
---
Task status `SUCCESS`, id `HmsTask:42:0b7f`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "accepted_late": (
        decided(State.ATTENTION, "accepted_late", task=RUNNING),
        snapshot("""\
⚠️ *The appliance has taken the delete, and how it ended is not known.*
Its answer came late. The work on *Lyon → Oslo* was not followed.
Its history: `vr-unpair show K7QM-3XPD`
---
Task status `RUNNING`, id `HmsTask:42:0b7f`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "follow_ttl": (
        decided(State.ATTENTION, "follow_ttl", task=RUNNING),
        snapshot("""\
⚠️ *It has not ended after 1 day.*
The task last said `RUNNING`; the bot has stopped waiting.
Its history: `vr-unpair show K7QM-3XPD`
---
Task status `RUNNING`, id `HmsTask:42:0b7f`
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "follow_ttl, the last look refused": (
        decided(State.ATTENTION, "follow_ttl", task=RUNNING, problem=UNREAD),
        snapshot("""\
⚠️ *It has not ended after 1 day.*
The task last said `RUNNING`; the bot has stopped waiting. The last look failed,
for the reason that is given here.
Its history: `vr-unpair show K7QM-3XPD`
---
Task status `RUNNING`, id `HmsTask:42:0b7f`
---
The appliance answered HTTP `500`
---
The appliance's message:
```
no database
```
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "follow_ttl, the answer lost": (
        decided(State.ATTENTION, "follow_ttl", answer=CUT_OFF, problem=CUT_OFF),
        snapshot("""\
⚠️ *It has not ended after 1 day.*
What became of the delete of *Lyon → Oslo* is not known.
Its history: `vr-unpair show K7QM-3XPD`
---
The appliance did not answer within 10 s.
---
*Next:* Check in vSphere Client → Site Recovery → site pairs whether the pairing
is there, then press Look again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)
---
[Look again] [It is settled]\
"""),
    ),
    "denied": (
        BY_STATE[State.DENIED],
        snapshot("""\
⛔ *Denied by <@UNO>.*
```
Backups still run
until 5
```
Nothing was sent to the appliance.
---
*Next:* Settle it with <@UNO> before asking again.
---
Asked by <@UASKER>, denied by <@UNO>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "cancelled": (
        BY_STATE[State.CANCELLED],
        snapshot("""\
↩️ *Withdrawn by `alice` (operator).*
Nothing was sent to the appliance.
---
*Next:* Ask again if it is wanted after all.
---
Asked by <@UASKER>, withdrawn by `alice` (operator).
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "not_decided": (
        BY_STATE[State.EXPIRED],
        snapshot("""\
⌛ *The time to decide ran out.*
It had 1 of 2 approvals by ⟨23:13⟩.
Nothing was sent to the appliance.
---
*Next:* Ask again if it is still wanted.
---
Asked by <@UASKER>, approved so far by <@UFIRST>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "not_begun": (
        decided(State.EXPIRED, "not_begun", problem=CUT_OFF),
        snapshot("""\
⌛ *The approval ran out before the delete could be carried out.*
An approval is good for 10 minutes. The appliance accepted nothing.
This stood in the way:
---
The appliance did not answer within 10 s.
---
*Next:* Have that put right, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "not_begun for no reason": (
        decided(State.EXPIRED, "not_begun"),
        snapshot("""\
⌛ *The approval ran out before the delete could be carried out.*
An approval is good for 10 minutes. The appliance accepted nothing.
---
*Next:* Ask again if it is still wanted.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "changed": (
        BY_STATE[State.CHANGED],
        snapshot("""\
🔀 *The pairing changed after approval; nothing was sent.*
• number of replications: was 12, is now 13
---
*Next:* Ask again: the new card shows what is there now.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "rehearsed": (
        BY_STATE[State.REHEARSED],
        snapshot("""\
🧪 *Dry run: all was right up to the delete, which was not sent.*
`DRY_RUN` is on; the pairing is untouched.
---
*Next:* For the real thing, have `DRY_RUN` switched off, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
}


BY_ROOT = Decision(by="operator:root", at=NOW + 2 * MINUTE)
BY_ASKER = Decision(by="UASKER", at=NOW + 2 * MINUTE)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"cancellation": BY_ROOT, "approvals": (FIRST,)},
            "Asked by <@UASKER>, withdrawn by `root` (operator); approved before by <@UFIRST>.",
        ),
        ({"cancellation": BY_ASKER}, "Asked by <@UASKER>, withdrawn by <@UASKER>."),
        (
            {"cancellation": BY_ASKER, "glass": SECOND},
            "Asked by <@UASKER>, withdrawn by <@UASKER>; glass broken before by <@USECOND>.",
        ),
        (
            {"denial": SECOND, "approvals": (FIRST,)},
            "Asked by <@UASKER>, denied by <@USECOND>; approved before by <@UFIRST>.",
        ),
    ],
)
def test_who_had_approved_before_has_not_decided_the_end(
    changes: dict[str, object], line: str
) -> None:
    state = State.DENIED if "denial" in changes else State.CANCELLED
    final = draw(over(state, state.value, **changes), "final")
    assert line in final.text
    assert problems(final) == []


@pytest.mark.parametrize("name", list(FINAL))
def test_final_reply(name: str) -> None:
    request, expected = FINAL[name]
    drawn = draw(request, "final")
    assert reading(drawn) == expected
    assert problems(drawn) == []


@pytest.mark.parametrize("name", list(FINAL))
def test_final_reply_has_one_next_step_and_calls_whom_it_concerns(name: str) -> None:
    request, _ = FINAL[name]
    drawn = draw(request, "final")
    people = {p for p in (request.requester, *request.deciders) if not p.startswith("operator:")}
    block_texts = "\n".join(list(strings(drawn))[1:])
    for text in (drawn.text, block_texts):
        assert text.count("*Next:*") == 1
        assert people <= calls(text)


def test_where_a_person_must_look_has_the_button_until_it_is_corrected() -> None:
    request = BY_STATE[State.ATTENTION]
    assert set(elements(draw(request, "final"))) == {"unpair_look", "unpair_settle"}
    for state, other in ENDED.items():
        if state is not State.ATTENTION:
            assert elements(draw(other, "final")) == {}
    corrected = request.model_copy(
        update={"state": State.SUCCEEDED, "correction": Outcome(code="look_gone")}
    )
    final = draw(corrected, "final")
    assert elements(final) == {}
    assert "It cannot be told whether the delete arrived." in final.text
    assert "See the correction below." in final.text
