"""The sentence that `show` has for each record of the audit trail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.request.audit_chain import Record

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
    sentence = SENTENCES.get(record.action, record.action.replace("_", " "))
    named = {name: _words(value) for name, value in detail.items()}
    used = set(re.findall(r"\{(\w+)\}", sentence)) if record.action in SENTENCES else set()
    if used:
        sentence = re.sub(r"\{(\w+)\}", lambda place: named.get(place[1], "?"), sentence)
    if detail.get("force") is True:
        sentence += ", one-sided"
    more = [_more(name, value) for name, value in detail.items() if name not in used | UNTOLD]
    rest = "; ".join(text for text in more if text)
    return f"{sentence}: {rest}" if rest else sentence


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
    told += [f"{k} {problem[k]}" for k in ("error_code", "message", "op_id") if problem.get(k)]
    return ", ".join(text for text in told if text)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return str(value)
