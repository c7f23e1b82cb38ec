"""`check` against each fault with the sandbox servers: the right line fails, and only that."""

from __future__ import annotations

import pytest

from bot import checks
from bot.core.finding import Standing
from bot.operate.check import failed
from tests.checks.conftest import Stage, one, wrong_lines
from tests.checks.faults import FAULTS, HINTS, Fault


def test_nothing_is_wrong_where_nothing_is(stage: Stage) -> None:
    found = stage.check()
    assert wrong_lines(found) == []
    assert {f.name for f in found if f.standing is Standing.SKIPPED} == set()
    assert {f.name for f in found} == set(checks.NAMES) - {"slack-group"}
    assert not failed(found)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_right_line_fails_and_only_that(stage: Stage, fault: Fault) -> None:
    fault.breaks(stage)
    found = stage.check()
    assert wrong_lines(found) == [fault.line]
    assert failed(found)
    finding = one(found, fault.line)
    for words in fault.says:
        assert words in f"{finding.words}; {finding.next_step}"
    assert finding.words
    assert finding.next_step
    for other in found:
        if other.standing is Standing.SKIPPED:
            assert other.words.startswith(f"needs {fault.line.split()[0]}"), other


@pytest.mark.parametrize("fault", HINTS, ids=lambda fault: fault.name)
def test_a_hint_is_no_failure(stage: Stage, fault: Fault) -> None:
    fault.breaks(stage)
    found = stage.check()
    assert wrong_lines(found) == []
    finding = one(found, fault.line)
    assert finding.standing is Standing.NOTE
    for words in fault.says:
        assert words in f"{finding.words}; {finding.next_step}"


def test_two_faults_are_both_told(stage: Stage) -> None:
    stage.slack.down()
    stage.appliance.refuse_connections()
    assert wrong_lines(stage.check()) == ["slack-token", "appliance-reachable"]


def test_every_wrong_setting_has_a_line(stage: Stage) -> None:
    del stage.environment["VR_HOST"], stage.environment["APPROVERS"]
    found = stage.check()
    assert wrong_lines(found) == ["settings VR_HOST", "settings APPROVERS"]
    assert {f.name for f in found} == set(checks.NAMES)
