"""The poster's threads: the lease of a message, a stop, calls that hang, and what goes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from bot.request.events import CardPosted
from bot.request.model import State
from bot.slack.send.poster import BEGIN_WITHIN_S, SENDING_MS
from bot.slack.send.web_api import POST_TIMEOUT_S, api_client
from bot.store.outbox import ANSWER_FIRST_MS
from bot.store.queues import POST as QUEUE
from tests.slack.listeners.fake_web_api import (
    PATIENCE_SECONDS,
    Answer,
    Call,
    FakeWebApi,
    error,
)
from tests.slack.listeners.made import CARD_TS, Store
from tests.slack.listeners.posting import (
    CARD,
    EDIT,
    END,
    POST,
    UPDATE,
    poster_for,
)
from tests.support.clock import wait_for

# ---- the lease of a message ------------------------------------------------------------------


@pytest.mark.parametrize("slot", ["final", "answer"])
def test_a_message_is_held_for_longer_than_all_calls_of_a_try(
    api: FakeWebApi, store: Store, answers: Callable[..., Any], slot: str
) -> None:
    """The longest ones: its first place will never take it, and the token has changed."""
    api.script("response", Answer(b"used_url", status=404))
    if slot == "final":
        api.script(POST, error("restricted_action_thread_locked"))
    api.script(POST, error("token_revoked"))
    token = {False: "old", True: "new"}
    client = api_client(token.__getitem__, base_url=api.api_url, timeout_s=POST_TIMEOUT_S)
    waits = client.pool.connection_pool_kw["timeout"]
    store.has(state=State.SUCCEEDED)
    due = answers(api.response_url(), matters=True) if slot == "answer" else {"slot": "final"}
    store.owes(**due, thread_ts=CARD_TS)
    poster = poster_for(api, store, client=client)
    calls = []
    while poster.once():
        calls.append(len(api.calls) - sum(calls))
        lasts = BEGIN_WITHIN_S + calls[-1] * (waits.connect_timeout + waits.read_timeout)
        assert lasts < SENDING_MS / 1000
    assert (calls, store.message(due["slot"]).last_error) == ([1, 2], None)


def test_a_copy_that_was_frozen_writes_nothing_over_what_the_next_one_has_found(
    api: FakeWebApi, store: Store
) -> None:
    store.owes(**CARD)
    frozen = store.outbox.claim()
    assert frozen is not None
    store.ms += SENDING_MS
    other = store.outbox.claim()
    assert other is not None
    outcomes: list[Callable[[], None]] = [
        lambda: store.outbox.sent(frozen, ts="1.1", digest="old"),
        lambda: store.outbox.put_off(frozen, until=store.ms + 1, error="x", refused=True),
        lambda: store.outbox.given_up(frozen, error="x"),
    ]
    for wakes_up in outcomes:
        wakes_up()
        row = store.message("card")
        assert (row.lease_until, row.ts, row.attempts) == (other.lease_until, None, 0)
    store.outbox.sent(other, ts="2.2", digest="new")
    for wakes_up in outcomes:
        wakes_up()
        row = store.message("card")
        assert (row.ts, row.shown, row.due_at, row.last_error) == ("2.2", "new", None, None)
    # Both stand, so both are heard of: the second becomes a pointer to the first.
    assert [put.event for put in store.puts] == [CardPosted(ts="1.1"), CardPosted(ts="2.2")]


# ---- the threads -----------------------------------------------------------------------------


@pytest.fixture
def on_file(tmp_path: Path) -> Store:
    """For a poster whose own threads run."""
    return Store(f"sqlite:///{tmp_path}/bot.db")


def test_stop_waits_no_longer_than_it_may_and_nothing_new_is_begun(
    api: FakeWebApi, on_file: Store
) -> None:
    assert poster_for(api, on_file).stop(0), "before a start there is nothing to stop"
    api.script(POST, Answer(hang=True))
    poster = poster_for(api, on_file, nets=(0.05,), timeout_s=60)
    poster.start()
    on_file.owes(**CARD)
    api.wait_for(POST)
    assert not poster.stop(0)
    on_file.owes("alarm:1")
    api.release()
    assert poster.stop(PATIENCE_SECONDS)
    assert (on_file.message("card").lost, on_file.message("alarm:1").due_at) == (1, on_file.ms)
    on_file.db.close()


def test_what_slack_has_taken_is_stored_at_a_stop_too(
    api: FakeWebApi, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose `ts` is forgotten would be posted again by whoever comes next."""
    pauses: list[float] = []
    poster = poster_for(api, store, pause=pauses.append)
    answer, sent = api.answer, store.outbox.sent

    def stopping(call: Call) -> Answer:
        poster.stop(0)
        return answer(call)

    def locked(*what: Any, **more: Any) -> None:
        if len(pauses) < 3:
            raise RuntimeError("database is locked")
        sent(*what, **more)

    monkeypatch.setattr(api, "answer", stopping)
    monkeypatch.setattr(store.outbox, "sent", locked)
    store.owes(**CARD)
    assert poster.once()
    assert store.message("card").ts == "1700000000.000100"
    assert len(pauses) == 3


