"""Somebody at the page: looks, clicks and types there, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

from sandbox.page import page_server

DESKTOP, PHONE = (1440, 1000), (360, 740)
PATIENCE_MS = 30_000.0

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Visitor:
    """One window. `complaints` are console errors and exceptions of the page."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    @classmethod
    def arrives(
        cls,
        browser: Browser,
        served: page_server.Page,
        size: tuple[int, int] = DESKTOP,
        scheme: Literal["light", "dark"] = "light",
        **more: Any,
    ) -> Self:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **more
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = cls(context.new_page())
        visitor.page.on("console", visitor._console)
        visitor.page.on("pageerror", visitor._error)
        visitor.page.on("request", lambda r: visitor._asked(r.url, served.url))
        visitor.page.goto(served.url)
        return visitor

    def leaves(self) -> None:
        self.page.context.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _asked(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:")):
            self.strangers.append(url)

    # ---- acting -------------------------------------------------------------------------------

    def becomes(self, name: str) -> None:
        self.page.locator("#people label", has_text=name).click()

    def types(self, text: str) -> None:
        self.page.get_by_label("Message or command").fill(text)
        self.page.get_by_role("button", name="Send").click()

    def asks(self, site: str = "prague") -> None:
        """A request, whose card comes."""
        requests = self.page.locator("#requests details")
        before = requests.count()
        self.types(f"/vr-unpair vcenter-{site} moving")
        expect(requests).to_have_count(before + 1)
        expect(self.state).to_have_text("pending")
        expect(self.card).to_contain_text("Approvals:")

    def presses(self, action_id: str) -> None:
        self.button(action_id).click()

    def approves(self) -> None:
        """The button and the question behind it."""
        self.presses("unpair_approve")
        self.dialog.get_by_role("button", name="Approve").click()

    def turns(self, name: str, to: str) -> None:
        """One of the switches beside the channel, by its label and its position's label."""
        self.page.get_by_label(name).select_option(label=to)

    def changes(self, what: str, pairing: str) -> None:
        self.page.get_by_role("button", name=f"{what}: {pairing}").click()

    # ---- looking ------------------------------------------------------------------------------

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    @property
    def card(self) -> Locator:
        """The newest message of the bot in the channel that everybody sees."""
        return self.page.locator("#log > div > div:first-child > .message:not(.alone)").last

    @property
    def thread(self) -> Locator:
        return self.page.locator("#log .thread:has(.message)").last

    @property
    def end(self) -> Locator:
        """The final reply: the last one of the thread, that says what to do next."""
        return self.thread.locator(".message", has_text="Next:").last

    @property
    def alone(self) -> Locator:
        """The newest of what only this person sees."""
        return self.page.locator(".message.alone").last

    @property
    def state(self) -> Locator:
        """The newest request's state on the board."""
        return self.page.locator("#requests details").first.locator(".badge")

    @property
    def deletes(self) -> Locator:
        return self.page.locator("#deletes")

    def button(self, action_id: str) -> Locator:
        return self.card.locator(f"[data-action={action_id}]")

    def sees_no_cut_text(self) -> None:
        """Nothing is wider than the window, and no words stick out of a button or a field."""
        wide = self.page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter((node) => {
                if (!node.getClientRects().length || node.closest("#examples, #channels, .unseen"))
                    return false;
                const box = node.getBoundingClientRect();
                const cut = node.matches("button, .badge, h1, h2, h3, label, summary, td")
                    && node.scrollWidth > node.clientWidth + 1;
                return cut || box.left < -1 || box.right > innerWidth + 1;
            }).map((node) => `${node.tagName}.${node.className}: ${node.textContent}`)"""
        )
        assert wide == []
