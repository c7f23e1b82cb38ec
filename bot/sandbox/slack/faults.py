"""Faults on demand: what Slack and the network between can do to a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .records import Json


@dataclass
class Fault:
    """One fault; `used` tells how often it struck.

    method: a Web API method, `response_url`, or `*` for every call.
    error: Slack's error name, with HTTP 200 (or 429 when `retry_after` is there).
    status: an HTTP status with a body that is not JSON, as a broken front server sends it.
    retry_after: seconds, gives 429 with that header; `error` is then `ratelimited`.
    lost: carried out, then the connection is cut without an answer.
    hang: not carried out and never answered, until the caller hangs up or `heal()` cuts it.
    times: how often, None for as long as it is there.
    match: only calls whose arguments it accepts.
    """

    method: str
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    lost: bool = False
    hang: bool = False
    times: int | None = 1
    match: Callable[[Json], bool] | None = None
    used: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        kinds = [self.error or self.retry_after, self.status, self.lost, self.hang]
        if sum(kind not in (None, False) for kind in kinds) != 1:
            raise ValueError("a fault is one of: error or retry_after, status, lost, hang")

    @property
    def kind(self) -> str:
        """`error`, `status`, `lost` or `hang`."""
        if self.lost:
            return "lost"
        if self.hang:
            return "hang"
        return "status" if self.status is not None else "error"

    @property
    def left(self) -> bool:
        """Whether it can strike again."""
        return self.times is None or self.used < self.times


class Faults:
    """The faults that wait, oldest first. Not locked: the server's one thread strikes."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """No fault strikes any more; calls that hang already go on hanging."""
        self._waiting.clear()

    def strike(self, method: str, args: Json) -> Fault | None:
        """The oldest fault for this call, counted as used; None when there is none."""
        for fault in list(self._waiting):
            if fault.method not in (method, "*") or not fault.left:
                continue
            if fault.match is not None and not fault.match(args):
                continue
            fault.used += 1
            return fault
        return None
