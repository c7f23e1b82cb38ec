"""Who may decide, as a property: any people, groups, rights that change, clicks and times.

The real `plan` and `absorb`, and the real putting together of rights, over people and groups that
change between any two clicks. Against a model that knows the truth, not how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.request.events import Event
from bot.request.model import Request, State
from bot.request.plan import ReadRights
from bot.request.pools import ALL
from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Home, Person, Verdict
from bot.worker.rights import Reading, read_rights
from tests.rules.samples import clicked, drive, happens, pending
from tests.slack.listeners.made import policy
from tests.support.world import one_pool

ASKER = "U0ASKER"
PEOPLE = [ASKER, "U0A", "U0B", "W0C", "U0D", "U0E"]
GROUPS = ["S0NIGHT", "S0DAY"]
KINDS = ["guest", "bot", "closed", "foreign", "colleague", "unread"]
AT_FIRST = ["member"] * 24 + KINDS
LATER = ["member"] * 4 + ["unread"] * 3 + ["closed"] * 2 + KINDS
"""Mostly people who count: histories where nobody may do anything find nothing."""
HOME = Home(team="T0HOME", enterprise="E0OURS")
MINUTE_MS = 60_000
APPROVAL_TTL_MS, EXECUTION_TTL_MS = 60 * MINUTE_MS, 10 * MINUTE_MS


@dataclass
class Truth:
    """How it is, and so what Slack says when it is asked. Implements `PeoplePort`."""

    listed: frozenset[str]
    kinds: dict[str, str]
    groups: dict[str, frozenset[str]]
    readable: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(GROUPS, True))

    def home(self) -> Home:
        return HOME

    def person(self, user: str) -> Person | Verdict:
        kind = self.kinds[user]
        if kind == "unread":
            return UNREADABLE
        return Person(
            id=user,
            team="T0ELSE" if kind in ("foreign", "colleague") else HOME.team,
            enterprise={"foreign": "E0ELSE"}.get(kind, HOME.enterprise),
            deleted=kind == "closed",
            bot=kind == "bot",
            guest=kind == "guest",
        )

    def members(self, group: str) -> frozenset[str] | Verdict:
        return self.groups[group] if self.readable[group] else GROUP_UNREADABLE

    def right(self, who: str) -> bool | None:
        """None: nobody can tell now."""
        if self.kinds[who] == "unread":
            return None
        if self.kinds[who] not in ("member", "colleague"):
            return False
        named = [g for g in GROUPS if g in self.listed]
        if who in self.listed or any(self.readable[g] and who in self.groups[g] for g in named):
            return True
        return False if all(self.readable[g] for g in named) else None


@dataclass(frozen=True)
class Click:
    by: str
    tampered: bool


@dataclass(frozen=True)
class Kind:
    who: str
    kind: str


@dataclass(frozen=True)
class Group:
    group: str
    members: frozenset[str]
    readable: bool


@dataclass(frozen=True)
class Pass:
    minutes: int


most_people = st.frozensets(st.sampled_from(PEOPLE), min_size=3)
steps = st.lists(
    st.one_of(
        st.builds(Click, st.sampled_from(PEOPLE), st.integers(0, 9).map(lambda n: n == 0)),
        st.builds(Click, st.sampled_from(PEOPLE[1:]), st.just(False)),
        st.builds(Kind, st.sampled_from(PEOPLE[1:]), st.sampled_from(LATER)),
        st.builds(Group, st.sampled_from(GROUPS), most_people, st.booleans()),
        st.builds(Pass, st.sampled_from([1, 1, 4, 15])),
    ),
    min_size=12,
    max_size=30,
)
truths = st.builds(
    Truth,
    listed=st.frozensets(st.sampled_from(PEOPLE + GROUPS), min_size=2),
    kinds=st.fixed_dictionaries({who: st.sampled_from(AT_FIRST) for who in PEOPLE}),
    groups=st.fixed_dictionaries(dict.fromkeys(GROUPS, most_people)),
)


class Life:
    """One request, driven as the worker drives it."""

    def __init__(self, truth: Truth, needed: int) -> None:
        self.truth, self.needed, self.now = truth, needed, 0
        self.policy = policy(approvers=truth.listed, approvals_required=needed)
        self.request: Request = pending(needed=needed)
        self.number = 1

    def click(self, click: Click) -> None:
        self.number += 1
        tampered = {"fingerprint": "0" * 16} if click.tampered else {}
        event = clicked(self.request, "approve", click.by, **tampered)
        self.request = happens(self.request, event, number=self.number, at=self.now)

    def drive(self) -> None:
        def read(request: Request, effect: ReadRights) -> Event:
            reading = Reading(self.truth, by=1.0, monotonic=lambda: 0.0)
            return read_rights(reading, self.policy, request, effect)

        self.request = drive(self.request, self.now, read)


@dataclass
class Model:
    """Whose yes counts, by the truth alone. `approved_at` while enough said yes, but unsent."""

    truth: Truth
    needed: int
    counted: set[str] = field(default_factory=set)
    approved_at: int | None = None
    ended: str = ""

    def click(self, click: Click, now: int) -> None:
        eligible = not click.tampered and click.by != ASKER and click.by not in self.counted
        if self.ended or self.approved_at is not None or now >= APPROVAL_TTL_MS or not eligible:
            return
        if self.truth.right(click.by) is not True:
            return
        self._drop()
        self.counted.add(click.by)
        if len(self.counted) >= self.needed:
            self.approved_at = now
            self.before_the_intent()

    def before_the_intent(self) -> None:
        self._drop()
        if len(self.counted) < self.needed:
            self.approved_at = None
        elif all(self.truth.right(who) for who in self.counted):
            self.ended = "sent"

    def time(self, now: int) -> None:
        if self.ended:
            return
        if self.approved_at is not None:
            if now >= self.approved_at + EXECUTION_TTL_MS:
                self.ended = "expired"
                return
            self.before_the_intent()
        if not self.ended and self.approved_at is None and now >= APPROVAL_TTL_MS:
            self.ended = "expired"

    def _drop(self) -> None:
        self.counted = {who for who in self.counted if self.truth.right(who) is not False}


@settings(max_examples=1_000, deadline=None)
@given(truth=truths, needed=st.sampled_from([1, 2, 2, 2, 3]), history=steps)
def test_it_is_sent_exactly_when_enough_people_with_the_right_of_now_said_yes(
    truth: Truth, needed: int, history: list[Click | Kind | Group | Pass]
) -> None:
    life, model = Life(truth, needed), Model(truth, needed)
    said_yes: set[str] = set()
    for step in history:
        match step:
            case Click():
                life.click(step)
                if not step.tampered:
                    said_yes.add(step.by)
                model.click(step, life.now)
            case Kind(who=who, kind=kind):
                truth.kinds[who] = kind
            case Group(group=group, members=members, readable=readable):
                truth.groups[group], truth.readable[group] = members, readable
            case Pass(minutes=minutes):
                life.now += minutes * MINUTE_MS
                model.time(life.now)
        life.drive()
        request = life.request
        approvers = {d.by for d in request.approvals}
        assert len(approvers) == len(request.approvals)
        assert ASKER not in approvers
        assert approvers <= said_yes
        sent = request.state is State.DELETING
        assert sent == (model.ended == "sent")
        assert (request.state is State.EXPIRED) == (model.ended == "expired")
        assert request.clicks == ()
        if sent:
            # Safety, in words that owe nothing to the model: as it is at this very moment.
            assert len(approvers) >= needed
            assert all(truth.right(who) for who in approvers)
        if model.ended:
            event(model.ended)
            return
        assert approvers == model.counted
        waits = State.PENDING if model.approved_at is None else State.APPROVED
        assert request.state is waits
    event("undecided")


@given(truth=truths, needed=st.integers(1, 4))
def test_a_check_never_refuses_while_enough_people_could_approve(truth: Truth, needed: int) -> None:
    everybody = set(PEOPLE) - {ASKER}
    could = sum(truth.right(who) is True for who in everybody)
    cannot_tell = any(truth.right(who) is None for who in everybody)
    reading = Reading(truth, by=1.0, monotonic=lambda: 0.0)
    short, unread = reading.could_decide(one_pool(needed, *truth.listed), ASKER, str)
    possible = needed - short.get(ALL, 0)
    assert possible == min(could, needed)
    # Somebody who cannot be read is only looked at while there are too few without them.
    assert (unread is not None) <= (possible < needed)
    if possible < needed and cannot_tell:
        listed_people = {w for w in everybody if w in truth.listed} | {
            w for g in GROUPS if g in truth.listed and truth.readable[g] for w in truth.groups[g]
        }
        unread_person = any(truth.kinds[w] == "unread" for w in listed_people & everybody)
        unread_group = any(g in truth.listed and not truth.readable[g] for g in GROUPS)
        assert (unread is not None) == (unread_person or unread_group)


@given(truth=truths, who=st.sampled_from(PEOPLE), team=st.sampled_from([None, "T0HOME", "T0ELSE"]))
def test_a_right_is_the_truth_and_the_team_of_the_click_never_makes_a_yes(
    truth: Truth, who: str, team: str | None
) -> None:
    reading = Reading(truth, by=1.0, monotonic=lambda: 0.0)
    verdict = reading.right(who, team, truth.listed)
    right = truth.right(who)
    assert verdict.yes == (right is True)
    assert not (verdict.yes and truth.kinds[who] == "foreign")
    if right is False:
        # A guest is told to be one, whether or not a group could be read.
        assert not verdict.unread
