"""Turns what was given into checked settings, or into sentences that say what to change."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from bot.settings.appliance import ApplianceSettings
from bot.settings.forms import database_url, label, slack_command
from bot.settings.model import Settings, way_in_problems
from bot.settings.names import (
    SITES_PREFIX,
    appliance_names,
    is_secret_of_site,
    own_names,
    secret_names,
    slips,
)
from bot.settings.problems import Problem, SettingsError
from bot.settings.several import host_problems, name_problems, names_of, sites_of
from bot.settings.sources import gather

DATABASE_URL = "DATABASE_URL"
DEFAULT_SITE = "default"
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
    problems = [*given.problems, *name_problems(given.values), *_ephemeral(environ, given.values)]
    values = {name: value for name, value in given.values.items() if not _has(problems, name)}
    sites, found = _sites(values, given.values, cwd)
    problems += found
    # The rest is checked in any case, so that one start names everything there is to correct.
    own: dict[str, object] = {
        field: values[name] for name, field in own_names().items() if name in values
    }
    if sites:
        own["sites"] = sites
    settings, found = _check(Settings, own, own_names())
    problems += found
    problems += slips(given.environ_names, given.dotenv_names, given.values)
    if to_run:
        ways = ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
        problems += way_in_problems(*(name in given.values for name in ways))
    if problems or settings is None:
        raise SettingsError(_one_each(problems, given.values))
    if environ is os.environ:
        os.environ.update(given.proxies)
    return settings


def load_database(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The database's address alone, for commands that need nothing else.

    It may hold a password, so do not show it. Raises SettingsError.
    """
    environ, cwd = _defaults(environ, cwd)
    given = gather(environ, cwd)
    problems = [*given.problems, *_ephemeral(environ, given.values)]
    problems += slips(given.environ_names, given.dotenv_names, given.values)
    problems = [problem for problem in problems if _is_about_database(problem)]
    address = Settings.model_fields["database_url"].default
    if DATABASE_URL in given.values and not problems:
        try:
            address = database_url(given.values[DATABASE_URL])
        except ValueError as error:
            problems.append(Problem(DATABASE_URL, f"{DATABASE_URL} {error}."))
    if problems:
        raise SettingsError(_one_each(problems, given.values))
    if not isinstance(address, SecretStr):
        raise TypeError("the default of DATABASE_URL is no secret")
    return address.get_secret_value()


def load_slack_app(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[str, str]:
    """The slash command and the deployment's label, for the manifest of an app that may not exist
    yet: no token is needed. Raises SettingsError."""
    environ, cwd = _defaults(environ, cwd)
    given = gather(environ, cwd)
    found: list[str] = []
    problems: list[Problem] = []
    for name, read in (("SLACK_COMMAND", slack_command), ("DEPLOYMENT_LABEL", label)):
        default = str(Settings.model_fields[name.lower()].default)
        try:
            found.append(read(given.values.get(name, default)))
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    if problems:
        raise SettingsError(_one_each(problems, given.values))
    return found[0], found[1]


def _is_about_database(problem: Problem) -> bool:
    return problem.setting in {DATABASE_URL, "SECRETS_DIR"} or DATABASE_URL in problem.sentence


def _defaults(
    environ: Mapping[str, str] | None, cwd: Path | None
) -> tuple[Mapping[str, str], Path]:
    return (os.environ if environ is None else environ), (Path.cwd() if cwd is None else cwd)


def _has(problems: Iterable[Problem], name: str) -> bool:
    return any(problem.setting == name for problem in problems)


def _sites(
    values: Mapping[str, str], given: Mapping[str, str], cwd: Path
) -> tuple[dict[str, ApplianceSettings], list[Problem]]:
    """All appliances, by name. Whether one or several were meant is taken from `given`, which also
    has the names whose values are wrong."""
    of_several = sites_of(given)
    names = {site: names_of(site) for site in sorted(of_several)}
    if not any(name.startswith(SITES_PREFIX) for name in given):
        names = {DEFAULT_SITE: appliance_names()}
    sites: dict[str, ApplianceSettings] = {}
    problems: list[Problem] = []
    for site, own in names.items():
        appliance, found = _check(ApplianceSettings, _appliance_values(values, own, cwd), own)
        problems += found
        if appliance is not None:
            sites[site] = appliance
    return sites, [*problems, *host_problems(sites)]


def _appliance_values(
    values: Mapping[str, str], names: Mapping[str, str], cwd: Path
) -> dict[str, object]:
    fields = {field: values[name] for name, field in names.items() if name in values}
    if "ca_file" in fields:
        fields["ca_file"] = str(cwd / os.path.expanduser(fields["ca_file"]))
    return dict(fields)


def _ephemeral(environ: Mapping[str, str], values: Mapping[str, str]) -> Iterable[Problem]:
    # Heroku sets DYNO and wipes the disk at each restart. After a restart between intent and answer
    # the bot would not know that a DELETE may have been sent.
    if environ.get("DYNO") and values.get(DATABASE_URL, "sqlite:").strip().startswith("sqlite:"):
        yield Problem(
            DATABASE_URL,
            "DATABASE_URL names SQLite, but the disk of a dyno is wiped at each restart: set it "
            "to the postgresql+psycopg:// address of a PostgreSQL database.",
        )


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
            # Every function of `forms` raises ValueError with a text of our own.
            sentence = str(detail["ctx"]["error"])
        problems.append(Problem(name, f"{name} {_named(sentence, outside)}."))
    return None, problems


def _named(sentence: str, outside: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda match: outside.get(match[1], match[0]), sentence)


def _one_each(problems: Iterable[Problem], values: Mapping[str, str]) -> list[Problem]:
    secrets = [
        value
        for name, value in values.items()
        if (name in secret_names() or is_secret_of_site(name))
        and len(value) >= _SHORTEST_SECRET_TO_HIDE
        # Never shown anyway (`problems.shown`), and our own sentences contain `sqlite://`.
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
