"""Passwords expire and certificates are replaced: the next log-in and connection use what is set
then, and no account is locked on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget, Priority
from bot.appliance.http_answers import CallError
from bot.appliance.session import Credentials, Secrets
from bot.appliance.tls import Trust
from bot.request.problem import ProblemKind as Kind
from tests.appliance.clients import client_of, info
from tests.appliance.small_server import TOKEN, Reply, Seen, Server, Start, fails
from tests.support.clock import Clock

OLD, NEW = "old-password", "new-password"
REMOTE_PATH = "/pairings/p-1/remote-session"


class Set:
    """What is set now. `client` is told of it, and the server takes `right` alone."""

    def __init__(self, server: Server, trust: Trust) -> None:
        self.clock = Clock(0.0, running=True)
        self.user = Credentials("admin", SecretStr(OLD))
        self.remote: Credentials | None = None
        self.trust = trust
        self.right = OLD
        self.budget = MemoryBudget(1000, self.clock)
        self.server = server
        self.log_in = server.routes["POST", "/session"]
        server.on_call("POST", "/session", self.answer)

    def answer(self, seen: Seen) -> Reply:
        return self.log_in(seen) if seen.user == f"admin:{self.right}" else Reply(401)

    def client(self) -> Appliance:
        return client_of(
            self.server.host,
            self.trust,
            secrets=lambda: Secrets(self.user, self.remote, self.trust),
            budget=self.budget,
            now=self.clock.ms,
            monotonic=self.clock,
        )

    def password(self, password: str) -> None:
        self.clock.turn(0.01)  # the clock that tells what came first goes by milliseconds
        self.user = Credentials("admin", SecretStr(password))


@pytest.fixture
def set_now(server: Server, ca_file: Path) -> Set:
    return Set(server, Trust.ca_file(ca_file))


@pytest.fixture
def client(set_now: Set) -> Any:
    appliance = set_now.client()
    yield appliance
    appliance.close()


def test_the_next_log_in_uses_the_changed_password(
    set_now: Set, client: Appliance, server: Server
) -> None:
    assert info(client) is None
    set_now.password(NEW)
    set_now.right = NEW
    assert info(client) is None, "the session goes on"
    server.on("GET", "/info", Reply(401), Reply(200, {}))
    assert info(client) is None
    sent = [s.user for s in server.seen if s.path == "/session"]
    assert sent == [f"admin:{OLD}", f"admin:{NEW}"]


def test_a_changed_password_ends_the_login_rest_at_once(
    set_now: Set, client: Appliance, server: Server
) -> None:
    set_now.right = NEW
    assert [info(client) for _ in range(3)] == [
        Kind.LOGIN_REFUSED,
        Kind.LOGIN_REST,
        Kind.LOGIN_REST,
    ]
    # The copies share the rest; one that sees the change need not have been refused itself.
    other = set_now.client()
    assert info(other) is Kind.LOGIN_REST
    set_now.password(NEW)
    assert [info(other), info(client)] == [None, None]
    assert server.count("POST") == 3
    other.close()


def test_the_remote_user_likewise(set_now: Set, client: Appliance, server: Server) -> None:
    set_now.remote = Credentials("far", SecretStr(OLD))
    calls = set_now.client().calls(Priority.CHECK)
    server.on_call(
        "POST", REMOTE_PATH, lambda seen: Reply(204 if seen.user == f"far:{NEW}" else 403)
    )
    for _ in range(3):
        with fails(Kind.LOGIN_REFUSED):
            calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 1
    set_now.remote = Credentials("far", SecretStr(NEW))
    calls.ensure_remote_session("p-1")
    assert server.count("POST", REMOTE_PATH) == 2


def test_a_replaced_certificate_is_trusted_as_soon_as_the_file_is(
    set_now: Set, client: Appliance, server: Server, start_server: Start, tmp_path: Path
) -> None:
    # No connection is kept, as after some idle minutes.
    server.on("GET", "/info", Reply(200, {}, headers={"Connection": "close"}))
    assert info(client) is None
    other = trustme.CA()
    other.issue_cert("localhost").configure_cert(server.context)
    assert [info(client), info(client)] == [Kind.UNSENT, Kind.UNSENT]
    other.cert_pem.write_to_path(str(tmp_path / "new.pem"))
    set_now.trust = Trust.ca_file(tmp_path / "new.pem")
    assert info(client) is None


def test_what_is_trusted_no_more_gets_nothing_more(
    set_now: Set, client: Appliance, server: Server
) -> None:
    """Within a minute, though a connection to it is open."""
    assert info(client) is None
    set_now.trust = Trust.fingerprint("0" * 64)
    set_now.clock.turn(61)
    before = len(server.seen)
    assert info(client) is Kind.UNSENT
    assert len(server.seen) == before


def test_no_secret_of_before_is_shown(set_now: Set, client: Appliance, server: Server) -> None:
    """An appliance may repeat it after it has changed."""
    assert info(client) is None
    set_now.password(NEW)
    set_now.right = NEW
    words = {"message": f"{OLD} {NEW} {TOKEN}2"}
    server.on("GET", "/info", Reply(401), Reply(500, words))
    with pytest.raises(CallError) as caught:
        client.calls(Priority.CHECK).info()
    assert caught.value.message == "… … …"
