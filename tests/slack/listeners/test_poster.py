"""The poster: what it draws, what it leaves, and what each failure leads to."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.messages import Answer as Words
from bot.request.messages import Drawn, Due
from bot.request.model import Notice, Request, State
from bot.slack.draw.message import draw, draw_answer
from bot.slack.send.poster import Poster
from bot.slack.send.slack_problem import FINAL_WORDS, PLACE_WORDS
from bot.slack.send.web_api import api_client
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
ALARM = FINAL.model_copy(update={"slot": "alarm:1"})
POST, UPDATE = "chat.postMessage", "chat.update"


@pytest.fixture
def outbox() -> FakeOutbox:
    row = made.request()
    return FakeOutbox(rows={row.id: row})


def _draw(request: Request, slot: str) -> Drawn:
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": request.state.value}},)
    return Drawn(text=f"{slot} {request.state.value}", blocks=blocks)


def _poster(api: FakeWebApi, outbox: FakeOutbox, *, timeout_s: int = 1, **changes: Any) -> Poster:
    outbox.pauses = outbox.pauses or FakePauses(outbox.now)
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s)
    usual: dict[str, Any] = {
        "pauses": outbox.pauses,
        "draw": _draw,
        "draw_answer": lambda answer, request: Drawn(text=f"{answer.code} {request is None}"),
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


def test_a_card_is_posted_and_its_ts_kept(api: FakeWebApi, outbox: FakeOutbox) -> None:
    assert _poster(api, outbox).once() is False, "nothing is due"
    done = _deliver(api, outbox, CARD)
    drawn = _draw(outbox.rows[CARD.request_id], "card")
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
    assert done == {"did": "sent", "ts": "1700000000.000100", "digest": drawn.digest}
    done = _deliver(api, outbox, EDIT.model_copy(update={"shown": drawn.digest}))
    assert done == {"did": "sent", "ts": made.CARD_TS, "digest": drawn.digest}
    assert len(api.calls) == 1, "what stands already costs no call"


def test_an_edit_without_blocks_removes_the_old_ones(api: FakeWebApi, outbox: FakeOutbox) -> None:
    outbox.rows[CARD.request_id] = made.request(state=State.DENIED)
    done = _deliver(api, outbox, EDIT, draw=lambda request, slot: Drawn(text=request.state.value))
    (call,) = api.calls
    assert (call.method, call.body["ts"], call.body["text"]) == (UPDATE, made.CARD_TS, "denied")
    assert call.body["blocks"] == []
    assert (done["did"], done["ts"]) == ("sent", made.CARD_TS)


@pytest.mark.parametrize(
    ("due", "row", "broadcast"),
    [
        (FINAL, {"state": State.SUCCEEDED}, None),
        (ALARM, {"notices": (Notice(code="glass_broken", at=1, who=("UCHIEF",)),)}, True),
    ],
    ids=["final", "alarm"],
)
def test_a_reply_goes_into_the_thread_and_only_an_alarm_to_the_whole_channel(
    api: FakeWebApi, outbox: FakeOutbox, due: Due, row: dict[str, Any], broadcast: bool | None
) -> None:
    outbox.rows[CARD.request_id] = made.request(**row)
    done = _deliver(api, outbox, due.model_copy(update={"thread_ts": None}))
    assert (done["did"], done["error"]) == ("put_off", "card_not_posted_yet")
    assert api.calls == [], "a reply without a thread waits"
    _deliver(api, outbox, due)
    (call,) = api.calls
    assert (call.body["thread_ts"], call.body.get("reply_broadcast")) == (made.CARD_TS, broadcast)


@pytest.mark.parametrize("ts", [None, "1.5"])
def test_what_is_no_longer_wanted_never_goes_out(
    api: FakeWebApi, outbox: FakeOutbox, ts: str | None
) -> None:
    """A reminder of something that was decided meanwhile."""
    outbox.rows[CARD.request_id] = made.request(state=State.APPROVED, reminders=1)
    reminder = FINAL.model_copy(update={"slot": "reminder:1", "ts": ts})
    assert _deliver(api, outbox, reminder) == {"did": "given_up", "error": "no_longer_wanted"}
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
    assert (call.method, call.body["ts"]) == (UPDATE, "1699.5")


def test_the_real_drawing_goes_through_and_one_that_fails_is_put_off(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    assert _deliver(api, outbox, CARD, draw=draw, draw_answer=draw_answer)["did"] == "sent"
    actions = [e for b in api.calls[0].body["blocks"] for e in b.get("elements", [])]
    assert "unpair_approve" in [e.get("action_id") for e in actions]
    done = _deliver(api, outbox, CARD, draw=lambda request, slot: {}[slot])
    assert (done["did"], done["error"]) == ("put_off", "not_drawn")
    assert len(api.calls) == 1


# ---- failures of posts and edits -------------------------------------------------------------


@pytest.mark.parametrize("due", [CARD, EDIT], ids=["post", "edit"])
def test_what_slack_will_never_take_is_given_up(
    api: FakeWebApi, outbox: FakeOutbox, due: Due
) -> None:
    assert {"not_in_channel", "is_archived", "message_not_found"} <= FINAL_WORDS
    told: list[tuple[str, str]] = []
    for word in FINAL_WORDS - (PLACE_WORDS if due.ts else frozenset()):
        api.script(UPDATE if due.ts else POST, error(word))
        told.clear()
        done = _deliver(api, outbox, due, on_given_up=lambda *what: told.append(what))
        assert done == {"did": "given_up", "error": word}
        assert told == [(due.slot, word)]


@pytest.mark.parametrize(
    ("attempts", "gap"), [(0, 1), (1, 2), (5, 32), (6, 60), (50, 60), (10**6, 60)]
)
@pytest.mark.parametrize(
    "answer", [error("internal_error"), error("a_word_of_next_year"), Answer(status=503)]
)
def test_what_slack_refuses_for_now_is_tried_again(
    api: FakeWebApi, outbox: FakeOutbox, answer: Answer, attempts: int, gap: int
) -> None:
    """It said that it has not taken it, so that is never one of the three lost ones."""
    api.script(POST, answer)
    done = _deliver(api, outbox, CARD.model_copy(update={"attempts": attempts, "lost": 2}))
    assert (done["did"], done["until"]) == ("put_off", outbox.clock_ms + gap * 1000)
    assert "lost" not in done
    assert len(api.calls) == 1


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


@pytest.mark.parametrize("name", LOST)
def test_what_slack_may_have_taken_is_sent_three_times_at_most(
    api: FakeWebApi, outbox: FakeOutbox, name: str
) -> None:
    told: list[tuple[str, str]] = []
    done = []
    for lost in range(3):
        api.script(POST, LOST[name])
        due = CARD.model_copy(update={"lost": lost})
        done.append(_deliver(api, outbox, due, on_given_up=lambda *what: told.append(what)))
    gaps = [done[0]["until"] - outbox.clock_ms, done[1]["until"] - outbox.clock_ms]  # type: ignore[operator]
    assert gaps == [5_000, 2 * 3_600_000]
    assert done[0]["lost"] is done[1]["lost"] is True
    assert done[2] == {"did": "given_up", "error": "answer_lost"}
    assert told == [("card", "answer_lost")]
    # Should the row want it once more, it is not sent.
    again = _deliver(api, outbox, CARD.model_copy(update={"last_error": "answer_lost"}))
    assert again == done[2]
    assert len(api.of(POST)) == 3


@pytest.mark.parametrize("name", [name for name in LOST if name != "no ts"])
def test_an_edit_may_be_repeated(api: FakeWebApi, outbox: FakeOutbox, name: str) -> None:
    api.script(UPDATE, LOST[name])
    done = _deliver(api, outbox, EDIT.model_copy(update={"attempts": 100}))
    assert done["until"] == outbox.clock_ms + 60_000
    assert "lost" not in done


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


@pytest.mark.parametrize("row", [True, False])
def test_an_answer_is_ephemeral_and_needs_no_row(
    api: FakeWebApi, outbox: FakeOutbox, row: bool
) -> None:
    if not row:
        outbox.rows.clear()
    done = _deliver(api, outbox, _answer(api.response_url()))
    (call,) = api.calls
    assert call.body == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": f"denied {not row}",
    }
    assert (done["did"], done["ts"]) == ("sent", None)


@pytest.mark.parametrize("used_up", [True, False])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(Answer({"ok": True, "ts": "1.5"}), "sent"), (error("user_not_found"), "given_up")],
)
def test_an_answer_whose_address_has_lapsed_goes_as_a_direct_message(
    api: FakeWebApi, outbox: FakeOutbox, used_up: bool, answer: Answer, verdict: str
) -> None:
    api.script("response", Answer(b"used_url", status=404))
    api.script(POST, answer)
    url = api.response_url() if used_up else None
    assert _deliver(api, outbox, _answer(url, matters=True))["did"] == verdict
    assert [c.method for c in api.calls] == ["response", POST][not used_up :]
    assert api.calls[-1].body["channel"] == "U1"


@pytest.mark.parametrize(
    "due", [_answer(None), _answer(None, matters=True, user=None)], ids=["no matter", "nobody"]
)
def test_an_answer_that_nobody_needs_any_more_is_given_up(
    api: FakeWebApi, outbox: FakeOutbox, due: Due
) -> None:
    assert _deliver(api, outbox, due) == {"did": "given_up", "error": "answer_lapsed"}
    assert api.calls == []


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


# ---- 429 -------------------------------------------------------------------------------------


def test_while_posts_are_silenced_no_direct_message_goes(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    poster = _poster(api, outbox)
    api.script(POST, limited(9))
    outbox.add(CARD)
    poster.once()
    outbox.add(_answer(None, matters=True))
    poster.once()
    word, values = outbox.last()
    assert word == "put_off"
    assert "lost" not in values
    assert len(api.calls) == 1


# ---- the threads -----------------------------------------------------------------------------


def test_stop_waits_no_longer_than_it_may_and_nothing_new_is_begun(
    api: FakeWebApi, outbox: FakeOutbox
) -> None:
    assert _poster(api, outbox).stop(0), "before a start there is nothing to stop"
    api.script(POST, Answer(hang=True))
    poster = _poster(api, outbox, nets=(0.05,), timeout_s=60)
    poster.start()
    outbox.add(CARD)
    api.wait_for(POST)
    assert not poster.stop(0)
    outbox.add(EDIT)
    api.release()
    assert poster.stop(PATIENCE_SECONDS)
    assert [(did, due) for did, due, _ in outbox.done] == [("put_off", CARD)]
    assert outbox.queue == [EDIT]


def test_a_stop_that_comes_while_slack_is_asked_whether_it_is_back_is_heard(
    api: FakeWebApi, outbox: FakeOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.script(POST, Answer(cut=True))
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
    _stopped_by(poster, POST, api, monkeypatch)
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


def test_a_store_that_fails_once_does_not_end_it_and_a_slow_call_holds_up_one_thread(
    api: FakeWebApi,
    outbox: FakeOutbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.slack.send.poster.AFTER_FAULT_S", 0.05)
    outbox.claim_error = RuntimeError("database is locked")
    api.script(POST, Answer(hang=True))
    poster = _poster(api, outbox)
    poster.start()
    outbox.add(CARD)
    api.wait_for(POST)
    outbox.add(EDIT)
    outbox.wait_done(1)
    assert outbox.done[0][1] == EDIT
    assert poster.stop(PATIENCE_SECONDS)
    assert "database is locked" in capsys.readouterr().out
