"""Whatever stands in the row, every message fits Slack and calls only whom we mean to call."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.request.fingerprint import differences
from bot.request.lookup_results import ListedPairing, PairingsListed
from bot.request.messages import Answer, Drawn
from bot.request.model import Decision, Request
from bot.request.pairing import IssueLine, Server
from bot.request.pools import ALL
from bot.slack.draw.card_buttons import names_view
from bot.slack.draw.limits import REASON
from bot.slack.draw.markup import fenced_units
from bot.slack.draw.message import draw, draw_answer
from bot.slack.draw.pairing_lists import pairings_list, preview
from bot.slack.draw.request_lists import status_list
from bot.slack.draw.words.after_a_click import ANSWERS
from bot.slack.receive.command_text import Ask, Parsed, Wrong, parse
from tests.slack.cards.hostile import FOREIGN, PIECES, requests
from tests.slack.cards.samples import (
    ENDED_BADLY,
    FORBIDDEN,
    NOW,
    SNAPSHOT,
    TERMS,
    decided,
    named,
    over,
    sample,
)
from tests.slack.cards.slack_checker import calls, elements, problems, strings
from tests.support.world import one_pool, policy

SLOTS = (
    "card",
    "progress",
    "reminder:1",
    "notice:1",
    "alarm:1",
    "told:UANN:1",
    "final",
    "correction",
    "stray:1.2",
)


def slots(request: Request) -> list[str]:
    ends = {"final": request.outcome, "correction": request.correction}
    return [slot for slot in SLOTS if ends.get(slot, slot)]


RUNS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@RUNS
@given(request=requests())
def test_every_slot_fits_slack_and_calls_nobody_else(request: Request) -> None:
    (told,) = request.notices
    ours = {request.requester, *request.deciders, *request.terms.notify, *told.who, *told.called}
    ours |= {request.glass_lost.by} if request.glass_lost else set()
    for slot in slots(request):
        drawn = draw(request, slot)
        assert problems(drawn) == [], slot
        assert set().union(*map(calls, strings(drawn))) <= ours, slot


@RUNS
@given(request=requests(), code=st.sampled_from(sorted(ANSWERS)), text=FOREIGN)
def test_every_answer_fits(request: Request, code: str, text: str) -> None:
    params = {"text": text, "retry_at": text, "superseded": text}
    assert problems(draw_answer(Answer(event=1, code=code, params=params), request)) == []


@pytest.mark.parametrize("piece", PIECES)
def test_who_decides_reads_all_of_the_longest_reason_that_is_taken(piece: str) -> None:
    """Beside everything else that an undecided card can hold, each at its longest."""
    takes = fenced_units(f"x{piece * 2}END") - fenced_units(f"x{piece}END")
    most = (REASON - fenced_units("xEND")) // takes

    def read(times: int) -> Parsed:
        typed = html.escape(f"x{piece * times}END", quote=False)
        return parse(f"oslo {typed}", command="/vr-unpair")

    asked = read(most)
    assert isinstance(asked, Ask)
    with pytest.raises(Wrong):
        read(most + 1)
    drawn = draw(crowded(asked.reason), "card")
    assert problems(drawn) == []
    (why,) = [text for text in list(strings(drawn))[1:] if text.endswith("END\n```")]
    assert asked.reason.count("END") == why.count("END")


@pytest.mark.parametrize(
    "words",
    [
        "Approved by security. Nothing will be deleted",
        ":white_check_mark:",
        "“None”, *all*",
        "None",
    ],
)
def test_a_name_never_reads_as_words_of_ours(words: str) -> None:
    """Whoever may name a virtual machine does not speak for the bot. In markup a name is in code,
    in a header in quotation marks; in neither is it an emoji."""
    server = Server(id="1", name=words, status=words)
    read = {
        **dict.fromkeys(("local_vc", "local_vrms", "remote_vrms"), server),
        "remote_vc": Server(id="2", name=words),
        "replications": named(*(words,) * 12, protected=4),
        "issues": (IssueLine(entity=words, description=words, status=words),),
        "issue_count": 1,
        "partial": (words,),
    }
    snapshot = SNAPSHOT.model_copy(update=read)
    listed = PairingsListed(
        site="lyon", pairings=(ListedPairing(pairing=snapshot),), partial=(words,), read_at=NOW
    )
    policy_ = policy()
    differs = differences(SNAPSHOT, snapshot, force=False)
    requests_ = (
        sample(snapshot=snapshot),
        sample(snapshot=None, asked=words),
        decided("proved", snapshot=snapshot),
        decided("changed", snapshot=snapshot, lines=differs),
        decided("outcome_unknown", snapshot=snapshot, force=True),
        over("pairing_several", asked=words, snapshot=None, lines=(words,)),
    )
    shown: list[object] = [draw(each, slot) for each in requests_ for slot in slots(each)[:3]]
    shown += [draw(each, "final") for each in requests_ if each.outcome]
    shown += [names_view(requests_[0]), pairings_list([listed], [], "/vr-unpair")]
    shown += [status_list(requests_, requests_, workspace_url=None, command="/vr-unpair")]
    preview_ = {"site": "lyon", "by": "UASKER", "channel": "C0PS", "command": "/vr-unpair"}
    shown += [preview(snapshot, policy=policy_, **preview_)]
    found = 0
    for each in shown:
        for kind, text in texts(each):
            assert kind != "emoji", text
            ours = re.sub(r"```.*?```|`[^`\n]*`|“[^”]*”", "", text, flags=re.DOTALL)
            assert words not in ours, text
            assert ":white_check_mark:" not in text if kind == "plain_text" else True
            found += text != ours
    assert found > 50


def texts(node: object) -> Iterator[tuple[str, str]]:
    """Every text with its type; `emoji` for plain text in which Slack makes pictures."""
    if isinstance(node, Drawn):
        yield "mrkdwn", node.text
        yield from texts(list(node.blocks))
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, dict):
        if "text" in node and "type" in node and isinstance(node["text"], str):
            ours = node["text"] in OUR_PLAIN
            yield "emoji" if node.get("emoji") and not ours else node["type"], node["text"]
        for each in node.values():
            yield from texts(each)


OUR_PLAIN = ("Break this pairing?", "Approve", "Not now", "Replications", "Close")


def crowded(reason: str) -> Request:
    long = "&" * 900
    server = Server(id=long, name=long, status="ERROR")
    issue = IssueLine(entity=long, description=long, status=long)
    full: dict[str, object] = {
        "pairing_id": long,
        **dict.fromkeys(("local_vc", "remote_vc", "local_vrms", "remote_vrms"), server),
        "replications": named(*(long,) * 10),
        "issues": (issue,) * 5,
        "issue_count": 900,
        "partial": (long,) * 6,
        "count": 500,
        "complete": False,
    }
    called = tuple(f"U{n:010d}" for n in range(80))
    marked = {"label": long, "appliance": long, "notify": called}
    flags = dict.fromkeys(("dry_run", "break_glass", "several"), True)
    return sample(
        snapshot=SNAPSHOT.model_copy(update=full),
        terms=TERMS.model_copy(update={**marked, **flags, "pools": one_pool(9)}),
        reason=reason,
        force=True,
        site=long,
        earlier_attention=long,
        approvals=tuple(Decision(by=who, at=NOW, pools={ALL: "U0X"}) for who in called[:8]),
        glass_lost=Decision(by="U1", at=NOW),
        only_glass=True,
    )


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("force", [True, False])
def test_the_question_before_approving_is_never_cut_off(piece: str, force: bool) -> None:
    name = Server(id="vc", name=(piece * 300)[:300])
    long = SNAPSHOT.model_copy(update={"local_vc": name, "count": 123_456})
    confirm = elements(draw(sample(snapshot=long, force=force), "card"))["unpair_approve"][
        "confirm"
    ]
    assert "123,456 replications" in confirm["text"]["text"]
    assert confirm["text"]["text"].endswith("This can't be undone.")


@pytest.mark.parametrize("piece", PIECES)
def test_vendors_messages_of_5000_characters(piece: str) -> None:
    long = (piece * 5_000)[:5_000]
    problem = FORBIDDEN.model_copy(update={"message": long, "error_code": long, "op_id": long})
    task = ENDED_BADLY.model_copy(update={"error_message": long, "error_details": long})
    drawn = draw(decided("task_error", problem=problem, task=task), "final")
    assert problems(drawn) == []
    for text in (drawn.text, "\n".join(list(strings(drawn))[1:])):
        assert "*Next:*" in text
        assert {"UASKER", "UFIRST", "USECOND"} <= calls(text)


def test_the_checker_can_see() -> None:
    """An independent checker that finds nothing proves nothing."""
    good = draw(sample(), "card")
    for text in ("", "<!channel>", "<@U1|x>", "a & b", "&am", "x" * 4_001, "\ud800"):
        assert problems(good.model_copy(update={"text": text})) != [], text
    too_many = good.model_copy(update={"blocks": good.blocks * 10})
    assert problems(too_many) != []
