"""What takes long says so, on a terminal alone."""

from __future__ import annotations

import io
import threading

import pytest

from bot.cli_terminal import Progress


class Terminal(io.StringIO):
    """`written` is set when something is."""

    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self._terminal = terminal
        self.written = threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        done = super().write(text)
        self.written.set()
        return done


def test_a_terminal_is_told_and_left_clean(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    with Progress("Verifying", stream=terminal, silent_seconds=0.001) as progress:
        assert terminal.written.wait(60)
        progress.print("a line")
    first = terminal.getvalue().split("\r\x1b[2K")
    assert first[1] == "Verifying … 0 s"
    assert terminal.getvalue().endswith("\r\x1b[2K")
    assert capsys.readouterr() == ("a line\n", "")


def test_what_is_quick_and_what_is_no_terminal_stays_clean() -> None:
    quick, pipe, own = Terminal(), Terminal(terminal=False), Terminal()
    with Progress("Verifying", stream=quick, silent_seconds=1000):
        pass
    with Progress("Verifying", stream=pipe, silent_seconds=0.001) as progress:
        assert not progress.runs
    with Progress("Exporting", stream=own, silent=True, silent_seconds=0.001) as progress:
        assert not progress.runs
    assert [stream.getvalue() for stream in (quick, pipe, own)] == ["", "", ""]
