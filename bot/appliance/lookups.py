"""Reads what people only look at, at the lowest priority (`bot.request.lookups.ReadingPort`)."""

from __future__ import annotations

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance
from bot.appliance.errors import ApplianceError
from bot.appliance.port import Port
from bot.appliance.problems import Clock, problem
from bot.appliance.snapshots import meta_words, pairing
from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.lookups import ListedPairing
from bot.request.pairing import Pairing

PARTIAL_KEPT = 5


class LookupPort:
    """`now` is the same as for `Port`."""

    def __init__(self, appliance: Appliance, now: Clock) -> None:
        self._appliance = appliance
        self._now = now
        self._port = Port(appliance, now, checks_at=Priority.LOOKUP)

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        return self._port.find_and_read(asked, by)

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        try:
            listed = self._appliance.calls(Priority.LOOKUP, by).pairings()
        except ApplianceError as error:
            return CallFailed(problem=problem(error, self._now))
        found = [pairing(item) for item in listed.items]
        few = len(found) <= count_at_most
        counted = self._counts(found, by) if few else {}
        pairings = tuple(
            ListedPairing(
                pairing=each,
                replications=counted.get(each.id),
                uncounted=few and each.id not in counted,
            )
            for each in found
        )
        return pairings, tuple(meta_words(error) for error in listed.errors[:PARTIAL_KEPT])

    def _counts(self, pairings: list[Pairing], by: float) -> dict[str, int]:
        """The counts up to the first failure. The list says of the others that they were not
        read."""
        counted: dict[str, int] = {}
        for each in pairings:
            # Each is an effect of its own: it must not go on to where checks would find no room.
            api = self._appliance.calls(Priority.LOOKUP, by)
            try:
                counted[each.id] = api.replication_count(each.id)
            except ApplianceError:
                break
        return counted
