"""The names that settings have outside, and names that look like a slip."""

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
"""Settings of every program, in either case; urllib and requests look for them in the environment
alone."""

_OWN_PREFIX_CUTOFF = 0.7
_ELSEWHERE_CUTOFF = 0.84
_SHORTEST_TO_COMPARE = 6


def own_names() -> dict[str, str]:
    """Name outside to field, for the settings of the bot itself."""
    return {field.upper(): field for field in Settings.model_fields if field != "sites"}


def appliance_names(prefix: str = APPLIANCE_PREFIX) -> dict[str, str]:
    """Name outside to field, for the settings of one appliance."""
    return {prefix + field.upper(): field for field in ApplianceSettings.model_fields}


def setting_names() -> tuple[str, ...]:
    """Every setting, the single appliance's ones included and those of several left out."""
    return (*own_names(), *appliance_names(), SECRETS_DIR)


def secret_names() -> frozenset[str]:
    """The settings whose value is never shown and may be a file in SECRETS_DIR."""
    return frozenset(
        name
        for names, model in ((own_names(), Settings), (appliance_names(), ApplianceSettings))
        for name, field in names.items()
        if _is_secret(model, field)
    )


def is_secret_of_site(name: str) -> bool:
    """Whether it is a secret among the settings of several appliances."""
    suffix = name.removeprefix(SITES_PREFIX).partition("__")[2]
    return name.startswith(SITES_PREFIX) and APPLIANCE_PREFIX + suffix in secret_names()


def _is_secret(model: type[BaseModel], field: str) -> bool:
    annotation = model.model_fields[field].annotation
    kinds = [annotation, *get_args(annotation)]
    return any(SecretStr in (kind, *get_args(kind)) for kind in kinds)


def slips(
    environ: Iterable[str], dotenv: Iterable[str], given: Mapping[str, str]
) -> Iterable[Problem]:
    """One problem for each name that is no setting but looks like one.

    The environment is shared with everything else on the machine, so there only names of our own
    kind are compared; the `.env` file is read for this bot, so there every name is.
    """
    known = setting_names()
    in_file = set(dotenv)
    for name in sorted({*environ, *in_file} - set(known)):
        meant = _meant(name, known, in_file=name in in_file)
        # Beside the right one, only a name that nobody else would use is surely a slip.
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
