"""`vr-unpair requests` and `vr-unpair show`: requests, their histories, and what Slack does not
show and why, as tables in a terminal; elsewhere as plain lines.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.operate.json_and_csv import as_json, iso, printable
from bot.request.audit_chain import Record
from bot.request.messages import Slot, Unsaid
from bot.request.model import Request

_ACCOUNT = "Slack refuses the bot's token or its scopes: `vr-unpair check` tells which"
_NOT_THERE = "the bot is not in the channel: /invite it there"

WHY = {
    **dict.fromkeys(("account_inactive", "invalid_auth", "missing_scope"), _ACCOUNT),
    **dict.fromkeys(("not_authed", "token_expired", "token_revoked"), _ACCOUNT),
    **dict.fromkeys(("channel_not_found", "not_in_channel"), _NOT_THERE),
    "answer_lost": "Slack did not say whether it took it, six times: it may be there",
    "answer_lapsed": "it could be given for 30 minutes only, and nobody needs it later",
    "card_not_posted_yet": "its card is not in Slack yet",
    "message_not_found": "somebody has deleted it in Slack",
    "messages_tab_disabled": "the app's messages tab is off: switch it on under App Home",
    "not_drawn": "the bot has failed to write it: `not_drawn` in its log says why",
    "ratelimited": "Slack has asked the bot to wait",
}
"""What says more than the word itself, which stands beside it."""

NO_ANSWER = re.compile(r"http_\d+|[A-Z]\w+")
"""An HTTP status without an error code of Slack, or the name of an exception of the connection."""


def why_unsaid(message: Unsaid) -> str:
    """In one sentence. The slot, which stands beside it, tells which message it is."""
    stands = "It stands in Slack in an older form" if message.posted else "It is not in Slack yet"
    if message.error is None:
        return f"{stands}: it waits for its turn."
    why = "Slack does not take it"
    if NO_ANSWER.fullmatch(message.error):
        why = "Slack gives no answer, or none of its own"
    why = f"{WHY.get(message.error, why)} (`{message.error}`)"
    if message.due_at is not None:
        return f"{stands}: {why}. It is tried again."
    if message.posted:
        return f"It is not edited any more: {why}."
    instead = " It went to each who asked or decided as a direct message instead."
    sent = instead if message.slot in (Slot.FINAL, Slot.CORRECTION) else ""
    return f"It is not in Slack and is not tried again: {why}.{sent}"


def unsaid_json(message: Unsaid) -> dict[str, Any]:
    return {
        "slot": message.slot,
        "error": message.error,
        "tries": message.attempts,
        "since": iso(message.since),
        "next_try": iso(message.due_at),
        "sentence": why_unsaid(message),
    }


_WORD = re.compile(r"[\w.:@/+#-]*")
"""What can be told without quotation marks: an id, a state, a time, a number."""

_QUOTES = str.maketrans("“”", "''")

PIPED = 100_000
"""Width when the output is not a terminal: `grep` would not find a name that is folded."""

NAME_WHOLE = 24
"""Names of sites in a pairing's title up to this length are never folded. Longer ones may be, or
they would leave no room for the other columns."""

TIME_HALF = 10
"""A narrow terminal shows the day on one line and the time on the next."""

WHO = 11
"""An id of Slack's is not folded."""

REASON_SHOWN = 72
"""How much of a reason stands in a list."""


def stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPED)


def print_tables(console: Console, *tables: Table) -> None:
    """Prints them with an empty line between two tables."""
    for number, table in enumerate(tables):
        if number:
            console.print()
        if table.show_header:
            _fit(table, console.width)
        if console.is_terminal:
            console.print(table)
            continue
        with console.capture() as drawn:
            console.print(table)
        # rich pads every line with spaces to the length of the longest one.
        for line in drawn.get().splitlines():
            console.file.write(f"{line.rstrip()}\n")


def _fit(table: Table, width: int) -> None:
    """Each column's width, so that none falls off the right edge: rich shrinks the widest first,
    below its least width, and then cuts the line. What people wrote gets the room that is left,
    from the last column on."""
    columns = table.columns
    whole = [max(cell_len(str(cell)) for cell in (c.header, *c.cells)) for c in columns]
    least = [min(wide, c.min_width or wide) for wide, c in zip(whole, columns, strict=True)]
    room = width - len("  ") * (len(whole) - 1) - sum(least)
    widest = least.index(max(least))
    for number in reversed(range(len(whole))):
        more = min(whole[number] - least[number], max(room, 0))
        column = columns[number]
        column.min_width = column.width = least[number] + more
        room -= more
    if room < 0:
        column = columns[widest]
        column.min_width = column.width = max(1, least[widest] + room)


