"""The simulated Slack of a history: what stands in the channel, and what each call is answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.request.who_may import UNREADABLE, Home, Person, Verdict
from bot.slack.send.slack_problem import Kind, SlackProblem
from tests.life.simulation.happenings import PEOPLE

TEAM = "T0HOME"
ZONE = "Asia/Kolkata"
"""Half an hour off the full one."""


@dataclass
class Standing:
    """One message as people see it."""

    channel: str
    ts: str
    thread_ts: str | None
    text: str
    edits: int = 0
    lost: bool = False


@dataclass
class Workspace:
    """The truth in Slack. Faults hit each call with `fault_rate` until `fault_until`."""

    now: Callable[[], int]
    rng: random.Random
    messages: dict[str, Standing] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    lost_posts: int = 0
    rights: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PEOPLE, True))
    rights_lost_at: dict[str, int] = field(default_factory=dict)
    fault_rate: float = 0.0
    fault_until: int = 0
    people_until: int = 0

    def fault(self) -> str | None:
        if self.now() >= self.fault_until or self.rng.random() >= self.fault_rate:
            return None
        return self.rng.choice(("lost_before", "lost_after", "limited", "server"))


class Client:
    """As much of `slack_sdk.WebClient` as the poster uses, for one process."""

    base_url = "https://slack.invalid/api/"

    def __init__(
        self, workspace: Workspace, step: Callable[[str], None], spend: Callable[[int], None]
    ) -> None:
        self._workspace, self._step, self._spend = workspace, step, spend

    def chat_postMessage(
        self, *, channel: str, text: str, thread_ts: str | None = None, **_more: Any
    ) -> dict[str, str]:
        def post() -> dict[str, str]:
            ts = f"{len(self._workspace.messages) + 1}.0"
            standing = Standing(channel, ts, thread_ts, text)
            self._workspace.messages[ts] = standing
            return {"ts": ts}

        return self._call(post)

    def chat_update(self, *, channel: str, ts: str, text: str, **_more: Any) -> dict[str, str]:
        def edit() -> dict[str, str]:
            standing = self._workspace.messages.get(ts)
            if standing is None or standing.channel != channel:
                raise _refusal(200, "message_not_found")
            standing.text = text
            standing.edits += 1
            return {"ts": ts}

        return self._call(edit)

    def auth_test(self) -> dict[str, bool]:
        """How the poster asks whether Slack is back."""
        self._step("post:before")
        fault = self._workspace.fault()
        if fault == "limited":
            raise _refusal(429, "ratelimited", {"Retry-After": "7"})
        if fault is not None:
            raise _refusal(503, "")
        return {"ok": True}

    def tell(self, url: str, drawn: Any, timeout_s: float) -> SlackProblem | None:
        """In place of `bot.slack.send.one_message.say`; the address is the number of the event."""
        self._step("post:before")
        fault = self._workspace.fault()
        if fault in ("lost_before", "server"):
            return SlackProblem(Kind.PASSING, "simulated")
        self._workspace.told.append((url, drawn.text))
        self._step("post:after")
        return SlackProblem(Kind.PASSING, "simulated") if fault == "lost_after" else None

    def _call(self, carry_out: Callable[[], dict[str, str]]) -> dict[str, str]:
        self._step("post:before")
        fault = self._workspace.fault()
        if fault == "limited":
            raise _refusal(429, "ratelimited", {"Retry-After": "7"})
        if fault == "server":
            raise _refusal(503, "")
        if fault == "lost_before":
            self._spend(5_000)
            raise TimeoutError("simulated")
        answer = carry_out()
        self._spend(self._workspace.rng.randrange(0, 300))
        self._step("post:after")
        if fault == "lost_after":
            self._workspace.messages[answer["ts"]].lost = True
            self._workspace.lost_posts += 1
            raise TimeoutError("simulated")
        return answer


class People:
    """`bot.request.plan.PeoplePort` for one process."""

    def __init__(self, workspace: Workspace, step: Callable[[str], None]) -> None:
        self._workspace, self._step = workspace, step

    def home(self) -> Home:
        return Home(team=TEAM)

    def person(self, user: str) -> Person | Verdict:
        self._step("effect:before")
        workspace = self._workspace
        unreadable = workspace.now() < workspace.people_until
        person = Person(id=user, team=TEAM, zone=ZONE, deleted=not workspace.rights[user])
        self._step("effect:after")
        return UNREADABLE if unreadable else person

    def who_sees(self, channel: str) -> None:
        return None


def _refusal(status: int, word: str, headers: dict[str, str] | None = None) -> SlackApiError:
    response = SimpleNamespace(
        status_code=status, headers=headers or {}, data={"ok": False, "error": word}
    )
    return SlackApiError("simulated", response)  # type: ignore[arg-type]
