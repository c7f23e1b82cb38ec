"""Who may ask and who may decide, by the settings and by what Slack says of a person now.

Whatever is missing is a no: a person who could not be read, an unknown team, an empty list.
"""

from __future__ import annotations

from enum import StrEnum

from bot.request.frozen import Frozen


class Person(Frozen):
    """What `users.info` says of somebody (Slack docs, users.info)."""

    id: str
    team: str | None = None
    enterprise: str | None = None
    deleted: bool = False
    bot: bool = False
    guest: bool = False
    stranger: bool = False


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
    UNREADABLE = "unreadable"
    GROUP_UNREADABLE = "group_unreadable"


class Verdict(Frozen):
    """One person's right at one moment. `retry_at` (ms) where Slack said when to ask again."""

    reason: Reason
    retry_at: int | None = None

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


def may_decide(person: Person, home: Home, approvers: frozenset[str]) -> Verdict:
    """`approvers` are people, with groups resolved. `absorb` keeps out the requester, since it
    knows who that is."""
    standing = counts(person, home)
    if standing is not Reason.YES:
        return Verdict(reason=standing)
    if person.id not in approvers:
        return Verdict(reason=Reason.NOT_LISTED)
    return Verdict(reason=Reason.YES)


def may_ask(person: Person, home: Home, requesters: frozenset[str] | None) -> Verdict:
    """`requesters` None: anyone of the workspace."""
    standing = counts(person, home)
    if standing is not Reason.YES:
        return Verdict(reason=standing)
    if requesters is not None and person.id not in requesters:
        return Verdict(reason=Reason.NOT_LISTED)
    return Verdict(reason=Reason.YES)
