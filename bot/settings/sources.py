"""What was given for the settings, as text: in the environment, which wins over `.env`, and that
over the files of SECRETS_DIR."""

from __future__ import annotations

import codecs
import io
import os
import pwd
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from bot.settings import values
from bot.settings.defaults import Problem, SettingsError
from bot.settings.names import (
    DATABASE_URL,
    PROXIES,
    SECRETS_DIR,
    canonical,
    is_secret,
    name_problems,
    named,
    setting_names,
)

DOTENV = ".env"
ENVIRONMENT = "environment"

_env_file: Path | None = None


def use_env_file(path: Path | None) -> None:
    """From now on this process reads this file in the place of `.env` in its working directory;
    None: that one."""
    global _env_file
    _env_file = path


_UNQUOTED_END = re.compile(r"""[^=]*=(?!\s*['"])[^\r\n]*\s\#""")
"""A line of `.env` whose value has no quotes, and where python-dotenv sees a comment."""

_TYPOGRAPHIC = "‘’‚‛“”„‟‹›«»"  # noqa: RUF001 - what word processors and chats make of quotes


@dataclass(frozen=True)
class Given:
    """As text. `values` holds only known settings and those of sites, none of them empty. `proxies`
    are those that only `.env` sets; they take effect once they are put into the environment.
    `files` are those that something was read from, `origins` says where each of `values` stands,
    and `dotenv` how that file is called."""

    values: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...]
    proxies: dict[str, str] = field(repr=False)
    files: tuple[Path, ...]
    cwd: Path
    origins: dict[str, str]
    dotenv: str


def gather(environ: Mapping[str, str] | None, cwd: Path | None) -> Given:
    """Everything that was given; an empty value counts as not set. Raises SettingsError when there
    is a `.env` that cannot be understood: what it sets is unknown then, so nothing can be said
    about the other settings.
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    files: list[Path] = []
    problems: list[Problem] = []
    dotenv = _read_dotenv(cwd, files)
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
        for name, value in {**found, **proxies}.items()
        # Python turns bytes of the environment that are not UTF-8 into lone surrogates. They would
        # fail much later, in the middle of a log-in or while a card is written.
        if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value)
    ]
    problems += [
        Problem(name, f"{name} is in typographic quotes, which would be part of it: write ' there.")
        for name, value in found.items()
        if value[0] in _TYPOGRAPHIC and value[-1] in _TYPOGRAPHIC
    ]
    together = {**environ, **proxies}
    for name in ("HTTPS_PROXY", "https_proxy"):
        try:
            values.proxy(together.get(name) or "http://none")
        except ValueError as error:
            problems.append(Problem(name, f"{name} {error}."))
    problems += name_problems(_set(environ), _set(dotenv), found)
    # Heroku sets DYNO and wipes the disk at each restart. After a restart between intent and answer
    # the bot would not know that a DELETE may have been sent.
    if environ.get("DYNO") and found.get(DATABASE_URL, "sqlite:").strip().startswith("sqlite:"):
        sentence = (
            "DATABASE_URL names SQLite, but the disk of a dyno is wiped at each restart: set it "
            "to the postgresql+psycopg:// address of a PostgreSQL database."
        )
        problems.append(Problem(DATABASE_URL, sentence))
    shown = str(_env_file or DOTENV)
    origins = dict.fromkeys(found, SECRETS_DIR) | dict.fromkeys(_known(dotenv), shown)
    origins |= dict.fromkeys(_known(environ), ENVIRONMENT)
    return Given(found, tuple(problems), proxies, tuple(files), cwd, origins, shown)


def files_seen_by_others(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[Path]:
    """The files with settings that everybody on the machine can read: `.env`, and secrets."""
    return [p for p in gather(environ, cwd).files if p.stat().st_mode & stat.S_IROTH]


def _set(source: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in source.items() if value}


def _known(source: Mapping[str, str]) -> dict[str, str]:
    names = setting_names()
    return {
        canonical(name): value
        for name, value in _set(source).items()
        if name in names or named(name)
    }


def _read_dotenv(cwd: Path, files: list[Path]) -> dict[str, str]:
    """The names and values of the `.env` file as python-dotenv reads them; {} without the file.

    `${NAME}` is not expanded, since a password may contain it. Raises SettingsError.
    """
    path = cwd / (_env_file or DOTENV)
    try:
        with path.open("rb") as file:
            why_not = _distrust(os.fstat(file.fileno()), path)
            text = "" if why_not else _text(file.read())
    except FileNotFoundError:
        if _env_file is None:
            return {}
        why_not = f"There is no file {path}: --env-file names the one to read."
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        why_not = f"The file {path} cannot be read ({why}): write it again, or remove it."
    if why_not:
        raise SettingsError([Problem(DOTENV, why_not)])
    if path.is_file():
        files.append(path)
    shown = _env_file or DOTENV
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            found[binding.key] = binding.value
            # A password that is cut off there would be refused, and may lock the account.
            if is_secret(binding.key) and _UNQUOTED_END.match(binding.original.string):
                sentence = (
                    f"{binding.key} in the file {shown} has a space and a # but no quotes, so the "
                    "rest of the line would be a comment: put single quotes around the value."
                )
                problems.append(Problem(binding.key, sentence))
        elif binding.error or binding.key is not None:
            # The line is not quoted: it may hold a password. python-dotenv counts blank lines as
            # part of the line after them.
            original = binding.original.string
            blank = original[: len(original) - len(original.lstrip())].count("\n")
            line = binding.original.line + blank
            sentence = (
                f"Line {line} of the file {shown} is not understood: write "
                f"NAME=value, with single quotes around a value that holds spaces, quotes or #."
            )
            problems.append(Problem(f"{shown}:{line}", sentence))
    if problems:
        raise SettingsError(problems)
    return found


def _distrust(found: os.stat_result, path: Path) -> str | None:
    """Why this `.env` is not read: whoever writes it decides where the tokens go (SLACK_API_URL,
    HTTPS_PROXY), and it may just lie where somebody works.

    Under sudo it has to be root's: what is at stake there are root's secrets, and whoever may run
    this one command through sudo may not have them.
    """
    me = os.geteuid()
    if found.st_uid not in (me, 0):
        owner, own = _user(found.st_uid), _user(me)
        return (
            f"The file {path} belongs to {owner}, and settings are read from a file of {own} or "
            f"root alone: look at what it says, then chown {own} {path}, or work in another folder."
        )
    # A device, such as /dev/null, is the system's.
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISCHR(found.st_mode):
        return (
            f"Others than its owner may write the file {path}: look at what it says, then "
            f"chmod go-w {path}."
        )
    return None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _text(content: bytes) -> str:
    """Raises ValueError with what is wrong."""
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
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
            text = _text((folder / entry).read_bytes()).rstrip("\r\n")
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
