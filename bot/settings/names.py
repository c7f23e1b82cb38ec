"""What settings are called, and which one a name that is none was meant for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from bot.settings.defaults import ApplianceSettings, PoolSettings, Problem, Settings

SECRETS_DIR = "SECRETS_DIR"
DATABASE_URL = "DATABASE_URL"
NOT_SETTINGS = "NOT_SETTINGS"
"""Names that are meant for other programs, although they look like ours."""

PROXIES = ("HTTPS_PROXY", "NO_PROXY")
"""Shared with all programs, in upper or lower case. urllib and requests look for them only in the
environment."""

APPLIANCE_PREFIX = "VR_"
SITES = "VR_SITES"

FAMILIES: dict[str, tuple[str, ...]] = {
    SITES: tuple(field.upper() for field in ApplianceSettings.model_fields),
    **{field.upper(): () for field in PoolSettings.model_fields},
}
"""The settings that there are once for each name, `VR_SITES__<NAME>__HOST`: what may follow the
name. Where that is empty, nothing does: `FAMILY__<NAME>`."""

SECRETS = frozenset(
    {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "AUDIT_KEY",
        "AUDIT_TOKEN",
        DATABASE_URL,
        "VR_PASSWORD",
        "VR_REMOTE_PASSWORD",
    }
)
"""The settings whose values are never shown and may come from files in SECRETS_DIR."""

LONGEST_NAME = 30
"""A site's name and a pairing id must fit together into the value of a menu option (150
characters), and the name into one line on a phone."""

_NAME = re.compile(rf"(?!.*__)[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,{LONGEST_NAME - 2}}}[A-Za-z0-9])?")

BEGINNINGS = (APPLIANCE_PREFIX, "SLACK_", "APPROV", "DRY")
"""A name that begins so was meant for the bot, however far from a setting it is."""

_LONG = 11
"""From so many letters on, two slips are still a slip: no word of others is so near."""

_IN_OWN_FILE = 0.84
"""How much alike (0 to 1, `difflib`) a name in `.env` must be, which is a file of this bot."""

_SLACK_CLI = re.compile(
    r"SLACK_(?:CLI_\w+|AUTO_REQUEST_AAA|CONFIG_DIR|DISABLE_TELEMETRY|SERVICE_TOKEN|SKIP_UPDATE"
    r"|TEST_TRACE|TEST_VERSION|USER_TOKEN)"
)
"""What Slack's command line sets or reads (docs.slack.dev, Slack CLI)."""


def own_names() -> dict[str, str]:
    """The operator's name of each setting of the bot itself, mapped to its field."""
    apart = ("sites", "pools")
    return {field.upper(): field for field in Settings.model_fields if field not in apart}


def pool_names(pool: str = "") -> dict[str, str]:
    """The operator's name of each setting of one pool of approvers, mapped to its field. Without a
    name: of the one that APPROVERS makes."""
    suffix = f"__{pool.upper()}" if pool else ""
    return {field.upper() + suffix: field for field in PoolSettings.model_fields}


def appliance_names(prefix: str = APPLIANCE_PREFIX) -> dict[str, str]:
    """The operator's name of each setting of one appliance, mapped to its field."""
    return {prefix + field.upper(): field for field in ApplianceSettings.model_fields}


def site_prefix(site: str) -> str:
    """The prefix of the settings of this one of several appliances."""
    return f"{SITES}__{site.upper()}__"


def setting_names() -> tuple[str, ...]:
    """Every setting, without those that there are once for each name."""
    return (*pool_names(), *own_names(), *appliance_names(), SECRETS_DIR, NOT_SETTINGS)


class Named(NamedTuple):
    """The parts of `VR_SITES__<NAME>__HOST`, in the case in which they are written. `name` and
    `field` may be empty."""

    family: str
    name: str
    field: str


def named(setting: str) -> Named | None:
    """The parts of a setting that there is once for each name; None for other settings.

    A name of one cannot hold two underscores in a row, since these end it.
    """
    family, apart, rest = setting.partition("__")
    if not apart or family not in FAMILIES:
        return None
    name, _, field = rest.partition("__")
    return Named(family, name, field)


def canonical(setting: str) -> str:
    """The setting as this program writes it, with the name of one in upper case."""
    parts = named(setting)
    if parts is None or not parts.name:
        return setting
    return "__".join(filter(None, (parts.family, parts.name.upper(), parts.field)))


def is_secret(setting: str) -> bool:
    """Whether this is a secret, of the bot itself or of an appliance."""
    parts = named(setting)
    of_site = parts is not None and parts.family == SITES
    return (APPLIANCE_PREFIX + parts.field if parts and of_site else setting) in SECRETS


