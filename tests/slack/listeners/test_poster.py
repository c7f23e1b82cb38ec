"""The poster: what it draws, what it leaves, and what each failure leads to."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.messages import Answer as Words
from bot.request.messages import Drawn, Due, Message, messages
from bot.request.model import Notice, Request, State
from bot.slack.draw.message import draw, draw_answer
from bot.slack.send.client import api_client
from bot.slack.send.poster import Poster
from bot.slack.send.problems import ACCOUNT_WORDS, FINAL_WORDS, PLACE_WORDS
from tests.slack.listeners import made
from tests.slack.listeners.fake_web_api import (
    PATIENCE_SECONDS,
    Answer,
    Call,
    FakeWebApi,
    error,
    limited,
)
from tests.slack.listeners.fakes import FakeOutbox, FakePauses

CARD = Due(request_id="K7QM-3XPD", slot="card", channel="C1")
EDIT = CARD.model_copy(update={"ts": made.CARD_TS, "shown": "old"})
FINAL = Due(request_id="K7QM-3XPD", slot="final", channel="C1", thread_ts=made.CARD_TS)


@pytest.fixture
def outbox() -> FakeOutbox:
    row = made.request()
    return FakeOutbox(rows={row.id: row})


@pytest.fixture(autouse=True)
def short_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a retry need not be waited for; the waits themselves are not tested."""
    monkeypatch.setattr("bot.slack.send.poster.AFTER_FAULT_S", 0.05)


def _draw(request: Request, slot: str) -> Drawn:
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": request.state.value}},)
    return Drawn(text=f"{slot} {request.state.value}", blocks=blocks)


def _poster(api: FakeWebApi, outbox: FakeOutbox, *, timeout_s: int = 1, **changes: Any) -> Poster:
    outbox.pauses = outbox.pauses or FakePauses(outbox.now)
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s, pauses=outbox.pauses)
    usual: dict[str, Any] = {
        "pauses": outbox.pauses,
        "draw": _draw,
        "draw_answer": lambda answer, request: Drawn(text=f"{answer.code} {request is None}"),
        "wanted": messages,
        "nets": (0.05, 0.05),
    }
    return Poster(outbox, client, **(usual | changes))


def _deliver(api: FakeWebApi, outbox: FakeOutbox, due: Due, **changes: Any) -> dict[str, object]:
    """One delivery; its verdict, with the word under `did`."""
    outbox.add(due)
    assert _poster(api, outbox, **changes).once() is True
    word, values = outbox.last()
    return {"did": word, **values}


# ---- what goes out ---------------------------------------------------------------------------


def test_nothing_due_is_nothing_done(api: FakeWebApi, outbox: FakeOutbox) -> None:
    assert _poster(api, outbox).once() is False
    assert api.calls == []


def test_a_card_is_posted_and_its_ts_kept(api: FakeWebApi, outbox: FakeOutbox) -> None:
    done = _deliver(api, outbox, CARD)
    (call,) = api.calls
    assert call.method == "chat.postMessage"
    drawn = _draw(outbox.rows[CARD.request_id], "card")
    assert call.body["blocks"] == list(drawn.blocks)
    assert call.body["text"] == drawn.text
    assert call.body["unfurl_links"] is False
    assert "thread_ts" not in call.body
    assert "reply_broadcast" not in call.body
    assert done == {"did": "sent", "ts": "1700000000.000100", "digest": drawn.digest}


def test_an_edit_carries_text_and_blocks(api: FakeWebApi, outbox: FakeOutbox) -> None:
    done = _deliver(api, outbox, EDIT)
    (call,) = api.calls
    assert call.method == "chat.update"
    assert call.body["ts"] == made.CARD_TS
    assert call.body["text"]
    assert call.body["blocks"]
    assert (done["did"], done["ts"]) == ("sent", made.CARD_TS)


def test_an_edit_without_blocks_removes_the_old_ones(api: FakeWebApi, outbox: FakeOutbox) -> None:
    _deliver(api, outbox, EDIT, draw=lambda request, slot: Drawn(text="plain"))
    assert api.calls[0].body["blocks"] == []


