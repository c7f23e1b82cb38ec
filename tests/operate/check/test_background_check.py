"""The check at the start, without a bot: what ends it, what becomes a hint, and when one goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from bot.operate.health import BackgroundCheck, Health, Line, fine, note, skipped, wrong

REFUSED = wrong("slack-token", "Slack refuses it", "copy it again", final=True)
AWAY = wrong("slack-token", "no answer", "wait")
LOGIN = wrong("appliance-login", "refused", "correct it", about="lyon")


class Looks:
    """Each look finds the next of these."""

    def __init__(self, *looks: list[Line]) -> None:
        self._looks = list(looks)
        self.told: list[str] = []
        self.asked = 0
        self.look = BackgroundCheck(self._next, self.told.append, again_seconds=0.01)

    def _next(self) -> Iterator[Line]:
        for finding in self._looks.pop(0):
            self.asked += 1
            yield finding


def test_a_token_refused_for_good_ends_it_before_anything_else_is_looked_at() -> None:
    looks = Looks([REFUSED, LOGIN])
    assert looks.look.once() is False
    assert looks.told == ["Slack refuses it; copy it again."]
    assert looks.asked == 1


def test_a_token_that_has_worked_is_a_hint_when_it_is_revoked() -> None:
    looks = Looks([fine("slack-token")], [REFUSED])
    assert looks.look.once() is True
    assert looks.look.once() is True
    assert looks.told == []
    assert looks.look.hints() == {"slack-token": "Slack refuses it; copy it again"}


def test_a_first_refusal_after_slack_was_away_ends_it_too() -> None:
    looks = Looks([AWAY], [REFUSED])
    assert looks.look.once() is True
    assert looks.look.once() is False
    assert looks.told == ["Slack refuses it; copy it again."]


def test_a_hint_lasts_until_its_line_is_seen_fine() -> None:
    looks = Looks(
        [AWAY, LOGIN],
        [fine("slack-token"), skipped("appliance-login", "a person", about="lyon")],
        [note("appliance-login", "fine", about="lyon")],
    )
    looks.look.once()
    assert set(looks.look.hints()) == {"slack-token", "appliance-login lyon"}
    looks.look.once()
    assert set(looks.look.hints()) == {"appliance-login lyon"}
    looks.look.once()
    assert looks.look.hints() == {}


def test_it_looks_again_only_while_there_are_hints() -> None:
    looks = Looks([AWAY], [AWAY], [fine("slack-token")])
    looks.look.start()
    looks.look._thread.join(10)
    assert not looks.look._thread.is_alive()
    assert looks.asked == 3


def test_a_stop_ends_the_wait_between_two_looks() -> None:
    seen = threading.Event()

    def look() -> Iterator[Line]:
        yield AWAY
        seen.set()

    waiting = BackgroundCheck(look, lambda _: None, again_seconds=3600)
    waiting.start()
    assert seen.wait(10)
    assert waiting.stop()
    assert not waiting._thread.is_alive()


def test_a_stop_does_not_wait_for_a_server_that_hangs() -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def look() -> Iterator[Line]:
        asked.set()
        assert goes_on.wait(10)
        yield AWAY

    hanging = BackgroundCheck(look, lambda _: None, again_seconds=3600)
    hanging.start()
    assert asked.wait(10)
    assert not hanging.stop(0)
    goes_on.set()
    assert hanging.stop(10)
    assert hanging.hints() == {}


def test_a_stop_without_a_start_is_fine() -> None:
    assert Looks().look.stop()


def test_hints_change_nothing_about_ready() -> None:
    health = Health({"database": lambda: None}, lambda: {"slack-token": "no answer; wait"})
    assert health.ready() == (
        True,
        {"database": "ok", "hints": {"slack-token": "no answer; wait"}},
    )
    assert Health({"database": lambda: "gone"}, lambda: {"x": "y"}).ready()[0] is False
