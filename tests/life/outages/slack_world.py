"""The worker's small world with the real poster and the local Slack, all on one injected clock."""

from __future__ import annotations

from collections.abc import Iterable

from slack_sdk import WebClient

from bot.operate.show import unsaid_json
from bot.request.model import State
from bot.slack.draw.message import draw, draw_answer
from bot.slack.send.poster import SENDING_MS, Poster
from bot.slack.send.web_api import api_client
from bot.store.outbox import Outbox
from bot.store.queries import unsaid
from bot.store.slack_pauses import Pauses
from sandbox.slack import LocalSlack, Message
from sandbox.slack.records import ApiCall
from tests.support.asked import FINAL_MARK
from tests.support.world import ASKER, CHANNEL, FIRST, SECOND, World

ID = "AAAA-BBBB"
STEP_MS, LONG_STEP_MS = 5_000, 60_000


class SlackWorld(World):
    """`slack` is a real server; `poster` delivers in the test's own thread."""

    def __init__(
        self, database: str = "sqlite://", *, rate_limits: bool = False, **policy: object
    ) -> None:
        super().__init__(database, **policy)
        self.slack = LocalSlack(clock=lambda: self.ms / 1000, rate_limits=rate_limits).start()
        self.bot_token = self.slack.bot_token
        self.slack.add_channel("ops", id=CHANNEL)
        for person in (ASKER, FIRST, SECOND):
            self.slack.add_person(person.removeprefix("U0").title(), id=person)
        self.given_up: list[tuple[str, str]] = []
        self.poster = Poster(
            Outbox(self.db, SENDING_MS),
            self.client(paused=False),
            draw,
            draw_answer,
            nets=(),
            monotonic=lambda: self.ms / 1000,
            pauses=Pauses(self.db),
            on_given_up=lambda slot, error: self.given_up.append((slot, error)),
        )

    def client(self, *, paused: bool = True) -> WebClient:
        """Its timeout is in real time, so nothing here may come to depend on it."""
        return api_client(
            lambda _refused: self.bot_token,
            base_url=self.slack.api_url,
            timeout_s=60,
            pauses=Pauses(self.db) if paused else None,
        )

    def post(self) -> bool:
        return self.poster.once()

    def close(self) -> None:
        self.slack.stop()
        super().close()

    # ---- time ---------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """In steps, as a process lives through it; in longer ones where it is about hours."""
        until, step = self.ms + int(seconds * 1000), STEP_MS if seconds < 3_000 else LONG_STEP_MS
        while self.ms < until:
            self.wait(min(step, until - self.ms))

    def approve(self, by: str = FIRST) -> None:
        self.click(ID, "approve", by)
        self.settle()

    def followed(self) -> None:
        """Approved, sent, and a task runs."""
        self.pending()
        self.approve()
        assert self.state() is State.FOLLOWING

    def progresses(self, percents: Iterable[int]) -> None:
        """The task, five seconds apart."""
        for percent in percents:
            task = self.appliance.tasks[-1].model_copy(update={"progress": percent})
            self.appliance.tasks[-1] = task
            self.pass_time(5)

    # ---- what people see ----------------------------------------------------------------------

    @property
    def card_ts(self) -> str:
        ts = self.get().card_ts
        assert ts is not None
        return ts

    @property
    def card(self) -> Message | None:
        return self.slack.message(CHANNEL, self.card_ts)

    def replies(self) -> list[Message]:
        return self.slack.messages(CHANNEL, self.card_ts)

    def finals(self) -> list[Message]:
        """In the thread, in the channel, and in conversations with one person."""
        with self.slack.workspace.lock:
            said = list(self.slack.workspace.messages.values())
        return [m for m in said if FINAL_MARK in m.text and not m.deleted]

    def tried(self, method: str, since_ms: int = 0) -> list[ApiCall]:
        return [c for c in self.slack.calls_of(method) if c.at * 1000 >= since_ms]

    def accepted(self, since_ms: int = 0) -> list[ApiCall]:
        """What Slack has taken of messages, in order."""
        calls = [c for c in self.slack.calls if c.at * 1000 >= since_ms]
        return [
            c for c in calls if c.method.startswith("chat.") and c.status == 200 and not c.error
        ]

    def unsaid(self, request_id: str = ID) -> dict[str, str]:
        """As `vr-unpair show` says it: slot to sentence."""
        shown = [unsaid_json(m) for m in unsaid(self.db, request_id)]
        # Answers have no address in this world: nobody could have had them.
        return {m["slot"]: m["sentence"] for m in shown if m["error"] != "answer_lapsed"}

    def response_url(self, user: str) -> str:
        ws = self.slack.workspace
        with ws.changing():
            path = ws.new_response_url(ws.new_trigger(user), CHANNEL).path
        return f"{self.slack.base_url}{path}"

    def refuse(self, *methods: str, error: str) -> None:
        """From now on, until `slack.heal()`."""
        for method in methods:
            self.slack.fail(method, error=error, times=None)


def kind_of(call: ApiCall) -> str:
    """Which message a call was about: a card has buttons or had them, progress begins with its
    mark, and each final reply names one next step."""
    text, in_thread = str(call.args.get("text")), bool(call.args.get("thread_ts"))
    if FINAL_MARK in text:
        return "final"
    in_place = text.startswith("🔵") or "reply in this thread" in text
    return "progress" if in_thread or in_place else "card"
