"""`.env.example` and docs/settings.md name the settings that there are, all and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import PROXIES, SITES_PREFIX, load, setting_names

ROOT = Path(__file__).parents[2]
_SETTING_LINE = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
_REQUIRED = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "VR_HOST": "vr",
    "VR_USERNAME": "user",
    "VR_PASSWORD": "password",
    "APPROVERS": "U1",
}


def settings_of_example(text: str) -> list[tuple[str, str, bool]]:
    """Name, value, and whether a line of meaning stands above it or above its neighbour."""
    found = []
    explained = False
    for line in text.splitlines():
        setting = _SETTING_LINE.fullmatch(line)
        if setting is not None:
            found.append((setting[1], setting[2], explained))
        else:
            explained = line.startswith("# ")
    return found


def settings_of_tables(text: str) -> set[str]:
    """Names in the first column of the Markdown tables that are mostly about settings."""
    found: set[str] = set()
    for table in re.findall(r"(?m)(?:^\|.*\n?)+", text):
        cells = [row.split("|")[1] for row in table.splitlines()]
        names = {name for cell in cells for name in re.findall(r"`([A-Z][A-Z0-9_]*)", cell)}
        if 2 * len({name for name in names if _is_setting(name)}) > len(names):
            found |= names
    return found


def _is_setting(name: str) -> bool:
    return name in setting_names() or name.startswith(SITES_PREFIX)


def check_tables(text: str) -> None:
    """AssertionError when there is a table of settings that lacks one or has one too many.

    SECRETS_DIR says where the others are, so it may stand in the text around the table.
    """
    named = settings_of_tables(text)
    if named:
        named |= {"SECRETS_DIR"} if "`SECRETS_DIR`" in text else set()
        single = {name for name in named if not name.startswith(SITES_PREFIX)}
        assert single == set(setting_names()), "the table of settings in docs/settings.md"


def test_the_example_names_every_setting_once() -> None:
    found = settings_of_example((ROOT / ".env.example").read_text(encoding="utf-8"))
    assert sorted(name for name, _, _ in found) == sorted([*setting_names(), *PROXIES])
    assert all(explained for _, _, explained in found)


def test_the_example_is_what_the_command_prints() -> None:
    said = CliRunner().invoke(app, ["settings", "--example"])
    assert said.exit_code == 0
    assert said.stdout == (ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_example_mentions_several_appliances() -> None:
    assert f"#{SITES_PREFIX}<NAME>__HOST=" in (ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    found = settings_of_example((ROOT / ".env.example").read_text(encoding="utf-8"))
    shown = {name: value for name, value, _ in found if value}
    plain = load(_REQUIRED, tmp_path)
    assert load({**_REQUIRED, **shown}, tmp_path) == plain
    # And where a default can be written down, it is: nothing but true lines above proves little.
    dumped = plain.model_dump(exclude={"sites", "approvers"})
    dumped |= {f"vr_{name}": value for name, value in plain.sites["default"].model_dump().items()}
    written = {field.upper() for field, value in dumped.items() if value not in (None, "", ())}
    assert written - set(_REQUIRED) == set(shown)


def test_a_copy_of_the_example_loads_once_the_gaps_are_filled(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, value in _REQUIRED.items():
        text, count = re.subn(rf"(?m)^{name}=$", f"{name}={value}", text)
        assert count == 1
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert load({}, tmp_path) == load(_REQUIRED, tmp_path)


def test_the_page_names_every_setting() -> None:
    check_tables((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))


def test_a_table_with_a_gap_or_an_invention_is_noticed() -> None:
    other = "| call | does |\n| --- | --- |\n| `POST /slack/events` | x |\n\n"
    names = [*setting_names(), "VR_SITES__<NAME>__HOST"]

    def table(listed: list[str]) -> str:
        return other + "\n".join(f"| `{name}` | `NOT_THIS` |" for name in listed)

    check_tables(other + "no table of settings, but `PORT` in the text")
    check_tables(table(names))
    check_tables(table([name for name in names if name != "SECRETS_DIR"]) + "\n\n`SECRETS_DIR`")
    for wrong in (names[1:], [*names, "INVENTED"], names[:-2]):
        with pytest.raises(AssertionError, match="table of settings"):
            check_tables(table(wrong))
