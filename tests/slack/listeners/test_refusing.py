"""What the listener refuses by itself is answered at once and left to the audit trail."""

from __future__ import annotations

import pytest
import time_machine

from bot.request.events import AskRefused
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter

CASES = [
    ("paris --force gone", {"channel_id": "D1"}, {}, "direct_message"),
    ("", {"channel_id": "D1"}, {}, "direct_message"),
    ("", {}, {"channels": frozenset({"C9"})}, "channel"),
    ("paris --force", {}, {"require_reason": True}, "reason_missing"),
    ("paris --force \u200b", {}, {"require_reason": True}, "reason_missing"),
    ("paris --force gone", {}, {"reason_pattern": r"CHG\d{7}"}, "reason_pattern"),
]


@pytest.mark.parametrize(
    ("typed", "place", "changed_deps", "why"),
    [(typed, place, {"policy": made.policy(**policy)}, why) for typed, place, policy, why in CASES],
    ids=[f"{why}-{typed.encode('unicode_escape').decode()}" for typed, _, _, why in CASES],
)
def test_each_refusal_is_one_event(
    adapter: Adapter, typed: str, place: dict[str, str], why: str
) -> None:
    reply = adapter.send(made.command(typed, adapter.api.response_url(), **place))
    assert reply.json["response_type"] == "ephemeral"
    (put,) = adapter.inbox.puts
    assert put.event == AskRefused(
        by="UREQUESTER",
        team="T1",
        channel=place.get("channel_id", "C1"),
        pairing="paris" if typed else "",
        force=bool(typed),
        why=why,
    )
    assert put.request_id == ""
    assert put.response_url is None, "nothing comes of it that would need an address"


@pytest.mark.parametrize("changed_deps", [{"policy": made.policy(channels=frozenset({"C9"}))}])
def test_who_only_looks_or_is_not_understood_was_not_refused_to_ask(adapter: Adapter) -> None:
    for typed in ("list", "status", "preview paris", "help", "--force"):
        adapter.send(made.command(typed, adapter.api.response_url()))
    assert adapter.inbox.puts == []


@pytest.mark.parametrize("changed_deps", [{"policy": made.policy(require_reason=True)}])
def test_whoever_types_it_all_day_fills_nothing(adapter: Adapter) -> None:
    def typed(times: int, **changes: str) -> int:
        for n in range(times):
            command = made.command(
                f"paris{n}", adapter.api.response_url(), trigger_id=f"t{n}", **changes
            )
            assert "needs a reason" in adapter.send(command).json["text"]
        return len(adapter.inbox.puts)

    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert typed(20) == 1
        assert typed(20, user_id="UOTHER") == 2
        assert typed(20, channel_id="C2") == 3
        clock.shift(60)
        assert typed(20) == 4
