"""Several appliances: `VR_SITES__<NAME>__HOST` and the like, instead of the `VR_*` settings of one.

A site's name may be written in upper or lower case and is kept in lower case. It is what people
type before the slash in `SITE/PAIRING`. It cannot hold two underscores in a row, since these end
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from bot.settings.appliance import ApplianceSettings
from bot.settings.names import APPLIANCE_PREFIX, SITES_PREFIX, appliance_names
from bot.settings.problems import Problem

LONGEST_NAME = 30
"""A site's name and a pairing id must fit together into the value of a menu option (150
characters), and the name into one line on a phone."""

_NAME = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,{LONGEST_NAME - 2}}}[A-Za-z0-9])?")
_SUFFIXES = {field.upper(): field for field in ApplianceSettings.model_fields}
_NEAR = 0.6
_HTTPS = ":443"


def site_prefix(site: str) -> str:
    """The prefix of this site's settings."""
    return f"{SITES_PREFIX}{site.upper()}__"


def canonical(name: str) -> str:
    """The name as this program writes it, with the site in upper case. A name of any other form is
    returned as it is."""
    site, suffix = _parts(name)
    return f"{site_prefix(site)}{suffix}" if suffix else name


def sites_of(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """For each site its settings: the name as it was written, mapped to its field. Names that are
    not settings are left out."""
    found: dict[str, dict[str, str]] = {}
    for name in values:
        if name.startswith(SITES_PREFIX) and _problem(name) is None:
            site, suffix = _parts(name)
            found.setdefault(site.lower(), {})[name] = _SUFFIXES[suffix]
    return found


def names_of(site: str) -> dict[str, str]:
    """The operator's name of each setting of one site, mapped to its field."""
    return appliance_names(site_prefix(site))


def name_problems(values: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the names, whatever the values: not a setting, or settings of one
    appliance beside those of several."""
    several = [name for name in values if name.startswith(SITES_PREFIX)]
    for name in several:
        problem = _problem(name)
        if problem is not None:
            yield Problem(name, f"{name} {problem}")
    if not several:
        return
    for name in appliance_names():
        if name in values:
            yield Problem(
                name,
                f"{name} is set beside {several[0]}: keep the single VR_ settings for one "
                f"appliance, or write this one as {site_prefix('NAME')}"
                f"{name.removeprefix(APPLIANCE_PREFIX)} too.",
            )


def host_problems(sites: Mapping[str, ApplianceSettings]) -> Iterator[Problem]:
    """Two sites with the same host. That appliance would have two call budgets and two log-ins, and
    each of its pairings would appear twice."""
    first: dict[str, str] = {}
    for site, settings in sites.items():
        host = settings.host.casefold().removesuffix(_HTTPS).removesuffix(".")
        other = first.setdefault(host, site)
        if other != site:
            name = f"{site_prefix(site)}HOST"
            yield Problem(
                name,
                f"{name} names the same appliance as {site_prefix(other)}HOST: leave one of the "
                "two sites out.",
            )


def written_twice(names: Iterable[str]) -> Iterator[Problem]:
    """Names that differ only in upper and lower case of the site. Nobody could say which one
    counts."""
    first: dict[str, str] = {}
    for name in names:
        if name.startswith(SITES_PREFIX):
            other = first.setdefault(canonical(name), name)
            if other != name:
                yield Problem(canonical(name), f"{name} and {other} are the same: keep one.")


def _parts(name: str) -> tuple[str, str]:
    site, _, suffix = name.removeprefix(SITES_PREFIX).partition("__")
    return site, suffix


def _problem(name: str) -> str | None:
    """What is wrong with this name, as the rest of a sentence that begins with it."""
    site, suffix = _parts(name)
    if not suffix:
        return f"is not a setting: write {SITES_PREFIX}<NAME>__HOST and its like."
    if not _NAME.fullmatch(site) or "__" in site:
        return (
            f"has no name of a site between the underscores: use letters, digits, - and _, at "
            f"most {LONGEST_NAME}, beginning and ending with a letter or digit."
        )
    if suffix in _SUFFIXES:
        return None
    reduced = suffix.upper().replace("__", "_").removeprefix(APPLIANCE_PREFIX)
    longer = [known for known in _SUFFIXES if known.startswith(f"{reduced}_")]
    near = [reduced] if reduced in _SUFFIXES else longer
    near = near or get_close_matches(reduced, _SUFFIXES, 1, _NEAR)
    if near:
        return f"is not a setting: did you mean {site_prefix(site)}{near[0]}?"
    return f"is not a setting: a site has {', '.join(_SUFFIXES)}."
