"""`.env.example` and docs/settings.md name the settings that there are, all and no other."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from bot.cli import app
from bot.request.pools import ALL
from bot.settings import load
from bot.settings.names import PROXIES, SITES, setting_names

ROOT = Path(__file__).parents[2]
_SETTING_LINE = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
_REQUIRED = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "s",
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


def test_the_example_names_every_setting_once() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert f"#{SITES}__<NAME>__HOST=" in text
    found = settings_of_example(text)
    assert sorted(name for name, _, _ in found) == sorted([*setting_names(), *PROXIES])
    assert all(explained for _, _, explained in found)


def test_the_example_is_what_the_command_prints() -> None:
    said = CliRunner().invoke(app, ["settings", "--example"])
    assert said.exit_code == 0
    assert said.stdout == (ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    found = settings_of_example((ROOT / ".env.example").read_text(encoding="utf-8"))
    shown = {name: value for name, value, _ in found if value}
    plain = load(_REQUIRED, tmp_path)
    assert load({**_REQUIRED, **shown}, tmp_path) == plain
    # And where a default can be written down, it is: nothing but true lines above proves little.
    # HOST has two, one for each mode.
    dumped = plain.model_dump(exclude={"sites", "pools", "host"})
    dumped |= plain.pools[ALL].model_dump(exclude={"approvers"})
    dumped |= {f"vr_{name}": value for name, value in plain.sites["default"].model_dump().items()}
    written = {field.upper() for field, value in dumped.items() if value not in (None, "", ())}
    assert written - set(_REQUIRED) == set(shown)


def test_the_page_names_every_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    first = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`([A-Z][A-Z0-9_]*)", cell)}
    # The two of a proxy are read as every program reads them, in upper or lower case.
    proxy = {"HTTPS_PROXY", "NO_PROXY"}
    assert {name for name in named if not name.endswith("__")} == {*setting_names(), *proxy}
