"""Logs: one line an event, secrets masked, libraries through the same pipe."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog

from bot.operate import logs


@pytest.fixture
def _json_logs() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    yield
    root.handlers, config = before[0], before[2]
    root.setLevel(before[1])
    structlog.configure(**config)


def logger(level: str = "info") -> structlog.stdlib.BoundLogger:
    """Set up within the test: pytest gives each phase a stderr of its own."""
    logs.set_up(level, "json", secrets=["hunter2", ""])
    made: structlog.stdlib.BoundLogger = structlog.get_logger("bot.test")
    return made


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("_json_logs")
class TestJson:
    def test_a_secret_that_has_changed_is_masked_as_well(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = logger()
        log.info("said", words="hunter2 hunter3")
        logs.mask_too(["hunter3", ""])
        log.info("said", words="hunter2 hunter3")
        assert [line["words"] for line in lines(capsys)] == ["*** hunter3", "*** ***"]

    def test_one_object_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        logger().info("clicked", request="AAAA-BBBB", reason="größer")
        (line,) = lines(capsys)
        assert line["event"] == "clicked"
        assert line["request"] == "AAAA-BBBB"
        assert line["level"] == "info"
        assert "timestamp" in line

    @pytest.mark.parametrize(
        "value",
        [
            "xoxb-123-abc",
            "xapp-1-A-2",
            "password hunter2 typed",
            "https://hooks.slack.com/actions/T1/2/abc",
            "https://hooks.slack.com/commands/T1/2/abc",
            "Authorization: Basic dXNlcjpwYXNzd29yZA==",
            {"deep": ["Bearer xyzxyzxyz"]},
        ],
    )
    def test_what_looks_secret_is_masked(
        self, value: object, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logger().info("said", words=value)
        (line,) = lines(capsys)
        text = json.dumps(line)
        assert logs.MASK in text
        for secret in ("123-abc", "A-2", "hunter2", "T1/2", "dXNlcj", "xyzxyz"):
            assert secret not in text

    @pytest.mark.parametrize("key", sorted(logs.SECRET_KEYS))
    def test_secret_keys_are_masked(self, key: str, capsys: pytest.CaptureFixture[str]) -> None:
        logger().info("said", **{key: "anything", "nested": {key: "more"}})
        text = json.dumps(lines(capsys))
        assert "anything" not in text
        assert "more" not in text

    def test_a_traceback_is_masked_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        try:
            raise ValueError("the password is hunter2")
        except ValueError:
            logger().exception("failed")
        (line,) = lines(capsys)
        assert "ValueError" in str(line["exception"])
        assert "hunter2" not in json.dumps(line)

    @pytest.mark.parametrize(
        "name",
        [
            "urllib3.connectionpool",
            "slack_sdk.web.base_client",
            "slack_bolt.App",
            "bot.slack.library",
            "waitress",
            "alembic.runtime.migration",
            "bot.appliance.http_call",
        ],
    )
    def test_libraries_go_through_the_same_pipe(
        self, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logger()
        logging.getLogger(name).debug("GET /secret")
        logging.getLogger(name).warning("retrying %s", "hunter2", extra={"op_id": "op-7"})
        (line,) = lines(capsys)
        assert line["logger"] == name
        assert line["event"] == f"retrying {logs.MASK}"
        assert line["op_id"] == "op-7"

    def test_a_crowd_at_the_port_is_no_line_for_each(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logger()
        logging.getLogger("waitress.queue").warning("Task queue depth is 1")
        assert lines(capsys) == []

    @pytest.mark.parametrize("level", ["debug", "info"])
    @pytest.mark.parametrize("library", ["slack_bolt", "slack_sdk", "urllib3", "waitress"])
    def test_libraries_tell_of_no_request(
        self, library: str, level: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logger(level)
        logging.getLogger(library).info("POST /secret")
        logging.getLogger(f"{library}.deep.in").debug("a body with a response_url")
        assert lines(capsys) == []

    def test_libraries_are_no_louder_than_the_rest(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logger("error")
        logging.getLogger("urllib3.connectionpool").warning("retrying")
        assert lines(capsys) == []

    def test_what_is_below_the_level_costs_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Costly(dict[str, str]):
            def items(self) -> NoReturn:  # type: ignore[override]
                raise AssertionError("it was looked at")

        logger().debug("effect", words=Costly())
        assert lines(capsys) == []
