"""The poster: what it sends, what it leaves, and what each failure leads to in the real outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.request.messages import ANSWER_LOST, NO_LONGER_WANTED, Drawn
from bot.request.model import Notice, State
from bot.slack.draw.message import draw, draw_answer
from bot.slack.send.slack_problem import FINAL_WORDS, UNEDITABLE_WORDS
from tests.slack.listeners import made
from tests.slack.listeners.fake_web_api import (
    Answer,
    FakeWebApi,
    error,
    limited,
)
from tests.slack.listeners.made import CARD_TS, Store
from tests.slack.listeners.posting import (
    CARD,
    EDIT,
    POST,
    UPDATE,
    delivered,
    drawn_quickly,
    gap_ms,
    given_up,
    poster_for,
)

# ---- what goes out ---------------------------------------------------------------------------


def test_a_card_is_posted_and_its_ts_kept(api: FakeWebApi, store: Store) -> None:
    assert poster_for(api, store).once() is False, "nothing is due"
    row = delivered(api, store, CARD)
    drawn = drawn_quickly(made.request(), "card")
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
    row = delivered(api, store, EDIT | {"shown": drawn.digest})
    assert (row.ts, row.shown, row.due_at) == (CARD_TS, drawn.digest, None)
    assert len(api.calls) == 1, "what stands already costs no call"


def test_an_edit_without_blocks_removes_the_old_ones(api: FakeWebApi, store: Store) -> None:
    delivered(api, store, EDIT, draw=lambda request, slot: Drawn(text=request.state.value))
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
    assert delivered(api, store, {"slot": slot}).last_error == "card_not_posted_yet"
    assert api.calls == [], "a reply without a thread waits"
    delivered(api, store, {"slot": slot, "thread_ts": CARD_TS})
    (call,) = api.calls
    assert (call.body["thread_ts"], call.body.get("reply_broadcast")) == (CARD_TS, broadcast)


@pytest.mark.parametrize("ts", [None, "1.5"])
def test_what_is_no_longer_wanted_never_goes_out(
    api: FakeWebApi, store: Store, ts: str | None
) -> None:
    """A reminder of something that was decided meanwhile."""
    store.has(state=State.APPROVED, reminders=1)
    assert given_up(delivered(api, store, {"slot": "reminder:1", "ts": ts})) == NO_LONGER_WANTED
    store.forgets()
    assert given_up(delivered(api, store, CARD)) == NO_LONGER_WANTED
    assert api.calls == []


@pytest.mark.parametrize("ts", [None, "1699.5"])
def test_a_stray_is_edited_and_never_posted(api: FakeWebApi, store: Store, ts: str | None) -> None:
    store.has(strays=("1699.5",))
    assert delivered(api, store, {"slot": "stray:1699.5", "ts": ts}).shown
    (call,) = api.calls
    assert (call.method, call.body["ts"]) == (UPDATE, "1699.5")


def test_the_real_drawing_goes_through_and_one_that_fails_is_put_off(
    api: FakeWebApi, store: Store
) -> None:
    assert delivered(api, store, CARD, draw=draw, draw_answer=draw_answer).shown
    actions = [e for b in api.calls[0].body["blocks"] for e in b.get("elements", [])]
    assert "unpair_approve" in [e.get("action_id") for e in actions]
    row = delivered(api, store, CARD, draw=lambda request, slot: {}[slot])
    assert (row.last_error, gap_ms(store, row)) == ("not_drawn", 1_000)
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
        row = delivered(api, store, due, on_given_up=lambda *what: told.append(what))
        assert (given_up(row), told.pop()) == (word, ("card", word))
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
    row = delivered(api, store, CARD | {"attempts": attempts, "lost": 2})
    assert (gap_ms(store, row), row.lost) == (gap * 1000, 2)
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
        row = delivered(api, store, due, on_given_up=lambda *what: told.append(what))
        gaps.append(gap_ms(store, row) if lost < 5 else given_up(row))
    assert gaps == [5_000, 30_000, 120_000, 600_000, 3_600_000, ANSWER_LOST]
    assert told == [("card", ANSWER_LOST)]
    # Should the row want it once more, it is not sent.
    assert given_up(delivered(api, store, CARD | {"last_error": ANSWER_LOST})) == ANSWER_LOST
    assert len(api.of(POST)) == 6


@pytest.mark.parametrize("answer", list(LOST.values())[:-1], ids=list(LOST)[:-1])
def test_an_edit_may_be_repeated(api: FakeWebApi, store: Store, answer: Answer) -> None:
    api.script(UPDATE, answer)
    row = delivered(api, store, EDIT | {"attempts": 100})
    assert (gap_ms(store, row), row.lost) == (60_000, 0)


# ---- words for one person --------------------------------------------------------------------


@pytest.mark.parametrize("row", [True, False])
def test_an_answer_is_ephemeral_and_needs_no_row(
    api: FakeWebApi, store: Store, answers: Callable[..., Any], row: bool
) -> None:
    if not row:
        store.forgets()
    kept = delivered(api, store, answers(api.response_url()))
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
    poster = poster_for(api, store)
    while poster.once():
        pass
    assert given_up(store.message(due["slot"])) == why
    assert [c.method for c in api.calls] == ["response", POST][not used_up :]
    assert api.calls[-1].body["channel"] == "U1"


@pytest.mark.parametrize("about", [{}, {"matters": True, "user": None}], ids=["no", "nobody"])
def test_an_answer_that_nobody_needs_any_more_is_given_up(
    api: FakeWebApi, store: Store, answers: Callable[..., Any], about: dict[str, Any]
) -> None:
    assert given_up(delivered(api, store, answers(None, **about))) == "answer_lapsed"
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
    row = delivered(api, store, answers(api.response_url(), matters=True))
    assert (gap_ms(store, row), row.lost) == (5_000, 1)
    assert [c.method for c in api.calls] == ["response"]


def test_while_posts_are_silenced_no_direct_message_goes(
    api: FakeWebApi, store: Store, answers: Callable[..., Any]
) -> None:
    api.script(POST, limited(9))
    delivered(api, store, CARD)
    row = delivered(api, store, answers(None, matters=True))
    assert (gap_ms(store, row), row.lost) == (9_000, 0)
    assert len(api.calls) == 1
