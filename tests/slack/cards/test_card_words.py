"""The card as an approver reads it, and the record that it becomes."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.model import State
from bot.slack.draw.message import draw
from tests.slack.cards.samples import (
    BY_STATE,
    CANCELLED,
    DENIED,
    HARD,
)
from tests.slack.cards.slack_checker import reading, wrapped


def test_pending() -> None:
    assert reading(draw(BY_STATE[State.PENDING], "card")) == snapshot("""\
# ⏳ Break pairing Lyon → Oslo: 12 replications
---
<@UASKER> asks. Where: Lyon's appliance, in *production*.
Reason, as typed:
---
```
CHG1234567 Oslo moves out
```
---
⚠️ *4 of 12 VMs are in recovery plans*
---
In recovery plans: db-01, db-02, web-01, web-02.
In no recovery plan: mail, ldap and 6 more.
---
Both sites drop the pairing. This can't be undone. The sites would have to be
paired again and all 12 replications reconfigured. The vendor's Reconnect does not
bring the pairing back.
---
*Approvals:* 1 of 2, by <@UFIRST>. Deadline for approvals: ⟨23:13⟩, then the
request expires and the pairing stays. Please decide: <@UNOTIFY1>,
<!subteam^SNIGHTS>
The second approval breaks the pairing at once. Before it breaks anything, the bot
reads the sites again: if they differ from this card, the pairing stays. One
*Deny* ends the request, the pairing stays. Only <@UASKER> can *Withdraw* the
request.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com` · state as of
⟨22:13⟩ · asked ⟨22:13⟩)
---
[Approve] [Deny] [Withdraw]\
""")


def test_pending_as_a_phone_shows_it() -> None:
    assert wrapped(draw(BY_STATE[State.PENDING], "card").text) == snapshot("""\
⏳ Break pairing Lyon → Oslo: 12 replications
<@UASKER> asks. Where: Lyon's appliance, in *production*.
Reason, as typed:
```
CHG1234567 Oslo moves out
```
⚠️ *4 of 12 VMs are in recovery plans*
In recovery plans: db-01, db-02, web-01, web-02.
In no recovery plan: mail, ldap and 6 more.
Both sites drop the pairing. This can't be undone. The sites would have to be
paired again and all 12 replications reconfigured. The vendor's Reconnect does not
bring the pairing back.
*Approvals:* 1 of 2, by <@UFIRST>. Deadline for approvals: ⟨23:13⟩, then the
request expires and the pairing stays. Please decide: <@UNOTIFY1>,
<!subteam^SNIGHTS>
The second approval breaks the pairing at once. Before it breaks anything, the bot
reads the sites again: if they differ from this card, the pairing stays. One
*Deny* ends the request, the pairing stays. Only <@UASKER> can *Withdraw* the
request.
Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com` · state as of
⟨22:13⟩ · asked ⟨22:13⟩\
""")


def test_everything_to_be_warned_of() -> None:
    assert reading(draw(HARD, "card")) == snapshot("""\
# ⏳ Break pairing Lyon → Oslo: 1 replication, one-sided
---
🧪 *Dry run: nothing will be deleted.*
<@UASKER> asks. Where: Lyon's appliance, in *production*.
---
No reason was given.
---
⚠️ *1 VM is in a recovery plan*
---
⚠️ An earlier request for this pairing has no confirmed outcome. Check it before
approving: `/vr-unpair status DDDD-FFFF` leads to its card.
*One-sided break:* only Lyon drops the pairing. Oslo keeps its half of it until
somebody breaks it there as well. This can't be undone. The sites would have to be
paired again and its replication reconfigured. The vendor's Reconnect does not
bring the pairing back.
---
Oslo could not be reached from Lyon, ⟨22:13⟩. Not everything could be read; the
small print says why.
---
3 open issues reported by Lyon's appliance:
• vr-oslo: no heartbeat (ERROR)
• and 2 more
---
*Approvals:* 0 of 2. Deadline for approvals: ⟨23:13⟩, then the request expires and
the pairing stays.
The second approval starts the dry run at once. Before it breaks anything, the bot
reads the sites again: if they differ from this card (of the replications only the
number is compared), the pairing stays. One *Deny* ends the request, the pairing
stays. Only <@UASKER> can *Withdraw* the request.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com` · state as of
⟨22:13⟩ · asked ⟨22:13⟩ · not everything read: remote site: not reachable)
---
[Approve] [Deny] [Withdraw]\
""")


def test_approved() -> None:
    assert reading(draw(BY_STATE[State.APPROVED], "card")) == snapshot("""\
# 🔵 Approved: about to be sent
---
*Lyon → Oslo*: 12 replications.
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
<@UASKER> asks. Where: Lyon's appliance, in *production*.
Reason, as typed:
---
```
CHG1234567 Oslo moves out
```
---
⚠️ *4 of 12 VMs are in recovery plans*
---
In recovery plans: db-01, db-02, web-01, web-02.
In no recovery plan: mail, ldap and 6 more.
---
Both sites drop the pairing. This can't be undone. The sites would have to be
paired again and all 12 replications reconfigured. The vendor's Reconnect does not
bring the pairing back.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com` · state as of
⟨22:13⟩ · asked ⟨22:13⟩)
---
[Withdraw]\
""")


def test_succeeded() -> None:
    assert reading(draw(BY_STATE[State.SUCCEEDED], "card")) == snapshot("""\
