"""Text as an enemy, a broken appliance or a very thorough colleague would write it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bot.request.model import Decision, Notice, Outcome, Request, State
from bot.request.pairing import IssueLine, Server, Snapshot
from bot.request.pools import ALL
from bot.request.problem import Problem, ProblemKind
from bot.request.task import TaskView
from bot.slack.draw.words.endings import OUTCOMES
from bot.slack.draw.words.thread_notices import NOTICES
from tests.slack.cards.samples import NOW, SNAPSHOT, TERMS, named, sample
from tests.support.world import one_pool

PIECES = (
    "<!channel>",
    "<!here|here>",
    "<@U123>",
    "<@U123|ann>",
    "<https://evil.example|click>",
    "&",
    "&amp;",
    "<",
    ">",
    "`",
    "```",
    "*bold*",
    "\n> quoted\n",
    "\n",
    "\u2028",
    "\x00\x1b[2J",
    "\u202eevil",
    "\ud800",
    "👩\u200d🚒",
    "é́́",
    " ",
    "vm-0001",
)
WORDS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=8).map("".join)
LONG = st.tuples(st.sampled_from(PIECES), st.integers(1, 5_000)).map(
    lambda p: (p[0] * (p[1] // len(p[0]) + 1))[: p[1]]
)
FOREIGN = st.one_of(WORDS, LONG)
MAYBE = st.one_of(st.none(), FOREIGN)
PEOPLE = st.lists(st.from_regex(r"[UW][A-Z0-9]{8,10}", fullmatch=True), max_size=80).map(tuple)


def servers() -> st.SearchStrategy[Server]:
    return st.builds(Server, id=MAYBE, name=MAYBE, status=st.sampled_from([None, "OK", "ERROR"]))


def snapshots() -> st.SearchStrategy[Snapshot]:
    issue = st.builds(IssueLine, entity=MAYBE, description=MAYBE, status=MAYBE)
    return st.builds(
        lambda **changes: SNAPSHOT.model_copy(update=changes),
        id=FOREIGN,
        local_vc=servers(),
        remote_vc=servers(),
        remote_vrms=servers(),
        count=st.integers(0, 500),
        protected=st.integers(0, 500),
        complete=st.booleans(),
        replications=st.lists(FOREIGN, max_size=10).map(lambda names: named(*names)),
        issues=st.lists(issue, max_size=5).map(tuple),
        issue_count=st.integers(0, 900),
        partial=st.lists(FOREIGN, max_size=6).map(tuple),
    )


def problems_said() -> st.SearchStrategy[Problem]:
    return st.builds(
        Problem,
        kind=st.sampled_from(ProblemKind),
        text=FOREIGN,
        status=st.sampled_from([None, 400, 401, 403, 404, 429, 500, 502]),
        error_code=MAYBE,
        message=MAYBE,
        op_id=MAYBE,
        retry_at=st.sampled_from([None, NOW]),
    )


def tasks() -> st.SearchStrategy[TaskView]:
    return st.builds(
        TaskView,
        id=FOREIGN,
        status=st.one_of(st.sampled_from(["RUNNING", "ERROR", "SUCCESS"]), FOREIGN),
        progress=st.one_of(st.none(), st.integers(-9, 900)),
        error_message=MAYBE,
        error_details=MAYBE,
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any state with any outcome, together as they never are: drawing must stand it."""
    changes: dict[str, Any] = {
        "state": draw(st.sampled_from(State)),
        "reason": draw(FOREIGN),
        "asked": draw(FOREIGN),
        "site": draw(WORDS),
        "force": draw(st.booleans()),
        "requester": draw(st.sampled_from(["UASKER", "<!channel>", "operator:<@U1>"])),
        "snapshot": draw(st.one_of(st.none(), snapshots())),
        "earlier_attention": draw(MAYBE),
        "card_ts": draw(st.sampled_from([None, "1700000001.000100", "x", "²"])),
        "terms": TERMS.model_copy(
            update={
                "label": draw(FOREIGN),
                "appliance": draw(FOREIGN),
                "notify": draw(PEOPLE),
                "dry_run": draw(st.booleans()),
                "pools": one_pool(draw(st.integers(1, 5))),
                "break_glass": draw(st.booleans()),
            }
        ),
        "approvals": tuple(Decision(by=p, at=NOW, pools={ALL: "U0X"}) for p in draw(PEOPLE)),
        "waiting": draw(st.one_of(st.none(), problems_said())),
        "task": draw(st.one_of(st.none(), tasks())),
        "notices": (
            Notice(
                code=draw(st.sampled_from(sorted(NOTICES))),
                at=NOW,
                text=draw(FOREIGN),
                who=draw(PEOPLE),
                called=draw(PEOPLE),
            ),
        ),
        "only_glass": draw(st.booleans()),
        "ended_at": draw(st.sampled_from([None, NOW])),
    }
    alone = Decision(by="UCHIEF", at=NOW, reason=draw(MAYBE))
    changes["glass"] = draw(st.sampled_from([None, alone]))
    changes["glass_lost"] = draw(st.sampled_from([None, alone]))
    said_no = Decision(by="UNO", at=NOW, reason=draw(MAYBE))
    changes["denial"] = draw(st.sampled_from([None, said_no]))
    taken_back = Decision(by=draw(st.sampled_from(["UASKER", "operator:`<!here>`"])), at=NOW)
    changes["cancellation"] = draw(st.sampled_from([None, taken_back]))
    code = draw(st.sampled_from(sorted(OUTCOMES)))
    lines = tuple(draw(st.lists(FOREIGN, min_size=2, max_size=12)))
    ours = {"requester_not_allowed": "guest", "time_not_taken": "past"}  # not typed by anybody
    lines = (ours[code], lines[1]) if code in ours else lines
    outcome = Outcome(code=code, problem=draw(st.one_of(st.none(), problems_said())), lines=lines)
    changes["outcome"] = draw(st.sampled_from([None, outcome]))
    changes["correction"] = draw(st.sampled_from([None, Outcome(code="look_gone")]))
    return sample(**changes)
