"""Turns what was given (`sources`) into checked settings, or into sentences that say what to
change."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.audit_key import AuditKey, audit_key, read_key_file
from bot.request.pools import ALL
from bot.settings import values
from bot.settings.audit_values import KEY, KEY_FILE, key, key_file, together
from bot.settings.defaults import (
    ApplianceSettings,
    PoolSettings,
    Problem,
    Settings,
    SettingsError,
)
from bot.settings.names import (
    APPLIANCE_PREFIX,
    DATABASE_URL,
    SECRETS_DIR,
    SITES,
    appliance_names,
    named,
    named_problem,
    own_names,
    pool_names,
    site_prefix,
)
from bot.settings.sources import Given, gather

DEFAULT_SITE = "default"

_Model = TypeVar("_Model", bound=BaseModel)


def load(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """All settings, from the environment, `.env` in the working directory and SECRETS_DIR.

    HTTPS_PROXY and NO_PROXY of `.env` are put into the environment of this process, where every
    library that connects looks for them.

    Raises SettingsError with one sentence for each setting that is wrong, missing or misspelled.
    """
    given = gather(environ, cwd)
    problems = list(given.problems)
    wrong = {problem.setting for problem in problems}
    right = {name: value for name, value in given.values.items() if name not in wrong}
    sites, pools = _sites(right, given, problems), _pools(right, given, problems)
    problems += [Problem(name, text) for name, text in together(given.values).items()]
    if path := right.get(KEY_FILE):
        right[KEY_FILE] = str(given.cwd / os.path.expanduser(path))
    # The rest is checked in any case, so that one start names everything there is to correct.
    settings = _checked(Settings, right, own_names(), problems, sites=sites, pools=pools)
    http, socket = (name in given.values for name in ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"))
    if http and socket:
        sentence = (
            "SLACK_APP_TOKEN is set beside SLACK_SIGNING_SECRET: keep the first for Socket Mode or "
            "the second for HTTP mode."
        )
        problems.append(Problem("SLACK_APP_TOKEN", sentence))
    elif not http and not socket:
        sentence = (
            "SLACK_SIGNING_SECRET is not set, nor is SLACK_APP_TOKEN: set the first for HTTP mode "
            "or the second for Socket Mode."
        )
        problems.append(Problem("SLACK_SIGNING_SECRET", sentence))
    if problems or settings is None:
        raise SettingsError(problems)
    if environ is None or environ is os.environ:
        os.environ.update(given.proxies)
    return settings


def load_database(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The database's address alone, for commands that need nothing else.

    It may hold a password, so do not show it. Raises SettingsError.
    """
    (address,) = _some(environ, cwd, {DATABASE_URL: values.database_url})
    return str(address.get_secret_value())


def load_audit_key(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> AuditKey | None:
    """The key that signs the audit trail. Raises SettingsError."""
    place = Path.cwd() if cwd is None else cwd
    readers = {KEY_FILE: lambda text: key_file(str(place / os.path.expanduser(text))), KEY: key}
    file, pem = _some(environ, cwd, readers)
    if file is not None:
        return audit_key(read_key_file(file))
    return None if pem is None else audit_key(pem.get_secret_value())


def load_slack_app(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[str, str]:
    """The slash command and the deployment's label, for the manifest of an app that may not exist
    yet: no token is needed. Raises SettingsError."""
    readers = {"SLACK_COMMAND": values.slack_command, "DEPLOYMENT_LABEL": values.label}
    command, label = _some(environ, cwd, readers)
    return command, label


def _some(
    environ: Mapping[str, str] | None,
    cwd: Path | None,
    readers: Mapping[str, Callable[[str], Any]],
) -> list[Any]:
    """The values of these settings of the bot itself. Raises SettingsError."""
    given = gather(environ, cwd)
    problems = [
        problem
        for problem in given.problems
        if problem.setting == SECRETS_DIR or any(name in problem.sentence for name in readers)
    ]
    found = []
    for name, reader in readers.items():
        if name not in given.values:
            found.append(Settings.model_fields[name.lower()].default)
            continue
        try:
            found.append(reader(given.values[name]))
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    if problems:
        raise SettingsError(problems)
    return found


def _sites(
    right: Mapping[str, str], given: Given, problems: list[Problem]
) -> dict[str, ApplianceSettings]:
    """All appliances, by name. Whether one or several were meant is taken from all that was given,
    which also has the names whose values are wrong."""
    several = [p for name in given.values if (p := named(name)) and p.family == SITES]
    found = {parts.name.lower() for parts in several if not named_problem(parts)}
    prefixes = {site: site_prefix(site) for site in sorted(found)}
    sites: dict[str, ApplianceSettings] = {}
    first: dict[str, str] = {}
    for site, prefix in (prefixes if several else {DEFAULT_SITE: APPLIANCE_PREFIX}).items():
        if path := right.get(ca_file := f"{prefix}CA_FILE"):
            right = {**right, ca_file: str(given.cwd / os.path.expanduser(path))}
        user, password = f"{prefix}REMOTE_USERNAME", f"{prefix}REMOTE_PASSWORD"
        if (user in right) is not (password in right):
            sentence = f"{password} and {user} belong together: set both or neither."
            problems.append(Problem(password, sentence))
        if path and (pin := f"{prefix}FINGERPRINT") in right:
            sentence = f"{pin} and {ca_file} are both set: keep the one to trust."
            problems.append(Problem(pin, sentence))
        appliance = _checked(ApplianceSettings, right, appliance_names(prefix), problems)
        if appliance is None:
            continue
        sites[site] = appliance
        # Twice the same would have two call budgets and two log-ins, and show each pairing twice.
        host = appliance.host.casefold().removesuffix(":443").removesuffix(".")
        if (other := first.setdefault(host, prefix)) != prefix:
            sentence = f"{prefix}HOST names the same appliance as {other}HOST: leave one site out."
            problems.append(Problem(f"{prefix}HOST", sentence))
    return sites


def _pools(
    right: Mapping[str, str], given: Given, problems: list[Problem]
) -> dict[str, PoolSettings]:
    """All pools of approvers, by name; the one that APPROVERS makes has none. A number without its
    people is a pool that nobody could fill."""
    all_parts = [
        parts for name in given.values if (parts := named(name)) and not named_problem(parts)
    ]
    there = sorted({parts.name.lower() for parts in all_parts if parts.family in pool_names()})
    found = {
        pool: _checked(PoolSettings, right, pool_names(pool), problems) for pool in there or [ALL]
    }
    return {name: pool for name, pool in found.items() if pool is not None}


def _checked(
    model: type[_Model],
    right: Mapping[str, str],
    names: Mapping[str, str],
    problems: list[Problem],
    **more: object,
) -> _Model | None:
    """`model` of these values; None when something is wrong, with what it is in `problems`."""
    try:
        own = {field: right[name] for name, field in names.items() if name in right}
        return model(**own, **more)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    outside = {field: name for name, field in names.items()}
    for detail in details:
        field = str(detail["loc"][0])
        name = outside.get(field)
        # `sites` and `pools`: their problems are reported already. And a default that
        # hangs on others is not made where one of them is wrong.
        if name is None or detail["type"] == "default_factory_not_called":
            continue
        if detail["type"] == "missing":
            sentence = f"is not set: {model.model_fields[field].description}"
        else:
            sentence = str(detail["ctx"]["error"])  # every reader raises a ValueError of our own
        problems.append(Problem(name, f"{name} {sentence}."))
    return None
