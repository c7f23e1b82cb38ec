"""The settings that the life of a request depends on, as plain values."""

from __future__ import annotations

import re

from bot.core.frozen import Frozen
from bot.core.request import Terms


class SiteTerms(Frozen):
    """One appliance, as far as requests depend on it."""

    appliance: str
    poll_ms: int
    timeout_ms: int


class Policy(Frozen):
    """What is in force now, in this process. `requesters` and `channels` None: any."""

    approvers: frozenset[str]
    approvals_required: int
    force_approvals_required: int
    notify: tuple[str, ...]
    requesters: frozenset[str] | None
    channels: frozenset[str] | None
    require_reason: bool
    reason_pattern: str | None
    approval_ttl_ms: int
    execution_ttl_ms: int
    follow_ttl_ms: int
    remind_after_ms: int
    dry_run: bool
    label: str
    sites: dict[str, SiteTerms]

    def required(self, *, force: bool) -> int:
        return self.force_approvals_required if force else self.approvals_required

    def terms(self, site: str, *, force: bool) -> Terms:
        """What a request made now is bound to."""
        at = self.sites[site]
        return Terms(
            approvals_required=self.required(force=force),
            approval_ttl_ms=self.approval_ttl_ms,
            execution_ttl_ms=self.execution_ttl_ms,
            follow_ttl_ms=self.follow_ttl_ms,
            remind_after_ms=self.remind_after_ms,
            poll_ms=at.poll_ms,
            timeout_ms=at.timeout_ms,
            dry_run=self.dry_run,
            notify=self.notify,
            label=self.label,
            appliance=at.appliance,
        )

    def reason_fits(self, reason: str) -> bool:
        """`REASON_PATTERN` is searched for anywhere: a change number stands within words."""
        if self.reason_pattern is None:
            return True
        return re.search(self.reason_pattern, reason) is not None
