"""The check at the start, without a bot: what ends it, what becomes a hint, and when one goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from structlog.testing import capture_logs

from bot.operate.background_check import BackgroundCheck
from bot.operate.check_line import Line, fine, note, skipped, wrong
from bot.operate.ready import Ready

TOKEN, SITE = "slack-token", "appliance-login lyon"


def of(key: str, line: Line) -> Line:
    name, _, about = key.partition(" ")
    return replace(line, name=name, about=about)


REFUSED = of(TOKEN, wrong("Slack refuses it", "copy it again", final=True))
AWAY = of(TOKEN, wrong("no answer", "wait"))
LOGIN = of(SITE, wrong("refused", "correct it"))


class Rounds:
    """Each round of the check finds the next of these."""

    def __init__(self, *rounds: list[Line]) -> None:
        self._rounds = list(rounds)
        self.ended: list[str] = []
        self.asked = 0
        self.check = BackgroundCheck(self._next, self.ended.append, again_seconds=0.01)

    def _next(self) -> Iterator[Line]:
        for line in self._rounds.pop(0):
            self.asked += 1
            yield line


def test_a_token_refused_for_good_ends_it_before_anything_else_is_asked() -> None:
    rounds = Rounds([AWAY], [REFUSED, LOGIN])
    assert rounds.check.once()
    assert not rounds.check.once()
    assert rounds.ended == ["Slack refuses it; copy it again."]
    assert rounds.asked == 2


def test_a_token_that_has_worked_is_a_hint_when_it_is_revoked() -> None:
    rounds = Rounds([of(TOKEN, fine())], [REFUSED])
    assert rounds.check.once()
    assert rounds.check.once()
    assert rounds.ended == []
    assert rounds.check.hints() == {TOKEN: "Slack refuses it; copy it again"}


def test_a_hint_lasts_until_its_line_is_seen_fine() -> None:
    rounds = Rounds(
        [AWAY, LOGIN],
        [of(TOKEN, fine()), of(SITE, skipped("a person"))],
        [of(SITE, note("fine"))],
    )
    left = []
    for _ in range(3):
        rounds.check.once()
        left.append(set(rounds.check.hints()))
    assert left == [{TOKEN, SITE}, {SITE}, set()]


def test_it_goes_on_only_while_there_are_hints_and_tells_each_once() -> None:
    rounds = Rounds([AWAY], [AWAY], [of(TOKEN, fine())])
    with capture_logs() as logged:
        rounds.check.start()
        for thread in threading.enumerate():
            if thread.name == "check":
                thread.join(10)
    assert rounds.asked == 3
    assert [event["event"] for event in logged] == ["check_failed", "check_fine_again"]


def test_a_stop_ends_the_wait_between_two_rounds() -> None:
    seen = threading.Event()

    def found() -> Iterator[Line]:
        yield AWAY
        seen.set()

    waiting = BackgroundCheck(found, lambda _: None, again_seconds=3600)
    waiting.start()
    assert seen.wait(10)
    assert waiting.stop(10)


def test_a_stop_does_not_wait_for_a_server_that_hangs() -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def found() -> Iterator[Line]:
        asked.set()
        assert goes_on.wait(10)
        yield AWAY

    hanging = BackgroundCheck(found, lambda _: None)
    hanging.start()
    assert asked.wait(10)
    assert not hanging.stop(0)
    goes_on.set()
    assert hanging.stop(10)
    assert hanging.hints() == {}


def test_hints_change_nothing_about_ready() -> None:
    hint = {TOKEN: "no answer; wait"}
    ready = Ready({"database": lambda: None}, lambda: hint)
    assert ready.now() == (True, {"database": "ok", "hints": hint})
    assert Ready({"database": lambda: "gone"}, lambda: hint).now()[0] is False
