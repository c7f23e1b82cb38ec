"""The settings as `vr-unpair settings` shows them: what holds, and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from bot.settings.defaults import Problem, Settings, SettingsError
from bot.settings.load import load
from bot.settings.names import (
    APPLIANCE_PREFIX,
    DATABASE_URL,
    FAMILIES,
    PROXIES,
    SITES,
    is_secret,
    named,
    site_prefix,
)
from bot.settings.sources import ENVIRONMENT, Given, gather

EXAMPLE = Path(__file__).with_name("example.env")
"""What `.env.example` holds: every setting, its meaning and its default."""

MASK = "***"


class Row(NamedTuple):
    """`origin`: the environment, a file, SECRETS_DIR, the default, or that it is not set."""

    name: str
    origin: str
    value: str


def shown(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[list[Row], tuple[Problem, ...]]:
    """Every setting in the order of `.env.example`, without secrets, and what is wrong with them.
    A wrong value is not shown: people paste a token into the wrong line. Raises SettingsError where
    `.env` cannot be read."""
    environ = dict(os.environ if environ is None else environ)  # `load` adds the proxies to it
    given = gather(environ, cwd)
    settings, problems = None, tuple[Problem, ...]()
    try:
        settings = load(environ, cwd)
    except SettingsError as error:
        problems = error.problems
    wrong = {problem.setting for problem in problems}
    secrets = sorted({v for n, v in given.values.items() if is_secret(n)}, key=len, reverse=True)
    rows = []
    for name, origin, value in _rows(given, environ, settings):
        if value and name in wrong:
            value = "(wrong)"
        elif name in (DATABASE_URL, *PROXIES):
            value = _without_password(value)
        elif is_secret(name):
            value = value and MASK
        if name != DATABASE_URL:
            value = reduce(lambda text, secret: text.replace(secret, MASK), secrets, value)
        rows.append(Row(name, origin, value))
    return rows, problems


def _rows(given: Given, environ: Mapping[str, str], settings: Settings | None) -> Iterator[Row]:
    text = EXAMPLE.read_text(encoding="utf-8")
    lines = re.findall(r"^#?([A-Z][A-Z0-9_<>]*)=(.*)$", text, re.MULTILINE)
    defaults = {name: Row(name, "default" if text else "not set", text) for name, text in lines}
    if settings:
        defaults["HOST"] = Row("HOST", "default", settings.host)
    parts = [found for name in sorted(given.values) if (found := named(name))]
    sites = dict.fromkeys(found.name for found in parts if found.family == SITES)

    def row(name: str, default: Row) -> Row:
        if name in given.values:
            return Row(name, given.origins[name], given.values[name])
        return default._replace(name=name)

    for name, default in defaults.items():
        family, several, _ = name.partition("__<")
        if name in PROXIES:
            ours = given.proxies.get(name) or given.proxies.get(name.lower(), "")
            set_here = environ.get(name) or environ.get(name.lower(), "")
            origin = ENVIRONMENT if set_here else given.dotenv if ours else default.origin
            yield Row(name, origin, set_here or ours)
        elif several and family == SITES:
            for site in sites:
                for field in FAMILIES[SITES]:
                    yield row(site_prefix(site) + field, defaults[APPLIANCE_PREFIX + field])
        elif several:
            for found in (found for found in parts if found.family == family):
                yield row(f"{family}__{found.name}", default)
        elif name in given.values or not (sites and name.startswith(APPLIANCE_PREFIX)):
            yield row(name, default)


def _without_password(address: str) -> str:
    """The address without the user and what follows a `?`, where a password may stand too."""
    return re.sub(r"^([^/]*//)?.*@", rf"\1{MASK}@", address.partition("?")[0])
