"""What settings are called where they are given, and which one a name that is none was meant
for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from bot.settings.defaults import ApplianceSettings, Problem, Settings

SECRETS_DIR = "SECRETS_DIR"
APPLIANCE_PREFIX = "VR_"
SITES_PREFIX = "VR_SITES__"
SITES_FORM = f"{SITES_PREFIX}<NAME>__HOST and its like"

SECRETS = frozenset(
    {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "DATABASE_URL",
        "VR_PASSWORD",
        "VR_REMOTE_PASSWORD",
    }
)
"""The settings whose values are never shown and may come from files in SECRETS_DIR."""

LONGEST_SITE = 30
"""A site's name and a pairing id must fit together into the value of a menu option (150
characters), and the name into one line on a phone."""

_SITE = re.compile(rf"(?!.*__)[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,{LONGEST_SITE - 2}}}[A-Za-z0-9])?")
_OWN_CUTOFF, _ELSEWHERE_CUTOFF = 0.6, 0.84


def own_names() -> dict[str, str]:
    """The operator's name of each setting of the bot itself, mapped to its field."""
    return {field.upper(): field for field in Settings.model_fields if field != "sites"}


def appliance_names(prefix: str = APPLIANCE_PREFIX) -> dict[str, str]:
    """The operator's name of each setting of one appliance, mapped to its field."""
    return {prefix + field.upper(): field for field in ApplianceSettings.model_fields}


def site_prefix(site: str) -> str:
    """The prefix of the settings of this one of several appliances."""
    return f"{SITES_PREFIX}{site.upper()}__"


def setting_names() -> tuple[str, ...]:
    """Every setting, with those of a single appliance and without those of several."""
    return (*own_names(), *appliance_names(), SECRETS_DIR)


def is_secret(name: str) -> bool:
    """Whether this is a secret, of the bot itself or of an appliance."""
    suffix = of_site(name)[1]
    return (APPLIANCE_PREFIX + suffix if suffix else name) in SECRETS


def of_site(name: str) -> tuple[str, str]:
    """Site and suffix of `VR_SITES__<NAME>__HOST`, in the case in which they are written. Two empty
    texts for other names.

    The site's name is kept in lower case: it is what people type before the slash in
    `SITE/PAIRING`. It cannot hold two underscores in a row, since these end it.
    """
    if not name.startswith(SITES_PREFIX):
        return "", ""
    site, _, suffix = name.removeprefix(SITES_PREFIX).partition("__")
    return site, suffix


def canonical(name: str) -> str:
    """The name as this program writes it, with the site in upper case."""
    site, suffix = of_site(name)
    return f"{site_prefix(site)}{suffix}" if suffix else name


def name_problems(
    environ: Mapping[str, str], dotenv: Mapping[str, str], values: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with names, whatever the values. `values` are those that count, by their
    canonical names.

    The environment belongs to all programs on the machine, so only names that look like ours are
    compared. The `.env` file belongs to this bot, so every name in it is compared.
    """
    given = {name for source in (environ, dotenv) for name, value in source.items() if value}
    for name in sorted(given - set(setting_names())):
        if name.startswith(SITES_PREFIX):
            continue
        meant = _nearest(name, alike=bool(dotenv.get(name)) or name.startswith("SLACK_"))
        # If the right name is set too, the other may belong to another program, unless it has our
        # own prefix.
        if meant and (name.startswith(APPLIANCE_PREFIX) or meant not in values):
            yield Problem(name, f"{name} is not a setting: did you mean {meant}?")
    several = [name for name in values if name.startswith(SITES_PREFIX)]
    for name in several:
        if problem := site_name_problem(name):
            yield Problem(name, f"{name} {problem}")
    for name in appliance_names() if several else ():
        if name in values:
            among = site_prefix("NAME") + name.removeprefix(APPLIANCE_PREFIX)
            sentence = (
                f"{name} is set beside {several[0]}: keep the single VR_ settings for one "
                f"appliance, or write this one as {among} too."
            )
            yield Problem(name, sentence)


def site_name_problem(name: str) -> str | None:
    """What is wrong with a name that begins with VR_SITES__, as the rest of a sentence that begins
    with it."""
    site, suffix = of_site(name)
    fields = [field.upper() for field in ApplianceSettings.model_fields]
    if not suffix:
        return f"is not a setting: write {SITES_FORM}."
    if not _SITE.fullmatch(site):
        return (
            f"has no name of a site between the underscores: use letters, digits, - and _, at "
            f"most {LONGEST_SITE}, beginning and ending with a letter or digit."
        )
    return None if suffix in fields else f"is not a setting: a site has {', '.join(fields)}."


def _nearest(name: str, *, alike: bool = False) -> str | None:
    """The setting that was meant: the same but for case, - and _; with our prefix one that is much
    like it; where `alike`, one that is very much like it."""
    typed = name.upper().replace("-", "_")
    if typed.startswith("VR_SITE"):
        return SITES_FORM
    for known in setting_names():
        # Not so short as HOST and PORT, which others have too.
        if len(known) > len("HOST") and known.replace("_", "") == typed.replace("_", ""):
            return known
    own = typed.startswith(APPLIANCE_PREFIX)
    among = appliance_names() if own else setting_names() if alike else ()
    close = get_close_matches(typed, among, 1, _OWN_CUTOFF if own else _ELSEWHERE_CUTOFF)
    return close[0] if close else None
