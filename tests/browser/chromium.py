"""Where the browser is, and how it is started so that it speaks to nobody but the demo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = (
    "The browser tests need Chromium, and there is none: install it "
    "(Debian and Ubuntu: apt-get install chromium)."
)

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
    """The path of the browser. Raises ChromiumMissing."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise ChromiumMissing(MISSING)


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
