"""What `plan` can ask for. Everything but `Wait` and `Tick` reaches the outside once."""

from __future__ import annotations

from typing import Literal

from bot.request.frozen import Frozen


class Wait(Frozen):
    """Nothing to do before `until` (ms); None: only an event can wake it."""

    until: int | None


class Tick(Frozen):
    """Time itself is the event: absorb `TimePassed`."""


class ReadStanding(Frozen):
    """May the requester ask, and who could approve?"""


class ReadPairing(Frozen):
    """What the appliance says of the pairing; to `act`, its tasks as well."""

    purpose: Literal["check", "act"]


class ReadRights(Frozen):
    """The rights that these people have now. `glass`: whose right to break the glass is read."""

    people: tuple[str, ...]
    glass: tuple[str, ...] = ()


class SendDelete(Frozen):
    """Log in and reserve the call, store the intent, send. Once."""


class LookAround(Frozen):
    """Tasks and pairing: after a DELETE whose outcome is unknown, and when somebody presses Look
    again. Of the tasks all that are `listed`, or the one of this id, or none."""

    listed: bool
    task_id: str | None = None


class LookAtTask(Frozen):
    """The task that is followed, asked for by its id."""

    task_id: str


class LookAtPairing(Frozen):
    """Is it gone?"""


Effect = (
    Wait
    | Tick
    | ReadStanding
    | ReadPairing
    | ReadRights
    | SendDelete
    | LookAround
    | LookAtTask
    | LookAtPairing
)
