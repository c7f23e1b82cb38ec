"""The line of the final reply with the head of the audit trail, which makes Slack its witness."""

from __future__ import annotations

from bot.request.audit import Witness


def witness_words(witness: Witness) -> str:
    """The head in the form for `vr-unpair audit verify --head`. The number is the same as in the
    export."""
    return f"Audit trail: record {witness.number}, head `{witness.short}`."
