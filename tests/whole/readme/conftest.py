"""What somebody has who begins: a clone of the source, and a release."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.whole.readme.shell import say

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone has, and nothing else; then the README's way to install that."""
    folder = tmp_path_factory.mktemp("readme") / "vr-unpair"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    say(folder, "make install")
    return folder


@pytest.fixture(scope="session")
def released(clone: Path) -> Path:
    """What `make release` made, the image aside: that needs an engine and a base."""
    say(clone, "make release ENGINE=")
    return clone / "dist"
