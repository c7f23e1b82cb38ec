"""`words.md` here, made from the code: all that the bot says in Slack, cards and replies whole.

`python -m tests.slack.cards.words_page` writes it anew; a test fails where it is behind.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.request.events import CallFailed
from bot.request.lookup_results import (
    Home,
    ListedPairing,
    LookFailed,
    MayNotLook,
    PairingsListed,
    SiteUnread,
)
from bot.request.messages import UNEXPECTED, Answer, Drawn
from bot.request.model import Request, State
from bot.request.pairing import Pairing, PairingUnresolved, Server
from bot.request.who_may import Reason, SiteTerms
from bot.slack.draw import ask_form, pairing_lists, request_lists
from bot.slack.draw.card_buttons import FORMS, names_view, reason_form
from bot.slack.draw.ids import AskOrigin, ReasonOrigin
from bot.slack.draw.message import draw, draw_answer
from bot.slack.draw.words import usage
from bot.slack.draw.words.after_a_click import ANSWERS
from bot.slack.draw.words.check_refused import may_not_look
from tests.slack.cards import shown
from tests.slack.cards.samples import BY_STATE, CUT_OFF, NOW, SNAPSHOT, sample
from tests.slack.cards.slack_checker import reading, wrapped
from tests.support.world import policy

PAGE = Path(__file__).with_name("words.md")
URL = "https://ops.slack.test/"
COMMAND = "/vr-unpair"
ASK = AskOrigin(request_id="K7QM-3XPD", channel="C0PS", opened_by=1)
PRESSED = ReasonOrigin(
    request_id="K7QM-3XPD",
    fingerprint="0123456789abcdef",
    channel="C0PS",
    message_ts="1700000001.000100",
    opened_by=17,
    ours=True,
)

_DATE = re.compile(r"<!date\^[^|]*\|([^>]*)>")
_PERSON = re.compile(r"<@(\w+)>|<!subteam\^(\w+)>")
_CHANNEL = re.compile(r"<#(\w+)>")
_FENCE = re.compile(r"```\n(.*?)\n```", re.DOTALL)

HEAD = """# What it says

