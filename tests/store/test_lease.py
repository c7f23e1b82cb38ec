"""How much of its lease an effect may take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.request.plan import ReadPairing, ReadRights, ReadTasks, SendDelete
from bot.worker.drive import COMMIT_MS, LEASE_MS, time_for
from tests.store.samples import request

EFFECTS = (
    ReadTasks(listed=True),
    ReadPairing(purpose="act"),
    ReadRights(people=("U0FIRST",)),
    SendDelete(),
)


@given(st.sampled_from(EFFECTS), st.floats(-LEASE_MS, 2 * LEASE_MS), st.sampled_from((1, 30)))
def test_no_effect_outlasts_it(effect: object, left_ms: float, longer: int) -> None:
    """With what the commit needs on top."""
    time_ms = time_for(effect, request(1), left_ms, longer * LEASE_MS)  # type: ignore[arg-type]
    assert time_ms is None or 0 < time_ms <= left_ms - COMMIT_MS
