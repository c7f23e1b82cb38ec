"""Turns what was given into checked settings, or into sentences that say what to change."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.settings.addresses import database_url
from bot.settings.model import (
    ApplianceSettings,
    Problem,
    Settings,
    SettingsError,
    way_in_problems,
)
from bot.settings.sources import (
    APPLIANCE_PREFIX,
    SECRETS_DIR,
    SITES_PREFIX,
    Given,
    appliance_names,
    gather,
    is_secret,
    of_site,
    own_names,
    seen_by_others,
    site_name_problem,
    site_prefix,
)
from bot.settings.values import label, slack_command

DATABASE_URL = "DATABASE_URL"
DEFAULT_SITE = "default"
_HTTPS = ":443"
_SHORTEST_SECRET_TO_HIDE = 4

_Model = TypeVar("_Model", bound=BaseModel)


def load(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None, *, to_run: bool = False
) -> Settings:
    """All settings, from the environment, `.env` in the working directory and SECRETS_DIR.

    `to_run` also requires exactly one way for Slack to reach the bot (see
    `Settings.problems_for_run`). HTTPS_PROXY and NO_PROXY of `.env` are put into the environment of
    this process, where every library that connects looks for them.

    Raises SettingsError with one sentence for each setting that is wrong, missing or misspelled.
    """
    environ, cwd = _defaults(environ, cwd)
    given = gather(environ, cwd)
    problems = [*given.problems, *_site_names(given.values), *_ephemeral(environ, given.values)]
    wrong = {problem.setting for problem in problems}
    values = {name: value for name, value in given.values.items() if name not in wrong}
    sites, found = _sites(values, given.values, cwd)
    problems += found
    # The rest is checked in any case, so that one start names everything there is to correct.
    own: dict[str, object] = {f: values[name] for name, f in own_names().items() if name in values}
    settings, found = _check(Settings, {**own, "sites": sites}, own_names())
    problems += found
    if to_run:
        ways = ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
        problems += way_in_problems(*(name in given.values for name in ways))
    if problems or settings is None:
        raise SettingsError(_one_each(problems, given))
    if environ is os.environ:
        os.environ.update(given.proxies)
    return settings


def load_database(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The database's address alone, for commands that need nothing else.

    It may hold a password, so do not show it. Raises SettingsError.
    """
    environ, cwd = _defaults(environ, cwd)
    given = gather(environ, cwd)
    problems = [
        problem
        for problem in (*given.problems, *_ephemeral(environ, given.values))
        if problem.setting in (DATABASE_URL, SECRETS_DIR) or DATABASE_URL in problem.sentence
    ]
    default = Settings.model_fields["database_url"].default
    try:
        address = database_url(given.values.get(DATABASE_URL, default))
    except ValueError as error:
        problems.append(Problem(DATABASE_URL, f"{DATABASE_URL} {error}."))
    if problems:
        raise SettingsError(_one_each(problems, given))
    return address.get_secret_value()


