"""One browser for all tests, one stage (servers, bot, page) for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from sandbox.page.page_server import Page
from sandbox.page.stage import Stage
from tests.support.forked.process import ForkedBot
from tests.whole.browser import chromium
from tests.whole.browser.visitor import Visitor

TASK_SECONDS = 3.0
QUICK = {"VR_POLL_SECONDS": "0.5", "VR_CALLS_PER_MINUTE": "1000"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        chromium.find()
    except chromium.ChromiumMissing as error:
        pytest.fail(str(error))
    with chromium.browser() as started:
        yield started


class QuickStage(Stage):
    process = ForkedBot


@pytest.fixture
def stage() -> Iterator[Stage]:
    with QuickStage(task_seconds=TASK_SECONDS, more=QUICK) as entered:
        yield entered


@pytest.fixture
def served(stage: Stage) -> Iterator[Page]:
    with Page(stage) as page:
        yield page


Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(browser: Browser, served: Page) -> Iterator[Arrive]:
    """Opens a window; at the end no window has complained or asked anybody else for anything."""
    visitors: list[Visitor] = []

    def one(**how: Any) -> Visitor:
        visitors.append(Visitor.arrives(browser, served, **how))
        return visitors[-1]

    yield one
    for visitor in visitors:
        visitor.leaves()
    assert [c for visitor in visitors for c in visitor.complaints] == []
    assert [s for visitor in visitors for s in visitor.strangers] == []


@pytest.fixture
def visitor(arrive: Arrive) -> Visitor:
    return arrive()
