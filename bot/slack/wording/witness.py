"""The line of the final reply that makes Slack a witness of the audit trail."""

from __future__ import annotations

from bot.core.audit import Witness


def witness_words(witness: Witness) -> str:
    """As `vr-unpair audit verify --head` takes it; the number is the one that the export shows."""
    return f"Audit trail: record {witness.number}, head `{witness.short}`."
