"""Who may ask and who may decide, from the policy and from what Slack says now.

Each reading asks Slack anew, but about each user group at most once. It asks about groups only when
somebody is not listed by id, since Slack allows few of those calls a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.request.events import RightsRead, RightsToAskRead
from bot.request.model import Request, State
from bot.request.plan import PeoplePort, ReadRights
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
        if reason is not Reason.YES or listed is None or user in listed:
            own = reason is Reason.YES and listed is not None
            return Verdict(reason=reason, through=user if own else None)
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

    def could_decide(
        self, listed: frozenset[str], but: str, needed: int
    ) -> tuple[int, Verdict | None]:
        """How many could decide, counted up to `needed`; and a verdict if Slack did not tell of
        some of the others. After a 429 it would refuse the next call as well."""
        asked: set[str] = {but}
        confirmed = 0
        unread: Verdict | None = None
        for who in _ids_first(listed):
            members = self._members(who)
            if isinstance(members, Verdict):
                unread = _later(unread, members)
                members = frozenset()
            for someone in sorted(members - asked):
                if unread is not None and unread.retry_at is not None:
                    return confirmed, unread
                asked.add(someone)
                person = self._person(someone)
                if isinstance(person, Person):
                    confirmed += counts(person, self.people.home()) is Reason.YES
                elif person.unread:
                    unread = _later(unread, person)
                if confirmed >= needed:
                    return confirmed, None
            if unread is not None and unread.retry_at is not None:
                break
        return confirmed, unread

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

    def _person(self, user: str) -> Person | Verdict:
        if self.monotonic() >= self.by:
            return UNREADABLE
        person = self.people.person(user)
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
        possible_approvers=0,
        zone=now.zones.get(request.requester),
        schedule_max_ms=policy.schedule_max_ms,
    )
    if not verdict.yes or not found.channel_allowed:
        return found
    needed = request.terms.approvals_required
    possible, unread = now.could_decide(policy.approvers, request.requester, needed)
    told = {"possible_approvers": possible, "unread": unread}
    if possible < needed and request.terms.break_glass:
        somebody, unsaid = now.could_decide(policy.break_glass, "", 1)
        told |= {"glass_possible": bool(somebody), "unread": _later(unread, unsaid)}
    return found.model_copy(update=told)


def read_rights(now: Reading, policy: Policy, request: Request, wanted: ReadRights) -> RightsRead:
    """The rights of now, without a cache. `wanted.glass`: who breaks the glass, or has."""
    teams = {click.by: click.team for click in reversed(request.clicks)}
    breaking = wanted.glass
    glass = {user: now.right(user, teams.get(user), policy.break_glass) for user in breaking}
    # All approvers are told when the glass is broken, and not once more before the intent.
    breaks = request.state is State.PENDING and any(verdict.yes for verdict in glass.values())
    approving, unread_groups = now.everybody(policy.approvers) if breaks else ((), ())
    return RightsRead(
        verdicts={
            user: now.right(user, teams.get(user), policy.approvers) for user in wanted.people
        },
        asking={
            user: now.right_to_ask(user, teams.get(user), policy, request.channel)
            for user in wanted.asking
        },
        dry_run=policy.dry_run,
        approvals_required=policy.required(force=request.force),
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
