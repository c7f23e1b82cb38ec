"""`preview`, `list`, `status`, the Home tab: what one person reads, and that nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.request.events import CallFailed, PairingRead
from bot.request.lookup_results import (
    Home,
    LookFailed,
    MayNotLook,
    SiteUnread,
)
from bot.request.model import ANY_SITE, State
from bot.request.pairing import PairingUnresolved
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Reason
from bot.slack.people import Myself
from sandbox.slack.block_limits import check_blocks
from tests.slack.cards import samples
from tests.slack.cards.samples import PAIRING_ID
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, Reply
from tests.slack.listeners.fake_web_api import error
from tests.slack.listeners.test_command_typed import SITES, with_policy

SNAPSHOT = samples.HARD.snapshot
assert SNAPSHOT is not None


@pytest.fixture(autouse=True)
def _nothing_stored(adapter: Adapter) -> Iterator[None]:
    yield
    assert adapter.puts == []
    assert {c.method for c in adapter.api.calls} <= {"response", "views.publish"}


def _ack(adapter: Adapter, text: str, **changes: str | None) -> str:
    reply = adapter.send(made.command(text, adapter.api.response_url(), **changes))
    assert reply.json["response_type"] == "ephemeral"
    return str(reply.json["text"])


def _told(adapter: Adapter, text: str, **changes: str | None) -> dict[str, Any]:
    """What comes after the acknowledgement."""
    before = len(adapter.api.of("response"))
    _ack(adapter, text, **changes)
    body = adapter.api.wait_for("response", before + 1)[-1].body
    assert body["response_type"] == "ephemeral"
    assert body["replace_original"] is False
    assert body["text"]
    assert check_blocks(body.get("blocks") or []) == []
    return body


def _words(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


# ---- preview ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("preview paris", ["0 of 2", f"`{made.COMMAND} {PAIRING_ID} reason`"]),
        ("preview paris --force", ["0 of 3", f"`{made.COMMAND} {PAIRING_ID} --force reason`"]),
    ],
)
@with_policy(label="production", dry_run=True, approvals_required=2, force_approvals_required=3)
def test_a_preview_is_the_card_without_its_buttons(
    adapter: Adapter, typed: str, parts: list[str]
) -> None:
    adapter.store.has(id="BBBB-CCCC", state=State.ATTENTION)
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT)
    body = _told(adapter, typed)
    assert adapter.lookups.asked == [("preview", "default", "paris", "UREQUESTER")]
    words = _words(body)
    seen = ["*production*", "Dry run", f"`{PAIRING_ID}`", "no heartbeat"]
    others = [made.ID, "BBBB-CCCC"]  # the open request of this pairing, and the unclear one
    assert [part for part in (*seen, *others, *parts) if part not in words] == []
    assert {b["type"] for b in body["blocks"]} == {"header", "section", "context"}
    assert "<@UAPPROVER>" not in words, "nobody is called by it"


@pytest.mark.parametrize("why", ["several", "self"])
def test_what_cannot_be_previewed_is_told_with_what_is_there(adapter: Adapter, why: str) -> None:
    there = tuple(f"london → site-{n} (p-{n})" for n in range(12))
    adapter.lookups.read = PairingUnresolved.model_validate({"why": why, "candidates": there})
    text = _told(adapter, "preview &lt;x&gt;")["text"]
    assert "`&lt;x&gt;`" in text
    assert [n for n in range(12) if f"site-{n} " in text] == list(range(8))


FULL = Problem(kind=ProblemKind.OVER_BUDGET, text="Room in 53 s.", retry_at=1_700_000_000_000)


@pytest.mark.parametrize("text", ["preview paris", "list"])
@pytest.mark.parametrize(
    ("problem", "parts"),
    [
        (samples.FORBIDDEN, ["`403`", "`NO_PERMISSION`", "`6f1c9a52-op`", "Permission to"]),
        (FULL, ["Room in 53 s."]),
    ],
    ids=["refused", "over budget"],
)
def test_an_appliance_that_refuses_is_quoted(
    adapter: Adapter, text: str, problem: Problem, parts: list[str]
) -> None:
    failed = CallFailed(problem=problem)
    adapter.lookups.read = failed
    adapter.lookups.sites = {"default": SiteUnread(site="default", failed=failed)}
    said = _told(adapter, text)["text"]
    assert [part for part in (*parts, "*Next:*") if said.count(part) != 1] == []


@with_policy(sites=SITES)
def test_a_preview_of_one_of_several_or_of_any(adapter: Adapter) -> None:
    adapter.lookups.read = PairingRead(snapshot=SNAPSHOT, found_at="west")
    _told(adapter, "preview west/paris", trigger_id="b")
    said = _words(_told(adapter, "preview paris", trigger_id="c"))
    asked = [("preview", site, "paris", "UREQUESTER") for site in ("west", ANY_SITE)]
    assert adapter.lookups.asked == asked
    assert f"west/{PAIRING_ID} reason" in said


# ---- who may look, and where -----------------------------------------------------------------

LOOKS = ["preview paris", "list", "status", "status K7QM-3XPD", "status ZZZZ-ZZZZ"]


def test_a_stranger_reads_the_same_words_for_everything(adapter: Adapter) -> None:
    adapter.lookups.refusal = MayNotLook(reason=Reason.GUEST)
    told = {_words(_told(adapter, text, trigger_id=text)) for text in LOOKS}
    assert len(told) == 1
    assert made.ID not in told.pop()


@pytest.mark.parametrize("text", LOOKS)
def test_a_fault_of_ours_is_told_with_its_reference(adapter: Adapter, text: str) -> None:
    adapter.lookups.refusal = LookFailed(reference="R-1")
    assert "R-1" in _told(adapter, text)["text"]


@pytest.mark.parametrize("text", LOOKS)
def test_too_many_at_once_are_told_to_try_again(adapter: Adapter, text: str) -> None:
    adapter.lookups.full = True
    _ack(adapter, text)
    assert adapter.api.calls == []


@pytest.mark.parametrize("text", LOOKS)
@with_policy(channels=frozenset({"C9"}))
def test_where_the_command_does_not_work_nothing_is_looked_up(adapter: Adapter, text: str) -> None:
    assert "<#C9>" in _ack(adapter, text)
    _ack(adapter, text, channel_id="D1", trigger_id="b")
    assert adapter.lookups.asked == []


def test_one_may_look_from_a_direct_message(adapter: Adapter) -> None:
    assert "K7QM-3XPD" in _told(adapter, "status", channel_id="D1")["text"]


# ---- list ------------------------------------------------------------------------------------


def test_a_list_is_read_with_counts_and_names_open_requests(adapter: Adapter) -> None:
    """How it looks is in tests/slack/cards/words.md."""
    well, nothing = made.pairing(1), {"status": None}
    untold = made.pairing(3)
    names = ("local_vc", "remote_vc", "local_vrms", "remote_vrms")
    told = {name: getattr(untold, name).model_copy(update=nothing) for name in names}
    adapter.store.has(pairing_id=well.id)
    adapter.lookups.sites = {"default": made.listed(well, untold.model_copy(update=told))}
    lines = {line.split(" · ")[1]: line for line in _told(adapter, "list")["text"].splitlines()[1:]}
    assert [made.ID in lines[f"`{id_}`"] for id_ in (well.id, untold.id)] == [True, False]
    assert lines[f"`{untold.id}`"][0] not in "🟢🟡🔴", "nobody has said how it is"
    assert adapter.lookups.asked == [("pairings", ("default",), "UREQUESTER", True)]


def test_a_list_of_hundreds_is_cut_and_says_so(adapter: Adapter) -> None:
    """Forty are shown, those that are not in order first."""
    many = [made.pairing(n, remote=f"<{'x' * 300}>{n}") for n in range(299)]
    ill = made.pairing(299, status="ERROR")
    missing = ("some <are> missing",) * 2
    adapter.lookups.sites = {"default": made.listed(*many, ill, partial=missing)}
    words = _words(_told(adapter, "list"))
    assert words.count("some &lt;are&gt; missing") == words.count("may not be complete")
    assert "260" in words
    assert words.index(ill.id) < words.index(many[0].id)


@with_policy(sites=SITES)
def test_one_appliance_that_is_away_does_not_hide_the_other(adapter: Adapter) -> None:
    one = made.listed(made.pairing(1), site="east")
    adapter.lookups.sites = {"east": one, "west": made.unread("west")}
    text = _told(adapter, "list")["text"]
    assert made.pairing(1).id in text
    assert "vr.local &lt;b&gt;" in text


# ---- status ----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://ops.slack.com/", None])
def test_status_tells_where_they_stand_and_leads_to_their_cards(
    adapter: Adapter, url: str | None
) -> None:
    adapter.identity.learn(Myself(team="T1", enterprise=None, user=None, bot=None, url=url))
    adapter.store.has(id="ZZZZ-ZZZZ", state=State.DENIED, ended_at=1_700_000_000_000)
    one, every = _told(adapter, "status k7qm3xpd")["text"], _words(_told(adapter, "status"))
    for part in (made.ID, "<@UREQUESTER>", "<#C1>", "0 of 2"):
        assert part in one
    assert "moves out" not in one, "the reason belongs to its channel"
    assert ("<https://ops.slack.com/archives/C1/p" in one) is bool(url)
    assert every.index(made.ID) < every.index("ZZZZ-ZZZZ")


def test_status_of_one_at_work_and_of_none(adapter: Adapter) -> None:
    adapter.store.has(state=State.FOLLOWING, task=samples.RUNNING)
    text = _told(adapter, f"status {made.ID}")["text"]
    for fact in (f"`{samples.RUNNING.id}`: `RUNNING`", f"{samples.RUNNING.progress} %"):
        assert fact in text
    assert "`ZZZZ-ZZZZ`" in _told(adapter, "status ZZZZ-ZZZZ")["text"]
    adapter.store.forgets()
    assert "section" not in {b["type"] for b in _told(adapter, "status")["blocks"]}


# ---- the Home tab ----------------------------------------------------------------------------


def _opens_home(adapter: Adapter, **event: Any) -> Reply:
    whole = {"type": "app_home_opened", "user": "UREQUESTER", "channel": "D1", "tab": "home"}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event": whole | event})
    headers = {**made.signed(body), "Content-Type": "application/json"}
    return adapter.raw("POST", "/slack/events", body.encode(), headers)


@pytest.mark.parametrize("word", [None, "not_enabled"])
def test_it_is_published_to_whoever_opened_it(adapter: Adapter, word: str | None) -> None:
    if word:
        adapter.api.script("views.publish", error(word))
    adapter.lookups.homes["UREQUESTER"] = Home(asked=(made.request(),))
    assert _opens_home(adapter).status == 200
    (call,) = adapter.api.wait_for("views.publish")
    assert call.body["user_id"] == "UREQUESTER"
    assert "K7QM-3XPD" in json.dumps(call.body["view"])


@pytest.mark.parametrize(
    ("event", "full", "status"),
    [
        ({"tab": "messages"}, False, 200),
        ({}, True, 200),
        ({"user": None}, False, 400),
        ({"user": 7}, False, 400),
        ({"tab": None}, False, 400),
    ],
)
def test_when_no_home_is_read(
    adapter: Adapter, event: dict[str, Any], full: bool, status: int
) -> None:
    adapter.lookups.full = full
    assert _opens_home(adapter, **event).status == status
    assert adapter.lookups.asked == []
