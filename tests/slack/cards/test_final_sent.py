"""The final reply where the appliance took the call, or said no to it."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.model import Outcome, State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.message import draw
from tests.slack.cards.samples import (
    BY_STATE,
    CUT_OFF,
    ENDED_BADLY,
    ENDED_WELL,
    FORBIDDEN,
    RUNNING,
    SNAPSHOT,
    decided,
)
from tests.slack.cards.slack_checker import calls, problems, reading, strings

NOT_THERE = Problem(kind=ProblemKind.NOT_FOUND, text="not found", status=404)

FINAL = {
    "proved": (
        BY_STATE[State.SUCCEEDED],
        snapshot("""\
✅ *The pairing is gone.*
The appliance's task ended well, and the appliance no longer knows *Lyon → Oslo*.
---
Task status `SUCCESS`, id `HmsTask:42:0b7f`
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "proved one-sided": (
        decided(State.SUCCEEDED, "proved", task=ENDED_WELL, force=True),
        snapshot("""\
✅ *The pairing is gone.*
The appliance's task ended well, and the appliance no longer knows *Lyon → Oslo*.
One-sided break: only Lyon dropped the pairing; Oslo still has its half.
---
Task status `SUCCESS`, id `HmsTask:42:0b7f`
---
*Next:* Do the same on Oslo's appliance.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications, one-sided.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "gone_untold": (
        decided(State.SUCCEEDED, "gone_untold", problem=CUT_OFF, answer=CUT_OFF),
        snapshot("""\
✅ *The pairing is gone; whether by this call cannot be told.*
The appliance no longer knows *Lyon → Oslo*. The delete had no clear answer.
---
The appliance did not answer within 10 s.
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "proved after an answer that was lost": (
        decided(
            State.SUCCEEDED,
            "proved",
            task=ENDED_WELL,
            task_adopted=True,
            answer=CUT_OFF,
            problem=CUT_OFF,
        ),
        snapshot("""\
✅ *The pairing is gone.*
The task that is taken for ours ended well, and the appliance no longer knows
*Lyon → Oslo*.
No answer to the delete names this task. It is taken for ours: it was not in the
list read just before, and it names this pairing.
---
This came back for the delete, before the task was found:
The appliance did not answer within 10 s.
---
Task status `SUCCESS`, id `HmsTask:42:0b7f`
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "gone_untold, no answer known": (
        decided(State.SUCCEEDED, "gone_untold"),
        snapshot("""\
✅ *The pairing is gone; whether by this call cannot be told.*
The appliance no longer knows *Lyon → Oslo*. The delete had no clear answer.
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "gone_untold after a 404": (
        decided(State.SUCCEEDED, "gone_untold", problem=NOT_THERE, answer=NOT_THERE),
        snapshot("""\
✅ *The pairing is gone; whether by this call cannot be told.*
The appliance no longer knows *Lyon → Oslo*. The delete was answered 404, as if it
had been gone before.
---
The appliance answered HTTP `404`
---
Not found.
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "gone by answers of 404 alone": (
        decided(State.SUCCEEDED, "proved", task=ENDED_WELL).model_copy(
            update={"outcome": Outcome(code="proved", by_404s=True)}
        ),
        snapshot("""\
✅ *The pairing is gone.*
The appliance's task ended well, and the appliance no longer knows *Lyon → Oslo*.
The appliance's list of pairings is incomplete by its own word; that the pairing
is gone is shown by its id alone, which was answered 404 for 20 seconds and more.
---
Task status `SUCCESS`, id `HmsTask:42:0b7f`
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "proved, the task unknown by then": (
        decided(State.SUCCEEDED, "proved", task=RUNNING),
        snapshot("""\
✅ *The pairing is gone.*
The appliance's task is no longer known there, and the appliance no longer knows
*Lyon → Oslo*.
---
Task status `RUNNING`, id `HmsTask:42:0b7f`
---
*Next:* To replicate between these sites again, pair them again and reconfigure
all 12 replications. Reconnect does not bring the pairing back.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "refused 403": (
        decided(State.FAILED, "delete_refused", problem=FORBIDDEN),
        snapshot("""\
❌ *The appliance refused: the bot's account may not do this.*
*Lyon → Oslo* was not touched.
---
The appliance answered HTTP `403`, error_code `NO_PERMISSION`, op_id `6f1c9a52-op`
---
The appliance's message:
```
Permission to perform this operation was denied.
```
---
*Next:* Give the bot's account the privilege
`HmsRemote.com.vmware.vcHms.Hms.Manage`, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "refused 400": (
        decided(
            State.FAILED,
            "delete_refused",
            problem=FORBIDDEN.model_copy(update={"status": 400, "op_id": None}),
        ),
        snapshot("""\
❌ *The appliance refused the delete.*
*Lyon → Oslo* was not touched.
---
The appliance answered HTTP `400`, error_code `NO_PERMISSION`
---
The appliance's message:
```
Permission to perform this operation was denied.
```
---
*Next:* Remove the cause that the appliance names, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "401 twice": (
        decided(
            State.FAILED,
            "delete_refused",
            problem=Problem(kind=ProblemKind.UNAUTHORIZED, text="not accepted", status=401),
        ),
        snapshot("""\
❌ *The appliance answered the delete with 401 twice, before and after a new log-
in.*
*Lyon → Oslo* was not touched.
---
The appliance answered HTTP `401`
---
Not accepted.
---
*Next:* Have `vr-unpair check` run, and the appliance's log read where it finds
nothing, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "404 still there": (
        decided(
            State.FAILED,
            "delete_refused",
            problem=NOT_THERE,
        ),
        snapshot("""\
❌ *The appliance answered the delete with 404, but the pairing is still there.*
Asked again afterwards, it still shows *Lyon → Oslo*.
---
The appliance answered HTTP `404`
---
Not found.
---
*Next:* Look at the pairing in vSphere Client → Site Recovery → site pairs before
anybody asks again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "500": (
        decided(
            State.FAILED,
            "delete_refused",
            problem=FORBIDDEN.model_copy(
                update={"kind": ProblemKind.SERVER_ERROR, "status": 500, "error_code": "INTERNAL"}
            ),
        ),
        snapshot("""\
❌ *The appliance failed while it handled the delete.*
No task for it can be seen, and *Lyon → Oslo* is still there.
---
The appliance answered HTTP `500`, error_code `INTERNAL`, op_id `6f1c9a52-op`
---
The appliance's message:
```
Permission to perform this operation was denied.
```
---
*Next:* Have the appliance's log read before asking again. Its support wants the
op_id.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "task_error": (
        BY_STATE[State.FAILED],
        snapshot("""\
❌ *The appliance took the delete, and its task ended in an error.*
The work on *Lyon → Oslo* did not succeed.
---
Task status `ERROR`, id `HmsTask:42:0b7f`
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
*Next:* Remove the cause that the appliance names, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "task_error of a task that may be somebody else's": (
        decided(State.FAILED, "task_error", task=ENDED_BADLY, task_adopted=True, answer=CUT_OFF),
        snapshot("""\
❌ *The task that is taken for ours ended in an error.*
The work on *Lyon → Oslo* did not succeed.
No answer to the delete names this task. It is taken for ours: it was not in the
list read just before, and it names this pairing.
---
Task status `ERROR`, id `HmsTask:42:0b7f`
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
*Next:* Remove the cause that the appliance names, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "task_error without words": (
        decided(State.FAILED, "task_error", task=RUNNING.model_copy(update={"status": "ERROR"})),
        snapshot("""\
❌ *The appliance took the delete, and its task ended in an error.*
The work on *Lyon → Oslo* did not succeed.
---
Task status `ERROR`, id `HmsTask:42:0b7f`
---
The task came without an error message.
---
*Next:* Look for the cause in the appliance's log, then ask again.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
    "task_cancelled": (
        decided(
            State.FAILED,
            "task_cancelled",
            task=RUNNING.model_copy(update={"status": "CANCELLED"}),
        ),
        snapshot("""\
❌ *The appliance took the delete, and its task was cancelled there.*
Somebody, or the appliance itself, stopped the work on *Lyon → Oslo*.
---
Task status `CANCELLED`, id `HmsTask:42:0b7f`
---
*Next:* See in the task list of the vSphere Client who cancelled it, and find out
why.
---
Asked by <@UASKER>, decided by <@UFIRST>, <@USECOND>.
*Lyon → Oslo*: 12 replications.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
"""),
    ),
}


def test_where_nothing_was_replicated_nothing_is_left_to_do() -> None:
    none = SNAPSHOT.model_copy(update={"count": 0, "replications": (), "protected": 0})
    for code in ("proved", "gone_untold"):
        said = draw(decided(State.SUCCEEDED, code, snapshot=none), "final").text
        assert "*Next:* Nothing to do. To use these sites together again" in said


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


def test_final_text_carries_the_words_of_the_appliance() -> None:
    """Whoever reads only the notification, or with a screen reader, must have them too."""
    text = draw(decided(State.FAILED, "delete_refused", problem=FORBIDDEN), "final").text
    for words in ("403", "NO_PERMISSION", "6f1c9a52-op", "Permission to perform this operation"):
        assert words in text
    text = draw(BY_STATE[State.FAILED], "final").text
    for words in ("ERROR", "HmsTask:42:0b7f", "Cannot &lt;break&gt; &amp; leave", "`vr-oslo`"):
        assert words in text
