"""Who may ask and who may decide, put together from Slack's word and the policy of now."""

from __future__ import annotations

from bot.core.events import RightsRead, StandingRead
from bot.core.policy import Policy
from bot.core.ports import PeoplePort
from bot.core.request import Request
from bot.core.rules import Person, Verdict, may_ask, may_decide


def read_standing(people: PeoplePort, policy: Policy, request: Request) -> StandingRead:
    """May the requester ask here, and how many could approve? The requester is not among them."""
    person = people.person(request.requester)
    verdict = (
        may_ask(person, people.home(), policy.requesters) if isinstance(person, Person) else person
    )
    channels = policy.channels
    return StandingRead(
        requester=verdict,
        channel_allowed=channels is None or request.channel in channels,
        possible_approvers=len(policy.approvers - {request.requester}),
    )


def read_rights(
    people: PeoplePort, policy: Policy, request: Request, users: tuple[str, ...]
) -> RightsRead:
    """The rights of now, one call per person, no cache."""
    return RightsRead(
        verdicts={user: _right(people, policy, user) for user in users},
        dry_run=policy.dry_run,
        approvals_required=policy.required(force=request.force),
    )


def _right(people: PeoplePort, policy: Policy, user: str) -> Verdict:
    person = people.person(user)
    if isinstance(person, Verdict):
        return person
    return may_decide(person, people.home(), policy.approvers)
