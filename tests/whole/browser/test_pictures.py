"""The pictures in the documentation still show what there is."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

from sandbox.page.page_server import Page
from sandbox.page.stage import Stage
from tools import pictures

REMAKE = "the pictures in docs/ are older than what they show: run `make pictures`"


@pytest.mark.long
def test_the_pictures_show_what_there_is(browser: Browser, stage: Stage, served: Page) -> None:
    kept = json.loads(pictures.WORDS.read_text("utf-8"))
    album = pictures.take(browser, stage, served)
    for name, words in album.words.items():
        assert kept["words"].get(name) == words, f"{name}.png: {REMAKE}"
    assert kept["words"].keys() == album.words.keys(), REMAKE
    assert kept["look"] == pictures.look(), REMAKE


def test_each_picture_is_there_and_small() -> None:
    names = json.loads(pictures.WORDS.read_text("utf-8"))["words"]
    assert names
    for name in names:
        shot = (pictures.FOLDER / f"{name}.png").read_bytes()
        assert shot.startswith(b"\x89PNG\r\n")
        assert len(shot) <= pictures.MOST_BYTES
