"""Where the browser is, how a machine gets one, and how it is started so that it speaks to nobody
but the demo. `python -m tests.whole.browser.chromium` sees to it that there is one for
`make test`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = (
    "The browser tests need Chromium, and none could be had here: install it"
    " (Debian and Ubuntu: apt-get install chromium; elsewhere: .venv/bin/playwright install"
    " chromium), or run the tests that need none with"
    " .venv/bin/python -m pytest --ignore=tests/whole/browser."
)
PACKAGES = ("chromium", "fonts-noto-color-emoji")

FLAGS = (
    # CI runs as root, where Chromium refuses to start with its sandbox. It opens our page only.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):
    """With what to install."""


def find() -> str:
    """The path of a browser that starts: the system's, else Playwright's own. Raises
    ChromiumMissing. Not within `sync_playwright`."""
    for path in map(shutil.which, NAMES):
        if path and starts(path):
            return path
    if starts(of_playwright()):
        return of_playwright()
    raise ChromiumMissing(MISSING)


@cache
def of_playwright() -> str:
    """Where its own is, or would be: asked once, since its start takes a second."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(path: str) -> bool:
    """Without the system's libraries, or as the stand-in of a snap, a browser is there and of no
    use."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return done.returncode == 0


def by_playwright() -> None:
    print("getting Chromium by Playwright, for the browser tests", flush=True)
    # A network that drops everything silently is given up after some seconds for each address.
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000", **os.environ}
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        env=environment,
        capture_output=True,
        check=False,
    )


def by_apt() -> None:
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return
    print("getting Chromium by apt-get, for the browser tests", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
    for arguments in (("update", "-qq"), install):
        subprocess.run(
            [apt, "-o", "DPkg::Lock::Timeout=300", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )


WAYS: tuple[Callable[[], None], ...] = (by_playwright, by_apt)


def get() -> str:
    """As `find`, after everything has been tried that gets one. Raises ChromiumMissing."""
    for way in WAYS:
        try:
            return find()
        except ChromiumMissing:
            way()
    return find()


@contextmanager
def browser() -> Iterator[Browser]:
    """One browser for many pages. Raises ChromiumMissing."""
    path = find()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


if __name__ == "__main__":
    try:
        get()
    except ChromiumMissing as error:
        sys.exit(str(error))
