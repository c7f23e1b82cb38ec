"""The card in every state, at a desk and on a phone, light and dark: to be looked at.

`python -m tools.gallery FOLDER` writes one for each, and a sheet of each kind. Nothing
is compared: whether somebody understands it at three in the morning is for eyes to say.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser

from bot.request.model import Decision, Request, State
from bot.request.pairing import digest_of
from bot.sandbox.page import page_server
from bot.sandbox.page.stage import CHANNEL, CHANNELS, Stage
from bot.sandbox.slack import chat_methods
from bot.slack.draw.message import draw
from tests.slack.cards.samples import (
    BY_STATE,
    HARD,
    MINUTE,
    NOW,
    SNAPSHOT,
    TERMS,
    decided,
    named,
    sample,
)
from tests.whole.browser import chromium
from tests.whole.browser.visitor import PHONE, Visitor

PEOPLE = {
    "UASKER": "Rita",
    "UFIRST": "Alan",
    "USECOND": "Anna",
    "UNO": "Nils",
    "UNOTIFY1": "Nora",
}
KINDS: tuple[tuple[str, tuple[int, int], Literal["light", "dark"]], ...] = (
    ("desk-light", (1280, 2000), "light"),
    ("desk-dark", (1280, 2000), "dark"),
    ("phone-light", (PHONE[0], 2400), "light"),
    ("phone-dark", (PHONE[0], 2400), "dark"),
)
SHEET_COLUMNS = 4

LARGE = sample(
    snapshot=SNAPSHOT.model_copy(
        update={
            "count": 500,
            "protected": 120,
            "replications_digest": digest_of([str(n) for n in range(500)]),
            "replications": named(
                *(f"{'very-long-name-of-a-virtual-machine-' * 3}{n:03d}"[-100:] for n in range(8))
            ),
        }
    )
)


def glass() -> dict[str, Request]:
    """With BREAK_GLASS set: the door, the door alone, broken, done, and the right to it lost."""
    terms = TERMS.model_copy(update={"break_glass": True})
    broken = Decision(by="UNO", at=NOW + MINUTE, reason="Oslo burns, INC0815")
    return {
        "glass-there": sample(terms=terms),
        "glass-alone": sample(terms=terms, only_glass=True),
        "glass-broken": sample(terms=terms, glass=broken, state=State.APPROVED),
        "glass-done": decided("proved", terms=terms, glass=broken).model_copy(
            update={"approvals": ()}
        ),
        "glass-lost": sample(terms=terms, glass_lost=broken),
    }


def requests() -> dict[str, Request]:
    """Name of the picture to the row; each with an id of its own, to be found by."""
    shown = {state.value: row for state, row in BY_STATE.items() if row.card_ts is not None}
    shown |= {"everything-to-be-warned-of": HARD, "500-replications": LARGE, **glass()}
    return {
        name: row.model_copy(update={"id": f"K7QM-{number:04d}"})
        for number, (name, row) in enumerate(shown.items())
    }


def hang(stage: Stage, rows: dict[str, Request]) -> None:
    """Posts the cards as the bot would, without waiting for Slack's rate limit."""
    for person, name in PEOPLE.items():
        stage.slack.add_person(name, id=person)
    workspace = stage.slack.workspace
    with workspace.changing():
        for row in rows.values():
            drawn = draw(row, "card")
            args: dict[str, Any] = {
                "channel": CHANNELS[CHANNEL],
                "text": drawn.text,
                "blocks": list(drawn.blocks),
            }
            chat_methods.post_message(workspace, args)


def take(
    browser: Browser, served: page_server.Page, rows: dict[str, Request], folder: Path
) -> None:
    for kind, size, scheme in KINDS:
        visitor = Visitor.arrives(browser, served, size, scheme, device_scale_factor=1)
        visitor.becomes("Alan")
        shots = []
        for name, row in rows.items():
            card = visitor.page.locator(".message:not(.alone)", has_text=row.id).last
            shots.append(card.screenshot(animations="disabled", caret="hide"))
            (folder / f"{name}-{kind}.png").write_bytes(shots[-1])
        sheet(shots).save(folder / f"sheet-{kind}.png")
        assert not visitor.complaints, visitor.complaints
        visitor.leaves()


def sheet(shots: list[bytes]) -> Image.Image:
    """All of one kind on one page, each column as long as its cards."""
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    width, gap = max(p.width for p in pictures), 12
    columns = [pictures[n::SHEET_COLUMNS] for n in range(SHEET_COLUMNS)]
    height = max(sum(p.height + gap for p in column) for column in columns)
    made = Image.new("RGB", (SHEET_COLUMNS * (width + gap), height), (128, 128, 128))
    for number, column in enumerate(columns):
        top = 0
        for picture in column:
            made.paste(picture, (number * (width + gap), top))
            top += picture.height + gap
    return made


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = requests()
    with chromium.browser() as browser, Stage() as stage, page_server.Page(stage) as served:
        hang(stage, rows)
        take(browser, served, rows, folder)
    print(f"{len(rows) * len(KINDS)} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
