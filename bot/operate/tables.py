"""Requests, their histories and how they go on, drawn in a terminal; elsewhere as plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.operate.record_sentences import told
from bot.operate.show import iso, printable, sentence
from bot.request.audit_chain import Record
from bot.request.messages import Unsaid
from bot.request.model import Request, State

NARROW = 120
"""On terminals with fewer columns, texts of two halves are put on two lines."""

PIPED = 100_000
"""Width when the output is not a terminal: `grep` would not find a name that is folded."""

NAME_WHOLE = 24
"""Names of sites in a pairing's title up to this length are never folded. Longer ones may be, or
they would leave no room for the other columns."""

REASON_SHOWN = 72
"""How much of a reason stands in a list."""

LOOK_SECONDS = 0.5
"""Between two readings of the store. The bot edits its progress message less often than that."""

DONE = 100

SHARE = {State.CHECKING: 5, State.PENDING: 10, State.APPROVED: 20, State.DELETING: 30}
"""How full the bar is before the appliance has a task, in percent; the task's progress fills the
rest. It shows the order of the steps, not their time: most of that is spent waiting for people."""


def stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPED)


def print_tables(console: Console, *tables: Table) -> None:
    """Prints them with an empty line between two tables."""
    for number, table in enumerate(tables):
        if number:
            console.print()
        if console.is_terminal:
            console.print(table)
            continue
        with console.capture() as drawn:
            console.print(table)
        # rich pads every line with spaces to the length of the longest one.
        for line in drawn.get().splitlines():
            console.file.write(f"{line.rstrip()}\n")


def requests_table(requests: Iterable[Request], width: int = PIPED) -> Table:
    """A column that would be the same in every line is left out: a single site, "no" for force, or
    no time for the delete."""
    found = list(requests)
    sites = len({r.site for r in found}) > 1 or any(r.terms.several for r in found)
    force, scheduled = any(r.force for r in found), any(r.scheduled_at for r in found)
    names = [half for r in found for half in printable(r.title).split(" → ")]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("state", no_wrap=True)
    if sites:
        table.add_column("site", overflow="fold")
    whole = max(map(len, names), default=0) <= NAME_WHOLE
    table.add_column("pairing", overflow="fold", no_wrap=whole)
    if force:
        table.add_column("force", no_wrap=True)
    table.add_column("requester", overflow="fold", no_wrap=True)
    table.add_column("asked at", no_wrap=True)
    if scheduled:
        table.add_column("not before", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for request in found:
        cells = [request.id, request.state.value]
        cells += [printable(request.site)] if sites else []
        cells.append(_halves(printable(request.title), " → ", width))
        cells += ["yes" if request.force else "no"] if force else []
        cells += [request.requester, _time(request.created_at, width)]
        at = request.scheduled_at
        cells += [_time(at, width) if at is not None else ""] if scheduled else []
        cells.append(_cut(request.reason))
        _add(table, *cells)
    return table


def _cut(reason: str) -> str:
    """`show` and `--json` have all of it."""
    whole = printable(reason)
    return whole if len(whole) <= REASON_SHOWN else f"{whole[: REASON_SHOWN - 1]}…"


def facts_table(request: Request, ended: Sequence[str] = ()) -> Table:
    """What somebody asks about one request, one fact in each line; `--json` has the rest. `ended`:
    how it ended, in words, and what to do next."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _facts(request, ended):
        if value:
            _add(table, name, printable(value))
    return table


def _facts(request: Request, ended: Sequence[str]) -> Iterator[tuple[str, str]]:
    terms, task = request.terms, request.task
    yield "request", request.id
    yield "state", f"{request.state.value}{' (dry run: no DELETE is sent)' * terms.dry_run}"
    yield "outcome", " ".join(ended)
    yield "pairing", _beside(request.title, request.pairing_id)
    yield "site", _beside(request.site, terms.appliance) if terms.several else ""
    count = request.snapshot.count if request.snapshot else None
    yield "replications", "" if count is None else str(count)
    yield "one-sided", "yes: the other site keeps its half" if request.force else ""
    yield "asked by", f"{request.requester} in {request.channel}, {_at(request.created_at)}"
    yield "reason", request.reason
    yield "time asked for", "" if request.scheduled_at is None else _at(request.scheduled_at)
    by = [d.by for d in request.approvals]
    yield "approvals", f"{len(by)} of {terms.approvals_required}{': ' * bool(by)}{', '.join(by)}"
    for name, decision in (
        ("glass broken by", request.glass),
        ("denied by", request.denial),
        ("withdrawn by", request.cancellation),
    ):
        why = f": {decision.reason}" if decision and decision.reason else ""
        yield name, f"{decision.by}, {_at(decision.at)}{why}" if decision else ""
    sent, accepted = request.deletes_sent, request.deletes_accepted
    yield "DELETEs", f"{sent} sent, {accepted} accepted"
    progress = "" if task is None or task.progress is None else f", {task.progress} %"
    yield "task", f"{task.id}: {task.status}{progress}" if task else ""
    error = (task.error_message, task.error_details) if task else ()
    yield "task's error", "; ".join(text for text in error if text)
    undecided = request.state is State.PENDING and request.decide_by is not None
    yield "to decide until", _at(request.decide_by or 0) if undecided else ""
    yield "ended", "" if request.ended_at is None else _at(request.ended_at)


def history_table(records: Iterable[Record], width: int = PIPED) -> Table:
    """One line for each event."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("no.", "at", "who", "what"):
        table.add_column(column, overflow="fold", no_wrap=column in ("no.", "at"))
    for record in records:
        moved = record.after not in (None, record.before, record.action)
        what = f"{told(record)}{f' → {record.after}' if moved else ''}"
        _add(
            table,
            str(record.number),
            _time(record.at, width),
            printable(record.actor),
            printable(what),
        )
    return table


def unsaid_table(messages: Iterable[Unsaid], width: int = PIPED) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("not said in Slack", "since", "next try", "why"):
        table.add_column(column, overflow="fold")
    for message in messages:
        due = "none" if message.due_at is None else _time(message.due_at, width)
        _add(table, message.slot, _time(message.since, width), due, printable(sentence(message)))
    return table


def _at(ms: int) -> str:
    """In whole seconds; the JSON has milliseconds."""
    return f"{(iso(ms) or '')[:19]}Z".replace("T", " ")


def _time(ms: int, width: int) -> str:
    return _halves(_at(ms), " ", width)


def _beside(name: str, known_as: str | None) -> str:
    """A name with the id that belongs to it, where both are known."""
    return f"{name} ({known_as})" if known_as and known_as != name else name


def _halves(text: str, at: str, width: int) -> str:
    """On a narrow terminal the second half gets a line of its own."""
    return text.replace(at, f"{at.rstrip()}\n", 1) if width < NARROW else text


def _add(table: Table, *cells: str) -> None:
    """A row of plain text: rich takes neither markup nor emoji from it."""
    table.add_row(*map(Text, cells))


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
    return printable(", ".join(words))
