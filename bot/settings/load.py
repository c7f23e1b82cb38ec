"""Turns what was given (the environment, `.env`, a folder of secrets) into checked settings, or
into sentences that say what to change."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dotenv.parser import parse_stream
from pydantic import BaseModel, ValidationError

from bot.settings import values
from bot.settings.defaults import (
    ApplianceSettings,
    Problem,
    Settings,
    SettingsError,
    way_in_problems,
)
from bot.settings.names import (
    APPLIANCE_PREFIX,
    SECRETS_DIR,
    SITES_PREFIX,
    appliance_names,
    canonical,
    is_secret,
    name_problems,
    of_site,
    own_names,
    setting_names,
    site_name_problem,
    site_prefix,
)

DOTENV = ".env"
DATABASE_URL = "DATABASE_URL"
DEFAULT_SITE = "default"
PROXIES = ("HTTPS_PROXY", "NO_PROXY")
"""Shared with all programs, in upper or lower case. urllib and requests look for them only in the
environment."""

_UNQUOTED_END = re.compile(r"""[^=]*=(?!\s*['"])[^\r\n]*\s\#""")
"""A line of `.env` whose value has no quotes, and where python-dotenv sees a comment."""

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
    given = _gather(environ, cwd)
    problems = list(given.problems)
    wrong = {problem.setting for problem in problems}
    right = {name: value for name, value in given.values.items() if name not in wrong}
    sites = _sites(right, given, problems)
    # The rest is checked in any case, so that one start names everything there is to correct.
    settings = _checked(Settings, right, own_names(), problems, sites=sites)
    if to_run:
        ways = ("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
        problems += way_in_problems(*(name in given.values for name in ways))
    if problems or settings is None:
        raise _error(problems)
    if environ is None or environ is os.environ:
        os.environ.update(given.proxies)
    return settings


def load_database(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The database's address alone, for commands that need nothing else.

    It may hold a password, so do not show it. Raises SettingsError.
    """
    (address,) = _some(environ, cwd, {DATABASE_URL: values.database_url})
    return str(address.get_secret_value())


def load_slack_app(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[str, str]:
    """The slash command and the deployment's label, for the manifest of an app that may not exist
    yet: no token is needed. Raises SettingsError."""
    readers = {"SLACK_COMMAND": values.slack_command, "DEPLOYMENT_LABEL": values.label}
    command, label = _some(environ, cwd, readers)
    return command, label


def files_seen_by_others(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[Path]:
    """The files with settings that everybody on the machine can read: `.env`, and secrets."""
    return [p for p in _gather(environ, cwd).files if p.stat().st_mode & stat.S_IROTH]


def _some(
    environ: Mapping[str, str] | None,
    cwd: Path | None,
    readers: Mapping[str, Callable[[object], Any]],
) -> list[Any]:
    """The values of these settings of the bot itself. Raises SettingsError."""
    given = _gather(environ, cwd)
    concerned = {*readers, *([SECRETS_DIR] if any(map(is_secret, readers)) else [])}
    problems = [
        problem
        for problem in given.problems
        if problem.setting in concerned or any(name in problem.sentence for name in readers)
    ]
    found = []
    for name, reader in readers.items():
        try:
            default = Settings.model_fields[name.lower()].default
            found.append(reader(given.values.get(name, default)))
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    if problems:
        raise _error(problems)
    return found


def _error(problems: Iterable[Problem]) -> SettingsError:
    """With the first problem of each setting."""
    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.setting, problem)
    return SettingsError(list(first.values()))


# --- What was given


@dataclass(frozen=True)
class _Given:
    """As text. `values` holds only known settings and those of sites, none of them empty. `proxies`
    are those that only `.env` sets; they take effect once they are put into the environment.
    `files` are those that something was read from."""

    values: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...]
    proxies: dict[str, str] = field(repr=False)
    files: tuple[Path, ...]
    cwd: Path


def _gather(environ: Mapping[str, str] | None, cwd: Path | None) -> _Given:
    """Everything that was given. The environment wins over `.env`, and `.env` over SECRETS_DIR.

    An empty value counts as not set. Raises SettingsError when there is a `.env` that cannot be
    understood: what it sets is unknown then, so nothing can be said about the other settings.
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    files: list[Path] = []
    problems: list[Problem] = []
    dotenv = _read_dotenv(cwd / DOTENV, files)
    given = _known(dotenv) | _known(environ)
    found = _secret_files(given, cwd, files, problems) | given
    proxies = {
        name: value
        for name, value in dotenv.items()
        if value and name.upper() in PROXIES
        if not environ.get(name.upper()) and not environ.get(name.lower())
    }
    problems += [
        Problem(name, f"{name} holds bytes that are not UTF-8 text: write it again.")
        for name, value in {**given, **proxies}.items()
        # Python turns bytes of the environment that are not UTF-8 into lone surrogates. They would
        # fail much later, in the middle of a log-in or while a card is written.
        if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value)
    ]
    together = {**environ, **proxies}
    for name in ("HTTPS_PROXY", "https_proxy"):
        try:
            values.proxy(together.get(name) or "http://none")
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    problems += name_problems(environ, dotenv, found)
    # Heroku sets DYNO and wipes the disk at each restart. After a restart between intent and answer
    # the bot would not know that a DELETE may have been sent.
    if environ.get("DYNO") and found.get(DATABASE_URL, "sqlite:").strip().startswith("sqlite:"):
        sentence = (
            "DATABASE_URL names SQLite, but the disk of a dyno is wiped at each restart: set it "
            "to the postgresql+psycopg:// address of a PostgreSQL database."
        )
        problems.append(Problem(DATABASE_URL, sentence))
    return _Given(found, tuple(problems), proxies, tuple(files), cwd)


def _known(source: Mapping[str, str]) -> dict[str, str]:
    names = setting_names()
    return {
        canonical(name): value
        for name, value in source.items()
        if value and (name in names or name.startswith(SITES_PREFIX))
    }


def _read_dotenv(path: Path, files: list[Path]) -> dict[str, str]:
    """The names and values of a `.env` file as python-dotenv reads them; {} without the file.

    `${NAME}` is not expanded, since a password may contain it. Raises SettingsError.
    """
    try:
        text = _read_text(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        sentence = f"The file .env cannot be read ({why}): write it again, or remove it."
        raise SettingsError([Problem(DOTENV, sentence)]) from None
    files.append(path)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            found[binding.key] = binding.value
            # A password that is cut off there would be refused, and may lock the account.
            if is_secret(binding.key) and _UNQUOTED_END.match(binding.original.string):
                sentence = (
                    f"{binding.key} in the file .env has a space and a # but no quotes, so the "
                    "rest of the line would be a comment: put single quotes around the value."
                )
                problems.append(Problem(binding.key, sentence))
        elif binding.error or binding.key is not None:
            # The line is not quoted: it may hold a password. python-dotenv counts blank lines as
            # part of the line after them.
            original = binding.original.string
            blank = original[: len(original) - len(original.lstrip())].count("\n")
            sentence = (
                f"Line {binding.original.line + blank} of the file .env is not understood: write "
                f"NAME=value, with single quotes around a value that holds spaces, quotes or #."
            )
            problems.append(Problem(DOTENV, sentence))
    if problems:
        raise SettingsError(problems)
    return found


def _read_text(path: Path) -> str:
    """Raises OSError, or ValueError with what is wrong."""
    values.refuse_irregular(path)
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None


def _secret_files(
    given: Mapping[str, str], cwd: Path, files: list[Path], problems: list[Problem]
) -> dict[str, str]:
    if SECRETS_DIR not in given:
        return {}
    folder = cwd / given[SECRETS_DIR]
    try:
        entries = sorted(filter(is_secret, os.listdir(folder)))
    except (OSError, ValueError) as error:
        sentence = (
            f"{SECRETS_DIR} cannot be listed ({getattr(error, 'strerror', None) or 'not a path'}): "
            "give a folder with a file for each secret, by its name."
        )
        problems.append(Problem(SECRETS_DIR, sentence))
        return {}
    found: dict[str, str] = {}
    for name, entry in {canonical(entry): entry for entry in entries}.items():
        if name in given:
            continue
        try:
            text = _read_text(folder / entry).rstrip("\r\n")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            sentence = f"{name} cannot be read from SECRETS_DIR ({reason}): write that file again."
            problems.append(Problem(name, sentence))
        else:
            files.append(folder / entry)
            found |= {name: text} if text else {}
    return found


# --- What it means


def _sites(
    right: Mapping[str, str], given: _Given, problems: list[Problem]
) -> dict[str, ApplianceSettings]:
    """All appliances, by name. Whether one or several were meant is taken from all that was given,
    which also has the names whose values are wrong."""
    several = [name for name in given.values if name.startswith(SITES_PREFIX)]
    named = {of_site(name)[0].lower() for name in several if not site_name_problem(name)}
    prefixes = {site: site_prefix(site) for site in sorted(named)}
    sites: dict[str, ApplianceSettings] = {}
    first: dict[str, str] = {}
    for site, prefix in (prefixes if several else {DEFAULT_SITE: APPLIANCE_PREFIX}).items():
        if path := right.get(ca_file := f"{prefix}CA_FILE"):
            right = {**right, ca_file: str(given.cwd / os.path.expanduser(path))}
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
        if name is None:  # `sites`: the problems of its settings are reported already
            continue
        if detail["type"] == "missing":
            sentence = f"is not set: {model.model_fields[field].description}"
        else:
            # Every reader raises ValueError with a text of our own, in which another setting is
            # named by its field.
            sentence = str(detail["ctx"]["error"])
            sentence = re.sub(r"\{([a-z_]+)\}", lambda m: outside.get(m[1], m[0]), sentence)
        problems.append(Problem(name, f"{name} {sentence}."))
    return None
