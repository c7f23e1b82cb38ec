"""One WebSocket to Slack: slack_sdk's built-in connection, which also tells when it was last heard.

The SDK's `SocketModeClient` around it is not used. It sleeps through a rate limit inside its own
thread, opens new connections by itself, reports a deaf connection as connected, and does not say
when the last ping came (SDK source, `socket_mode.builtin`).
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

from bot.slack.send.client import tls
from bot.slack.send.proxies import proxy_for

RECEIVE_BYTES = 64 * 1024
"""For one read. The SDK recurses once for each read of a message, so with its default of 1024 bytes
a message of a megabyte would end in a RecursionError."""


class CannotConnect(Exception):
    """Its text may be shown."""


class SocketConnection:
    """Lasts from `open` until `close` or until it ends by itself. It is never opened again.

    `on_text` is called in the reading thread with this connection and each text frame; `on_end` is
    called once when nothing more will come. Neither may raise. `now` is in monotonic seconds.
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
        """When the last frame came or, if that is later, when the last answered ping was sent."""
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
        """Never raises: a broken connection ends by itself."""
        try:
            self._sdk.ping()
        except OSError as error:
            self._error(error)
            self.close()

    def send(self, text: str) -> bool:
        """False if the connection is gone, so that Slack has not received the text."""
        try:
            self._sdk.send(text)
        except SlackClientNotConnectedError:
            return False
        return True

    def close(self) -> None:
        self._state.terminated = True
        if self._line is not None:
            # Wake the reader first: it holds the lock that the SDK's `close` waits for.
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
        # After bytes that are no frame, the SDK does not know where the next frame begins. So never
        # go on after an error.
        self._state.terminated = True
        words = f"{type(error).__name__}: {error}"
        if self._sdk.proxy:
            # The SDK quotes the proxy's address, which may hold a password.
            words = words.replace(self._sdk.proxy, "HTTPS_PROXY")
        self._problem = self._problem or words[:200]

    def _closed(self, code: int, reason: str | None = None) -> None:
        self._problem = self._problem or f"closed by Slack ({code} {reason or ''})".replace(
            " )", ")"
        )


class _Pinged(Connection):
    """Reports pings from Slack, and puts our monotonic time into our own pings. Slack sends it back
    and it becomes `last_ping_pong_time`, so a change of the system's time cannot make a dead
    connection look alive."""

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

    After the other side has ended the connection, the SDK keeps reading at full speed until some
    of its pings have failed. And a read that times out in the middle of a frame loses the part that
    it has, so that everything after it is misread. Here the end is an error, and reads have no
    timeout: only the watch decides that a connection is dead.
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
            # Not the TLS socket's own `shutdown`: it would drop the TLS state while that thread
            # still uses it.
            socket.socket.shutdown(self._line, socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def close(self) -> None:
        self._line.close()


def _silent_logger() -> logging.Logger:
    """Nearly silent: the SDK passes us all its errors, and we log them once ourselves."""
    logger = logging.getLogger("bot.slack.socket.library")
    logger.setLevel(logging.CRITICAL)
    return logger
