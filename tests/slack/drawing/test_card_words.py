"""The card as an approver reads it, and the record that it becomes."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.model import State
from bot.slack.draw.message import draw
from tests.slack.drawing.samples import (
    BY_STATE,
    CANCELLED,
    DENIED,
    HARD,
)
from tests.slack.drawing.slack_checker import reading, wrapped


def test_pending() -> None:
    assert reading(draw(BY_STATE[State.PENDING], "card")) == snapshot("""\
# 🟡 Approval needed: break a pairing
---
<@UASKER> asks to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
This can't be undone. The sites would have to be paired again and all 12
replications reconfigured. Reconnect does not bring a pairing back.
---
*12 replications* use this pairing: `db-01`, `db-02`, `web-01`, `web-02`, `mail`
and 7 more.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
*Ordinary break:* both sites drop the pairing.
---
*Why:*
```
CHG1234567 Oslo moves out
```
---
*Approvals:* 1 of 2 (<@UFIRST>). *Until:* ⟨23:13⟩
---
Please decide: <@UNOTIFY1>, <!subteam^SNIGHTS>
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩ · asked ⟨22:13⟩)
---
[Approve] [Deny] [Withdraw]\
""")


def test_pending_as_a_phone_shows_it() -> None:
    assert wrapped(draw(BY_STATE[State.PENDING], "card").text) == snapshot("""\
🟡 Approval needed: break a pairing (`production`)
<@UASKER> asks to break `lyon.example.com → oslo.example.com`.
*12 replications* use this pairing.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
Approvals: 1 of 2 (<@UFIRST>). *Until:* ⟨23:13⟩
Please decide: <@UNOTIFY1>, <!subteam^SNIGHTS>
*Why:*
```
CHG1234567 Oslo moves out
```\
""")


def test_everything_to_be_warned_of() -> None:
    assert reading(draw(HARD, "card")) == snapshot("""\
# 🟡 Approval needed: break a pairing
---
🧪 *Dry run: nothing will be deleted.*
---
<@UASKER> asks to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
⚠️ *One-sided break:* only `lyon.example.com` drops the pairing.
`oslo.example.com` keeps its half and needs the same done there.
⚠️ An earlier request for this pairing, `DDDD-FFFF`, has no confirmed outcome.
Check it before approving: `/vr-unpair status DDDD-FFFF` leads to its card.
This can't be undone. The sites would have to be paired again and its replication
reconfigured. Reconnect does not bring a pairing back.
---
*1 replication* uses this pairing.
⚠️ It is protected by recovery plans (Site Recovery Manager).
⚠️ `oslo.example.com` could not be reached when this was read.
⚠️ The appliance could not tell everything. If one VM is swapped for another
before the delete, the bot will not notice.
• remote site: not reachable
⚠️ 3 open issues:
• `vr-oslo`: no heartbeat (ERROR)
• and 2 more
---
*Why:* no reason given.
---
*Approvals:* 0 of 2. *Until:* ⟨23:13⟩
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩ · asked ⟨22:13⟩)
---
[Approve] [Deny] [Withdraw]\
""")


def test_approved() -> None:
    assert reading(draw(BY_STATE[State.APPROVED], "card")) == snapshot("""\
# 🔵 Approved: about to be sent
---
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
---
<@UASKER> asks to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
This can't be undone. The sites would have to be paired again and all 12
replications reconfigured. Reconnect does not bring a pairing back.
---
*12 replications* use this pairing: `db-01`, `db-02`, `web-01`, `web-02`, `mail`
and 7 more.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
*Ordinary break:* both sites drop the pairing.
---
*Why:*
```
CHG1234567 Oslo moves out
```
---
*Approvals:* 2 of 2 (<@UFIRST>, <@USECOND>).
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩)
---
[Withdraw]\
""")


def test_succeeded() -> None:
    assert reading(draw(BY_STATE[State.SUCCEEDED], "card")) == snapshot("""\
