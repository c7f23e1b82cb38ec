"""A history: a list of things that happen to the bot, made from a seed, shrunk by leaving out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bot.request.pools import Pool

MINUTE_MS = 60_000

PEOPLE = ("U0ASKER", "U0A", "U0B", "U0C", "U0STRANGER")
APPROVERS = ("U0ASKER", "U0A", "U0B", "U0C")
POOLS = (
    Pool(name="front", needed=1, listed=("U0A", "U0B")),
    Pool(name="back", needed=1, listed=("U0ASKER", "U0B", "U0C")),
)
GLASS = ("U0ASKER", "U0C")
"""Who may break the glass, where the history has one; the first of them asks as well."""
PAIRINGS = ("1aaaaaaa-0000-0000-0000-000000000001", "2bbbbbbb-0000-0000-0000-000000000002")

POINTS = (
    "claim:after",
    "save:before",
    "save:after",
    "intent:before",
    "intent:after",
    "delete:before",
    "delete:received",
    "delete:after",
    "effect:before",
    "effect:after",
    "post:before",
    "post:after",
    "sent:before",
    "release:before",
)
"""The named lines of the life at which a process can be killed or frozen, or somebody clicks."""

OPEN, DONE = "commit:before", "commit:after"
COMMITS = (OPEN, DONE, "outcome:after")
"""Before the commit of a transaction, and when its answer is on the way; the last one where it
stored what the appliance answered to a DELETE."""

DELETE_FATES = (
    "accepted",
    "accepted_lost",
    "accepted_timeout",
    "accepted_html",
    "accepted_500",
    "unreceived_timeout",
    "unreceived_cut",
    "html",
    "refused_400",
    "refused_403",
    "unauthorized",
    "limited",
    "limited_long",
    "unavailable",
    "error_500",
    "unsent",
    "late_accept",
    "not_found_there",
    "gateway",
)
TASK_FATES = ("success", "success_slow", "error", "cancelled", "odd", "forgotten", "stays_there")
WORLD_CHANGES = (
    "count",
    "gone",
    "remote_down",
    "remote_up",
    "foreign_task",
    "nameless_task",
    "partial",
)
CLICKS = ("plain", "plain", "plain", "plain", "doubled", "tampered", "copied", "foreign")


@dataclass(frozen=True)
class Happening:
    """`at` in ms since the start; with `point`, when a process passes that the n-th time after."""

    at: int
    what: str
    args: tuple[object, ...] = ()
    point: str | None = None
    nth: int = 0

    def __str__(self) -> str:
        when = f"{self.point} no. {self.nth}" if self.point else f"{self.at / 1000:.1f} s"
        return f"{self.what}{self.args} at {when}"


@dataclass(frozen=True)
class History:
    """Everything that the seed decides before the first step; `seed` also drives the scheduler."""

    seed: int
    happenings: tuple[Happening, ...]
    replicas: int = 1
    approvals: int = 1
    pools: bool = False
    """Two of them, instead of one list."""
    dry_run: bool = False
    glass: bool = False
    delete_fates: tuple[str, ...] = ()
    task_fates: tuple[str, ...] = ()
    collector_fails: float = 0.0
    """How often, where AUDIT_BEFORE_ACT is set; 0: it is not."""
    without: frozenset[int] = field(default_factory=frozenset)

    def kept(self) -> list[Happening]:
        return [h for n, h in enumerate(self.happenings) if n not in self.without]


ONCE = ("intent:before", "intent:after", "delete:before", "delete:received", "delete:after")
"""Points that most histories pass a single time."""


def history(seed: int) -> History:
    """The history of this seed. Most have little going wrong, so that lives get far."""
    rng = random.Random(seed)
    glass = rng.random() < 0.15
    happenings: list[Happening] = []
    asked_at = pairing = 0
    for number in range(rng.choice((1, 1, 1, 2, 3))):
        asked_at += 1  # nearly at once, and for the same, as two people might
        if number == 0 or rng.random() < 0.7:
            asked_at, pairing = rng.randrange(0, 2 * MINUTE_MS), rng.randrange(2)
        asker = rng.choice(("U0ASKER", "U0ASKER", "U0A"))
        at = _time(rng)
        asked = (number, asker, pairing, rng.random() < 0.2, at)
        happenings.append(Happening(asked_at, "ask", asked))
        if number == 0 and seed % 50 == 7:
            happenings += _leaves_meanwhile(number, asked_at)
            continue
        if rng.random() < 0.06:
            edge = asked_at + 10 * MINUTE_MS
            happenings += _at_the_deadline(rng, number, edge)
            continue
        happenings += _clicks(rng, number, asked_at, glass=glass)
        happenings += _worst_moments(rng, number, asker, asked_at)
        if at is not None:
            happenings += _over_the_window(rng, number, asked_at, TIMES[at])
        if rng.random() < 0.1:
            what = rng.choice(("foreign_task", "nameless_task", "count"))
            happenings.append(Happening(asked_at + rng.randrange(30_000), "world", (pairing, what)))
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        happenings += _trouble(rng)
    settles = random.Random(seed * 3 + 2)
    if settles.random() < 0.15:
        settle = (0, settles.choice(PEOPLE), "settle", settles.choice(CLICKS))
        happenings.append(Happening(settles.randrange(2, 12) * MINUTE_MS, "click", settle))
    happenings += _around_the_delete(random.Random(seed * 5 + 3), pairing)
    fates = [rng.choice(DELETE_FATES) if rng.random() < 0.5 else "accepted" for _ in range(4)]
    if rng.random() < 0.02:
        fates[:2] = rng.choice(("unsent", "unauthorized")), "accepted"
        happenings += _said_twice()
    for _ in range(rng.choice((0, 0, 1, 2))):
        happenings.append(_between_commits(rng))
    return History(
        seed=seed,
        happenings=tuple(sorted(happenings, key=lambda h: h.at)),
        replicas=rng.choice((1, 1, 2, 3)),
        approvals=rng.choice((1, 1, 1, 2)),
        pools=random.Random(seed * 5 + 3).random() < 0.2,
        dry_run=rng.random() < 0.05,
        glass=glass,
        delete_fates=tuple(fates),
        task_fates=tuple(
            "success" if rng.random() < 0.6 else rng.choice(TASK_FATES) for _ in range(4)
        ),
    )


def _clicks(rng: random.Random, number: int, asked_at: int, *, glass: bool) -> list[Happening]:
    made = []
    if glass:
        args = (number, rng.choice((*GLASS, "U0A")), "break_glass", rng.choice(CLICKS))
        made.append(Happening(asked_at + rng.randrange(2_000, MINUTE_MS), "click", args))
    for _ in range(rng.randrange(1, 6)):
        after = asked_at + int(rng.expovariate(1 / 60_000))
        action = rng.choices(("approve", "deny", "cancel", "look"), (70, 8, 12, 10))[0]
        who = rng.choice(PEOPLE) if action != "cancel" else rng.choice(("U0ASKER", "U0A"))
        args = (number, who, action, rng.choice(CLICKS))
        if rng.random() < 0.25:
            made.append(_at_point(rng, after, "click", args))
        else:
            made.append(Happening(after, "click", args))
    for who in ("U0B", "U0C"):  # most requests are agreed to: what comes after is worth reaching
        if rng.random() < 0.75:
            after = asked_at + rng.randrange(2_000, 4 * MINUTE_MS)
            made.append(Happening(after, "click", (number, who, "approve", rng.choice(CLICKS))))
    if rng.random() < 0.05:
        made.append(Happening(asked_at + rng.randrange(3 * MINUTE_MS), "operator", (number,)))
    return made


def _worst_moments(rng: random.Random, number: int, asker: str, asked_at: int) -> list[Happening]:
    """Somebody takes it back between the last reading and the intent; a copy stops for longer than
    its lease with something in hand."""
    made = []
    if rng.random() < 0.15:
        point = rng.choice(("effect:before", "effect:after", "save:after", "intent:before"))
        cancel = (number, asker, "cancel", "plain")
        nth = 1 if point in ONCE else rng.randrange(1, 7)
        made.append(Happening(asked_at + 2_000, "click", cancel, point, nth))
    if rng.random() < 0.12:
        span = rng.choice((1_500, 40_000, 5 * MINUTE_MS))
        what = rng.choice(("freeze", "freeze", "crash"))
        made.append(_at_point(rng, asked_at + 1_000, what, (None, span)))
    return made


TIMES = {
    "+90s": 90_000,
    "+4m": 4 * MINUTE_MS,
    "+9m": 9 * MINUTE_MS,
    "+13m": 13 * MINUTE_MS,
    "+18m": 18 * MINUTE_MS,
    "13:45": 15 * MINUTE_MS,
}
"""Times for the delete, and about how long after the asking each is: at the start of a history it
is half past one for all of its people (`slack.ZONE`)."""


def _time(rng: random.Random) -> str | None:
    """Every third has one."""
    return rng.choice(tuple(TIMES)) if rng.random() < 1 / 3 else None


def _over_the_window(rng: random.Random, number: int, asked_at: int, span: int) -> list[Happening]:
    """Somebody who approved leaves before the time, or denies it; all copies, or the appliance, are
    away over the window; the clock jumps over its edge; the world moves."""
    edge = asked_at + span
    who, early = rng.choice(("U0B", "U0C")), max(asked_at, edge - rng.randrange(1, 4 * MINUTE_MS))
    kinds: tuple[list[Happening], ...] = (
        [],
        [],
        [Happening(early, "rights", (who, 20 * MINUTE_MS))],
        [Happening(early, "click", (number, who, "deny", "plain"))],
        [_at_point(rng, edge - 1_000, "click", (number, who, "deny", "plain"))],
        [Happening(edge - 2_000, "crash", (copy, 7 * MINUTE_MS)) for copy in range(3)],
        [Happening(edge - 2_000, "crash", (copy, 20_000)) for copy in range(3)],
        [Happening(edge - 2_000, "appliance", (rng.choice((1, 7)) * MINUTE_MS, 1.0))],
        [Happening(early, "jump", (rng.choice((-300_000, -30_000, 30_000, 900_000)),))],
        [Happening(edge + rng.randrange(-500, 2_000), "jump", (-30_000,))],
        [_at_point(rng, edge - 500, "jump", (-30_000,))],
        [Happening(early, "world", (rng.randrange(2), rng.choice(WORLD_CHANGES)))],
    )
    return rng.choice(kinds)


def _at_the_deadline(rng: random.Random, number: int, edge: int) -> list[Happening]:
    """Every copy sleeps through the deadline; somebody approved just before it, or just after."""
    clicked = edge + rng.choice((-3_000, -1_500, 2_000))
    return [
        *(Happening(edge - 4_000, "freeze", (copy, 9_000)) for copy in range(3)),
        Happening(clicked, "click", (number, "U0B", "approve", "plain")),
        Happening(clicked + 1, "click", (number, "U0C", "approve", "plain")),
    ]


def _leaves_meanwhile(number: int, asked_at: int) -> list[Happening]:
    """While an approved request waits for the appliance, the one who agreed to it leaves."""
    agreed = asked_at + 5_000
    return [
        Happening(agreed, "click", (number, "U0B", "approve", "plain")),
        Happening(agreed, "appliance", (4 * MINUTE_MS, 1.0)),
        Happening(agreed + MINUTE_MS, "rights", ("U0B", 10 * MINUTE_MS)),
    ]


def _around_the_delete(rng: random.Random, pairing: int) -> list[Happening]:
    """People who may not decide press all the time; a replication comes into a recovery plan, or
    leaves it; the remote site goes down after the card was shown."""
    made = []
    if rng.random() < 0.2:
        for action in rng.sample(("approve", "cancel", "deny"), 2):
            point = rng.choice(("effect:before", "effect:after", "save:after", "intent:before"))
            press = (0, "U0STRANGER", action, "plain")
            made.append(Happening(rng.randrange(2 * MINUTE_MS), "click", press, point, 1))
    if rng.random() < 0.15:
        what = rng.choice(("planned", "unplanned", "remote_down"))
        at = rng.randrange(5 * MINUTE_MS)
        made.append(Happening(at, "world", (pairing, what)))
    return made


def _said_twice() -> list[Happening]:
    """That a DELETE was not accepted is stored, and the commit does not answer. While that copy
    cannot say it again, another one sends the next DELETE and stops before its answer."""
    return [
        Happening(0, "cut", (None, 45_000), "outcome:after", 1),
        Happening(0, "freeze", (None, MINUTE_MS), "delete:received", 1),
    ]


def _between_commits(rng: random.Random) -> Happening:
    """What only a store that is reached over a network knows: a copy is cut off from it, or stops
    in the middle of a transaction, its commit answered or not."""
    at = rng.randrange(0, 5 * MINUTE_MS)
    span = rng.choice((1_500, 3_000, 30_000, 2 * MINUTE_MS))
    if rng.random() < 0.15:
        return Happening(at, "cut", (rng.randrange(3), span))
    what = rng.choices(("cut", "freeze", "crash"), (6, 2, 1))[0]
    if rng.random() < 0.5:
        point = rng.choice(COMMITS)
        nth = 1 if point == "outcome:after" else rng.randrange(1, 20)
        return Happening(at, what, (None, span), point, nth)
    return _at_point(rng, at, what, (None, span))


def _at_point(rng: random.Random, at: int, what: str, args: tuple[object, ...]) -> Happening:
    point = rng.choice((*POINTS, *ONCE))
    nth = 1 if point in ONCE else rng.randrange(1, 8)
    return Happening(at, what, args, point, nth)


def _trouble(rng: random.Random) -> list[Happening]:
    at = rng.randrange(0, 5 * MINUTE_MS)
    span = rng.choice((3_000, 30_000, 5 * MINUTE_MS))
    world = (rng.randrange(2), rng.choice(WORLD_CHANGES))
    kinds = (
        (14, Happening(at, "crash", (rng.randrange(3), span))),
        (22, _at_point(rng, at, "crash", (None, span))),
        (10, Happening(at, "freeze", (rng.randrange(3), span))),
        (20, _at_point(rng, at, "freeze", (None, span))),
        (8, Happening(at, "jump", (rng.choice((-300_000, -5_000, 40_000, 900_000)),))),
        (12, Happening(at, "appliance", (span, rng.choice((0.3, 1.0))))),
        (12, Happening(at, "slack", (span, rng.choice((0.3, 0.9))))),
        (5, Happening(at, "people", (span,))),
        (10, Happening(at, "rights", (rng.choice(APPROVERS), span))),
        (12, Happening(at, "world", world)),
        (6, _at_point(rng, at, "world", world)),
    )
    made = rng.choices([h for _, h in kinds], [w for w, _ in kinds])[0]
    if made.what != "appliance" or rng.random() < 0.5:
        return [made]
    # While an approved request waits for the appliance, somebody who agreed to it leaves.
    away = Happening(at, "appliance", (4 * MINUTE_MS, 1.0))
    return [away, Happening(at + MINUTE_MS, "rights", (rng.choice(APPROVERS), 10 * MINUTE_MS))]
