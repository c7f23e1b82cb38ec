"""Every row of the contract's table "What each answer to the DELETE leads to"."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.operate.json_and_csv import as_json
from bot.request.events import DeleteAccepted, DeleteAnswered, DeleteNotAccepted, Event
from bot.request.messages import Answer, messages
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.task import TaskView
from bot.request.who_may import Person
from bot.slack.draw.message import draw, draw_answer
from tests.support.world import ASKER, FIRST, PAIRING, POLL_MS, TEAM, World, problem

LOOKS = 4
"""Polls over twice VR_TIMEOUT_SECONDS of the small world: how long looks go on."""

FOLLOW_TTL_MS = 86_400_000


def answered(kind: ProblemKind, **more: object) -> DeleteAnswered:
    return DeleteAnswered(problem=problem(kind, **more))


def not_accepted(kind: ProblemKind, **more: object) -> DeleteNotAccepted:
    return DeleteNotAccepted(problem=problem(kind, **more))


def own_task(status: str = "RUNNING", entity: str | None = f"Pairing:{PAIRING}") -> TaskView:
    return TaskView(id="task:new:1", status=status, entity=entity)


LIMITED = not_accepted(ProblemKind.LIMITED, status=429)
AWAY = not_accepted(ProblemKind.UNAVAILABLE, status=503)
UNSENT = not_accepted(ProblemKind.UNSENT)
HELD_UP = not_accepted(ProblemKind.TOO_LATE)
UNAUTHORIZED = not_accepted(ProblemKind.UNAUTHORIZED, status=401)


# ---- an answer that says what became of it -------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "end", "sent"),
    [
        ([answered(ProblemKind.REFUSED, status=400)], State.FAILED, 1),
        ([answered(ProblemKind.REFUSED, status=403)], State.FAILED, 1),
        ([answered(ProblemKind.NOT_FOUND, status=404)], State.FAILED, 1),
        ([answered(ProblemKind.SERVER_ERROR, status=500)], State.FAILED, 1),
        ([DeleteAccepted(task=own_task("ERROR"))], State.FAILED, 1),
        ([UNAUTHORIZED], State.FOLLOWING, 2),
    ],
)
def test_what_it_leads_to_at_once(
    world: World, outcomes: list[Event], end: State, sent: int
) -> None:
    assert world.approved(*outcomes).state is end
    world.wait(600_000)
    assert len(world.appliance.deletes) == sent


def test_401_twice_is_failed(world: World) -> None:
    assert world.approved(UNAUTHORIZED, UNAUTHORIZED).state is State.FAILED
    world.wait(600_000)
    assert len(world.appliance.deletes) == 2


def test_refused_has_the_vendors_words(world: World) -> None:
    words = {"error_code": "ERR_1", "message": "not now", "op_id": "op-1"}
    outcome = world.approved(answered(ProblemKind.REFUSED, status=403, **words)).outcome
    assert outcome is not None
    assert outcome.problem is not None
    assert outcome.problem.model_dump(include=set(words)) == words


def test_404_and_the_pairing_gone_is_succeeded(world: World) -> None:
    """It goes in the moment between the last reading and the DELETE."""
    world.appliance.meanwhile["delete"] = lambda: setattr(world.appliance, "present", False)
    world.approved(answered(ProblemKind.NOT_FOUND, status=404))
    assert world.end() == (State.SUCCEEDED, "gone_untold")


@pytest.mark.parametrize(
    ("entity", "end"),
    [
        (f"Pairing:{PAIRING}", State.FOLLOWING),
        *[(nobody, State.ATTENTION) for nobody in (None, f"HmsPairing:{PAIRING}:0f7a")],
    ],
)
def test_a_500_and_a_new_task(world: World, entity: str | None, end: State) -> None:
    """One that names nobody may be ours, at work: to say that it has failed would be to guess."""
    new = own_task(entity=entity)
    world.appliance.meanwhile["delete"] = lambda: world.appliance.tasks.append(new)
    world.approved(answered(ProblemKind.SERVER_ERROR, status=500))
    request = world.poll(5)
    assert request.state is end
    assert (request.task == new) is (end is State.FOLLOWING)
    assert len(world.appliance.deletes) == 1


# ---- turned away ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said_ms", "waits_ms"),
    [
        (ProblemKind.LIMITED, 90_000, 90_000),
        (ProblemKind.UNAVAILABLE, 90_000, 90_000),
        (ProblemKind.LIMITED, None, 60_000),
        (ProblemKind.LIMITED, 0, POLL_MS),  # no leave to hammer
    ],
)
def test_limited_waits_as_long_as_it_says_and_repeats(
    world: World, kind: ProblemKind, said_ms: int | None, waits_ms: int
) -> None:
    retry_at = None if said_ms is None else world.ms + said_ms
    world.approved(not_accepted(kind, status=429, retry_at=retry_at))
    world.wait(waits_ms - 1)
    assert (world.state(), len(world.appliance.deletes)) == (State.APPROVED, 1)
    world.wait(1)
    assert (world.state(), len(world.appliance.deletes)) == (State.FOLLOWING, 2)


@pytest.mark.parametrize("again", [LIMITED, UNSENT, HELD_UP])
def test_repeating_ends_with_the_old_deadline(world: World, again: DeleteNotAccepted) -> None:
    """Held up: such as on a disk whose commits take longer than the second that a DELETE has."""
    deadline = world.approved(*[again] * 500).execute_by
    tried = len(world.appliance.deletes)
    assert tried == (2 if again is HELD_UP else 1)  # a freeze is over: once more at once
    world.poll(12)
    assert len(world.appliance.deletes) <= tried + 12
    assert world.notices() == ["waits_to_send"]
    request = world.poll(110)
    assert (request.state, request.execute_by) == (State.EXPIRED, deadline)
    assert request.outcome is not None
    assert request.outcome.problem is not None
    sent = len(world.appliance.deletes)
    world.wait(600_000)
    assert len(world.appliance.deletes) == sent


def goes(world: World) -> None:
    world.appliance.present = False


def is_withdrawn(world: World) -> None:
    world.click(world.get().id, "cancel", ASKER)


def loses_its_approval(world: World) -> None:
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)


@pytest.mark.parametrize("later", [(), (UNSENT,) * 9, (HELD_UP,) * 9])
@pytest.mark.parametrize(
    ("then", "end"),
    [
        (goes, State.CHANGED),
        (is_withdrawn, State.CANCELLED),
        (loses_its_approval, State.PENDING),
    ],
)
def test_that_nothing_was_sent_is_not_said_of_a_delete_that_was_turned_away(
    world: World, then: Callable[[World], None], end: State, later: tuple[Event, ...]
) -> None:
    """It would send people after somebody else, who has broken the pairing by that call."""
    world.approved(AWAY, *later)
    world.wait(30_000 if later else 0)
    assert world.state() is State.APPROVED
    assert (len(world.appliance.deletes) > 1) is bool(later)
    then(world)
    world.settle()
    world.wait(60_000)
    request = world.get()
    assert request.state is end
    said = [draw(request, each.slot).text for each in messages(request, world.ms)]
    said += [
        draw_answer(Answer(event=1, code=code), request).text
        for code in ("cancelled", "too_late", "already_decided")
    ]
    assert not [text for text in said if "othing was sent" in text]
    assert [text for text in said if "turned it away (HTTP `503`)" in text]


@pytest.mark.parametrize(
    ("outcomes", "sent", "accepted"),
    [
        ([], 1, 1),
        ([LIMITED], 2, 1),
        ([UNSENT, HELD_UP], 1, 1),
        ([UNSENT, LIMITED, LIMITED], 3, 1),
        ([LIMITED, answered(ProblemKind.REFUSED, status=403)], 2, 0),
    ],
)
def test_each_that_was_sent_is_counted(
    world: World, outcomes: list[Event], sent: int, accepted: int
) -> None:
    world.approved(*outcomes)
    for _ in range(5):
        world.wait(70_000)
    found = as_json(world.get())
    assert (found["deletes_sent"], found["deletes_accepted"]) == (sent, accepted)


# ---- an answer that says nothing -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [ProblemKind.UNANSWERED, ProblemKind.NOT_UNDERSTOOD])
class TestFateUnknown:
    def test_a_task_of_before_is_never_adopted(self, world: World, kind: ProblemKind) -> None:
        world.appliance.tasks.append(own_task())
        assert world.approved(answered(kind)).state is State.DELETING
        assert world.poll(LOOKS - 1).state is State.DELETING
        assert world.poll().state is State.ATTENTION
        assert len(world.appliance.deletes) == 1

    def test_a_new_task_is_followed(self, world: World, kind: ProblemKind) -> None:
        """The list finds it, and then its id is enough."""
        world.approved(answered(kind))
        listings = world.appliance.listings
        world.appliance.tasks.append(own_task(entity=PAIRING.upper()))
        request = world.poll()
        assert (request.state, request.task_adopted) == (State.FOLLOWING, True)
        world.poll(12)
        assert world.appliance.listings == listings + 1
        assert set(world.appliance.polls) == {own_task().id}

    def test_a_nameless_task_calls_a_person(self, world: World, kind: ProblemKind) -> None:
        world.approved(answered(kind))
        world.appliance.tasks.append(own_task(entity=None))
        world.poll(LOOKS)
        assert world.end() == (State.ATTENTION, "outcome_unknown")

    def test_looks_go_on_while_the_appliance_is_away(self, world: World, kind: ProblemKind) -> None:
        world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 100
        world.approved(answered(kind))
        world.poll(90)
        assert (world.state(), world.notices()) == (State.DELETING, ["waits_to_look"])
        world.appliance.look_failures.clear()
        world.appliance.present = False
        world.poll()
        assert world.state() is State.SUCCEEDED
        assert world.notices() == ["goes_on"]

    def test_follow_ttl_ends_the_looks(self, world: World, kind: ProblemKind) -> None:
        world.approved(answered(kind))
        world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 4
        world.wait(FOLLOW_TTL_MS - POLL_MS)
        assert world.poll().state is State.ATTENTION


# ---- the task that it has begun ------------------------------------------------------------------


class TestTheTask:
    @pytest.mark.parametrize(
        ("status", "words", "end"),
        [
            ("ERROR", {"error_message": "cannot", "error_details": "because"}, State.FAILED),
            ("ERROR", {}, State.FAILED),
            ("CANCELLED", {}, State.FAILED),
            ("PAUSED", {}, State.FOLLOWING),  # whatever that is, it is not an end
        ],
    )
    def test_how_it_ends(
        self, world: World, status: str, words: dict[str, str], end: State
    ) -> None:
        world.approved()
        world.appliance.end_task(status, gone=False, **words)
        request = world.poll()
        assert request.state is end
        assert request.task == world.appliance.tasks[-1]

    def test_success_with_the_pairing_still_there(self, world: World) -> None:
        world.approved()
        world.appliance.end_task("SUCCESS", gone=False)
        world.poll(5)
        assert world.end() == (State.ATTENTION, "end_unknown")

    def test_success_and_gone_a_little_later(self, world: World) -> None:
        world.approved()
        world.appliance.end_task("SUCCESS", gone=False)
        world.poll()
        world.appliance.present = False
        assert world.poll().state is State.SUCCEEDED

    @pytest.mark.parametrize(
        ("there", "end"),
        [(True, (State.ATTENTION, "end_unknown")), (False, (State.SUCCEEDED, "proved"))],
    )
    def test_a_lost_task_is_decided_by_the_pairing(
        self, world: World, there: bool, end: tuple[State, str]
    ) -> None:
        world.approved()
        world.appliance.tasks.clear()
        world.appliance.present = there
        world.poll(5)
        assert world.end() == end

    @pytest.mark.parametrize("away", [0, 6])
    def test_a_lost_task_that_comes_back(self, world: World, away: int) -> None:
        """Calls that fail meanwhile do not count as answers that it is lost."""
        world.approved()
        tasks = list(world.appliance.tasks)
        world.appliance.tasks.clear()
        world.poll()
        world.appliance.tasks += tasks
        world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * away
        assert world.poll(12).state is State.FOLLOWING
        assert world.appliance.look_failures == []

    def test_follow_ttl(self, world: World) -> None:
        world.approved()
        world.wait(FOLLOW_TTL_MS - POLL_MS)
        assert world.state() is State.FOLLOWING
        world.poll()
        assert world.end() == (State.ATTENTION, "follow_ttl")
