"""No error, object, log line or traceback shows a password or a session id."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bot.appliance
from bot.appliance.appliance import Appliance
from bot.appliance.budget import Priority
from bot.appliance.http_answers import CallError
from bot.appliance.session import HeldSession
from bot.appliance.tls import Trust
from tests.appliance.clients import PASSWORD
from tests.appliance.small_server import REMOTE, REMOTE_PASSWORD, TOKEN, Reply, Seen, Server, cut

SECRETS = [
    PASSWORD,
    REMOTE_PASSWORD,
    TOKEN,
    base64.b64encode(f"admin:{PASSWORD}".encode()).decode(),
    base64.b64encode(f"remote-admin:{REMOTE_PASSWORD}".encode()).decode(),
]
OUR_CODE = str(Path(bot.appliance.__file__).parent)


def shown(error: BaseException) -> Iterator[str]:
    """All that a log, a chat message or an error tracker could show of it."""
    yield str(error)
    yield repr(error)
    yield repr(error.args)
    yield repr(vars(error))
    yield "".join(traceback.format_exception(error))
    # Some error trackers show the variables of every frame.
    for step in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
        if step.filename.startswith(OUR_CODE):
            yield repr(step.locals)
    chained: BaseException | None = error
    while chained := (chained.__cause__ or chained.__context__):
        assert isinstance(chained, CallError)
        yield repr(vars(chained))


def safe(texts: Iterator[str]) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text


# 0: the connection is cut. A 200 without a usable body is an error too, where one is needed.
STATUSES = [0, 202, 302, 400, 401, 403, 404, 429, 500, 502, 503]
PLACES = [
    ("/session", [200, *STATUSES]),
    ("/pairings/p-1/remote-session", STATUSES),
    ("/pairings/p-1", [200, *STATUSES]),
]


@pytest.mark.parametrize(("path", "status"), [(p, s) for p, found in PLACES for s in found])
def test_a_server_that_echoes_the_request(
    connect: Callable[..., Appliance],
    server: Server,
    caplog: pytest.LogCaptureFixture,
    path: str,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    method = "GET" if path == "/pairings/p-1" else "POST"
    kinds: list[Callable[[str], object]] = [
        lambda echo: echo.encode(),
        lambda echo: {"error_code": echo, "message": echo, "op_id": echo, "id": 7},
    ]
    for kind in kinds:

        def echo(seen: Seen, kind: Callable[[str], object] = kind) -> Reply:
            if status == 0:
                return Reply(raw=cut)
            return Reply(status, kind(repr(seen.headers) + PASSWORD + REMOTE_PASSWORD))

        server.on_call(method, path, echo)
        calls = connect(**REMOTE).calls(Priority.CHECK)
        with pytest.raises(CallError) as caught:
            (calls.pairing if method == "GET" else calls.ensure_remote_session)("p-1")
        safe(shown(caught.value))
    safe(iter([caplog.text]))
    assert server.count(method, path) >= 2


def test_before_anything_is_sent(
    connect: Callable[..., Appliance], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for changes in (
        {"host": "no-such-host.invalid"},
        {"host": "127.0.0.1:1"},
        {"trust": Trust.fingerprint("0" * 64)},
    ):
        with pytest.raises(CallError) as caught:
            connect(**changes, **REMOTE).calls(Priority.CHECK).info()
        safe(shown(caught.value))
    safe(iter([caplog.text]))


def test_objects_show_no_secret(connect: Callable[..., Appliance], server: Server) -> None:
    appliance = connect(**REMOTE)
    calls = appliance.calls(Priority.CHECK)
    calls.info()
    credentials = REMOTE["remote"]
    safe(repr(thing) for thing in (appliance, calls, credentials, HeldSession(TOKEN)))
    assert repr(appliance) == f"Appliance({server.host})"


def test_verification_is_switched_off_nowhere() -> None:
    source = {path.name: path.read_text() for path in Path(OUR_CODE).glob("*.py")}
    assert not [name for name, text in source.items() if "verify=False" in text]
    # The pin is the only place without a chain, and urllib3 checks it before handing over.
    assert [name for name, text in source.items() if "CERT_NONE" in text] == ["tls.py"]
    assert source["tls.py"].count("CERT_NONE") == 1
    # Shows a certificate to a person and sends nothing: it makes no connection that is used.
    shows = [name for name, text in source.items() if "get_server_certificate" in text]
    assert shows == ["tls.py"]