def requests_table(found: Sequence[Request]) -> Table:
    """A column that would be the same in every line is left out: a single site, "no" for force, or
    no time for the delete."""
    sites = len({r.site for r in found}) > 1 or any(r.terms.several for r in found)
    force, scheduled = any(r.force for r in found), any(r.scheduled_at for r in found)
    names = [len(half) for r in found for half in printable(_quoted(r.title)).split(" → ")]
    name = min(max(names, default=0), NAME_WHOLE)
    columns: list[tuple[str, int | None, Callable[[Request], str]]] = [
        ("id", None, lambda r: r.id),
        ("state", None, lambda r: r.state.value),
        *([("site", 1, lambda r: r.site)] if sites else []),
        ("pairing", name + len(" →"), lambda r: _quoted(r.title)),
        *([("force", None, lambda r: "yes" if r.force else "no")] if force else []),
        ("requester", None, lambda r: r.requester),
        ("asked at", TIME_HALF, lambda r: _at(r.created_at)),
        *([("not before", TIME_HALF, lambda r: _at(r.scheduled_at))] if scheduled else []),
        ("reason", TIME_HALF, lambda r: _cut(r.reason)),
    ]
    table = _table([(name, least) for name, least, _ in columns])
    for request in found:
        _add(table, *(cell(request) for _, _, cell in columns))
    return table


def facts_table(request: Request, ended: Sequence[str]) -> Table:
    """What there is of one request, one fact in each line, by its name in `--json`. `ended`: how it
    ended, in Slack's own words, and what to do next."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    facts: dict[str, Any] = dict.fromkeys(("id", "state", "outcome"))  # these first
    facts |= as_json(request)
    facts["outcome"] = " ".join(map(plain, ended))
    facts["task"] = request.task and request.task.model_dump(exclude_none=True)
    for name, value in facts.items():
        if value is not False and value not in (None, "", []):  # but "0 DELETEs"
            told = value if name == "outcome" else _words(value)  # the outcome is in our words
            _add(table, name.replace("_", " "), "yes" if value is True else told)
    return table


def plain(markup: str) -> str:
    """Slack's markup as text: ids for mentions, the words of a time, and no marks but those around
    what others wrote (Slack docs, formatting text)."""
    text = re.sub(r"```\n(.*?)\n```", lambda words: _quoted(words[1]), markup, flags=re.DOTALL)
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<[@#!]?(?:subteam\^)?([^|>]*)(?:\|[^>]*)?>", r"\1", text)
    text = re.sub(r"\*([^*\n]+)\*", r"\1", text)
    return html.unescape(" ".join(text.split()))


def history_table(records: Iterable[Record]) -> Table:
    """One line for each event."""
    table = _table([("no.", None), ("at", TIME_HALF), ("who", WHO), ("what", 1)])
    for record in records:
        moved = record.after not in (None, record.before, record.action)
        what = f"{told(record)}{f' → {record.after}' if moved else ''}"
        _add(table, str(record.number), _at(record.at), record.actor, what)
    return table


def unsaid_table(messages: Iterable[Unsaid]) -> Table:
    times = (("since", TIME_HALF), ("next try", TIME_HALF))
    table = _table([("not said in Slack", WHO), *times, ("why", 1)])
    for message in messages:
        due = _at(message.due_at) or "none"
        _add(table, message.slot, _at(message.since), due, why_unsaid(message))
    return table


def _at(ms: int | None) -> str:
    """In whole seconds; the JSON has milliseconds."""
    text = iso(ms)
    return f"{text[:10]} {text[11:19]}Z" if text else ""


def _cut(reason: str) -> str:
    """`show` and `--json` have all of it."""
    whole = printable(reason)
    short = whole if len(whole) <= REASON_SHOWN else f"{whole[: REASON_SHOWN - 1]}…"
    return _quoted(short) if short else ""


def _quoted(text: str) -> str:
    """What people or the appliance wrote: a machine may be called "Approved by security"."""
    return f"“{' '.join(text.split()).translate(_QUOTES)}”"


def _table(columns: Iterable[tuple[str, int | None]]) -> Table:
    """With the names of its columns, and how narrow each may become; None: it is never folded."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, least in columns:
        table.add_column(name, overflow="fold", no_wrap=least is None, min_width=least)
    return table


