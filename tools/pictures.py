"""The pictures of the documentation, made anew from the real page: `make pictures`.

`pictures.json` beside them keeps what they show as words, so that a test can tell when they are
older than the page.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, expect

from sandbox.page import page_server
from sandbox.page.stage import Stage
from tests.whole.browser import chromium
from tests.whole.browser.visitor import PHONE, Visitor

FOLDER = Path(__file__).parents[1] / "docs"
WORDS = FOLDER / "pictures.json"
MOST_BYTES = 200_000
TASK_SECONDS = 3.0
WINDOW = (1280, 900)
TALL_PHONE = (PHONE[0], 1100)

EDITED = "(edited)"
"""Whether the progress message was, where all is over at once, depends on the machine."""

Shots = dict[str, bytes]
Words = dict[str, list[str]]

_CHANGING = re.compile(
    r"\b(today|tomorrow|yesterday)? ?\d\d:\d\d(:\d\d)?\b"  # times
    r"|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b"  # request ids
    r"|127\.0\.0\.1:\d+"
    r"|[0-9a-f]{8}-[0-9a-f-]{27}"  # ids of the appliance
    r"|\brecord \d+\b"  # of the audit trail, and its head
    r"|\b[0-9a-f]{16}\b"
)


@dataclass
class Album:
    """The pictures of one run, and the words on them with everything masked that always differs."""

    shots: Shots
    words: Words

    def add(self, name: str, visitor: Visitor, shown: str = "#slack") -> None:
        """The whole window where `shown` is the body, else that part of it."""
        visitor.page.mouse.move(0, 0)
        part = visitor.page.locator(shown)
        self.shots[name] = small(part.screenshot(animations="disabled", caret="hide"))
        words = visitor.page.locator("#log" if shown in ("body", "#slack") else shown).inner_text()
        lines = (_CHANGING.sub("…", line).strip() for line in words.splitlines())
        self.words[name] = [line for line in lines if line not in ("", EDITED)]


def small(png: bytes) -> bytes:
    """With 256 colours, which for text on plain ground nobody sees, a third of the bytes."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as shot, shot.convert("RGB") as plain:
        plain.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def take(browser: Browser, stage: Stage, served: page_server.Page) -> Album:
    """Plays the stories that the pictures show."""
    album = Album({}, {})

    def arrives(
        size: tuple[int, int], scheme: Literal["light", "dark"], scale: float = 1
    ) -> Visitor:
        return Visitor.arrives(browser, served, size, scheme, device_scale_factor=scale)

    desk, phone = arrives(WINDOW, "light"), arrives(TALL_PHONE, "dark", 1.5)
    desk.page.get_by_role("button", name="Send").click()
    expect(desk.button("unpair_approve")).to_be_visible()
    desk.becomes("Alan")
    expect(desk.alone).to_have_count(0)
    album.add("card", desk)
    desk.presses("unpair_deny")
    expect(desk.dialog).to_be_visible()
    album.add("modal", desk, "#modal")
    desk.page.keyboard.press("Escape")
    expect(desk.dialog).to_have_count(0)
    desk.approves()
    expect(desk.end).to_contain_text("The pairing is gone.")
    expect(desk.thread.locator(".message").first).to_contain_text("The final reply")
    phone.becomes("Alan")
    expect(phone.end).to_be_visible()
    settle(desk, phone)
    album.add("demo-desktop-light", desk, "body")
    album.add("demo-phone-dark", phone, "body")
    desk.changes("Put it back", "berlin → prague")
    desk.turns("Next DELETE", "403 no permission")
    desk.becomes("Rita")
    desk.types("/vr-unpair vcenter-prague second try")
    expect(desk.card).to_contain_text("Approvals:")
    desk.becomes("Alan")
    desk.approves()
    # First, since until the new thread is there the newest one is the old one.
    expect(desk.end).to_contain_text("NO_PERMISSION")
    expect(desk.thread.locator(".message").first).to_contain_text("❌ Failed. The final reply")
    settle(desk)
    desk.page.emulate_media(color_scheme="dark")
    album.add("failure", desk)
    for visitor in (desk, phone):
        visitor.leaves()
    return album


def settle(*visitors: Visitor) -> None:
    """Without what one person alone sees, which tells the story twice, and at the newest end."""
    for visitor in visitors:
        expect(visitor.alone).to_be_visible()
        for _ in range(visitor.page.locator(".message.alone").count()):
            visitor.page.get_by_role("button", name="Dismiss").first.click()
        expect(visitor.alone).to_have_count(0)
        visitor.page.locator("#log").evaluate("log => { log.scrollTop = log.scrollHeight; }")


def look() -> str:
    """What the page looks like, apart from its words."""
    return hashlib.sha256(Path(page_server.__file__).with_name("page.css").read_bytes()).hexdigest()


def make() -> None:
    """Raises ChromiumMissing."""
    with (
        chromium.browser() as browser,
        Stage(task_seconds=TASK_SECONDS, more={"VR_POLL_SECONDS": "1"}) as stage,
        page_server.Page(stage) as served,
    ):
        album = take(browser, stage, served)
    for name, shot in album.shots.items():
        if len(shot) > MOST_BYTES:
            raise SystemExit(f"{name}.png has {len(shot):,} bytes; {MOST_BYTES:,} is the most")
        (FOLDER / f"{name}.png").write_bytes(shot)
        print(f"docs/{name}.png  {len(shot) // 1024} kB")
    known = {"look": look(), "words": album.words}
    WORDS.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    make()