# ✅ Done: the pairing is gone
---
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.
---
Asked because:
```
CHG1234567 Oslo moves out
```
---
*Next step:* To replicate between these sites again, pair them again and
reconfigure all 12 replications. Reconnect does not bring the pairing back.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
""")


def test_denied() -> None:
    assert reading(draw(DENIED, "card")) == snapshot("""\
# ⛔ Denied: nothing was sent
---
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. Denied by <@UNO>, ⟨22:14⟩.
```
Backups still run
until 5
```
---
Asked because:
```
CHG1234567 Oslo moves out
```
---
*Next step:* Settle it with <@UNO> before asking again.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
""")


def test_cancelled_by_an_operator() -> None:
    assert reading(draw(CANCELLED, "card")) == snapshot("""\
# ↩️ Withdrawn: nothing was sent
---
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. Withdrawn by `alice` (operator), ⟨22:14⟩.
---
Asked because:
```
CHG1234567 Oslo moves out
```
---
*Next step:* Ask again if it is wanted after all.
---
(Request `K7QM-3XPD` · lyon.example.com → oslo.example.com · pairing id
`0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a` · appliance `vr.example.com`)\
""")


@pytest.mark.parametrize(
    ("state", "top"),
    [
        (
            State.DELETING,
            snapshot("""\
# 🔵 Approved: under way
---
*Lyon → Oslo*: 12 replications.
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
<@UASKER> asks. Where: Lyon's appliance, in *production*.
Reason, as typed:\
"""),
        ),
        (
            State.FOLLOWING,
            snapshot("""\
# 🔵 Approved: under way
---
*Lyon → Oslo*: 12 replications.
Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩.
<@UASKER> asks. Where: Lyon's appliance, in *production*.
Reason, as typed:\
"""),
        ),
        (
            State.FAILED,
            snapshot("""\
# ❌ Failed: see the thread
---
*Lyon → Oslo*: 12 replications.
The appliance took the delete, and its task ended in an error.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.\
"""),
        ),
        (
            State.EXPIRED,
            snapshot("""\
# ⌛ Out of time: not decided
---
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. It had 1 of 2 approvals, by <@UFIRST>. Ended ⟨22:16⟩.\
"""),
        ),
        (
            State.CHANGED,
            snapshot("""\
# 🔀 The pairing changed after approval; nothing was sent
---
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.\
"""),
        ),
        (
            State.REHEARSED,
            snapshot("""\
# 🧪 Dry run done: nothing was sent
---
🧪 *Dry run: nothing will be deleted.*
*Lyon → Oslo*: 12 replications.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.\
"""),
        ),
        (
            State.ATTENTION,
            snapshot("""\
# ⚠️ Outcome unknown: see the thread
---
*Lyon → Oslo*: 12 replications.
It cannot be told whether the delete arrived.
Asked by <@UASKER>, ⟨22:13⟩. Approved by <@UFIRST>, <@USECOND>, ⟨22:15⟩. Ended
⟨22:16⟩.\
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
    words = "could not be reached from Lyon, ⟨22:13⟩"
    assert f"⚠️ Oslo {words}: an ordinary break needs it." in reading(
        draw(HARD.model_copy(update={"force": False}), "card")
    ).replace("\n", " ")
    assert f"{words}." in reading(draw(HARD, "card"))