def _add(table: Table, *cells: str) -> None:
    """A row of plain text: rich takes neither markup nor emoji from it, a terminal no escape."""
    table.add_row(*(Text(printable(cell)) for cell in cells))


# --- One record of the audit trail in words

SENTENCES = {
    "asked": "asked to break {pairing}",
    "checked": "read the pairing {pairing}",
    "card_posted": "posted the card",
    "card_held_up": "the card is held up: Slack says {error}",
    "card_refused": "the card was refused: Slack says {error}",
    "reminded": "reminded those who may decide",
    "modal_opened": "opened a form",
    "approved_by": "approved",
    "approved": "enough approvals, by {people}",
    "denied": "denied",
    "cancelled": "withdrew it",
    "cancel_refused": "withdrew it, too late",
    "click_refused": "pressed {click}, which did not count ({why})",
    "glass_broken": "broke the glass",
    "glass_lost": "breaking the glass counts no longer",
    "rights_lost": "approvals count no longer",
    "approval_void": "too few approvals are left",
    "waits": "waits",
    "told_ahead": "told what is there now, ahead of the time for the DELETE",
    "intent": "DELETE: about to be sent, approved by {people}",
    "accepted": "DELETE: accepted, task {task} is {status}",
    "answered": "DELETE: answered",
    "not_accepted": "DELETE: not accepted",
    "task_adopted": "task {task} is taken for this DELETE's, it is {status}",
    "task_not_ours": "task {task} is somebody else's",
    "task": "task {task} is {status}",
    "came_late": "came too late and changed nothing",
    "look_asked": "asked to look again",
    "looked": "looked again and found {found}",
    "settled": "said that it is settled",
    "corrected": "corrected the outcome ({why})",
}
"""By action. What they name of the detail is not told again behind them."""

UNTOLD = frozenset({"channel", "compared", "complete", "dry_run", "fingerprint", "site"})
"""For machines, or in the facts above the history: `--json` has it."""


def told(record: Record) -> str:
    """What happened, and what the record holds of it, in one line of words. An action of another
    version is told by its own name. The caller makes it printable."""
    detail = record.detail
    template = SENTENCES.get(record.action, "")
    named = {name: _words(value) for name, value in detail.items()}
    used = {field for _, field, _, _ in Formatter().parse(template) if field}
    sentence = template.format_map(defaultdict(lambda: "?", named)) or record.action.replace(
        "_", " "
    )
    if detail.get("force") is True:
        sentence += ", one-sided"
    more = [
        _more(name, _through_groups(value, record.actor) if name == "through" else value)
        for name, value in detail.items()
        if name not in used | UNTOLD
    ]
    rest = "; ".join(text for text in more if text)
    return f"{sentence}: {rest}" if rest else sentence


def _through_groups(through: Any, by: str) -> Any:
    """Through which entries approvals counted, without those that are the person's own id."""
    if isinstance(through, Mapping):
        return {who: entry for who, entry in through.items() if entry != who}
    return "" if through == by else through


def _more(name: str, value: Any) -> str:
    if name == "problem" and isinstance(value, Mapping):
        return _problem(value)
    if name in ("force", "pairing_id") or value in (None, "", [], {}, False, 0):
        return ""
    if name == "replications" and isinstance(value, int):
        return f"{value} replication{'' if value == 1 else 's'}"
    label = name.replace("_", " ")
    if value is True:
        return label
    words = _words(value)
    return words if name in ("reason", "why", "words") else f"{label} {words}"


def _problem(problem: Mapping[str, Any]) -> str:
    """Our sentence, and the vendor's own words as they came."""
    told = [str(problem.get("text", "")).rstrip(".")]
    told += [f"HTTP {problem['status']}"] if problem.get("status") else []
    told += [
        f"{k} {_words(problem[k])}" for k in ("error_code", "message", "op_id") if problem.get(k)
    ]
    return ", ".join(text for text in told if text)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    text = str(value)
    return text if _WORD.fullmatch(text) else _quoted(text)
