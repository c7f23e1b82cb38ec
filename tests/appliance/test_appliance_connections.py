"""Which connection a call leaves on, and how long one may take to be made."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance
from bot.appliance.errors import NotSent, TimedOut
from tests.appliance.small_server import Handler, Reply, Seen, Server, server_context

PATIENCE_SECONDS = 10.0
IDLE_SECONDS = 60.0
TRICKLE_SECONDS = 6.0
PAIRING = "/pairings/p-1"
Connect = Callable[..., Appliance]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_delete_leaves_on_no_connection_that_was_idle(connect: Connect, server: Server) -> None:
    """Two are kept. One is tried out, and another thread takes it before the DELETE does."""
    clock = Clock()
    appliance = connect(monotonic=clock)
    both, entered, over = threading.Barrier(2), threading.Event(), threading.Event()

    def together(_: Seen) -> Reply:
        both.wait(PATIENCE_SECONDS)
        return Reply(200, {})

    def held(_: Seen) -> Reply:
        entered.set()
        assert over.wait(PATIENCE_SECONDS)
        return Reply(200, {"list": []})

    server.on_call("GET", "/info", together)
    server.on_call("GET", "/tasks", held)
    server.on("DELETE", PAIRING, Reply(202, {"id": "t:1:x", "status": "QUEUED"}))
    with ThreadPoolExecutor(2) as threads:
        for read in [threads.submit(appliance.calls(Priority.CHECK).info) for _ in range(2)]:
            read.result(PATIENCE_SECONDS)
        assert server.handshakes == 2
        clock.now += IDLE_SECONDS
        calls = appliance.calls(Priority.ACT)
        calls.prepare_delete("p-1")
        assert server.handshakes == 2
        listing = threads.submit(appliance.calls(Priority.FOLLOW).tasks)
        try:
            assert entered.wait(PATIENCE_SECONDS)
            calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
        finally:
            over.set()
        listing.result(PATIENCE_SECONDS)
    assert server.handshakes == 3


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["status", "headers"])
def test_a_proxy_that_trickles_ends_at_the_deadline(
    connect: Connect,
    leaf: trustme.LeafCert,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    head: bytes,
    tls: bool,
) -> None:
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        with contextlib.suppress(OSError), accepted(listener, leaf if tls else None) as speaks:
            speaks.recv(4096)
            speaks.sendall(head)
            trickle_to(speaks.sendall, over)

    thread = threading.Thread(target=trickle)
    thread.start()
    scheme = "https" if tls else "http"
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://localhost:{listener.getsockname()[1]}")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    appliance = connect(timeout_seconds=1.0)
    begin = time.monotonic()
    try:
        with pytest.raises(NotSent):
            appliance.calls(Priority.ACT, begin + 0.5).info()
        assert time.monotonic() - begin < 2
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)
        listener.close()


def test_an_appliance_that_trickles_through_an_https_proxy_ends_too(
    connect: Connect,
    server: Server,
    leaf: trustme.LeafCert,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TLS within TLS has a socket of its own in urllib3."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def tunnel() -> None:
        upstream = socket.create_connection(("127.0.0.1", server.server_address[1]))
        with contextlib.suppress(OSError), upstream, accepted(listener, leaf) as speaks:
            speaks.recv(4096)
            speaks.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, speaks))
            back.start()
            pump(speaks, upstream)
            back.join(PATIENCE_SECONDS)

    def trickle(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        trickle_to(handler.wfile.write, over)

    server.on("GET", "/info", Reply(raw=trickle))
    thread = threading.Thread(target=tunnel)
    thread.start()
    monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{listener.getsockname()[1]}")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    appliance = connect()
    begin = time.monotonic()
    try:
        with pytest.raises(TimedOut):
            appliance.calls(Priority.ACT, begin + 1).info()
        assert time.monotonic() - begin < 3
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)
        listener.close()


def accepted(listener: socket.socket, leaf: trustme.LeafCert | None) -> socket.socket:
    """The client's connection, with TLS by this certificate."""
    client, _ = listener.accept()
    return server_context(leaf).wrap_socket(client, server_side=True) if leaf else client


def trickle_to(write: Callable[[bytes], object], over: threading.Event) -> None:
    """Each byte comes long before a read timeout."""
    until = time.monotonic() + TRICKLE_SECONDS
    while not over.wait(0.05) and time.monotonic() < until:
        write(b" ")


def pump(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_RDWR)