# ✅ Done: the pairing is gone
---
*The pairing is gone.*
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
Ended ⟨22:16⟩.
---
<@UASKER> asked to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
This can't be undone. The sites would have to be paired again and all 12
replications reconfigured. Reconnect does not bring a pairing back.
---
*12 replications* use this pairing: `db-01`, `db-02`, `web-01`, `web-02`, `mail`
and 7 more.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
*Ordinary break:* both sites drop the pairing.
---
*Why:*
```
CHG1234567 Oslo moves out
```
---
*Approvals:* 2 of 2 (<@UFIRST>, <@USECOND>).
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩)\
""")


def test_denied() -> None:
    assert reading(draw(DENIED, "card")) == snapshot("""\
# ⛔ Denied: nothing was sent
---
*Denied by <@UNO>, ⟨22:14⟩.*
```
Backups still run
until 5
```
---
<@UASKER> asked to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
This can't be undone. The sites would have to be paired again and all 12
replications reconfigured. Reconnect does not bring a pairing back.
---
*12 replications* use this pairing: `db-01`, `db-02`, `web-01`, `web-02`, `mail`
and 7 more.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
*Ordinary break:* both sites drop the pairing.
---
*Why:*
```
CHG1234567 Oslo moves out
```
---
*Approvals:* 0 of 2.
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩)\
""")


def test_cancelled_by_an_operator() -> None:
    assert reading(draw(CANCELLED, "card")) == snapshot("""\
# ↩️ Withdrawn: nothing was sent
---
*Withdrawn by `alice` (operator), ⟨22:14⟩.*
---
<@UASKER> asked to break the pairing
*`lyon.example.com → oslo.example.com`*
*production* · appliance `vr.example.com`
This can't be undone. The sites would have to be paired again and all 12
replications reconfigured. Reconnect does not bring a pairing back.
---
*12 replications* use this pairing: `db-01`, `db-02`, `web-01`, `web-02`, `mail`
and 7 more.
⚠️ 4 of them are protected by recovery plans (Site Recovery Manager).
*Ordinary break:* both sites drop the pairing.
---
*Why:*
```
CHG1234567 Oslo moves out
```
---
*Approvals:* 0 of 2.
---
(Request `K7QM-3XPD` · pairing id `0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · read
⟨22:13⟩)\
""")


@pytest.mark.parametrize(
    ("state", "top"),
    [
        (
            State.DELETING,
            snapshot("""\
# 🔵 Approved: under way
---
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.\
"""),
        ),
        (
            State.FOLLOWING,
            snapshot("""\
# 🔵 Approved: under way
---
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.\
"""),
        ),
        (
            State.FAILED,
            snapshot("""\
# ❌ Failed: see the thread
---
*The appliance took the delete, and its task ended in an error.*
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
Ended ⟨22:16⟩.\
"""),
        ),
        (
            State.EXPIRED,
            snapshot("""\
# ⌛ Out of time
---
*The time to decide ran out.*
It has 1 of 2 approvals, by <@UFIRST>.
Ended ⟨22:16⟩.\
"""),
        ),
        (
            State.CHANGED,
            snapshot("""\
# 🔀 Changed meanwhile: nothing was sent
---
*The pairing changed after approval; nothing was sent.*
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
Ended ⟨22:16⟩.\
"""),
        ),
        (
            State.REHEARSED,
            snapshot("""\
# 🧪 Dry run done: nothing was sent
---
*Dry run: everything was right up to the delete, which was not sent.*
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
Ended ⟨22:16⟩.\
"""),
        ),
        (
            State.ATTENTION,
            snapshot("""\
# ⚠️ Outcome unknown: see the thread
---
*It cannot be told whether the delete arrived.*
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
Ended ⟨22:16⟩.\
"""),
        ),
    ],
    ids=lambda v: v.value if isinstance(v, State) else "",
)
def test_top_of_the_card(state: State, top: str) -> None:
    assert "\n---\n".join(reading(draw(BY_STATE[state], "card")).split("\n---\n")[:2]) == top


def test_an_ordinary_break_with_the_other_site_away_says_what_it_needs() -> None:
    """Such a task ends in an error; the form says what an ordinary break needs, and not everybody
    comes by the form."""
    words = "could not be reached when this was read"
    assert f"{words}: an ordinary break needs it." in reading(
        draw(HARD.model_copy(update={"force": False}), "card")
    ).replace("\n", " ")
    assert f"{words}." in reading(draw(HARD, "card"))
