"""`check` against each fault with the sandbox servers: the right line fails, and only that."""

from __future__ import annotations

import pytest

from bot.operate import check
from bot.operate.health import Result
from tests.operate.check.conftest import Stage, one, wrong_lines
from tests.operate.check.faults import FAULTS, HINTS, Fault


def test_nothing_is_wrong_where_nothing_is(stage: Stage) -> None:
    found = stage.check()
    assert wrong_lines(found) == []
    assert {f.name for f in found if f.result is Result.SKIPPED} == set()
    assert {f.name for f in found} == set(check.NAMES) - {"slack-group"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_right_line_fails_and_only_that(stage: Stage, fault: Fault) -> None:
    fault.breaks(stage)
    found = stage.check()
    assert wrong_lines(found) == [fault.line]
    finding = one(found, fault.line)
    for words in fault.says:
        assert words in f"{finding.words}; {finding.next_step}"
    assert finding.words
    assert finding.next_step
    for other in found:
        if other.result is Result.SKIPPED:
            assert other.words.startswith(f"needs {fault.line.split()[0]}"), other


@pytest.mark.parametrize("fault", HINTS, ids=lambda fault: fault.name)
def test_a_hint_is_no_failure(stage: Stage, fault: Fault) -> None:
    fault.breaks(stage)
    found = stage.check()
    assert wrong_lines(found) == []
    finding = one(found, fault.line)
    assert finding.result is Result.NOTE
    for words in fault.says:
        assert words in f"{finding.words}; {finding.next_step}"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o640, 0o600])
def test_secrets_that_others_can_read_are_a_hint(stage: Stage, mode: int) -> None:
    secrets = stage.folder / "secrets"
    secrets.mkdir()
    stage.environment["SECRETS_DIR"] = str(secrets)
    for file, text in (
        (stage.folder / ".env", "PORT=3001\n"),
        (secrets / "VR_PASSWORD", stage.environment.pop("VR_PASSWORD")),
    ):
        file.write_text(text)
        file.chmod(mode)
    found = stage.check()
    assert wrong_lines(found) == []
    told = [line for line in found if line.name == "settings" and line.about]
    if mode & 0o004:
        assert [line.about for line in told] == [".env", "VR_PASSWORD"]
        assert {line.result for line in told} == {Result.NOTE}
        assert f"chmod o-rwx {stage.folder / '.env'}" in told[0].next_step
    else:
        assert told == []


def test_two_faults_are_both_told(stage: Stage) -> None:
    stage.slack.down()
    stage.appliance.refuse_connections()
    assert wrong_lines(stage.check()) == ["slack-token", "appliance-reachable"]


def test_every_wrong_setting_has_a_line(stage: Stage) -> None:
    del stage.environment["VR_HOST"], stage.environment["APPROVERS"]
    found = stage.check()
    assert wrong_lines(found) == ["settings VR_HOST", "settings APPROVERS"]
    assert {f.name for f in found} == set(check.NAMES)
