"""The text behind the command, as phones, Slack and people in a hurry write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.receive.command_text import (
    Ask,
    Form,
    Help,
    List,
    Parsed,
    Preview,
    Status,
    Wrong,
    parse,
)
from tests.slack.cards.hostile import FOREIGN


def read(text: str) -> Parsed:
    return parse(text, command="/vr-unpair")


def wrong(text: str) -> str:
    with pytest.raises(Wrong) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "pairing", "force", "reason"),
    [
        ("oslo", "oslo", False, ""),
        ("  oslo   moves   out ", "oslo", False, "moves   out"),
        ("--force oslo gone", "oslo", True, "gone"),
        ("--force oslo --force gone", "oslo", True, "gone"),
        ("oslo \u2013force", "oslo", True, ""),
        ("\u2014FORCE oslo", "oslo", True, ""),
        ("lyon/oslo it is gone", "lyon/oslo", False, "it is gone"),
        ('"Site B" moves', "Site B", False, "moves"),
        ("\u201cSite B\u201d --force moves", "Site B", True, "moves"),
        ("'Peter's site' why", "Peter's site", False, "why"),
        ('lyon/"Site B" why', "lyon/Site B", False, "why"),
        ("prague \u2192 madrid moves", "prague \u2192 madrid", False, "moves"),
        ("prague -&gt; madrid --force it is gone", "prague \u2192 madrid", True, "it is gone"),
        ("`prague \u2192 madrid` moves", "prague \u2192 madrid", False, "moves"),
        ("lyon/prague \u2192 madrid", "lyon/prague \u2192 madrid", False, ""),
        ("prague\u2192madrid moves", "prague\u2192madrid", False, "moves"),
        ('"Site A" \u2192 "Site B" moves', "Site A \u2192 Site B", False, "moves"),
        ("oslo \u2014 moves out", "oslo", False, "\u2014 moves out"),
        ('oslo he said "go"\nand went', "oslo", False, 'he said "go"\nand went'),
        ("oslo task-force decided", "oslo", False, "task-force decided"),
        ("oslo brute\u2014force attack", "oslo", False, "brute\u2014force attack"),
        ('"list" the site, not the word', "list", False, "the site, not the word"),
        ("oslo a &lt;b&gt; &amp; c", "oslo", False, "a <b> & c"),
        ("oslo &amp;lt; stays", "oslo", False, "&lt; stays"),
        ("os\x00lo\x07 go\x1b[2Jne", "oslo", False, "go[2Jne"),
        ("OSLO\u00a0moves", "OSLO", False, "moves"),
        ("prague see /etc/hosts", "prague", False, "see /etc/hosts"),
    ],
)  # fmt: skip
def test_asking(text: str, pairing: str, force: bool, reason: str) -> None:
    assert read(text) == Ask(pairing=pairing, force=force, reason=reason)


@pytest.mark.parametrize(
    "text",
    [
        "oslo it is gone --force",
        "oslo it is gone \u2014force",
        "oslo it is gone \u2014FORCE now",
        "oslo gone, -force",
        "oslo gone (--force)",
        "oslo gone --force.",
        'oslo "--force" gone',
        "oslo \u201c\u2014force\u201d gone",
        "oslo \u2014 force",
        "oslo -- force gone",
        "oslo force",
        'oslo "force"',
        "oslo--force gone",
        "oslo\u2014force",
        '"--force" oslo',
    ],
)
def test_force_is_never_taken_from_elsewhere_nor_overlooked(text: str) -> None:
    assert "--force" in wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        "prague / madrid",
        "prague /madrid",
        "prague --force / madrid",
        '"prague" / madrid because',
        "prague --force \u2192 madrid",
    ],
)
def test_half_a_pairing_is_no_reason(text: str) -> None:
    """It would be a card for another pairing than the one that was meant."""
    sentence = wrong(text)
    assert "SITE/PAIRING" in sentence
    assert "begin it with a word" in sentence


@pytest.mark.parametrize("typed", ["--froce", "--now", "--force=true"])
def test_unknown_flags_are_refused_with_those_that_there_are(typed: str) -> None:
    sentence = wrong(f"oslo {typed} gone")
    assert all(f"`{flag}`" in sentence for flag in (typed, "--force", "--at"))


# ---- a time for the delete ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "force", "at", "reason"),
    [
        ("oslo --at 22:00 we move", False, "22:00", "we move"),
        ("--at 22:00 oslo we move", False, "22:00", "we move"),
        ("oslo \u2014at 7:05", False, "07:05", ""),
        ("oslo --AT +6H --force gone", True, "+6h", "gone"),
        ("oslo --force --at 2026-12-03T22:00 gone", True, "2026-12-03T22:00", "gone"),
        ("--force --at=22:00 oslo", True, "22:00", ""),
        ("oslo at last", False, None, "at last"),
        ("oslo 22:00 is too late", False, None, "22:00 is too late"),
    ],
)
def test_a_time_is_taken(text: str, force: bool, at: str | None, reason: str) -> None:
    assert read(text) == Ask(pairing="oslo", force=force, at=at, reason=reason)


@pytest.mark.parametrize(
    "text",
    [
        "oslo --at",
        "oslo --at tonight we move",
        "oslo --at 25:00",
        "oslo --at 22:00 --at 23:00",
        "--at oslo",
        # A time that is overlooked would be a delete at once.
        "oslo we move --at 22:00",
        "oslo we move \u2014at 22:00",
        "oslo at 22:00 we move",
        "oslo @22:00 we move",
        "oslo at +6h we move",
    ],
)
def test_a_time_is_asked_about(text: str) -> None:
    assert "`--at 22:00`" in wrong(text)


UUID = "0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a"


@pytest.mark.parametrize(
    ("typed", "pairing"),
    [
        (f"`{UUID}`", UUID),
        (f"_{UUID}_", UUID),
        (f"&lt;{UUID}&gt;", UUID),
        (f"`lyon/{UUID}`", f"lyon/{UUID}"),
        (f"`lyon`/{UUID}", f"lyon/{UUID}"),
        ("_lab_", "_lab_"),
        ("`oslo`", "oslo"),
        ("`e84060a9`", "e84060a9"),
        ("```e84060a9```", "e84060a9"),
        ("\u201c`e84060a9`\u201d", "e84060a9"),
        ("`Site B`", "Site B"),
        ("lyon/`Site B`", "lyon/Site B"),
        ("lyon/\u2018Site B\u2019", "lyon/Site B"),
        ("`lyon`/`Site B`", "lyon/Site B"),
        ("\u2039Site B\u203a", "Site B"),
        ("`prague` \u2192 `madrid`", "prague \u2192 madrid"),
        ("`Site A`\u2192`Site B`", "Site A\u2192Site B"),
        ("lyon/`prague \u2192 madrid`", "lyon/prague \u2192 madrid"),
        ("oslo.", "oslo."),
        (f"x{UUID}.", f"x{UUID}."),
    ],
)
def test_an_id_as_it_is_copied(typed: str, pairing: str) -> None:
    """The quotes of code go from any name, since lists show names so; the other marks from around
    an id alone."""
    assert read(f"{typed} moves") == Ask(pairing=pairing, force=False, reason="moves")
    assert read(f"{typed} --force") == Ask(pairing=pairing, force=True, reason="")
    assert read(f"preview {typed}") == Preview(pairing=pairing)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Form()),
        (" \x00\n", Form()),
        ("help me", Help()),
        ("?", Help()),
        ("\u2014help", Help()),
        ("-h", Help()),
        ("list", List()),
        (" List ", List()),
        ("status", Status()),
        ("status K7QM-3XPD", Status(id="K7QM-3XPD")),
        ("status `K7QM-3XPD`", Status(id="K7QM-3XPD")),
        ("status \u201cK7QM-3XPD\u201d", Status(id="K7QM-3XPD")),
        ("preview oslo", Preview(pairing="oslo")),
        ("preview oslo --force", Preview(pairing="oslo", force=True)),
        ("preview --force oslo", Preview(pairing="oslo", force=True)),
        ("preview \u201cSite B\u201d", Preview(pairing="Site B")),
    ],
)
def test_subcommands(text: str, expected: Parsed) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("--force", "Which pairing?"),
        ("!!! gone", "is not the name of a pairing"),
        ("list all", "takes nothing"),
        ("status of it", "is not the id of a request"),
        ("preview", "/vr-unpair preview PAIRING"),
        ("preview oslo --force gone", "takes one pairing"),
        ("preview oslo --froce", "`--froce` is not known"),
        ("preview oslo--force", "as a word of its own"),
        ("preview oslo --at 22:00", "`--at`"),
        ("preview --force", "A preview of what?"),
        ("preview Site B", "in quotes"),
        ('preview "Site', "never closed"),
        ('"Site B gone', "never closed"),
        ("`Site B gone", "never closed"),
        ("`--force", "never closed"),
        ("oslo`s gone", "never closed"),
        ("x" * 301, "301"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, hint: str) -> None:
    assert hint in wrong(text)


def test_a_long_reason() -> None:
    assert read("oslo " + "x" * 2_900) == Ask(pairing="oslo", force=False, reason="x" * 2_900)
    sentence = wrong("oslo " + "x" * 3_412)
    assert "3,412" in sentence
    assert "2,900" in sentence
    assert "3,000" in wrong("oslo " + "&amp;" * 600), "as long as the card has to write it"


def test_the_deployments_own_command_is_named() -> None:
    with pytest.raises(Wrong, match="`/vr-test PAIRING --force reason`"):
        parse("--force", command="/vr-test")


def test_sentences_are_escaped() -> None:
    assert "`--x&lt;!channel&gt;`" in wrong("oslo --x&lt;!channel&gt;")


@given(text=st.one_of(FOREIGN, st.text(alphabet="-\u2014force \"'`/<>&;@!#|x", max_size=30)))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: Parsed | str
    try:
        found = read(text)
    except Wrong as error:
        found = str(error)
    if isinstance(found, str):
        assert "<" not in found
        assert found.endswith((".", "?"))
    if isinstance(found, Ask):
        assert found.pairing
        assert found.pairing == found.pairing.strip()
        if not found.force:
            assert "--force" not in found.reason.split()
            assert "\u2014force" not in found.reason.split()
