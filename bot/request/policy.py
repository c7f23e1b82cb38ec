"""The settings that the life of a request depends on, as plain values."""

from __future__ import annotations

from bot.request.events import Place
from bot.request.frozen import Frozen
from bot.request.model import Terms

PATTERN_SECONDS = 0.2
"""For REASON_PATTERN on one reason, in CPU time of the process. A pattern such as `(a+)+$` can take
years on forty letters, and whoever asks chooses the letters. What is not found by then counts as
not there. On a busy machine this time becomes seconds, and Slack waits for three."""


MINUTE_MS = 60_000


class SiteTerms(Frozen):
    """One appliance, as far as requests depend on it."""

    appliance: str
    poll_ms: int
    timeout_ms: int
    calls_per_minute: int = 40

    def pause_ms(self, followed: int) -> int:
        """Between two polls of a task, while so many are followed at this appliance by all copies
        of the bot: so long that all polls together take at most half of what it may be asked."""
        return max(self.poll_ms, followed * 2 * MINUTE_MS // self.calls_per_minute)

    def is_at(self, host: str) -> bool:
        """Whether this is the appliance that a request names, in whatever way that is written."""
        return _plain(host) == _plain(self.appliance)


def _plain(host: str) -> str:
    return host.casefold().removesuffix(":443").removesuffix(".")


class Policy(Frozen):
    """What is in force now, in this process. `requesters` and `channels` None: any; an empty
    `break_glass`: nobody."""

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
    break_glass: frozenset[str] = frozenset()

    def required(self, *, force: bool) -> int:
        return self.force_approvals_required if force else self.approvals_required

    def place(self, site: str) -> Place:
        """Raises KeyError for a site that is not in the settings."""
        at = self.sites[site]
        return Place(
            site=site, appliance=at.appliance, poll_ms=at.poll_ms, timeout_ms=at.timeout_ms
        )

    def terms(self, site: str, *, force: bool) -> Terms:
        """The terms of a request that is made now. If its site is not known yet, or not any more,
        the longest times of all sites: no appliance is called by them."""
        at = self.sites.get(site) or SiteTerms(
            appliance="",
            poll_ms=max(each.poll_ms for each in self.sites.values()),
            timeout_ms=max(each.timeout_ms for each in self.sites.values()),
        )
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
            break_glass=bool(self.break_glass),
            several=len(self.sites) > 1,
        )

    def channel_allowed(self, channel: str) -> bool:
        """Whether one may ask there: never in a direct message (`D…`), where nobody can decide."""
        if channel.startswith("D"):
            return False
        return self.channels is None or channel in self.channels

    def reason_missing(self, reason: str) -> bool:
        return self.require_reason and not reason.strip()

    def reason_fits(self, reason: str) -> bool:
        """`REASON_PATTERN` is searched for anywhere: a change number stands within words."""
        if self.reason_pattern is None:
            return True
        import regex  # type: ignore[import-untyped]  # 1 MB, for those who have set a pattern

        try:
            # `regex` releases the interpreter lock meanwhile: other people's clicks go on.
            found = regex.search(self.reason_pattern, reason, timeout=PATTERN_SECONDS)
        except TimeoutError:
            return False
        return found is not None
