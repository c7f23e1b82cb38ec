"""Shows in the terminal how a request goes on: a bar on a terminal, lines of text elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.core.request import Request, State

LOOK_SECONDS = 0.5
"""Between two readings of the store. The bot edits its progress message less often than that."""

DONE = 100

SHARE = {State.CHECKING: 5, State.PENDING: 10, State.APPROVED: 20, State.DELETING: 30}
"""How full the bar is before the appliance has a task, in percent; the task's progress fills the
rest. It shows the order of the steps, not their time: most of that is spent waiting for people."""


def follow(
    read: Callable[[], Request],
    wait: Callable[[float], None],
    console: Console,
) -> Request:
    """Show the request until it has ended, and return it as it is then. What `read` and `wait`
    raise is passed on."""
    if not console.is_terminal:
        last = ""
        for request in _changes(read, wait):
            if (line := f"{request.id} {_words(request)}") != last:
                console.print(line, markup=False, highlight=False, soft_wrap=True)
                last = line
        return request
    columns = (
        TextColumn("{task.fields[request]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=DONE, request="", words="")
        for request in _changes(read, wait):
            progress.update(
                bar, completed=share(request), request=request.id, words=_words(request)
            )
    return request


def share(request: Request) -> int:
    """How far the request is, in percent; 100 when it has ended, whatever the outcome."""
    if not request.state.open:
        return DONE
    if request.state is not State.FOLLOWING:
        return SHARE[request.state]
    begun = SHARE[State.DELETING] + 5
    progress = request.task.progress if request.task and request.task.progress is not None else 0
    return begun + (DONE - 1 - begun) * progress // 100


def _changes(read: Callable[[], Request], wait: Callable[[float], None]) -> Iterator[Request]:
    while True:
        request = read()
        yield request
        if not request.state.open:
            return
        wait(LOOK_SECONDS)


def _words(request: Request) -> str:
    words = [request.state.value]
    if request.state is State.PENDING:
        words.append(f"{len(request.approvals)} of {request.terms.approvals_required} approvals")
    if request.state is State.FOLLOWING and request.task is not None:
        progress = f" {request.task.progress} %" if request.task.progress is not None else ""
        words.append(f"task {request.task.status}{progress}")
    if request.outcome is not None:
        words.append((request.correction or request.outcome).code)
    return ", ".join(words)
