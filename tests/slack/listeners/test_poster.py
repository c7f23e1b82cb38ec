"""The poster: what it sends, what it leaves, and what each failure leads to in the real outbox."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from bot.request.events import CardPosted, Opened
from bot.request.messages import ANSWER_LOST, NO_LONGER_WANTED, Drawn
from bot.request.messages import Answer as Words
from bot.request.model import Notice, Request, State
from bot.slack.draw.message import draw, draw_answer
from bot.slack.send.poster import BEGIN_WITHIN_S, SENDING_MS, Poster
from bot.slack.send.slack_problem import FINAL_WORDS, UNEDITABLE_WORDS
from bot.slack.send.web_api import POST_TIMEOUT_S, api_client
from bot.store.outbox import ANSWER_FIRST_MS
from bot.store.queues import POST as QUEUE
from tests.slack.listeners import made
from tests.slack.listeners.fake_web_api import (
    PATIENCE_SECONDS,
    Answer,
    Call,
    FakeWebApi,
    error,
    limited,
)
from tests.slack.listeners.made import CARD_TS, Store
from tests.support.clock import wait_for

POST, UPDATE = "chat.postMessage", "chat.update"
CARD: dict[str, Any] = {"slot": "card"}
EDIT: dict[str, Any] = {"slot": "card", "ts": CARD_TS, "shown": "old"}
END: dict[str, Any] = {"slot": "final", "ts": "1.1", "shown": "old"}


def _draw(request: Request, slot: str) -> Drawn:
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": request.state.value}},)
    return Drawn(text=f"{slot} {request.state.value}", blocks=blocks)


def _poster(api: FakeWebApi, store: Store, *, timeout_s: int = 1, **changes: Any) -> Poster:
    usual: dict[str, Any] = {
        "client": api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s),
        "pauses": store.pauses,
        "draw": _draw,
        "draw_answer": lambda answer, request: Drawn(text=f"{answer.code} {request is None}"),
        "nets": (0.05, 0.05),
    }
    return Poster(store.outbox, **(usual | changes))


def _deliver(api: FakeWebApi, store: Store, due: dict[str, Any], **changes: Any) -> Any:
    """One delivery; the message as it is kept after that."""
    store.owes(**due)
    assert _poster(api, store, **changes).once() is True
    return store.message(due["slot"])


def _gap_ms(store: Store, row: Any) -> int:
    """Until it is tried again."""
    gap: int = row.due_at - store.ms
    return gap


def _given_up(row: Any) -> str | None:
    """Why it is never tried again."""
    assert row.due_at is None
    why: str | None = row.last_error
    return why


# ---- what goes out ---------------------------------------------------------------------------


def test_a_card_is_posted_and_its_ts_kept(api: FakeWebApi, store: Store) -> None:
    assert _poster(api, store).once() is False, "nothing is due"
    row = _deliver(api, store, CARD)
    drawn = _draw(made.request(), "card")
    assert [(c.method, c.body) for c in api.calls] == [
        (
            POST,
            {
                "channel": "C1",
                "text": drawn.text,
                "blocks": list(drawn.blocks),
                "unfurl_links": False,
                "unfurl_media": False,
            },
        )
    ]
    assert (row.ts, row.shown, row.due_at) == ("1700000000.000100", drawn.digest, None)
    row = _deliver(api, store, EDIT | {"shown": drawn.digest})
    assert (row.ts, row.shown, row.due_at) == (CARD_TS, drawn.digest, None)
    assert len(api.calls) == 1, "what stands already costs no call"


def test_an_edit_without_blocks_removes_the_old_ones(api: FakeWebApi, store: Store) -> None:
    _deliver(api, store, EDIT, draw=lambda request, slot: Drawn(text=request.state.value))
    (call,) = api.calls
    assert (call.method, call.body["ts"], call.body["text"]) == (UPDATE, CARD_TS, "pending")
    assert call.body["blocks"] == []


@pytest.mark.parametrize(
    ("slot", "row", "broadcast"),
    [
        ("final", {"state": State.SUCCEEDED}, None),
        ("alarm:1", {"notices": (Notice(code="glass_broken", at=1, who=("UCHIEF",)),)}, True),
    ],
)
def test_a_reply_goes_into_the_thread_and_only_an_alarm_to_the_whole_channel(
    api: FakeWebApi, store: Store, slot: str, row: dict[str, Any], broadcast: bool | None
) -> None:
    store.has(**row)
    assert _deliver(api, store, {"slot": slot}).last_error == "card_not_posted_yet"
    assert api.calls == [], "a reply without a thread waits"
    _deliver(api, store, {"slot": slot, "thread_ts": CARD_TS})
    (call,) = api.calls
    assert (call.body["thread_ts"], call.body.get("reply_broadcast")) == (CARD_TS, broadcast)


@pytest.mark.parametrize("ts", [None, "1.5"])
def test_what_is_no_longer_wanted_never_goes_out(
    api: FakeWebApi, store: Store, ts: str | None
) -> None:
    """A reminder of something that was decided meanwhile."""
    store.has(state=State.APPROVED, reminders=1)
    assert _given_up(_deliver(api, store, {"slot": "reminder:1", "ts": ts})) == NO_LONGER_WANTED
    store.forgets()
    assert _given_up(_deliver(api, store, CARD)) == NO_LONGER_WANTED
    assert api.calls == []


@pytest.mark.parametrize("ts", [None, "1699.5"])
def test_a_stray_is_edited_and_never_posted(api: FakeWebApi, store: Store, ts: str | None) -> None:
    store.has(strays=("1699.5",))
    assert _deliver(api, store, {"slot": "stray:1699.5", "ts": ts}).shown
    (call,) = api.calls
    assert (call.method, call.body["ts"]) == (UPDATE, "1699.5")


def test_the_real_drawing_goes_through_and_one_that_fails_is_put_off(
    api: FakeWebApi, store: Store
) -> None:
    assert _deliver(api, store, CARD, draw=draw, draw_answer=draw_answer).shown
    actions = [e for b in api.calls[0].body["blocks"] for e in b.get("elements", [])]
    assert "unpair_approve" in [e.get("action_id") for e in actions]
    row = _deliver(api, store, CARD, draw=lambda request, slot: {}[slot])
    assert (row.last_error, _gap_ms(store, row)) == ("not_drawn", 1_000)
    assert len(api.calls) == 1


# ---- failures of posts and edits -------------------------------------------------------------


@pytest.mark.parametrize("due", [CARD, EDIT], ids=["post", "edit"])
def test_what_slack_will_never_take_is_given_up(
    api: FakeWebApi, store: Store, due: dict[str, Any]
) -> None:
    assert {"not_in_channel", "is_archived", "message_not_found"} <= FINAL_WORDS
    told: list[tuple[str, str]] = []
    words = UNEDITABLE_WORDS if "ts" in due else FINAL_WORDS
    for word in words:
        api.script(UPDATE if "ts" in due else POST, error(word))
        row = _deliver(api, store, due, on_given_up=lambda *what: told.append(what))
        assert (_given_up(row), told.pop()) == (word, ("card", word))
    assert (len(api.calls), told) == (len(words), [])


@pytest.mark.parametrize(
    ("attempts", "gap"), [(0, 1), (1, 2), (5, 32), (6, 60), (50, 60), (10**6, 60)]
)
@pytest.mark.parametrize(
    "answer", [error("internal_error"), error("a_word_of_next_year"), Answer(status=503)]
)
def test_what_slack_refuses_for_now_is_tried_again(
    api: FakeWebApi, store: Store, answer: Answer, attempts: int, gap: int
) -> None:
    """It said that it has not taken it, so that is never one of the three lost ones."""
    api.script(POST, answer)
    row = _deliver(api, store, CARD | {"attempts": attempts, "lost": 2})
    assert (_gap_ms(store, row), row.lost) == (gap * 1000, 2)
    assert len(api.calls) == 1


LOST = {
    "500": Answer(status=500),
    "502 html": Answer(b"<html>", status=502),
    "200 html": Answer(b"<html>"),
    "cut": Answer(cut=True),
    "array": Answer([]),
    "not utf-8": Answer(b"\xff\xfe"),
    "hang": Answer(hang=True),
    "no ts": Answer({"ok": True}),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_what_slack_may_have_taken_is_repeated_five_times_at_most(
    api: FakeWebApi, store: Store, answer: Answer
) -> None:
    told: list[tuple[str, str]] = []
    gaps = []
    for lost in range(6):
        api.script(POST, answer)
        due = CARD | {"lost": lost}
        row = _deliver(api, store, due, on_given_up=lambda *what: told.append(what))
        gaps.append(_gap_ms(store, row) if lost < 5 else _given_up(row))
    assert gaps == [5_000, 30_000, 120_000, 600_000, 3_600_000, ANSWER_LOST]
    assert told == [("card", ANSWER_LOST)]
    # Should the row want it once more, it is not sent.
    assert _given_up(_deliver(api, store, CARD | {"last_error": ANSWER_LOST})) == ANSWER_LOST
    assert len(api.of(POST)) == 6


@pytest.mark.parametrize("answer", list(LOST.values())[:-1], ids=list(LOST)[:-1])
def test_an_edit_may_be_repeated(api: FakeWebApi, store: Store, answer: Answer) -> None:
    api.script(UPDATE, answer)
    row = _deliver(api, store, EDIT | {"attempts": 100})
    assert (_gap_ms(store, row), row.lost) == (60_000, 0)


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
    poster = _poster(api, store, client=client)
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


# ---- words for one person --------------------------------------------------------------------


@pytest.fixture
def answers(api: FakeWebApi, store: Store) -> Callable[..., dict[str, Any]]:
    """An answer that is due, to somebody whose address is this one."""

    def answer(
        url: str | None, *, matters: bool = False, user: str | None = "U1", kept: Store = store
    ) -> Any:
        number = kept.inbox.put(
            Opened(action="deny", by="U1"), origin="o", request_id=made.ID, response_url=url
        )
        assert number is not None
        words = Words(event=number, code="denied", matters=matters)
        return {"slot": f"answer:{number}:denied", "answer": words, "person": user}

    return answer


@pytest.mark.parametrize("row", [True, False])
def test_an_answer_is_ephemeral_and_needs_no_row(
    api: FakeWebApi, store: Store, answers: Callable[..., Any], row: bool
) -> None:
    if not row:
        store.forgets()
    kept = _deliver(api, store, answers(api.response_url()))
    (call,) = api.calls
    assert call.body == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": f"denied {not row}",
    }
    assert (kept.ts, kept.due_at, kept.last_error) == (None, None, None)


@pytest.mark.parametrize("used_up", [True, False])
@pytest.mark.parametrize(
    ("answer", "why"),
    [(Answer({"ok": True, "ts": "1.5"}), None), (error("user_not_found"), "user_not_found")],
)
def test_an_answer_whose_address_has_lapsed_goes_as_a_direct_message(
    api: FakeWebApi,
    store: Store,
    answers: Callable[..., Any],
    used_up: bool,
    answer: Answer,
    why: str | None,
) -> None:
    api.script("response", Answer(b"used_url", status=404))
    api.script(POST, answer)
    url = api.response_url() if used_up else None
    due = answers(url, matters=True)
    store.owes(**due)
    poster = _poster(api, store)
    while poster.once():
        pass
    assert _given_up(store.message(due["slot"])) == why
    assert [c.method for c in api.calls] == ["response", POST][not used_up :]
    assert api.calls[-1].body["channel"] == "U1"


@pytest.mark.parametrize("about", [{}, {"matters": True, "user": None}], ids=["no", "nobody"])
def test_an_answer_that_nobody_needs_any_more_is_given_up(
    api: FakeWebApi, store: Store, answers: Callable[..., Any], about: dict[str, Any]
) -> None:
    assert _given_up(_deliver(api, store, answers(None, **about))) == "answer_lapsed"
    assert api.calls == []


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(cut=True), Answer(hang=True)])
def test_an_answer_is_tried_again_while_its_address_lives(
    api: FakeWebApi,
    store: Store,
    answers: Callable[..., Any],
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.slack.send.one_message.POST_TIMEOUT_S", 1)
    api.script("response", answer)
    row = _deliver(api, store, answers(api.response_url(), matters=True))
    assert (_gap_ms(store, row), row.lost) == (5_000, 1)
    assert [c.method for c in api.calls] == ["response"]


def test_while_posts_are_silenced_no_direct_message_goes(
    api: FakeWebApi, store: Store, answers: Callable[..., Any]
) -> None:
    api.script(POST, limited(9))
    _deliver(api, store, CARD)
    row = _deliver(api, store, answers(None, matters=True))
    assert (_gap_ms(store, row), row.lost) == (9_000, 0)
    assert len(api.calls) == 1


# ---- the threads -----------------------------------------------------------------------------


@pytest.fixture
def on_file(tmp_path: Path) -> Store:
    """For a poster whose own threads run."""
    return Store(f"sqlite:///{tmp_path}/bot.db")


def test_stop_waits_no_longer_than_it_may_and_nothing_new_is_begun(
    api: FakeWebApi, on_file: Store
) -> None:
    assert _poster(api, on_file).stop(0), "before a start there is nothing to stop"
    api.script(POST, Answer(hang=True))
    poster = _poster(api, on_file, nets=(0.05,), timeout_s=60)
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
    poster = _poster(api, store, pause=pauses.append)
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
    poster = _poster(api, on_file)
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
    poster = _poster(api, on_file, timeout_s=2 * PATIENCE_SECONDS, nets=(0.05,) * 4)
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
    poster = _poster(api, on_file, timeout_s=2 * PATIENCE_SECONDS, nets=(600.0, 600.0))
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
    poster = _poster(api, store)
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
