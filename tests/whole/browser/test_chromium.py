"""Where `make test` gets its browser from, and what it says where there is none to be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole.browser import chromium

ROOT = Path(__file__).parents[3]

AS = "import os, sys; os.geteuid = lambda: {uid}; from tests.whole.browser import chromium; "
GET = "\ntry: print(chromium.get())\nexcept chromium.ChromiumMissing as error: sys.exit(str(error))"

STARTS = "#!/bin/sh\nexit 0\n"
STAND_IN = "#!/bin/sh\necho 'requires the snap to be installed' >&2\nexit 1\n"
APT = """#!/bin/sh
echo "$@" >>"{said}"
case "$*" in *install*)
    echo '#!/bin/sh' >"{folder}/chromium"; /bin/chmod +x "{folder}/chromium"
esac
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The only folder that programs are looked for in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(file: Path, text: str) -> str:
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def get(path: Path, *, uid: int = 1000) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the browser tests' own browser may be open in this one."""
    environment = {
        "PATH": str(path),
        "PLAYWRIGHT_BROWSERS_PATH": str(path / "playwright"),
        # As where its own cannot be downloaded: nothing leaves this machine.
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-c", AS.format(uid=uid) + GET],
        env=environment,
        cwd=path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_one_that_does_not_start_is_none(path: Path) -> None:
    program(path / "chromium", STAND_IN)
    wanted = program(path / "google-chrome", STARTS)
    assert get(path).stdout == f"{wanted}\n"


def test_root_gets_the_package(path: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    program(path / "apt-get", APT.format(said=said, folder=path))
    done = get(path, uid=0)
    assert done.stdout.splitlines()[-1] == str(path / "chromium"), done
    updated, installed = said.read_text().splitlines()
    assert updated.endswith("update -qq")
    assert installed.endswith("chromium fonts-noto-color-emoji")


def test_one_sentence_where_none_is_to_be_had(path: Path, tmp_path: Path) -> None:
    said = tmp_path / "said"
    program(path / "apt-get", APT.format(said=said, folder=path))
    done = get(path)
    assert done.returncode == 1
    assert done.stderr == f"{chromium.MISSING}\n"
    assert not said.exists(), "apt-get is root's"


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