def test_a_store_that_fails_once_does_not_end_it_and_a_slow_call_holds_up_one_thread(
    api: FakeWebApi,
    on_file: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.slack.send.poster.AFTER_FAULT_S", 0.05)
    failures, claim = [RuntimeError("database is locked")], on_file.outbox.claim

    def claims(busy: Collection[str]) -> Any:
        if failures:
            raise failures.pop()
        return claim(busy)

    monkeypatch.setattr(on_file.outbox, "claim", claims)
    api.script(POST, Answer(hang=True))
    poster = poster_for(api, on_file)
    poster.start()
    on_file.owes(**CARD)
    api.wait_for(POST)
    other = on_file.has(id="BBBB-CCCC", snapshot=None, pairing_id="another")
    on_file.owes(**EDIT, request_id=other.id)
    wait_for(lambda: on_file.message("card", other.id).due_at is None)
    assert on_file.message("card").due_at is not None
    assert poster.stop(PATIENCE_SECONDS)
    assert "database is locked" in capsys.readouterr().out
    on_file.db.close()


def several(store: Store, count: int) -> list[str]:
    """Requests that have ended, by their ids."""
    ids = [f"AAAA-CC0{number}" for number in range(count)]
    for one in ids:
        store.has(id=one, state=State.SUCCEEDED, snapshot=None, pairing_id=one)
    return ids


def test_while_a_method_hangs_what_needs_another_goes_out(
    api: FakeWebApi, on_file: Store, answers: Callable[..., Any]
) -> None:
    """However many edits there are, and whichever thread comes to them first."""
    hanging = several(on_file, 6)
    api.script(UPDATE, *[Answer(hang=True)] * len(hanging))
    for one in hanging:
        on_file.owes(**END, request_id=one)
    poster = poster_for(api, on_file, timeout_s=2 * PATIENCE_SECONDS, nets=(0.05,) * 4)
    poster.start()
    api.wait_for(UPDATE, 2)
    on_file.owes(**CARD)
    on_file.owes(**answers(api.response_url(), kept=on_file))
    api.wait_for(POST)
    api.wait_for("response")
    assert len(api.of(UPDATE)) == 2
    api.release()
    assert poster.stop(PATIENCE_SECONDS)
    on_file.db.close()


def test_what_is_due_soon_does_not_wait_behind_a_call_that_hangs(
    api: FakeWebApi, on_file: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread was woken for both, and the other slept on for five seconds."""
    asleep, wait = threading.Semaphore(0), on_file.outbox.wait

    def waits(seconds: float) -> None:
        asleep.release()
        wait(seconds)

    monkeypatch.setattr(on_file.outbox, "wait", waits)
    api.script(UPDATE, Answer(hang=True))
    (other,) = several(on_file, 1)
    poster = poster_for(api, on_file, timeout_s=2 * PATIENCE_SECONDS, nets=(600.0, 600.0))
    poster.start()
    for _ in range(2):
        assert asleep.acquire(timeout=PATIENCE_SECONDS)
    on_file.owes(**END, request_id=other)
    on_file.owes(**CARD, due_at=on_file.ms + 100)
    on_file.db.wakes.wake(QUEUE)
    api.wait_for(UPDATE)
    on_file.ms += 100
    api.wait_for(POST)
    api.release()
    assert poster.stop(PATIENCE_SECONDS)
    on_file.db.close()


def test_who_clicked_hears_of_it_before_the_thread_hears_how_it_ended(
    api: FakeWebApi, store: Store, answers: Callable[..., Any]
) -> None:
    """Behind a DELETE the answer is due a moment later; and it is the first try that counts."""
    store.has(state=State.SUCCEEDED)
    answer = answers(api.response_url())
    store.owes("final", thread_ts=CARD_TS)
    store.owes(**answer, due_at=store.ms + 100)
    poster = poster_for(api, store)
    assert not poster.once()
    store.ms += 100
    while poster.once():
        pass
    assert [c.method for c in api.calls] == ["response", POST]
    # One that is tried again, or that no thread comes to, holds up nobody.
    for late in ({"attempts": 1}, {"created_at": store.ms - ANSWER_FIRST_MS}):
        store.owes("final", thread_ts=CARD_TS)
        store.owes(**answer, due_at=store.ms + 1_000, **late)
        assert poster.once()
