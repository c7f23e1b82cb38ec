"""Where `make test` gets its browser from, and what it says where there is none to be had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.whole.browser import chromium

ROOT = Path(__file__).parents[3]

STARTS = "exit 0"
STAND_IN = "echo 'requires the snap to be installed' >&2; exit 1"
APT = """echo "$@" >>"{said}"
case "$*" in *install*) echo '#!/bin/sh' >"{browser}"; /bin/chmod +x "{browser}";; esac
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in; Playwright has none and gets none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(chromium, "of_playwright", lambda: str(folder / "playwright"))
    monkeypatch.setattr(chromium, "WAYS", (lambda: None, *chromium.WAYS[1:]))
    return folder


def program(file: Path, text: str) -> str:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def test_one_that_does_not_start_is_none(path: Path) -> None:
    program(path / "chromium", STAND_IN)
    wanted = program(path / "google-chrome", STARTS)
    assert chromium.get() == wanted


def test_root_gets_the_package_and_nobody_else(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, browser = tmp_path / "said", path / "chromium"
    program(path / "apt-get", APT.format(said=said, browser=browser))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(chromium.ChromiumMissing, match="install it"):
        chromium.get()
    assert not said.exists()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert chromium.get() == str(browser)
    updated, installed = said.read_text().splitlines()
    assert updated.endswith("update -qq")
    assert installed.endswith("chromium fonts-noto-color-emoji")


def test_make_sees_to_it_before_the_first_test() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    steps = subprocess.run(
        ["make", "--dry-run", "test"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert 0 < steps.index("-m tests.whole.browser.chromium") < steps.index("-m pytest")
