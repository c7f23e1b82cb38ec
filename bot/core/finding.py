"""What was found of one thing that the bot needs: a line of `vr-unpair check`, a hint of
`/readyz`."""

from __future__ import annotations

from enum import StrEnum

from bot.core.frozen import Frozen


class Standing(StrEnum):
    """`NOTE` is fine, but worth reading. `SKIPPED` could not be looked at for a reason that another
    line names, so it does not count as a failure of its own."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    SKIPPED = "skipped"


class Finding(Frozen):
    """`name` is the line's own and stable (`slack-scope`), `about` which of several (`chat:write`).

    `words` say what was found, `next_step` what to do about it. `final`: waiting can never make it
    right, so the bot does not go on with it. No field holds a secret.
    """

    name: str
    standing: Standing
    about: str = ""
    words: str = ""
    next_step: str = ""
    final: bool = False

    @property
    def ok(self) -> bool | None:
        """None for what was not looked at."""
        if self.standing is Standing.SKIPPED:
            return None
        return self.standing is not Standing.WRONG

    @property
    def key(self) -> str:
        """Which line this is, over several looks."""
        return f"{self.name} {self.about}".strip()


def fine(name: str, words: str = "", *, about: str = "") -> Finding:
    return Finding(name=name, standing=Standing.OK, about=about, words=words)


def note(name: str, words: str, next_step: str = "", *, about: str = "") -> Finding:
    return Finding(name=name, standing=Standing.NOTE, about=about, words=words, next_step=next_step)


def wrong(
    name: str, words: str, next_step: str, *, about: str = "", final: bool = False
) -> Finding:
    return Finding(
        name=name,
        standing=Standing.WRONG,
        about=about,
        words=words,
        next_step=next_step,
        final=final,
    )


def skipped(name: str, needs: str, *, about: str = "") -> Finding:
    """`needs`: the line that has to be right first."""
    return Finding(name=name, standing=Standing.SKIPPED, about=about, words=f"needs {needs}")
