"""Every code that the core can say has words, and no words are left without a code.

The codes are read out of the core's source, so that a new one cannot come in without words.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from bot import request as life
from bot.request.model import State
from bot.request.who_may import Reason
from bot.slack.draw.words.after_a_click import ANSWERS
from bot.slack.draw.words.check_refused import REFUSED
from bot.slack.draw.words.endings import OUTCOMES
from bot.slack.draw.words.phrases import MAY_NOT, STATES
from bot.slack.draw.words.thread_notices import NOTICES
from tests.slack.cards.shown import ANSWERED, CORRECTIONS, FINALS, NOTICES_TOLD, REFUSALS

# Which argument of which call is a code (a number counts from 0), and of which catalogue.
CALLS: dict[str, tuple[str, int | str]] = {
    "Outcome": ("outcome", "code"),
    "succeed": ("outcome", 1),
    "fail": ("outcome", 1),
    "attention": ("outcome", 1),
    "refuse": ("outcome", 1),
    "_refuse_click": ("answer", 2),
    "turn_away": ("answer", 2),
    "answer": ("answer", 0),
    "notice": ("notice", 0),
}
UNKNOWABLE = {
    "verdict.reason.value": {r.value for r in Reason if r is not Reason.YES},
    "event.action": {"approve", "deny"},
    "event.why": {"none", "several", "self", "partial", "unread", "no_site", "taken"},
    "task.status.lower()": {"error", "cancelled"},
}
"""What an f-string in the core can stand for; one that is not here makes the test fail."""


ONLY_ANSWERS = {"look_running", "look_still_there", "look_unlisted"}
"""Where a look finds nothing final, the core has no state to go with the code, so no correction."""


def test_every_code_of_the_core_has_words_and_no_words_are_orphans() -> None:
    found = codes()
    assert found["outcome"] - ONLY_ANSWERS == set(OUTCOMES)
    assert found["answer"] == set(ANSWERS)
    assert found["notice"] == set(NOTICES)
    assert set(STATES) == set(State)
    assert set(MAY_NOT) == set(Reason) - {Reason.YES}


def test_the_page_of_words_shows_each_code() -> None:
    shown = [*FINALS, *CORRECTIONS, *REFUSALS]
    assert set(OUTCOMES) == {re.split(r"[ ,]", name)[0] for name in shown}
    assert {row.outcome.code for row in REFUSALS.values() if row.outcome} == set(REFUSED)
    assert set(NOTICES) == {name.split(",")[0] for name in NOTICES_TOLD}
    assert {row[0] for row in ANSWERED} <= {*ANSWERS, "unexpected"}


def codes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"outcome": set(), "answer": set(), "notice": set()}
    for module in _modules():
        tree = ast.parse(inspect.getsource(module))
        for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
            for call in [n for n in ast.walk(function) if isinstance(n, ast.Call)]:
                name = _name(call.func)
                if name in CALLS:
                    kind, place = CALLS[name]
                    for argument in _argument(call, place):
                        found[kind] |= _values(argument, function, module)
    return found


def _modules() -> Iterator[ModuleType]:
    folder = Path(inspect.getfile(life)).parent
    for path in sorted(folder.glob("*.py")):
        yield importlib.import_module(f"bot.request.{path.stem}")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _argument(call: ast.Call, place: int | str) -> list[ast.expr]:
    if isinstance(place, int):
        return [call.args[place]]
    return [k.value for k in call.keywords if k.arg == place]


def _values(node: ast.expr, function: ast.FunctionDef, module: ModuleType) -> set[str]:
    """Everything that this expression can be; fails where that cannot be told."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return _values(one, function, module) | _values(other, function, module)
        case ast.JoinedStr(values=parts):
            texts = {""}
            for part in parts:
                texts = {t + p for t in texts for p in _part(part)}
            return texts
        case ast.Subscript(value=ast.Name(id=table)):
            return set(getattr(module, table).values())
        case ast.Name(id=name) if name in {a.arg for a in function.args.args}:
            return set()  # a wrapper: its callers are read instead
        case ast.Name(id=name) if isinstance(getattr(module, name, None), str):
            return {getattr(module, name)}
        case ast.Name(id=name):
            given = _assigned(name, function)
            assert given, f"{module.__name__}.{function.name}: what is {name}?"
            return set().union(*(_values(g, function, module) for g in given))
    raise AssertionError(f"{module.__name__}.{function.name}: what is {ast.unparse(node)}?")


def _part(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    assert isinstance(node, ast.FormattedValue)
    return UNKNOWABLE[ast.unparse(node.value)]


def _assigned(name: str, function: ast.FunctionDef) -> list[ast.expr]:
    given: list[ast.expr] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                given.append(node.value)
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                given += [v for t, v in pairs if isinstance(t, ast.Name) and t.id == name]
    return given
