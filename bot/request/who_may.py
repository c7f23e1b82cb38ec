"""Who may ask and who may decide, by the settings and by what Slack says of a person now.

Whatever is missing is a no: a person who could not be read, an unknown team, an empty list.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from bot.request import Frozen
from bot.request.pools import Pool
from bot.request.terms import Kept, Terms


class Person(Frozen):
    """What `users.info` says of somebody (Slack docs, users.info). `zone`: such as
    `Europe/Berlin`."""

    id: str
    team: str | None = None
    enterprise: str | None = None
    deleted: bool = False
    bot: bool = False
    guest: bool = False
    stranger: bool = False
    zone: str | None = None


class Home(Frozen):
    """The bot's own workspace (Slack docs, auth.test): whoever belongs elsewhere never counts."""

    team: str
    enterprise: str | None = None


class Reason(StrEnum):
    """Why somebody does not count, or `YES`."""

    YES = "yes"
    OWN_REQUEST = "own_request"
    NOT_LISTED = "not_listed"
    DEACTIVATED = "deactivated"
    BOT = "bot"
    GUEST = "guest"
    OTHER_WORKSPACE = "other_workspace"
    CHANNEL = "channel"
    UNREADABLE = "unreadable"
    GROUP_UNREADABLE = "group_unreadable"


OF_THE_WORKSPACE = frozenset({Reason.YES, Reason.NOT_LISTED, Reason.GROUP_UNREADABLE})
"""People of this workspace, whether or not they may decide."""


class Verdict(Frozen):
    """One person's right at one moment. `retry_at` (ms) where Slack said when to ask again.
    `through`: the entry that lists them, their own id or a user group. Of the right to approve:
    `pools` has that entry by the name of each pool that they are in, `unsaid` the pools of which
    Slack did not tell."""

    reason: Reason
    retry_at: int | None = None
    through: str | None = None
    pools: dict[str, str] = Field(default_factory=dict)
    unsaid: tuple[str, ...] = ()

    @property
    def yes(self) -> bool:
        return self.reason is Reason.YES

    @property
    def unread(self) -> bool:
        """Slack did not tell. It is a no now, and may be a yes later."""
        return self.reason in (Reason.UNREADABLE, Reason.GROUP_UNREADABLE)


UNREADABLE = Verdict(reason=Reason.UNREADABLE)
GROUP_UNREADABLE = Verdict(reason=Reason.GROUP_UNREADABLE)


def is_group(who: str) -> bool:
    """A user group's id (`S…`), where people may be listed too (Slack docs, usergroups.list)."""
    return who.startswith("S")


def counts(person: Person, home: Home) -> Reason:
    """Whether this person counts at all, listed or not."""
    if person.deleted:
        return Reason.DEACTIVATED
    if person.bot:
        return Reason.BOT
    if person.guest:
        return Reason.GUEST
    same_team = person.team == home.team
    same_grid = home.enterprise is not None and person.enterprise == home.enterprise
    if person.stranger or not (same_team or same_grid):
        return Reason.OTHER_WORKSPACE
    return Reason.YES


def acts_from_home(acting_team: str | None, person: Person, home: Home) -> bool:
    """Whether the workspace that Slack names with a click or a command fits the person.

    This alone never makes a yes. If it names another workspace while `users.info` says ours, one of
    the two is wrong, so it is a no; only on a Grid do people act from several workspaces. It is
    None when the bot is installed for a whole organisation (Slack docs, interaction payloads).
    """
    if acting_team is None or acting_team == home.team:
        return True
    return home.enterprise is not None and person.enterprise == home.enterprise


PATTERN_SECONDS = 0.2
"""For REASON_PATTERN on one reason, in CPU time of the process. A pattern such as `(a+)+$` can take
years on forty letters, and whoever asks chooses the letters. What is not found by then counts as
not there. On a busy machine this time becomes seconds, and Slack waits for three."""


class SiteTerms(Frozen):
    """One appliance, as far as requests depend on it."""

    appliance: str
    poll_ms: int
    timeout_ms: int
    calls_per_minute: int = 40


class Policy(Kept):
    """What is in force now, in this process. `requesters` and `channels` None: any; an empty
    `break_glass`: nobody. `pools`: who may approve, and how many of them must; `force_pools` the
    same for a one-sided break. `same_person`: accounts that are one person."""

    pools: tuple[Pool, ...]
    force_pools: tuple[Pool, ...]
    same_person: tuple[tuple[str, ...], ...] = ()
    requesters: frozenset[str] | None
    channels: frozenset[str] | None
    require_reason: bool
    reason_pattern: str | None
    sites: dict[str, SiteTerms]
    break_glass: frozenset[str] = frozenset()
    schedule_max_ms: int = 0

    @property
    def approvers(self) -> frozenset[str]:
        """All who are listed, whatever the pool."""
        return frozenset(who for pool in self.pools for who in pool.listed)

    def required(self, *, force: bool) -> tuple[Pool, ...]:
        return self.force_pools if force else self.pools

    def person(self, account: str) -> str:
        """One name for all accounts of somebody."""
        return next((same[0] for same in self.same_person if account in same), account)

    def terms(self, site: str, *, force: bool) -> Terms:
        """The terms of a request that is made now. If its site is not known yet, or not any more,
        the longest times of all sites: no appliance is called by them."""
        at = self.sites.get(site) or SiteTerms(
            appliance="",
            poll_ms=max(each.poll_ms for each in self.sites.values()),
            timeout_ms=max(each.timeout_ms for each in self.sites.values()),
        )
        kept = self.model_dump(include=set(Kept.model_fields))
        kept |= at.model_dump(exclude={"calls_per_minute"})
        return Terms(
            pools=self.required(force=force),
            break_glass=bool(self.break_glass),
            several=len(self.sites) > 1,
            **kept,
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
