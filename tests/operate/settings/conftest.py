from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load

REQUIRED = {
    "SLACK_BOT_TOKEN": "xoxb-the-bot-token",
    "SLACK_SIGNING_SECRET": "the-signing-secret",
    "VR_HOST": "vr.example.test",
    "VR_USERNAME": "unpair@vsphere.local",
    "VR_PASSWORD": "the-local-password",
    "APPROVERS": "UALICE,WBOB",
}

Load = Callable[..., Settings]
Sentences = Callable[..., dict[str, str]]


@pytest.fixture
def required() -> dict[str, str]:
    """The least environment that is complete."""
    return dict(REQUIRED)


@pytest.fixture
def load_with(required: dict[str, str], tmp_path: Path) -> Load:
    """Load the complete environment with these values instead; None takes one out."""

    def load_these(**values: str | None) -> Settings:
        given = {**required, **values}
        return load({name: value for name, value in given.items() if value is not None}, tmp_path)

    return load_these


@pytest.fixture
def sentences_with(load_with: Load) -> Sentences:
    """The same, expected to fail: the sentence for each setting, at most one each."""

    def sentences(**values: str | None) -> dict[str, str]:
        with pytest.raises(SettingsError) as caught:
            load_with(**values)
        problems = caught.value.problems
        found = {problem.setting: problem.sentence for problem in problems}
        assert len(found) == len(problems) > 0
        assert str(caught.value) == "\n".join(found.values())
        return found

    return sentences