Made from the code (`python -m tests.slack.cards.words_page`), for one made-up request: whoever
meets a sentence in Slack finds here what it belongs to. In the whole messages `---` stands between
two blocks, `⟨22:13⟩` for a time in the reader's zone, and buttons are in brackets. What to do at
each end is in `docs/runbook.md`.
"""


def page() -> str:
    parts = [HEAD, "## The card\n"]
    parts += [_whole(name, draw(row, "card")) for name, row in shown.CARDS.items()]
    parts += [
        _table("Its buttons", ("button", "read out as", "asks back"), _buttons()),
        _whole("All names, a click away", _form(names_view(shown.CARDS[MANY]))),
        _whole("The same, where all are known", _form(names_view(sample()))),
        _table("How a request ends", ("code", "card", "final reply"), _finals("final")),
        _table("What Look again may add", ("code", "card", "reply"), _finals("correction")),
        "## Final replies, whole\n",
        *(_whole(name, draw(row, "final")) for name, row in shown.WHOLE_FINALS.items()),
        _whole("a correction", draw(shown.CORRECTIONS["look_task_failed"], "correction")),
        _table("Refused: what the asker is told", ("code", "words"), _refusals()),
        _table("The progress message", ("while it is", "words"), _slot(shown.PROGRESS, "progress")),
        _table("The reminder", ("while it is", "words"), _slot(shown.REMINDERS, "reminder:1")),
        _table(
            "What the thread is told meanwhile",
            ("code", "words"),
            _slot(shown.NOTICES_TOLD, "notice:1"),
        ),
        _whole("The alarm of a break glass", draw(BROKEN, "alarm:1")),
        _whole("The same for one approver", draw(BROKEN, "told:UANN:1", COMMAND, URL)),
        _whole(
            "A request, for one who is called and not in its channel",
            draw(shown.NOTICES_TOLD["asked_unseen"], "told:UANN:1", COMMAND, URL),
        ),
        _whole(
            "Its approval, for the same one",
            draw(shown.NOTICES_TOLD["approved_unseen"], "told:UANN:1", COMMAND, URL),
        ),
        _whole("A copy of the card that is not in use", draw(sample(), "stray:1.2")),
        _table("What one person is told", ("code", "words"), _answers()),
        _table("What is said at once", ("about", "words"), _said_by(usage)),
        _table("Who may not look", ("because", "words"), _looks()),
        _whole("help", usage.help_text(COMMAND, EVERYTHING)),
        _whole("help, the shortest", usage.help_text(COMMAND, policy())),
        _whole("list", _listed()),
        _table("A preview that finds nothing", ("because", "words"), _not_previewed()),
        "## Previews\n",
        *(_whole(name, drawn) for name, drawn in _previews()),
        "## Requests in lists\n",
        _whole("status", _status(shown.CARDS.values(), [BY_STATE[State.FAILED]])),
        _whole("status, nothing there", _status([], [])),
        *(
            _whole(f"status ID: {name}", request_lists.one(row, card))
            for name, row, card in _ones()
        ),
        _whole("status of an id that is not known", request_lists.unknown("K7QM-3XPD", COMMAND)),
        *(_whole(f"Home: {name}", _form(view)) for name, view in _homes()),
        "## Forms\n",
        *(_whole(name, _form(view)) for name, view in _forms()),
        _table("Sentences in forms", ("about", "words"), _sentences()),
    ]
    return "\n".join(parts)


MANY = "more replications than have a place"
BROKEN = shown.NOTICES_TOLD["glass_broken"]
UNCLEAR = BY_STATE[State.ATTENTION]


# ---- from rows ---------------------------------------------------------------------------------
def _buttons() -> Iterable[tuple[str, ...]]:
    cards = [*(draw(row, "card") for row in shown.CARDS.values()), draw(UNCLEAR, "final")]
    blocks = [block for drawn in cards for block in drawn.blocks]
    found = [e for b in blocks for e in [*b.get("elements", ()), b.get("accessory", {})]]
    rows = {}
    for each in found:
        if each.get("type") == "button":
            asks = each.get("confirm", {})
            back = [asks[part]["text"] for part in ("title", "text", "confirm", "deny") if asks]
            rows[each["text"]["text"], each["accessibility_label"], "\n".join(back)] = None
    return rows


def _finals(slot: str) -> Iterable[tuple[str, ...]]:
    rows = shown.FINALS if slot == "final" else shown.CORRECTIONS
    for name, row in rows.items():
        over = draw(row, "card").blocks[0]["text"]["text"]
        yield name, over, "\n".join(_sections(draw(row, slot)))


def _refusals() -> Iterable[tuple[str, ...]]:
    answer = Answer(event=1, code="refused")
    for name, row in shown.REFUSALS.items():
        drawn = draw_answer(answer, row)
        pressed = [e["text"]["text"] for b in drawn.blocks for e in b.get("elements", ())]
        yield name, "\n".join([drawn.text, *(f"[{each}]" for each in pressed)])


def _slot(rows: Mapping[str, Request], slot: str) -> Iterable[tuple[str, ...]]:
    return ((name, draw(row, slot).text) for name, row in rows.items())


def _answers() -> Iterable[tuple[str, ...]]:
    named = {"request": "K7QM-3XPD", "reference": "R-1"}
    for code in (*(each for each in ANSWERS if each != "refused"), UNEXPECTED):
        rows = [row for row in shown.ANSWERED if row[0] == code]
        if all(when for _, when, _, _ in rows) and code != "already_decided":
            rows.insert(0, (code, "", sample(), {}))
        for _, when, row, params in rows:
            answer = Answer(event=1, code=code, params={**params, **named})
            yield f"{code}, {when}" if when else code, draw_answer(answer, row).text
    yield "no such request", draw_answer(Answer(event=1, code="already_decided"), None).text


ARGUMENTS = {
    "command": COMMAND,
    "typed": "berlin",
    "pairing": "oslo",
    "site": "lyon",
    "sites": tuple(f"site{n}" for n in range(12)),
    "allowed": frozenset({"C0PS", "C0DR"}),
    "pattern": r"CHG\d{7}",
    "reference": "R-1",
    "request_id": "K7QM-3XPD",
    "length": 3_000,
    "most": 2_900,
    "number": 2,
    "named": "`lyon`",
    "appliances": "`lyon`, `rome`",
    "why": "It is away.",
    "moment": "22:13",
}


def _said_by(module: ModuleType) -> Iterable[tuple[str, ...]]:
    """Each sentence of the module, by its name: constants, and functions of nothing but words."""
    for name, each in vars(module).items():
        if isinstance(each, str) and name.isupper():
            yield name.lower(), each
        elif getattr(each, "__module__", "") == module.__name__ and not name.startswith("_"):
            takes = inspect.signature(each)
            if takes.return_annotation == "str" and set(takes.parameters) <= set(ARGUMENTS):
                yield name, each(**{every: ARGUMENTS[every] for every in takes.parameters})


def _looks() -> Iterable[tuple[str, ...]]:
    return ((r.value, may_not_look(r)) for r in Reason if r not in (Reason.YES, Reason.OWN_REQUEST))


SITES = dict.fromkeys(("lyon", "rome"), SiteTerms(appliance="vr", poll_ms=1, timeout_ms=1))
EVERYTHING = policy(
    sites=SITES,
    label="production",
    dry_run=True,
    schedule_max_ms=1,
    require_reason=True,
    reason_pattern=r"CHG\d{7}",
    break_glass=frozenset({"UCHIEF"}),
)


# ---- pairings that are looked up ---------------------------------------------------------------
def _pairing(number: int, *statuses: str | None, remote: str | None = None) -> ListedPairing:
    servers = [Server(id=f"{n}-{number}", name=f"{n}-{number}") for n in "abcd"]
    for place, status in enumerate(statuses):
        servers[place] = servers[place].model_copy(update={"status": status})
    if remote:
        servers[1] = servers[0]
    local, other, here, there = servers
    found = Pairing(
        id=f"{number}0000000-1", local_vc=local, remote_vc=other, local_vrms=here, remote_vrms=there
    )
    return ListedPairing(pairing=found, replications=number or None, uncounted=not number)


OK = ("OK",) * 4
LISTED = PairingsListed(
    site="lyon",
    pairings=(
        _pairing(0, *OK),
        _pairing(1, "OK", "ERROR", "OK", "OK"),
        _pairing(2, "OK", "OK", None, "WARNING"),
        _pairing(3),
        _pairing(4, *OK, remote="itself"),
    ),
    partial=("one site is away", "one site is away"),
    read_at=NOW,
)
OTHER_SIDE = PairingsListed(site="rome", pairings=(_pairing(0, *OK),), read_at=NOW)
FAILED = SiteUnread(site="oslo", failed=CallFailed(problem=CUT_OFF))


HOLDERS = [
    sample(id="BBBB-CCCC", site="rome", pairing_id="00000000-1"),
    sample(id="DDDD-FFFF", pairing_id="10000000-1", snapshot=None),
]


def _listed() -> str:
    several = pairing_lists.pairings_list([LISTED, OTHER_SIDE, FAILED], HOLDERS, COMMAND, URL)
    many = PairingsListed(
        site="lyon", pairings=tuple(_pairing(n, *OK) for n in range(5, 47)), read_at=NOW
    )
    one = reading(pairing_lists.pairings_list([many], [], COMMAND)).split("\n")
    return "\n---\n".join([reading(several), "\n".join([*one[:2], one[-1]])])


def _not_previewed() -> Iterable[tuple[str, ...]]:
    several = PairingUnresolved(why="several", candidates=("a candidate", "another"))
    yield (
        "as where a request is refused",
        pairing_lists.unresolved("lyon", "oslo", several, several=False),
    )
    for problem in (CUT_OFF, CUT_OFF.model_copy(update={"retry_at": NOW})):
        yield problem.kind.value, pairing_lists.not_previewed("oslo", CallFailed(problem=problem))


def _previews() -> Iterable[tuple[str, Drawn]]:
    asked = {"by": "UASKER", "channel": "C0PS", "command": COMMAND}
    yield "a preview", pairing_lists.preview(SNAPSHOT, site="default", policy=policy(), **asked)
    yield (
        "one of several appliances, asked already, and unclear before",
        pairing_lists.preview(
            SNAPSHOT,
            site="lyon",
            force=True,
            policy=EVERYTHING,
            holder=sample(id="BBBB-CCCC", site="rome"),
            unclear=BY_STATE[State.ATTENTION],
            workspace_url=URL,
            **asked,
        ),
    )


# ---- requests in lists -------------------------------------------------------------------------
def _status(opened: Iterable[Request], ended: list[Request]) -> Drawn:
    unclear = [BY_STATE[State.ATTENTION]] if ended else []
    return request_lists.status_list(
        list(opened), ended, unclear, workspace_url=URL, command=COMMAND
    )


def _ones() -> Iterable[tuple[str, Request, str | None]]:
    yield "undecided", shown.CARDS["all that an approver must be warned of"], URL
    yield "its card held up", sample(state=State.CHECKING, card_error="missing_scope"), None
    yield "waits until its time", shown.WAITS, None
    yield "following", BY_STATE[State.FOLLOWING], None
    yield "refused", BY_STATE[State.REFUSED], None
    yield "corrected", shown.CORRECTIONS["look_gone"], URL


def _homes() -> Iterable[tuple[str, Any]]:
    many = tuple(sample(id=f"BBBB-CCC{n}") for n in "23456789BCDF")
    full = Home(
        unresolved=(BY_STATE[State.ATTENTION],),
        waiting=many,
        asked=(sample(state=State.CHECKING, card_error="missing_scope", card_ts=None),),
        running=(BY_STATE[State.FOLLOWING], shown.WAITS),
        others=(sample(**shown.TIMED, force=True, terms=shown.DRY),),
        ended=(BY_STATE[State.REFUSED],),
    )
    for name, read in (
        ("all lists", full),
        ("nothing there", Home()),
        ("rights unread", Home(rights_unread=True)),
        ("a guest", MayNotLook(reason=Reason.GUEST)),
        ("an error of ours", LookFailed(reference="R-1")),
    ):
        yield name, request_lists.home_view(read, workspace_url=URL, command=COMMAND, now=NOW)


# ---- forms -------------------------------------------------------------------------------------
def _forms() -> Iterable[tuple[str, Any]]:
    found = tuple(pairing_lists.choices([LISTED], several_sites=False))
    yield "reading", ask_form.reading_form(ASK, COMMAND)
    yield "nothing to choose", ask_form.unread_form(ASK, [ask_form.type_instead(COMMAND)])
    yield "one appliance", ask_form.filled_form(ASK, ask_form.FormLists(choices=found), policy())
    several = pairing_lists.choices([LISTED, OTHER_SIDE], several_sites=True)
    many = [each for each in several for _ in range(40)]
    yield (
        "several appliances, a search, filled in, with all that can be asked for",
        ask_form.filled_form(
            ASK,
            ask_form.FormLists(
                choices=tuple(many),
                notes=("a note", "another"),
                site="berlin",
                filled=ask_form.Filled(
                    pairing=several[0].option.value,
                    force=True,
                    reason="it is gone",
                    day="2026-12-03",
                    time="22:00",
                ),
            ),
            EVERYTHING,
        ),
    )
    for action, row in (
        ("deny", sample()),
        ("settle", BY_STATE[State.ATTENTION]),
        ("break_glass", sample(terms=shown.WITH_GLASS, **shown.TIMED)),
        ("break_glass", sample(terms=shown.DRY, force=True)),
    ):
        yield action, reason_form(action, PRESSED, row)


def _sentences() -> Iterable[tuple[str, ...]]:
    yield from _said_by(ask_form)
    yield "not read yet", pairing_lists.not_read_option().to_dict()["text"]["text"]
    for form in FORMS.values():
        yield f"{form.title}, empty", form.missing


# ---- as text -----------------------------------------------------------------------------------
def _sections(drawn: Drawn) -> list[str]:
    return [b["text"]["text"] for b in drawn.blocks if b["type"] == "section"]


def _form(view: dict[str, Any]) -> str:
    """A modal or a Home tab: its texts in order, each field with what can be chosen in it."""
    heads = [f"{key}: {view[key]['text']}" for key in ("title", "submit", "close") if view.get(key)]
    return "\n---\n".join(filter(None, ["\n".join(heads), *map(_block, view["blocks"])]))


def _block(block: dict[str, Any]) -> str:
    if block["type"] != "input":
        return reading(Drawn(text="", blocks=(block,))) or f"({block['type']})"
    field = block["element"]
    lines = [f"{block['label']['text']}{' (optional)' if block.get('optional') else ''}"]
    lines += [f"placeholder: {field['placeholder']['text']}"] if "placeholder" in field else []
    for each in field.get("options", ()):
        about = f" ({each['description']['text']})" if "description" in each else ""
        lines.append(f"• {each['text']['text']}{about}")
    for key in ("initial_option", "initial_date", "initial_time", "initial_value"):
        if key in field:
            begins = field[key]
            lines.append(f"begins with: {begins['value'] if isinstance(begins, dict) else begins}")
    lines += [block["hint"]["text"]] if "hint" in block else []
    return "\n".join(lines)


def _whole(name: str, shown: Drawn | str) -> str:
    text = reading(shown) if isinstance(shown, Drawn) else wrapped(shown)
    return f"### {name[:1].upper()}{name[1:]}\n\n````text\n{text}\n````\n"


def _table(heading: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {heading}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for code, *cells in rows:
        lines.append(f"| `{code}` | {' | '.join(_plain(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _plain(markup: str) -> str:
    text = _DATE.sub(r"\1", _FENCE.sub(r"“\1”", markup))
    text = _PERSON.sub(lambda m: f"@{next(filter(None, m.groups()))}", _CHANNEL.sub(r"#\1", text))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.replace("|", "\\|").replace("*", "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(page().splitlines())} lines")
