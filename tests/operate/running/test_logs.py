"""Logs: one line an event, secrets masked, libraries through the same pipe, and each record of the
audit trail, over stops and kills."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
import structlog

from bot.operate import logs
from bot.settings import load
from bot.store import audit_trail
from bot.store.audit_trail import held_against
from bot.store.database import Database
from tests.support.stage import Stage, servers
from tests.support.way_in import OverHttp

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines(own_logging: None, capsys: pytest.CaptureFixture[str]) -> Lines:
    """What has been written since the last time."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def logger(level: str = "info") -> structlog.stdlib.BoundLogger:
    """Set up within the test: pytest gives each phase a stderr of its own."""
    logs.set_up(level, "json", secrets=["hunter2", ""])
    made: structlog.stdlib.BoundLogger = structlog.get_logger("bot.test")
    return made


def test_one_object_a_line(lines: Lines) -> None:
    logger().info("clicked", request="AAAA-BBBB", reason="größer")
    (line,) = lines()
    assert line.pop("timestamp")
    assert line == {
        "event": "clicked",
        "level": "info",
        "logger": "bot.test",
        "request": "AAAA-BBBB",
        "reason": "größer",
    }


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("xoxb-123-abc", "123-abc"),
        ("xapp-1-A-2", "A-2"),
        ("password hunter2 typed", "hunter2"),
        ("https://hooks.slack.com/actions/T1/2/abc", "T1/2"),
        ("https://hooks.slack.com/commands/T1/2/abc", "T1/2"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcj"),
        ({"deep": ["Bearer xyzxyzxyz"]}, "xyzxyz"),
        *(({key: "anything"}, "anything") for key in sorted(logs.SECRET_KEYS)),
    ],
)
def test_what_looks_secret_is_masked(value: object, secret: str, lines: Lines) -> None:
    logger().info("said", words=value, **(value if isinstance(value, dict) else {}))
    text = json.dumps(lines())
    assert logs.MASK in text
    assert secret not in text


def test_a_secret_that_has_changed_is_masked_as_well_and_in_a_traceback(lines: Lines) -> None:
    log = logger()
    log.info("said", words="hunter2 hunter3")
    logs.mask_too(["hunter3", ""])
    log.info("said", words="hunter2 hunter3")
    assert [line["words"] for line in lines()] == ["*** hunter3", "*** ***"]
    try:
        raise ValueError("the password is hunter2")
    except ValueError:
        log.exception("failed")
    (line,) = lines()
    assert "ValueError" in str(line["exception"])
    assert "hunter2" not in json.dumps(line)


def test_of_two_secrets_that_begin_alike_none_shows_its_end(lines: Lines) -> None:
    """As after a rotation."""
    log = logger()
    logs.mask_too(["Secret1"])
    logs.mask_too(["Secret12"])
    log.info("said", words="Secret12 Secret1 Secret123")
    (line,) = lines()
    assert line["words"] == "*** *** ***3"


def test_passwords_in_addresses_are_secrets_in_every_form(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("https_proxy", "http://me:pr%6fxy;pass@proxy.example.net:3128")
    settings = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "signing",
        "VR_HOST": "vr.example.net",
        "VR_USERNAME": "u@vsphere.local",
        "VR_PASSWORD": "the p/ssword",
        "APPROVERS": "U1",
        "DATABASE_URL": "postgresql+psycopg://bot:d%40ta@db/bot?sslpassword=k%26y",
    }
    log = logger()
    logs.mask_too(load(settings, tmp_path).secrets())
    for secret in (
        *("pr%6fxy;pass", "proxy;pass", "proxy%3Bpass", "the%20p%2Fssword"),
        *("d%40ta", "d@ta", "k&y", "k%26y"),
    ):
        log.info("said", words=f"it is {secret}, is it")
        (line,) = lines()
        assert line["words"] == "it is ***, is it"


@pytest.mark.parametrize(
    "name",
    [
        *("urllib3.connectionpool", "slack_sdk.web.base_client", "slack_bolt.App", "tornado"),
        *("alembic.runtime.migration", "bot.slack.library"),
    ],
)
def test_libraries_go_through_the_same_pipe(name: str, lines: Lines) -> None:
    logger()
    logging.getLogger(name).debug("GET /secret")
    logging.getLogger(name).warning("retrying %s", "hunter2", extra={"op_id": "op-7"})
    (line,) = lines()
    told = (line["logger"], line["event"], line["op_id"])
    assert told == (name, f"retrying {logs.MASK}", "op-7")


@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("library", ["slack_bolt", "slack_sdk", "urllib3", "tornado"])
def test_libraries_tell_of_no_request(library: str, level: str, lines: Lines) -> None:
    logger(level)
    logging.getLogger(library).info("POST /secret")
    logging.getLogger(f"{library}.deep.in").debug("a body with a response_url")
    assert lines() == []


def test_what_is_not_said_at_all(lines: Lines) -> None:
    class Costly(dict[str, str]):
        def items(self) -> NoReturn:  # type: ignore[override]
            raise AssertionError("it was looked at")

    logger().debug("effect", words=Costly())  # below the level
    logging.getLogger("tornado.general").warning("error on read")  # a crowd at the port
    logger("error")
    logging.getLogger("urllib3.connectionpool").warning("retrying")  # no louder than the rest
    assert lines() == []


# ---- the audit trail of a running bot ------------------------------------------------------------


def test_each_record_has_a_line_over_stops_and_kills(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/bot.db"
    with servers() as both:
        stage = Stage(OverHttp(), *both)
        stage.start(tmp_path, DATABASE_URL=address)
        stage.wait_for_log("audit", number=1)
        assert stage.terminate() == 0
        stage.restart()
        stage.wait_for_log("audit", number=2)
        stage.kill()
        stage.restart()
        stage.wait_for_log("audit", number=3)
        assert stage.terminate() == 0
    log = [(e["number"], e["hash"]) for bot in stage.bots for e in bot.events("audit")]
    with closing(Database(address)) as db:
        recorded = [(record.number, record.hash) for record in audit_trail.export(db)]
        assert held_against(db, log).broken is None
    assert [number for number, _ in recorded] == [1, 2, 3]
    assert sorted(set(log)) == recorded
    # After a stop nothing is told again, after a kill perhaps.
    assert [number for number, _ in log][:2] == [1, 2]