def test_a_reply_goes_into_the_thread_and_nowhere_else(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows[CARD.request_id] = made.request(state=State.SUCCEEDED)
    _deliver(api, outbox, FINAL)
    (call,) = api.calls
    assert call.body["thread_ts"] == made.CARD_TS
    assert "reply_broadcast" not in call.body


def test_an_alarm_is_a_reply_that_the_whole_channel_sees(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    told = Notice(code="glass_broken", at=1, who=("UCHIEF",))
    outbox.rows[CARD.request_id] = made.request(state=State.APPROVED, notices=(told,))
    _deliver(api, outbox, FINAL.model_copy(update={"slot": "alarm:1"}))
    (call,) = api.calls
    assert call.body["thread_ts"] == made.CARD_TS
    assert call.body["reply_broadcast"] is True


def test_a_reply_without_a_thread_waits(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows[CARD.request_id] = made.request(state=State.SUCCEEDED)
    done = _deliver(api, outbox, FINAL.model_copy(update={"thread_ts": None}))
    assert (done["did"], done["error"]) == ("put_off", "card_not_posted_yet")
    assert api.calls == []


def test_it_is_drawn_from_the_row_of_now(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows[CARD.request_id] = made.request(state=State.DENIED)
    _deliver(api, outbox, EDIT)
    assert api.calls[0].body["text"] == "card denied"


def test_what_stands_already_costs_no_call(api: FakeWebApi, outbox: FakeOutbox) -> None:
    digest = _draw(outbox.rows[CARD.request_id], "card").digest
    done = _deliver(api, outbox, EDIT.model_copy(update={"shown": digest}))
    assert done == {"did": "sent", "ts": made.CARD_TS, "digest": digest}
    assert api.calls == []


@pytest.mark.parametrize("ts", [None, "1.5"])
def test_what_is_no_longer_wanted_never_goes_out(
    api: FakeWebApi, outbox: FakeOutbox, ts: str | None
) -> None:
    """A reminder of something that was decided meanwhile."""
    outbox.rows[CARD.request_id] = made.request(state=State.APPROVED, reminders=1)
    reminder = Due(request_id="K7QM-3XPD", slot="reminder:1", channel="C1", thread_ts="1.1", ts=ts)
    done = _deliver(api, outbox, reminder)
    assert done == {"did": "given_up", "error": "no_longer_wanted"}
    assert api.calls == []


def test_a_row_that_is_gone_wants_nothing(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows.clear()
    assert _deliver(api, outbox, CARD)["did"] == "given_up"
    assert api.calls == []


@pytest.mark.parametrize("ts", [None, "1699.5"])
def test_a_stray_is_edited_and_never_posted(
    api: FakeWebApi, outbox: FakeOutbox, ts: str | None
) -> None:
    outbox.rows[CARD.request_id] = made.request(strays=("1699.5",))
    stray = Due(request_id="K7QM-3XPD", slot="stray:1699.5", channel="C1", ts=ts)
    assert _deliver(api, outbox, stray)["did"] == "sent"
    (call,) = api.calls
    assert (call.method, call.body["ts"]) == ("chat.update", "1699.5")


def test_the_real_drawing_goes_through(api: FakeWebApi, outbox: FakeOutbox) -> None:
    done = _deliver(api, outbox, CARD, draw=draw, draw_answer=draw_answer)
    assert done["did"] == "sent"
    actions = [e for b in api.calls[0].body["blocks"] for e in b.get("elements", [])]
    assert "unpair_approve" in [e.get("action_id") for e in actions]


# ---- failures of posts and edits -------------------------------------------------------------


@pytest.mark.parametrize("due", [CARD, EDIT], ids=["post", "edit"])
def test_what_slack_will_never_take_is_given_up(
    api: FakeWebApi, outbox: FakeOutbox, due: Due
) -> None:
    method = "chat.update" if due.ts else "chat.postMessage"
    assert {"not_in_channel", "is_archived", "message_not_found"} <= FINAL_WORDS
    told: list[tuple[str, str]] = []
    for word in FINAL_WORDS - (PLACE_WORDS if due.ts else frozenset()):
        api.script(method, error(word))
        told.clear()
        done = _deliver(api, outbox, due, on_given_up=lambda *what: told.append(what))
        assert done == {"did": "given_up", "error": word}
        assert told == [(due.slot, word)]


def test_a_token_that_is_refused_is_told_loudly_and_tried_again(
    api: FakeWebApi, outbox: FakeOutbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"invalid_auth", "token_revoked", "missing_scope"} <= ACCOUNT_WORDS
    for word in ACCOUNT_WORDS:
        api.script("chat.postMessage", error(word))
        done = _deliver(api, outbox, CARD)
        until = outbox.clock_ms + 60_000
        assert done == {"did": "put_off", "until": until, "error": word, "refused": True}
        assert "critical" in capsys.readouterr().out


REFUSED = {
    "internal_error": error("internal_error"),
    "a word of next year": error("the_moon_is_full"),
    "503": Answer(status=503),
}
LOST = {
    "500": Answer(status=500),
    "502 html": Answer(b"<html>", status=502),
    "200 html": Answer(b"<html>"),
    "cut": Answer(cut=True),
    "array": Answer([]),
    "not utf-8": Answer(b"\xff\xfe"),
    "no ts": Answer({"ok": True}),
    "hang": Answer(hang=True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_slack_refuses_for_now_is_tried_again(
    api: FakeWebApi, outbox: FakeOutbox, name: str
) -> None:
    api.script("chat.postMessage", REFUSED[name])
    done = _deliver(api, outbox, CARD.model_copy(update={"lost": 2}))
    assert (done["did"], done["until"]) == ("put_off", outbox.clock_ms + 1000)
    assert "lost" not in done
    assert len(api.calls) == 1


@pytest.mark.parametrize("name", LOST)
def test_what_slack_may_have_taken_is_sent_three_times_at_most(
    api: FakeWebApi, outbox: FakeOutbox, name: str
) -> None:
    told: list[tuple[str, str]] = []
    done = []
    for lost in range(3):
        api.script("chat.postMessage", LOST[name])
        due = CARD.model_copy(update={"lost": lost})
        done.append(_deliver(api, outbox, due, on_given_up=lambda *what: told.append(what)))
    gaps = [done[0]["until"] - outbox.clock_ms, done[1]["until"] - outbox.clock_ms]  # type: ignore[operator]
    assert gaps == [5_000, 2 * 3_600_000]
    assert done[0]["lost"] is done[1]["lost"] is True
    assert done[2] == {"did": "given_up", "error": "answer_lost"}
    assert told == [("card", "answer_lost")]
    assert len(api.of("chat.postMessage")) == 3
    # Should the row want it once more, it is not sent.
    again = _deliver(api, outbox, CARD.model_copy(update={"last_error": "answer_lost"}))
    assert again == done[2]
    assert len(api.of("chat.postMessage")) == 3


@pytest.mark.parametrize("name", [name for name in LOST if name != "no ts"])
def test_an_edit_may_be_repeated(api: FakeWebApi, outbox: FakeOutbox, name: str) -> None:
    api.script("chat.update", LOST[name])
    done = _deliver(api, outbox, EDIT.model_copy(update={"attempts": 100}))
    assert done["until"] == outbox.clock_ms + 60_000
    assert "lost" not in done


def test_a_slack_that_is_away(outbox: FakeOutbox) -> None:
    client = api_client("xoxb-t", base_url="http://127.0.0.1:9/api/", timeout_s=1)
    outbox.add(CARD)
    pauses = FakePauses(outbox.now)
    Poster(outbox, client, _draw, draw_answer, messages, nets=(), pauses=pauses).once()
    word, values = outbox.last()
    assert word == "put_off"
    assert "lost" not in values


@pytest.mark.parametrize(
    ("attempts", "gap"), [(0, 1), (1, 2), (5, 32), (6, 60), (50, 60), (10**6, 60)]
)
def test_gaps_double_up_to_a_minute(
    api: FakeWebApi, outbox: FakeOutbox, attempts: int, gap: int
) -> None:
    api.script("chat.postMessage", error("internal_error"))
    done = _deliver(api, outbox, CARD.model_copy(update={"attempts": attempts}))
    assert done["until"] == outbox.clock_ms + gap * 1000


@pytest.mark.parametrize(
    ("due", "method"),
    [(CARD, "chat.postMessage"), (EDIT, "chat.update")],
    ids=["post", "edit"],
)
def test_a_limit_silences_its_method_until_it_is_over(
    api: FakeWebApi, outbox: FakeOutbox, due: Due, method: str
) -> None:
    poster = _poster(api, outbox)
    api.script(method, limited(7))
    outbox.add(due)
    poster.once()
    until = outbox.clock_ms + 7000
    assert outbox.last() == ("put_off", {"until": until, "error": "ratelimited"})
    outbox.clock_ms = until - 1
    poster.once()
    assert outbox.paused_seen[-1] == {method: until}
    outbox.clock_ms = until
    poster.once()
    assert [at for at in outbox.paused_seen[-1].values() if at > until] == []


def test_a_limit_of_edits_does_not_silence_posts(api: FakeWebApi, outbox: FakeOutbox) -> None:
    poster = _poster(api, outbox)
    api.script("chat.update", limited(7))
    outbox.add(EDIT)
    poster.once()
    outbox.add(EDIT)
    outbox.add(CARD)
    poster.once()
    assert [c.method for c in api.calls] == ["chat.update", "chat.postMessage"]


def test_a_shorter_limit_does_not_cut_a_longer_one(api: FakeWebApi, outbox: FakeOutbox) -> None:
    pauses = outbox.pauses = FakePauses(outbox.now)
    poster = _poster(api, outbox)
    pauses.hold("chat.postMessage", 9)
    pauses.hold("chat.postMessage", 1)
    poster.once()
    assert outbox.paused_seen[-1] == {"chat.postMessage": outbox.clock_ms + 9000}


def test_what_cannot_be_drawn_is_put_off_and_the_rest_goes_on(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    def bad(request: Request, slot: str) -> Drawn:
        raise KeyError("an outcome without words")

    done = _deliver(api, outbox, CARD, draw=bad)
    assert (done["did"], done["error"]) == ("put_off", "not_drawn")
    assert api.calls == []


# ---- words for one person --------------------------------------------------------------------


def _answer(url: str | None, *, matters: bool = False, user: str | None = "U1") -> Due:
    return Due(
        request_id="K7QM-3XPD",
        slot="answer:4:denied",
        channel="C1",
        answer=Words(event=4, code="denied", matters=matters),
        user=user,
        response_url=url,
    )


def test_an_answer_is_ephemeral_and_replaces_nothing(api: FakeWebApi, outbox: FakeOutbox) -> None:
    done = _deliver(api, outbox, _answer(api.response_url()))
    (call,) = api.calls
    assert call.method == "response"
    assert call.body == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": "denied False",
    }
    assert (done["did"], done["ts"]) == ("sent", None)


def test_an_answer_needs_no_row(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows.clear()
    _deliver(api, outbox, _answer(api.response_url()))
    assert api.calls[0].body["text"] == "denied True"


def test_an_answer_whose_address_has_lapsed_goes_as_a_direct_message(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    done = _deliver(api, outbox, _answer(None, matters=True))
    (call,) = api.calls
    assert (call.method, call.body["channel"]) == ("chat.postMessage", "U1")
    assert done["did"] == "sent"


def test_an_address_that_was_used_up_leads_there_too(api: FakeWebApi, outbox: FakeOutbox) -> None:
    api.script("response", Answer(b"used_url", status=404))
    assert _deliver(api, outbox, _answer(api.response_url(), matters=True))["did"] == "sent"
    assert [c.method for c in api.calls] == ["response", "chat.postMessage"]


@pytest.mark.parametrize(
    "due", [_answer(None), _answer(None, matters=True, user=None)], ids=["no matter", "nobody"]
)
def test_an_answer_that_nobody_needs_any_more_is_given_up(
    api: FakeWebApi, outbox: FakeOutbox, due: Due
) -> None:
    assert _deliver(api, outbox, due) == {"did": "given_up", "error": "answer_lapsed"}
    assert api.calls == []


def test_a_direct_message_that_is_refused_is_given_up(api: FakeWebApi, outbox: FakeOutbox) -> None:
    api.script("chat.postMessage", error("user_not_found"))
    done = _deliver(api, outbox, _answer(None, matters=True))
    assert done == {"did": "given_up", "error": "user_not_found"}


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(cut=True), Answer(hang=True)])
def test_an_answer_is_tried_again_while_its_address_lives(
    api: FakeWebApi, outbox: FakeOutbox, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.send.one_message.POST_TIMEOUT_S", 1)
    api.script("response", answer)
    done = _deliver(api, outbox, _answer(api.response_url(), matters=True))
    assert (done["did"], done["until"]) == ("put_off", outbox.clock_ms + 5000)
    assert done["lost"] is True
    assert [c.method for c in api.calls] == ["response"]


def test_a_limit_of_answers_silences_answers(api: FakeWebApi, outbox: FakeOutbox) -> None:
    poster = _poster(api, outbox)
    api.script("response", limited(5))
    outbox.add(_answer(api.response_url()))
    poster.once()
    poster.once()
    assert outbox.paused_seen[-1] == {"response_url": outbox.clock_ms + 5000}


def test_while_posts_are_silenced_no_direct_message_goes(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    poster = _poster(api, outbox)
    api.script("chat.postMessage", limited(9))
    outbox.add(CARD)
    poster.once()
    outbox.add(_answer(None, matters=True))
    poster.once()
    word, values = outbox.last()
    assert word == "put_off"
    assert "lost" not in values
    assert len(api.calls) == 1


# ---- the threads -----------------------------------------------------------------------------


def test_it_runs_by_itself_and_stops(api: FakeWebApi, outbox: FakeOutbox) -> None:
    poster = _poster(api, outbox)
    poster.start()
    for _ in range(10):
        outbox.add(CARD)
    outbox.wait_done(10)
    assert poster.stop(PATIENCE_SECONDS)
    assert len(api.of("chat.postMessage")) == 10


def test_stop_finishes_the_call_in_hand(api: FakeWebApi, outbox: FakeOutbox) -> None:
    poster = _poster(api, outbox)
    api.script("chat.postMessage", Answer(hang=True))
    poster.start()
    outbox.add(CARD)
    api.wait_for("chat.postMessage")
    assert poster.stop(PATIENCE_SECONDS)
    assert outbox.last()[0] == "put_off"


def test_stop_waits_no_longer_than_it_may_and_nothing_new_is_begun(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    api.script("chat.postMessage", Answer(hang=True))
    poster = _poster(api, outbox, nets=(0.05,), timeout_s=60)
    poster.start()
    outbox.add(CARD)
    api.wait_for("chat.postMessage")
    assert not poster.stop(0)
    outbox.add(EDIT)
    api.release()
    assert poster.stop(PATIENCE_SECONDS)
    assert [(did, due) for did, due, _ in outbox.done] == [("put_off", CARD)]
    assert outbox.queue == [EDIT]


def test_a_stop_that_comes_while_slack_is_asked_whether_it_is_back_is_heard(
    api: FakeWebApi, outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.script("chat.postMessage", Answer(cut=True))
    poster = _poster(api, outbox)
    outbox.add(CARD)
    assert poster.once()
    outbox.clock_ms += 10_000
    outbox.add(EDIT)
    _stopped_by(poster, "auth.test", api, monkeypatch)
    assert not poster.once()
    assert len(api.of("auth.test")) == 1
    assert outbox.queue == [EDIT]


def test_what_slack_has_taken_is_stored_at_a_stop_too(
    api: FakeWebApi, outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose `ts` is forgotten would be posted again by whoever comes next."""
    pauses: list[float] = []
    poster = _poster(api, outbox, pause=pauses.append)
    _stopped_by(poster, "chat.postMessage", api, monkeypatch)
    outbox.sent_errors = [RuntimeError("database is locked")] * 3
    outbox.add(CARD)
    assert poster.once()
    assert outbox.last()[0] == "sent"
    assert len(pauses) == 3


def _stopped_by(
    poster: Poster, method: str, api: FakeWebApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop begins while this call is on its way."""
    answer = api.answer

    def stopping(call: Call) -> Answer:
        if call.method == method:
            poster.stop(0)
        return answer(call)

    monkeypatch.setattr(api, "answer", stopping)


def test_stop_before_start_is_nothing(api: FakeWebApi, outbox: FakeOutbox) -> None:
    assert _poster(api, outbox).stop(0)


def test_a_store_that_fails_once_does_not_end_it(
    api: FakeWebApi, outbox: FakeOutbox, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox.claim_error = RuntimeError("database is locked")
    poster = _poster(api, outbox, nets=(0.05,))
    poster.start()
    outbox.add(CARD)
    outbox.wait_done(1)
    assert poster.stop(PATIENCE_SECONDS)
    assert outbox.last()[0] == "sent"
    assert "database is locked" in capsys.readouterr().out


def test_one_slow_call_does_not_hold_up_the_other_thread(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    api.script("chat.postMessage", Answer(hang=True))
    poster = _poster(api, outbox)
    poster.start()
    outbox.add(CARD)
    api.wait_for("chat.postMessage")
    outbox.add(EDIT)
    outbox.wait_done(1)
    assert outbox.done[0][1] == EDIT
    assert poster.stop(PATIENCE_SECONDS)


def test_only_wanted_slots_are_drawn(api: FakeWebApi, outbox: FakeOutbox) -> None:
    done = _deliver(api, outbox, CARD, wanted=lambda request, now: (Message(slot="final"),))
    assert done["did"] == "given_up"