def form_of(family: str) -> str:
    """How the settings of this family are written."""
    fields = FAMILIES[family]
    return f"{family}__<NAME>" + (f"__{fields[0]} and its like" if fields else "")


def named_problem(parts: Named) -> str | None:
    """What is wrong with a setting of this family, as the rest of a sentence that begins with
    it."""
    fields = FAMILIES[parts.family]
    if not parts.name or bool(parts.field) is not bool(fields):
        return f"is not a setting: write {form_of(parts.family)}."
    if not _NAME.fullmatch(parts.name):
        return (
            f"has no name between the underscores: use letters, digits, - and _, at most "
            f"{LONGEST_NAME}, beginning and ending with a letter or digit."
        )
    if fields and parts.field not in fields:
        return f"is not a setting: a site has {', '.join(fields)}."
    return None


def name_problems(
    environ: Mapping[str, str], dotenv: Collection[str], given: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with names, whatever the values: a guard whose name is misspelt is off, and
    nothing would say so. `environ` and `dotenv`: what is set there. `given`: the settings that
    count, by their canonical names.

    The environment belongs to all programs on the machine, so only names that look like ours are
    held against ours. What `.env` says, it says to this bot.
    """
    listed = {name.strip() for name in given.get(NOT_SETTINGS, "").split(",")}
    for name in sorted({*environ, *dotenv}.difference(setting_names(), listed, _others(environ))):
        if not named(name) and (meant := _meant(name, in_own_file=name in dotenv)):
            yield Problem(
                name,
                f"{name} is not a setting: did you mean {meant}? If it is another program's, name "
                f"it in {NOT_SETTINGS}.",
            )
    several = [name for name in given if name.startswith(f"{SITES}__")]
    for name in given:
        if (parts := named(name)) and (problem := named_problem(parts)):
            yield Problem(name, f"{name} {problem}")
    pools = [name for name in given if (parts := named(name)) and parts.family in pool_names()]
    for name in pool_names() if pools else ():
        if name in given:
            sentence = (
                f"{name} is set beside {pools[0]}: keep it alone for one list of approvers, or "
                f"write {name}__NAME for each pool."
            )
            yield Problem(name, sentence)
    for name in appliance_names() if several else ():
        if name in given:
            among = site_prefix("NAME") + name.removeprefix(APPLIANCE_PREFIX)
            sentence = (
                f"{name} is set beside {several[0]}: keep the single VR_ settings for one "
                f"appliance, or write this one as {among} too."
            )
            yield Problem(name, sentence)


def _others(environ: Collection[str]) -> Iterator[str]:
    """What Slack's command line sets, and Kubernetes for each service: one that is called
    `vr-unpair` gives every pod VR_UNPAIR_SERVICE_HOST, VR_UNPAIR_PORT_3000_TCP and so on
    (Kubernetes docs, "Accessing the Service")."""
    hosts = {name.removesuffix("_SERVICE_HOST") for name in environ}
    services = [
        name for name in hosts if {f"{name}_SERVICE_HOST", f"{name}_SERVICE_PORT"} <= {*environ}
    ]
    of_services = tuple(f"{name}_{end}" for name in services for end in ("SERVICE_", "PORT"))
    for name in environ:
        if name.startswith(of_services) or _SLACK_CLI.fullmatch(name):
            yield name


def _meant(name: str, *, in_own_file: bool) -> str | None:
    """The setting that was meant, if one was."""
    typed = name.upper().replace("-", "_")
    if typed.startswith("VR_SITE"):
        return form_of(SITES)
    # HOST and PORT are words that are near to many.
    known = [setting for setting in setting_names() if len(setting) > len("HOST")]
    for setting in known:
        one, other = typed.replace("_", ""), setting.replace("_", "")
        # USERNAME and PGPASSWORD are those of others.
        of_appliance = setting.startswith(APPLIANCE_PREFIX)
        if _slips(one, other) <= (0 if of_appliance else 2 if len(other) >= _LONG else 1):
            return setting
    enough = 0.0 if typed.startswith(BEGINNINGS) else _IN_OWN_FILE if in_own_file else 1.0
    return next(iter(get_close_matches(typed, known, 1, enough)), None)


def _slips(typed: str, meant: str) -> int:
    """How many letters are too many, missing, wrong, or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, letter in enumerate(typed, 1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(meant, 1):
            least = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 < j and (letter, typed[i - 2]) == (meant[j - 2], wanted):
                least = min(least, above[j - 2] + 1)
            row.append(least)
    return row[-1]
