"""Who may ask and who may decide, from the policy and from what Slack says now.

Each reading asks Slack anew, but about each user group at most once. It asks about groups only when
somebody is not listed by id, since Slack allows few of those calls a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.request.events import RightsRead, RightsToAskRead
from bot.request.model import Request, State
from bot.request.plan import PeoplePort, ReadRights
from bot.request.pools import Pool, missing, stricter
from bot.request.who_may import (
    GROUP_UNREADABLE,
    UNREADABLE,
    Person,
    Policy,
    Reason,
    Verdict,
    acts_from_home,
    counts,
    is_group,
)
from bot.steady_clock import steady_seconds


@dataclass
class Reading:
    """One reading of rights. Nothing in it is older than the effect that it is made for.

    After the monotonic second `by` nothing more is asked, and what is missing counts as unread. A
    call that has begun may end later, so a lease must last one timeout longer than `by`.
    """

    people: PeoplePort
    by: float
    monotonic: Callable[[], float] = steady_seconds
    zones: dict[str, str | None] = field(default_factory=dict)
    _groups: dict[str, frozenset[str] | Verdict] = field(default_factory=dict)
    _persons: dict[str, Person | Verdict] = field(default_factory=dict)

    def right(self, user: str, team: str | None, listed: frozenset[str] | None) -> Verdict:
        """Whether they count and are listed; None: anyone of the workspace. `team`: the workspace
        that Slack named with the click or the command. Groups come last, since each is a call."""
        person = self._person(user)
        if isinstance(person, Verdict):
            return person
        home = self.people.home()
        reason = counts(person, home)
        if reason is Reason.YES and not acts_from_home(team, person, home):
            reason = Reason.OTHER_WORKSPACE
        if reason is not Reason.YES or listed is None:
            return Verdict(reason=reason)
        if user in listed:
            return Verdict(reason=reason, through=user)
        unread: Verdict | None = None
        for group in sorted(who for who in listed if is_group(who)):
            members = self._members(group)
            if isinstance(members, Verdict):
                unread = _later(unread, members)
            elif user in members:
                return Verdict(reason=Reason.YES, through=group)
        return unread or Verdict(reason=Reason.NOT_LISTED)

    def right_to_ask(self, user: str, team: str | None, policy: Policy, channel: str) -> Verdict:
        """Whether they could ask in this channel. Also who may look again there, and read all
        names of its card."""
        if not policy.channel_allowed(channel):
            return Verdict(reason=Reason.CHANNEL)
        return self.right(user, team, policy.requesters)

    def in_pools(self, user: str, team: str | None, pools: Sequence[Pool]) -> Verdict:
        """Whether they may approve, and for which pools. A pool that Slack does not tell of takes
        nothing from what it tells of the others."""
        told = {p.name: self.right(user, team, frozenset(p.listed)) for p in pools}
        there = {name: v.through for name, v in told.items() if v.through is not None}
        unsaid = tuple(name for name, v in told.items() if v.unread)
        unread: Verdict | None = None
        for verdict in told.values():
            unread = _later(unread, verdict) if verdict.unread else unread
        if there:
            retry_at = unread.retry_at if unread else None
            return Verdict(reason=Reason.YES, retry_at=retry_at, pools=there, unsaid=unsaid)
        if unread is not None:
            return unread.model_copy(update={"unsaid": unsaid})
        return next(iter(told.values()))

    def could_decide(
        self, pools: Sequence[Pool], but: str | None, person: Callable[[str], str]
    ) -> tuple[dict[str, int], Verdict | None]:
        """How many each pool would still need if all who could decide did, `but` one person; and a
        verdict if Slack did not tell of somebody. No more people are read than it takes. `person`:
        who is behind an account. After a 429 Slack would refuse the next call as well."""
        able: dict[str, tuple[str, ...]] = {}
        unread: Verdict | None = None
        for who in _ids_first({who for pool in pools for who in pool.listed}):
            members = self._members(who)
            if isinstance(members, Verdict):
                unread = _later(unread, members)
                members = frozenset()
            names = tuple(pool.name for pool in pools if who in pool.listed)
            for account in sorted(members):
                if unread is not None and unread.retry_at is not None:
                    return missing(able, pools), unread
                someone = person(account)
                if someone == but:
                    continue
                read = self._person(account)
                if isinstance(read, Verdict):
                    unread = _later(unread, read) if read.unread else unread
                elif counts(read, self.people.home()) is Reason.YES:
                    able[someone] = (*able.get(someone, ()), *names)
                if not missing(able, pools):
                    return {}, None
            if unread is not None and unread.retry_at is not None:
                break
        return missing(able, pools), unread

    def everybody(self, listed: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All people who are listed, by id or through a group, each once and in order; and the
        groups that could not be read."""
        people: set[str] = set()
        unread: list[str] = []
        for who in _ids_first(listed):
            members = self._members(who)
            if isinstance(members, Verdict):
                unread.append(who)
            else:
                people |= members
        return tuple(sorted(people)), tuple(unread)

    def cannot_see(
        self, channel: str, called: tuple[str, ...], but: str
    ) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Of those who are `called` by id or through a group, who is not in a private channel; the
        groups that could not be read; and whether Slack did not say who is in the channel, which
        leaves all of them."""
        if not called:
            return (), (), False
        over = self.monotonic() >= self.by
        seeing = UNREADABLE if over else self.people.who_sees(channel)
        if seeing is None:
            return (), (), False
        people, unread = self.everybody(called)
        there = seeing if isinstance(seeing, frozenset) else frozenset()
        missing = tuple(who for who in people if who not in there and who != but)
        return missing, unread, isinstance(seeing, Verdict)

    def _person(self, user: str) -> Person | Verdict:
        if user in self._persons:
            return self._persons[user]
        if self.monotonic() >= self.by:
            return UNREADABLE
        self._persons[user] = person = self.people.person(user)
        if isinstance(person, Person):
            self.zones[user] = person.zone
        return person

    def _members(self, group: str) -> frozenset[str] | Verdict:
        """Of a person, only themselves."""
        if not is_group(group):
            return frozenset({group})
        if group not in self._groups:
            over = self.monotonic() >= self.by
            self._groups[group] = GROUP_UNREADABLE if over else self.people.members(group)
        return self._groups[group]


def read_rights_to_ask(now: Reading, policy: Policy, request: Request) -> RightsToAskRead:
    """May the requester ask here, and how many people could approve? The requester
    is not counted, but may be the one who could break the glass."""
    verdict = now.right(request.requester, request.requester_team, policy.requesters)
    allowed = policy.channel_allowed(request.channel)
    found = RightsToAskRead(
        requester=verdict,
        channel_allowed=allowed,
        channels=() if allowed else tuple(sorted(policy.channels or ())),
        zone=now.zones.get(request.requester),
        schedule_max_ms=policy.schedule_max_ms,
    )
    if not verdict.yes or not found.channel_allowed:
        return found
    pools = stricter(request.terms.pools, policy.required(force=request.force))
    asker = policy.person(request.requester)
    short, unread = now.could_decide(pools, asker, policy.person)
    told: dict[str, object] = {"missing": short, "unread": unread}
    if short and request.terms.break_glass:
        one = Pool(needed=1, listed=tuple(sorted(policy.break_glass)))
        nobody, unsaid = now.could_decide((one,), None, policy.person)
        told |= {"glass_possible": not nobody, "unread": _later(unread, unsaid)}
    # Last, so that it never takes the time of what decides.
    notify = request.terms.notify
    unseeing, groups, silent = now.cannot_see(request.channel, notify, request.requester)
    told |= {"unseeing": unseeing, "unread_groups": groups, "channel_unread": silent}
    return found.model_copy(update=told)


def read_rights(now: Reading, policy: Policy, request: Request, wanted: ReadRights) -> RightsRead:
    """The rights of now, without a cache. `wanted.glass`: who breaks the glass, or has."""
    teams = {click.by: click.team for click in reversed(request.clicks)}
    breaking = wanted.glass
    glass = {user: now.right(user, teams.get(user), policy.break_glass) for user in breaking}
    # All approvers are told when the glass is broken, and not once more before the intent.
    breaks = request.state is State.PENDING and any(verdict.yes for verdict in glass.values())
    approving, unread_groups = now.everybody(policy.approvers) if breaks else ((), ())
    pools, asker = policy.required(force=request.force), policy.person(request.requester)
    own = Verdict(reason=Reason.OWN_REQUEST)
    return RightsRead(
        verdicts={
            user: own
            if user != request.requester and policy.person(user) == asker
            else now.in_pools(user, teams.get(user), pools)
            for user in wanted.people
        },
        asking={
            user: now.right_to_ask(user, teams.get(user), policy, request.channel)
            for user in wanted.asking
        },
        dry_run=policy.dry_run,
        pools=pools,
        persons={who: policy.person(who) for who in wanted.people if policy.person(who) != who},
        glass=glass,
        glass_there=bool(policy.break_glass),
        approvers=_ids_first(policy.approvers) if breaking else (),
        approving=approving,
        unread_groups=unread_groups,
    )


def _ids_first(listed: Iterable[str]) -> tuple[str, ...]:
    """People before user groups, each in order."""
    return tuple(sorted(listed, key=lambda who: (is_group(who), who)))


def _later(one: Verdict | None, other: Verdict | None) -> Verdict | None:
    """Of two that are unread, the one that may be asked again last: no use in asking before."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda verdict: verdict.retry_at or 0)
