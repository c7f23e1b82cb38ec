"""What `make check` makes of pip-audit's answers, in front of a stand-in for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tools import known_weaknesses

FINE = {"name": "requests", "version": "2.0", "vulns": []}
WEAK = {"name": "regex", "version": "1.0", "vulns": [{"id": "GHSA-1"}]}
UNTOLD = {"name": "typer", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answer", "plain", "strict", "says"),
    [
        ([FINE], 0, 0, "no known weakness in 1"),
        ([FINE, WEAK], 1, 1, "regex 1.0 has known weaknesses: GHSA-1"),
        ([WEAK, UNTOLD], 1, 1, "GHSA-1"),
        ([FINE, UNTOLD], 0, 1, "1 of 2 dependencies could be looked up"),
        (None, 0, 1, "did not answer"),
    ],
)
def test_a_weakness_fails_and_silence_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    answer: list[dict[str, Any]] | None,
    plain: int,
    strict: int,
    says: str,
) -> None:
    said = "no network" if answer is None else json.dumps({"dependencies": answer})
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit 1\n")
    os.chmod(tool, 0o755)
    monkeypatch.setattr(known_weaknesses, "PIP_AUDIT", tool)
    assert known_weaknesses.main([]) == plain
    assert says in capsys.readouterr().out
    assert known_weaknesses.main(["--strict"]) == strict
