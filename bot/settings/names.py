"""The names of settings as operators write them, and names that look misspelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, SecretStr

from bot.settings.appliance import ApplianceSettings
from bot.settings.model import Settings
from bot.settings.problems import Problem

APPLIANCE_PREFIX = "VR_"
SITES_PREFIX = "VR_SITES__"
SECRETS_DIR = "SECRETS_DIR"
PROXIES = ("HTTPS_PROXY", "NO_PROXY")
"""Shared with all programs, in upper or lower case. urllib and requests look for them only in the
environment."""

_OWN_PREFIX_CUTOFF = 0.7
_ELSEWHERE_CUTOFF = 0.84
_SHORTEST_TO_COMPARE = 6


def own_names() -> dict[str, str]:
    """The operator's name of each setting of the bot itself, mapped to its field."""
    return {field.upper(): field for field in Settings.model_fields if field != "sites"}


def appliance_names(prefix: str = APPLIANCE_PREFIX) -> dict[str, str]:
    """The operator's name of each setting of one appliance, mapped to its field."""
    return {prefix + field.upper(): field for field in ApplianceSettings.model_fields}


def setting_names() -> tuple[str, ...]:
    """Every setting, with those of a single appliance and without those of several."""
    return (*own_names(), *appliance_names(), SECRETS_DIR)


def secret_names() -> frozenset[str]:
    """The settings whose values are never shown and may come from files in SECRETS_DIR."""
    return frozenset(
        name
        for names, model in ((own_names(), Settings), (appliance_names(), ApplianceSettings))
        for name, field in names.items()
        if _is_secret(model, field)
    )


def is_secret_of_site(name: str) -> bool:
    """Whether this is a secret setting of one of several appliances."""
    suffix = name.removeprefix(SITES_PREFIX).partition("__")[2]
    return name.startswith(SITES_PREFIX) and APPLIANCE_PREFIX + suffix in secret_names()


def _is_secret(model: type[BaseModel], field: str) -> bool:
    annotation = model.model_fields[field].annotation
    kinds = [annotation, *get_args(annotation)]
    return any(SecretStr in (kind, *get_args(kind)) for kind in kinds)


def slips(
    environ: Iterable[str], dotenv: Iterable[str], given: Mapping[str, str]
) -> Iterable[Problem]:
    """One problem for each name that is not a setting but looks like one.

    The environment belongs to all programs on the machine, so only names that look like ours are
    compared. The `.env` file belongs to this bot, so every name in it is compared.
    """
    known = setting_names()
    in_file = set(dotenv)
    for name in sorted({*environ, *in_file} - set(known)):
        meant = _meant(name, known, in_file=name in in_file)
        # If the right name is set too, the other may belong to another program, unless it has our
        # own prefix.
        if meant is not None and (name.startswith(APPLIANCE_PREFIX) or meant not in given):
            yield Problem(name, f"{name} is not a setting: did you mean {meant}?")


def _meant(name: str, known: tuple[str, ...], *, in_file: bool) -> str | None:
    if name.startswith(SITES_PREFIX):
        return None
    if name.upper().startswith("VR_SITE"):
        return f"{SITES_PREFIX}<NAME>__HOST and its like"
    plain = {candidate.replace("_", ""): candidate for candidate in known}
    reduced = name.upper().replace("_", "").replace("-", "")
    if len(reduced) >= _SHORTEST_TO_COMPARE and reduced in plain:
        return plain[reduced]
    if name.upper().startswith(APPLIANCE_PREFIX):
        own = list(appliance_names())
        longer = [known_name for known_name in own if known_name.startswith(name.upper() + "_")]
        close = longer or get_close_matches(name.upper(), own, 1, _OWN_PREFIX_CUTOFF)
        return close[0] if close else None
    if name.startswith("SLACK_") or in_file:
        close = get_close_matches(name, known, 1, _ELSEWHERE_CUTOFF)
        return close[0] if close else None
    return None
