"""`preview`, `list` and `status`: what one person reads, and that nothing is stored or posted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.lookup_results import (
    ListedPairing,
    LookFailed,
    MayNotLook,
    PairingsListed,
    SiteUnread,
)
from bot.request.model import ANY_SITE, Outcome, State, TaskView
from bot.request.pairing import Replication, Server, Snapshot
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Place, Reason
from bot.sandbox.slack.block_limits import check_blocks
from bot.slack.people import Identity, Myself
from tests.slack.listeners import looked_up, made
from tests.slack.listeners.conftest import Adapter

SNAPSHOT = Snapshot(
    pairing_id="p-1",
    local_vc=Server(id="vc-1", name="london"),
    remote_vc=Server(id="vc-2", name="paris<!channel>"),
    local_vrms=Server(id="r-1"),
    remote_vrms=Server(id="r-2", status="ERROR"),
    count=7,
    complete=False,
    replications_digest=None,
    replications=(Replication(id="r-1", name="db-01"),),
    read_at=1_700_000_000_000,
)


@pytest.fixture(autouse=True)
def _nothing_stored(adapter: Adapter) -> Iterator[None]:
    yield
    assert adapter.inbox.puts == []
    assert {c.method for c in adapter.api.calls} <= {"response"}


def _ack(adapter: Adapter, text: str, **changes: str | None) -> str:
    reply = adapter.send(made.command(text, adapter.api.response_url(), **changes))
    assert reply.json["response_type"] == "ephemeral"
    return str(reply.json["text"])


def _later(adapter: Adapter, count: int = 1) -> dict[str, Any]:
    body = adapter.api.wait_for("response", count)[-1].body
    assert body["response_type"] == "ephemeral"
    assert body["replace_original"] is False
    assert body["text"]
    assert check_blocks(body.get("blocks") or []) == []
    return body


def _all(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


# ---- preview ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed_deps",
    [{"policy": made.policy(label="production", dry_run=True, approvals_required=2)}],
    ids=["labelled"],
)
def test_a_preview_is_the_card_without_its_buttons(adapter: Adapter) -> None:
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT)
    assert "Reading `paris`" in _ack(adapter, "preview paris")
    assert adapter.lookups.asked == [("preview", "default", "paris", "UREQUESTER")]
    body = _later(adapter)
    words = _all(body)
    for part in (
        "Preview",
        "nobody was asked",
        "7 replications",
        "db-01",
        "could not be reached",
        "*production*",
        "Dry run: nothing will be deleted",
        "0 of 2",
        "pairing id `p-1`",
        f"`{made.COMMAND} p-1 reason`",
    ):
        assert part in words
    assert "paris&lt;!channel&gt;" in words
    assert {b["type"] for b in body["blocks"]} == {"header", "section", "context"}
    assert "PREVIEW" not in words
    assert "<@UAPPROVER>" not in words, "nobody is called by it"


@pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(force_approvals_required=3)}], ids=["three"]
)
def test_a_preview_of_a_one_sided_break(adapter: Adapter) -> None:
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT)
    _ack(adapter, "preview paris --force")
    words = _all(_later(adapter))
    for part in (
        "*One-sided break:* only London drops the pairing",
        "0 of 3",
        f"`{made.COMMAND} p-1 --force reason`",
    ):
        assert part in words
    assert "Both sites" not in words


def test_a_preview_names_the_open_request_and_the_unclear_one(adapter: Adapter) -> None:
    unclear = made.request(id="BBBB-CCCC", state=State.ATTENTION)
    adapter.requests.rows[unclear.id] = unclear
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT)
    _ack(adapter, "preview paris")
    words = _all(_later(adapter))
    assert "`K7QM-3XPD` waits for a decision" in words
    assert "no confirmed outcome. Check it before approving: `/vr-unpair status BBBB-CCCC`" in words


@pytest.mark.parametrize(
    ("why", "said"),
    [("none", "There is no pairing"), ("several", "More than one"), ("self", "with itself")],
)
def test_what_cannot_be_previewed_is_told_with_what_is_there(
    adapter: Adapter, why: str, said: str
) -> None:
    there = tuple(f"london → site-{n} (p-{n})" for n in range(12))
    adapter.lookups.read = PairingUnresolved.model_validate({"why": why, "candidates": there})
    _ack(adapter, "preview &lt;x&gt;")
    text = _later(adapter)["text"]
    assert said in text
    assert "`&lt;x&gt;`" in text
    assert "site-7" in text
    assert "4 others" in text
    assert f"`{made.COMMAND} list`" in text


def test_a_name_in_a_list_with_gaps_is_previewed_by_its_id(adapter: Adapter) -> None:
    there = ("london → paris (p-1)",)
    adapter.lookups.read = PairingUnresolved(why="partial", candidates=there)
    _ack(adapter, "preview paris")
    text = _later(adapter)["text"]
    assert "It cannot be told which pairing `paris` is" in text
    assert "may not be complete" in text
    assert there[0] in text
    assert f"`{made.COMMAND} preview ID`" in text
    assert "shows them all" not in text, "`list` has the same gaps"


def test_an_appliance_that_refuses_is_quoted(adapter: Adapter) -> None:
    refused = Problem(
        kind=ProblemKind.REFUSED,
        text="refused",
        status=403,
        error_code="NO_PERMISSION",
        message="Permission <denied>",
        op_id="op-1",
    )
    adapter.lookups.read = CallFailed(problem=refused)
    _ack(adapter, "preview paris")
    text = _later(adapter)["text"]
    for part in ("`403`", "`NO_PERMISSION`", "`op-1`", "Permission &lt;denied&gt;", "*Next:*"):
        assert part in text


def test_a_limit_says_when_to_come_back(adapter: Adapter) -> None:
    full = Problem(kind=ProblemKind.LIMITED, text="no room", retry_at=1_700_000_000_000)
    adapter.lookups.read = CallFailed(problem=full)
    _ack(adapter, "preview paris")
    assert "after <!date^1700000000^" in _later(adapter)["text"]


@pytest.mark.parametrize("text", ["preview paris", "list"])
def test_our_own_limit_says_once_when_there_is_room(adapter: Adapter, text: str) -> None:
    words = "There is some in 53 s."
    full = Problem(kind=ProblemKind.OVER_BUDGET, text=words, retry_at=1_700_000_000_000)
    failed = CallFailed(problem=full)
    adapter.lookups.read = failed
    adapter.lookups.sites = {"default": SiteUnread(site="default", failed=failed)}
    _ack(adapter, text)
    assert _later(adapter)["text"].splitlines()[1:] == [words, "*Next:* try again then."]


def test_replications_that_could_not_be_read_are_said(adapter: Adapter) -> None:
    items = (
        ListedPairing(pairing=looked_up.pairing(1), replications=3),
        ListedPairing(pairing=looked_up.pairing(2), uncounted=True),
        ListedPairing(pairing=looked_up.pairing(3)),
    )
    adapter.lookups.sites = {"default": PairingsListed(site="default", pairings=items, read_at=1)}
    _ack(adapter, "list")
    told = [line for line in _later(adapter)["text"].splitlines() if "replication" in line]
    assert [line.rpartition(" · ")[2] for line in told] == [
        "3 replications",
        "replications not read",
    ]


LOOKS = ["preview paris", "list", "status", "status K7QM-3XPD", "status ZZZZ-ZZZZ"]
NAMES = ["london", "paris&lt;", "UREQUESTER", "C1", "waits for a decision", "no request"]
"""Of what there is, in what order ever it is told."""


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.GUEST, "Guests of this workspace cannot ask. Ask a full member to look."),
        (Reason.BOT, "Bots cannot ask. Ask a full member to look."),
        (Reason.DEACTIVATED, "Your Slack account is deactivated. Ask a full member to look."),
        (Reason.OTHER_WORKSPACE, "You belong to another workspace. Ask a full member to look."),
        (Reason.UNREADABLE, "Slack did not say who you are. Try again in a minute."),
    ],
)
@pytest.mark.parametrize("text", LOOKS)
def test_a_stranger_reads_no_names(adapter: Adapter, text: str, reason: Reason, said: str) -> None:
    adapter.lookups.refusal = MayNotLook(reason=reason)
    acknowledged = _ack(adapter, text)
    body = _later(adapter)
    assert body["text"] == said
    everything = acknowledged + _all(body)
    assert [name for name in NAMES if name in everything] == []


@pytest.mark.parametrize("text", LOOKS)
def test_a_fault_of_ours_is_told_with_its_reference(adapter: Adapter, text: str) -> None:
    adapter.lookups.refusal = LookFailed(reference="R-1")
    _ack(adapter, text)
    assert "give reference R-1" in _later(adapter)["text"]


@pytest.mark.parametrize("text", LOOKS)
def test_too_many_at_once_are_told_to_try_again(adapter: Adapter, text: str) -> None:
    adapter.lookups.full = True
    said = _ack(adapter, text)
    assert "Try again in a minute" in said
    assert ("the appliance" in said) is ("status" not in text), "it needs none"


SITES = {n: made.policy().sites["default"] for n in ("east", "west")}
SEVERAL = pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(sites=SITES)}], ids=["two sites"]
)


@SEVERAL
def test_a_preview_of_one_of_several_or_of_any(adapter: Adapter) -> None:
    place = Place(site="west", appliance="vr-west", poll_ms=5_000, timeout_ms=10_000)
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT, place=place, also_at=("east",))
    _ack(adapter, "preview west/paris", trigger_id="b")
    _ack(adapter, "preview paris", trigger_id="c")
    said = json.dumps(adapter.api.wait_for("response", 2)[-1].body, ensure_ascii=False)
    asked = [("preview", site, "paris", "UREQUESTER") for site in ("west", ANY_SITE)]
    assert adapter.lookups.asked == asked
    assert "also seen from east" in said
    assert f"west/{SNAPSHOT.pairing_id} reason" in said


# ---- list ------------------------------------------------------------------------------------


def _listed(adapter: Adapter, *listed: PairingsListed) -> str:
    adapter.lookups.sites = {each.site: each for each in listed}
    _ack(adapter, "list")
    return str(_later(adapter)["text"])


def test_a_list_tells_the_health_of_each(adapter: Adapter) -> None:
    well, ill = looked_up.pairing(1), looked_up.pairing(2, remote="porto", status="ERROR")
    untold = looked_up.pairing(3, remote="paris")
    untold = untold.model_copy(
        update={
            name: getattr(untold, name).model_copy(update={"status": None})
            for name in ("local_vc", "remote_vc", "local_vrms", "remote_vrms")
        }
    )
    warned = looked_up.pairing(4, remote="riga", status="WARNING")
    items = [ListedPairing(pairing=p, replications=3) for p in (well, ill, untold, warned)]
    items.append(ListedPairing(pairing=looked_up.itself()))
    found = looked_up.listed().model_copy(update={"pairings": tuple(items)})
    text = _listed(adapter, found)
    lines = {line.split(" · ")[1]: line for line in text.splitlines() if " · " in line}
    assert "5 pairings" in text
    assert lines[f"`{warned.id}`"].startswith("🟡")
    assert lines[f"`{well.id}`"].startswith("🟢 *`berlin → prague`*")
    assert lines[f"`{well.id}`"].endswith("3 replications")
    assert lines[f"`{ill.id}`"].startswith("🔴")
    assert "remote replication server `vr-porto`: `ERROR`" in lines[f"`{ill.id}`"]
    assert "health not told" in lines[f"`{untold.id}`"]
    assert "paired with itself, never broken" in lines[f"`{looked_up.itself().id}`"]
    assert adapter.lookups.asked == [("pairings", ("default",), "UREQUESTER", True)]


def test_a_list_names_the_open_request(adapter: Adapter) -> None:
    pairing = looked_up.pairing(1)
    adapter.requests.rows = {"K7QM-3XPD": made.request(pairing_id=pairing.id)}
    text = _listed(adapter, looked_up.listed(pairing, looked_up.pairing(2)))
    (line,) = [line for line in text.splitlines() if "K7QM-3XPD" in line]
    assert pairing.id in line
    assert "open request `K7QM-3XPD` waits for a decision" in line


def test_a_list_of_hundreds_is_cut_and_says_so(adapter: Adapter) -> None:
    many = [looked_up.pairing(n, remote=f"<{'x' * 300}>{n}", status="WARNING") for n in range(300)]
    missing = ("some <are> missing",) * 2
    adapter.lookups.sites = {"default": looked_up.listed(*many, partial=missing)}
    _ack(adapter, "list")
    body = _later(adapter)
    assert _all(body).count("may not be complete") == 1
    assert "and 260 more" in _all(body)
    assert "may not be complete: some &lt;are&gt; missing" in _all(body)


def test_what_is_not_in_order_comes_first(adapter: Adapter) -> None:
    """Of sixty, forty are shown."""
    ill = {57: "ERROR", 56: "WARNING"}
    sixty = [
        looked_up.pairing(n, remote=f"site-{n:02d}", status=ill.get(n, "OK")) for n in range(60)
    ]
    lines = _listed(adapter, looked_up.listed(*sixty, looked_up.itself())).splitlines()
    shown = [line.split(" · ")[0] for line in lines if " · " in line]
    assert shown[:3] == [
        "🔴 *`berlin → site-57`*",
        "🟡 *`berlin → site-56`*",
        "🟢 *`berlin → site-00`*",
    ]


@SEVERAL
def test_one_appliance_that_is_away_does_not_hide_the_other(adapter: Adapter) -> None:
    one = looked_up.listed(looked_up.pairing(1), site="east")
    adapter.lookups.sites = {"east": one, "west": looked_up.unread("west")}
    _ack(adapter, "list")
    text = _later(adapter)["text"]
    assert "1 pairing* on `east`" in text
    assert "`west` could not be read" in text
    assert "vr.local &lt;b&gt;" in text


# ---- status ----------------------------------------------------------------------------------


def _stands(adapter: Adapter, text: str, **changes: str | None) -> str:
    """What comes after the acknowledgement, which names nothing but the id that was typed."""
    before = len(adapter.api.of("response"))
    assert "for you alone" in _ack(adapter, text, **changes)
    return str(_later(adapter, before + 1)["text"])


def test_status_of_one_tells_where_it_stands(adapter: Adapter) -> None:
    text = _stands(adapter, "status k7qm3xpd")
    for part in ("`K7QM-3XPD` waits for a decision", "<@UREQUESTER>", "<#C1>", "0 of 1 approvals"):
        assert part in text.replace("0 of 1 approval ", "0 of 1 approvals ")
    assert "moving out" not in text, "the reason belongs to its channel"


def _known(url: str | None) -> dict[str, Identity]:
    identity = Identity(WebClient())
    identity.learn(Myself(team="T1", enterprise=None, user=None, bot=None, url=url))
    return {"identity": identity}


@pytest.mark.parametrize(
    ("changed_deps", "linked"), [(_known("https://ops.slack.com/"), True), (_known(None), False)]
)
def test_status_of_one_leads_to_its_card(adapter: Adapter, linked: bool) -> None:
    text = _stands(adapter, "status K7QM-3XPD")
    assert ("<https://ops.slack.com/archives/C1/p" in text) is linked
    assert ("|Open K7QM-3XPD>" in text) is linked


def test_status_of_one_at_work_and_of_one_that_ended(adapter: Adapter) -> None:
    task = TaskView(id="task-1", status="RUNNING", progress=40)
    following = made.request(id="BBBB-CCCC", state=State.FOLLOWING, task=task)
    ended = made.request(
        id="DDDD-FFFF",
        state=State.EXPIRED,
        outcome=Outcome(code="not_decided"),
        ended_at=1_700_000_000_000,
    )
    adapter.requests.rows |= {r.id: r for r in (following, ended)}
    assert "Task `task-1`: `RUNNING`, 40 %." in _stands(adapter, "status BBBB-CCCC")
    text = _stands(adapter, "status DDDD-FFFF")
    assert "The time to decide ran out." in text
    assert "*Next:*" in text


def test_status_of_none_that_is_known(adapter: Adapter) -> None:
    assert "There is no request `ZZZZ-ZZZZ`" in _stands(adapter, "status ZZZZ-ZZZZ")


def test_status_lists_the_open_ones_and_the_latest_ends(adapter: Adapter) -> None:
    for n in range(30):
        row = made.request(id=f"BBBB-CC{n:02d}".replace("0", "X").replace("1", "Y"))
        adapter.requests.rows[row.id] = row
    over = made.request(id="ZZZZ-ZZZZ", state=State.DENIED, ended_at=1_700_000_000_000)
    adapter.requests.rows[over.id] = over
    text = _stands(adapter, "status")
    opened = len(adapter.requests.unfinished())
    assert f"*{opened} open requests*" in text
    assert len(text) <= 3_900
    shown = [b["text"]["text"] for b in _later(adapter)["blocks"] if b["type"] != "context"]
    assert shown[0] == f"{opened} open requests"
    assert len(shown) == 1 + 20 + 1 + 1
    assert shown[-2] == "Ended recently"
    assert "`ZZZZ-ZZZZ`" in shown[-1]
    assert f"{opened - 20} older ones" in _all(_later(adapter))


def test_status_of_nothing(adapter: Adapter) -> None:
    adapter.requests.rows.clear()
    assert "*No open requests*" in _stands(adapter, "status")


# ---- where -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", LOOKS)
@pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(channels=frozenset({"C9"}))}], ids=["channels"]
)
def test_where_the_command_does_not_work_nothing_is_looked_up(adapter: Adapter, text: str) -> None:
    assert "<#C9>" in _ack(adapter, text)
    assert "channel" in _ack(adapter, text, channel_id="D1", trigger_id="b")
    assert adapter.lookups.asked == []


def test_one_may_look_from_a_direct_message(adapter: Adapter) -> None:
    assert "K7QM-3XPD" in _stands(adapter, "status", channel_id="D1")
