"""What Socket Mode is made of on Slack's side: open connections and unanswered envelopes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from .records import Json


@dataclass(eq=False)
class Socket:
    """One WebSocket. `leaving` after a `disconnect` frame, `frozen` when it stays silent."""

    websocket: WebSocket
    greeted: bool = False
    frozen: bool = False
    leaving: bool = False

    @property
    def usable(self) -> bool:
        return self.greeted and not self.frozen and not self.leaving


@dataclass(eq=False)
class Waiting:
    """An envelope that is not acknowledged. `socket` is where it was sent last."""

    envelope: Json
    socket: Socket | None = None
    refused: bool = False
    answer: Json | None = None
    done: threading.Event = field(default_factory=threading.Event)
