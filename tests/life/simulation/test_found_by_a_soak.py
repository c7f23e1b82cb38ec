"""Histories that broke a rule once."""

from __future__ import annotations

import pytest

from tests.life.simulation.happenings import Happening, History
from tests.life.simulation.runner import check

FROZEN_ACROSS_THE_DEADLINE = History(
    seed=1,
    happenings=(
        Happening(10_000, "ask", (0, "U0ASKER", 0, False)),
        Happening(605_000, "click", (0, "U0B", "approve", "foreign")),
        Happening(605_000, "freeze", (None, 10_000), "save:after", 1),
        Happening(607_000, "click", (0, "U0C", "approve", "plain")),
    ),
    replicas=2,
    delete_fates=("accepted",) * 4,
    task_fates=("success",) * 4,
)
"""The process read the inbox, froze as it had stored what came of that, and woke up after the
deadline; a valid click had come by the other copy."""

LISTED_ONCE_MORE_BY_A_FROZEN_COPY = History(
    seed=91_896,
    happenings=(
        Happening(41_868, "ask", (2, "U0ASKER", 1, False)),
        Happening(78_961, "click", (2, "U0A", "approve", "plain")),
        Happening(93_035, "cut", (None, 3_000), "intent:after", 1),
        Happening(172_565, "freeze", (None, 30_000), "effect:before", 5),
        Happening(267_037, "click", (2, "U0B", "approve", "doubled")),
    ),
    replicas=2,
    approvals=2,
    delete_fates=("accepted",) * 4,
    task_fates=("stays_there",) * 4,
)
"""A copy froze before its listing, another one sent the DELETE, and the first one listed then, for
a claim that it had lost. The rule took that for a listing before the DELETE."""


@pytest.mark.parametrize("found", [FROZEN_ACROSS_THE_DEADLINE, LISTED_ONCE_MORE_BY_A_FROZEN_COPY])
def test_every_rule_holds(found: History) -> None:
    assert check(found) is None
