"""One WebSocket to Slack: slack_sdk's built-in connection, with what it does not tell.

The SDK's `SocketModeClient` around it is not used: it sleeps through a rate limit inside its own
thread, opens new connections by itself, calls a deaf connection connected, and keeps pings from
whoever wants to know when the last one came (SDK source, `socket_mode.builtin`).
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from typing import cast

from slack_sdk.errors import SlackClientNotConnectedError
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState

from bot.slack.client import tls
from bot.slack.proxies import proxy_for

RECEIVE_BYTES = 64 * 1024
"""For one read. The SDK goes one call deeper for each read of a message: with its own 1024 bytes a
message of a megabyte would end in a RecursionError."""


class CannotConnect(Exception):
    """In words that may be shown."""


class SocketConnection:
    """From `open` to `close` or to its own end, whichever comes first; never opened again.

    `on_text` is called in the reading thread with this and each text frame, `on_end` once when
    nothing more will come. Neither may raise. `now` counts seconds, monotonic.
    """

    def __init__(
        self,
        url: str,
        *,
        on_text: Callable[[SocketConnection, str], None],
        on_end: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._on_text = on_text
        self._on_end = on_end
        self._now = now
        self._problem = ""
        self._line: _Line | None = None
        self._state = ConnectionState()  # type: ignore[no-untyped-call]
        self._thread: threading.Thread | None = None
        self._sdk = _Pinged(
            url, now, self._hear, on_text=self._text, on_error=self._error, on_close=self._closed
        )
        self._frame_at = self.opened_at = now()
        self.ended: str | None = None
        self.greeted = False
        self.told_to_leave: str | None = None

    @property
    def heard_at(self) -> float:
        """When the last frame came, or when the last ping that was answered had been sent."""
        return min(self._now(), max(self._frame_at, self._sdk.last_ping_pong_time or 0.0))

    def open(self) -> None:
        """Raises CannotConnect."""
        self._sdk.connect()
        if self._sdk.sock is None:
            raise CannotConnect(self._problem or "Slack refused the WebSocket")
        self._line = _Line(self._sdk.sock)
        self._sdk.sock = cast(ssl.SSLSocket, self._line)
        self._frame_at = self._now()
        self._thread = threading.Thread(target=self._read, name="slack-socket", daemon=True)
        self._thread.start()

    def ping(self) -> None:
        """Never raises: a line that is broken ends by itself."""
        try:
            self._sdk.ping()
        except OSError as error:
            self._error(error)
            self.close()

    def send(self, text: str) -> bool:
        """False when the line is gone, so that nobody has read it."""
        try:
            self._sdk.send(text)
        except SlackClientNotConnectedError:
            return False
        return True

    def close(self) -> None:
        self._state.terminated = True
        if self._line is not None:
            # First wake the reader: it holds the lock that the SDK's own end waits for.
            self._line.wake()
        self._sdk.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _read(self) -> None:
        self._sdk.run_until_completion(self._state)
        self._sdk.close()
        self.ended = self._problem or "closed"
        self._on_end()

    def _hear(self) -> None:
        self._frame_at = self._now()

    def _text(self, text: str) -> None:
        self._hear()
        self._on_text(self, text)

    def _error(self, error: Exception) -> None:
        # Bytes that are no frames leave the SDK lost in the stream: never go on after an error.
        self._state.terminated = True
        words = f"{type(error).__name__}: {error}"
        if self._sdk.proxy:
            # The SDK quotes it, with the password that may stand in it.
            words = words.replace(self._sdk.proxy, "HTTPS_PROXY")
        self._problem = self._problem or words[:200]

    def _closed(self, code: int, reason: str | None = None) -> None:
        self._problem = self._problem or f"closed by Slack ({code} {reason or ''})".replace(
            " )", ")"
        )


class _Pinged(Connection):
    """Tells of pings from the other side, and writes our own clock into ours: what comes back is
    then `last_ping_pong_time`, and no change of the system's time can make a line look alive."""

    def __init__(
        self,
        url: str,
        now: Callable[[], float],
        on_ping: Callable[[], None],
        *,
        on_text: Callable[[str], None],
        on_error: Callable[[Exception], None],
        on_close: Callable[[int, str | None], None],
    ) -> None:
        self._now = now
        self._on_ping = on_ping
        super().__init__(
            url,
            _silent_logger(),
            proxy=proxy_for(url),
            receive_buffer_size=RECEIVE_BYTES,
            on_message_listener=on_text,
            on_error_listener=on_error,
            on_close_listener=on_close,
            ssl_context=tls(),
        )

    def ping(self, payload: str | bytes = "") -> None:
        super().ping(f"{self.session_id}:{self._now()}")

    def pong(self, payload: str | bytes = "") -> None:
        self._on_ping()
        super().pong(payload)


class _Line:
    """The TCP or TLS socket under the SDK.

    The SDK reads an ended line for ever, at full speed, until some of its pings have failed; and a
    read that times out in the middle of a frame loses the part it has, so that all that follows is
    read at the wrong place. Here the end is an error, and only the watch has a time.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def recv(self, size: int) -> bytes:
        while True:
            try:
                received = self._line.recv(size)
            except TimeoutError:
                continue
            if not received:
                raise ConnectionResetError("the connection was ended without a word")
            return received

    def send(self, data: bytes) -> int:
        self._line.sendall(data)
        return len(data)

    def wake(self) -> None:
        """Ends a read that waits in another thread."""
        try:
            # Not the method of a TLS socket, which would take its state away from that thread.
            socket.socket.shutdown(self._line, socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def close(self) -> None:
        self._line.close()


def _silent_logger() -> logging.Logger:
    """All that the SDK would say comes back to us as an error, and is said once, by us."""
    logger = logging.getLogger("bot.slack.socket.library")
    logger.setLevel(logging.CRITICAL)
    return logger