def load_slack_app(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[str, str]:
    """The slash command and the deployment's label, for the manifest of an app that may not exist
    yet: no token is needed. Raises SettingsError."""
    given = gather(*_defaults(environ, cwd))
    found: list[str] = []
    problems: list[Problem] = []
    for name, reader in (("SLACK_COMMAND", slack_command), ("DEPLOYMENT_LABEL", label)):
        default = str(Settings.model_fields[name.lower()].default)
        try:
            found.append(reader(given.values.get(name, default)))
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    if problems:
        raise SettingsError(_one_each(problems, given))
    return found[0], found[1]


def files_seen_by_others(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[Path]:
    """The files with settings that everybody on the machine can read: `.env`, and secrets."""
    return seen_by_others(gather(*_defaults(environ, cwd)).files)


def _defaults(
    environ: Mapping[str, str] | None, cwd: Path | None
) -> tuple[Mapping[str, str], Path]:
    return (os.environ if environ is None else environ), (Path.cwd() if cwd is None else cwd)


def _site_names(values: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the names of sites, whatever the values: not a setting, or settings of one
    appliance beside those of several."""
    several = [name for name in values if name.startswith(SITES_PREFIX)]
    for name in several:
        if problem := site_name_problem(name):
            yield Problem(name, f"{name} {problem}")
    for name in appliance_names() if several else ():
        if name in values:
            yield Problem(
                name,
                f"{name} is set beside {several[0]}: keep the single VR_ settings for one "
                f"appliance, or write this one as {site_prefix('NAME')}"
                f"{name.removeprefix(APPLIANCE_PREFIX)} too.",
            )


def _ephemeral(environ: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Problem]:
    # Heroku sets DYNO and wipes the disk at each restart. After a restart between intent and answer
    # the bot would not know that a DELETE may have been sent.
    if environ.get("DYNO") and values.get(DATABASE_URL, "sqlite:").strip().startswith("sqlite:"):
        yield Problem(
            DATABASE_URL,
            "DATABASE_URL names SQLite, but the disk of a dyno is wiped at each restart: set it "
            "to the postgresql+psycopg:// address of a PostgreSQL database.",
        )


def _sites(
    values: Mapping[str, str], given: Mapping[str, str], cwd: Path
) -> tuple[dict[str, ApplianceSettings], list[Problem]]:
    """All appliances, by name. Whether one or several were meant is taken from `given`, which also
    has the names whose values are wrong."""
    several = [name for name in given if name.startswith(SITES_PREFIX)]
    right = sorted({of_site(name)[0].lower() for name in several if not site_name_problem(name)})
    prefixes = {site: site_prefix(site) for site in right}
    if not several:
        prefixes = {DEFAULT_SITE: APPLIANCE_PREFIX}
    sites: dict[str, ApplianceSettings] = {}
    problems: list[Problem] = []
    first: dict[str, str] = {}
    for site, prefix in prefixes.items():
        names = appliance_names(prefix)
        own: dict[str, object] = {f: values[name] for name, f in names.items() if name in values}
        if "ca_file" in own:
            own["ca_file"] = str(cwd / os.path.expanduser(str(own["ca_file"])))
        appliance, found = _check(ApplianceSettings, own, names)
        problems += found
        if appliance is None:
            continue
        sites[site] = appliance
        # Twice the same would have two call budgets and two log-ins, and show each pairing twice.
        host = appliance.host.casefold().removesuffix(_HTTPS).removesuffix(".")
        other = first.setdefault(host, prefix)
        if other != prefix:
            words = f"{prefix}HOST names the same appliance as {other}HOST"
            sentence = f"{words}: leave one of the two sites out."
            problems.append(Problem(f"{prefix}HOST", sentence))
    return sites, problems


def _check(
    model: type[_Model], values: Mapping[str, object], names: Mapping[str, str]
) -> tuple[_Model | None, list[Problem]]:
    try:
        return model(**values), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    outside = {field: name for name, field in names.items()}
    problems = []
    for detail in details:
        field = str(detail["loc"][0])
        if field not in outside:  # `sites`: the problems of its settings are reported already
            continue
        name = outside[field]
        if detail["type"] == "missing":
            sentence = f"is not set: {model.model_fields[field].description}"
        else:
            # Every function of `values` raises ValueError with a text of our own, in which another
            # setting is named by its field.
            sentence = str(detail["ctx"]["error"])
            sentence = re.sub(r"\{([a-z_]+)\}", lambda m: outside.get(m[1], m[0]), sentence)
        problems.append(Problem(name, f"{name} {sentence}."))
    return None, problems


def _one_each(problems: Iterable[Problem], given: Given) -> list[Problem]:
    secrets = [
        value
        for name, value in given.values.items()
        if is_secret(name)
        and len(value) >= _SHORTEST_SECRET_TO_HIDE
        # Never shown anyway (`values.shown`), and our own sentences contain `sqlite://`.
        and not (name == DATABASE_URL and "://" in value)
    ]
    first: dict[str, Problem] = {}
    for problem in problems:
        sentence = problem.sentence
        for secret in secrets:
            # The same secret may also stand in a wrong line, whose value is quoted.
            sentence = sentence.replace(secret, "***")
        first.setdefault(problem.setting, Problem(problem.setting, sentence))
    return list(first.values())
