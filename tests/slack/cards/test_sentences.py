"""Every sentence and card that people read in Slack stands in words.md, made from the code: one
that has changed is seen here, and in no other test. Every code that the core can say has words,
and no words are left without a code.

The codes are read out of the core's source, so that a new one cannot come in without words.
"""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from bot import request as life
from bot.request.model import State
from bot.request.pairing import PairingUnresolved
from bot.request.who_may import Reason
from bot.slack.draw.words.after_a_click import ANSWERS
from bot.slack.draw.words.check_refused import REFUSED
from bot.slack.draw.words.endings import OUTCOMES
from bot.slack.draw.words.phrases import MAY_NOT, STATES
from bot.slack.draw.words.thread_notices import NOTICES
from tests.slack.cards.shown import ANSWERED, CORRECTIONS, FINALS, NOTICES_TOLD, REFUSALS
from tests.slack.cards.words_page import PAGE, page

# Which argument of which call is a code (a number counts from 0), and of which catalogue.
CALLS: dict[str, tuple[str, int | str]] = {
    "Outcome": ("outcome", "code"),
    **dict.fromkeys(("succeed", "fail", "attention", "refuse"), ("outcome", 1)),
    "turn_away": ("answer", 2),
    "answer": ("answer", 0),
    **dict.fromkeys(("notice", "_tell_of_wait"), ("notice", 0)),
}

ONLY_ANSWERS = {"look_running", "look_still_there", "look_unlisted"}
"""Where a look finds nothing final, the core has no state to go with the code, so no correction."""


def test_the_page_of_words_is_what_the_code_says() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "make it anew: python -m tests.slack.cards.words_page"
    assert "None" not in written


def test_every_code_of_the_core_has_words_and_no_words_are_orphans() -> None:
    found = codes()
    for kind, words in (("outcome", OUTCOMES), ("answer", ANSWERS), ("notice", NOTICES)):
        said = found[kind] - (ONLY_ANSWERS if kind == "outcome" else set())
        assert {code for code in said if "*" not in code} <= set(words)
        assert not [code for code in words if not any(fnmatchcase(code, one) for one in said)]
        assert not [one for one in said if not any(fnmatchcase(code, one) for code in words)]
    assert set(STATES) == set(State)
    assert set(MAY_NOT) == set(Reason) - {Reason.YES}
    whys = get_args(PairingUnresolved.model_fields["why"].annotation)
    assert {f"pairing_{why}" for why in whys} <= set(REFUSED)


def test_the_page_of_words_shows_each_code() -> None:
    shown = [*FINALS, *CORRECTIONS, *REFUSALS]
    assert set(OUTCOMES) == {re.split(r"[ ,]", name)[0] for name in shown}
    assert {row.outcome.code for row in REFUSALS.values() if row.outcome} == set(REFUSED)
    assert set(NOTICES) == {name.split(",")[0] for name in NOTICES_TOLD}
    assert {row[0] for row in ANSWERED} <= {*ANSWERS, "unexpected"}


def codes() -> dict[str, set[str]]:
    """What changes within a code stands as `*`."""
    found: dict[str, set[str]] = {"outcome": set(), "answer": set(), "notice": set()}
    for path in Path(life.__path__[0]).glob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for function in [n for n in ast.walk(module) if isinstance(n, ast.FunctionDef)]:
            for call in [n for n in ast.walk(function) if isinstance(n, ast.Call)]:
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                if name in CALLS:
                    kind, place = CALLS[name]
                    given = [k.value for k in call.keywords if k.arg == place]
                    given += [call.args[place]] if isinstance(place, int) else []
                    for each in given:
                        found[kind] |= _texts(each, function, module)
    return found


def _texts(node: ast.expr, function: ast.FunctionDef, module: ast.Module) -> set[str]:
    """Everything that this expression can be; fails where that cannot be told."""
    match node:
        case ast.Constant(value=text):
            return {text} if isinstance(text, str) else set()
        case ast.JoinedStr(values=parts):
            fixed = (part.value if isinstance(part, ast.Constant) else "*" for part in parts)
            return {"".join(map(str, fixed))}
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, function, module) | _texts(other, function, module)
        case ast.Dict(values=several):
            return set().union(*(_texts(each, function, module) for each in several))
        case ast.Call(func=ast.Name(id=name)):
            (called,) = (n for n in ast.walk(module) if getattr(n, "name", "") == name)
            assert isinstance(called, ast.FunctionDef)
            given = [n.value for n in ast.walk(called) if isinstance(n, ast.Return) and n.value]
            return set().union(*(_texts(each, called, module) for each in given))
        case ast.Subscript(value=table):
            return _texts(table, function, module)
        case ast.Name(id=name) if name in {a.arg for a in function.args.args}:
            return set()  # a wrapper: its callers are read instead
        case ast.Name(id=name):
            given = _assigned(name, function) or _assigned(name, module)
            assert given, f"{function.name}: what is {name}?"
            return set().union(*(_texts(each, function, module) for each in given))
    raise AssertionError(f"{function.name}: what is {ast.unparse(node)}?")


def _assigned(name: str, where: ast.AST) -> list[ast.expr]:
    given: list[ast.expr] = []
    for node in [n for n in ast.walk(where) if isinstance(n, ast.Assign)]:
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                given += [v for t, v in pairs if ast.unparse(t) == name]
            elif ast.unparse(target) == name:
                given.append(node.value)
    return given
