"""What was given for the settings, as text: in the environment, which wins over `.env`, and that
over the files of SECRETS_DIR."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from bot.settings import values
from bot.settings.defaults import Problem, SettingsError
from bot.settings.names import (
    SECRETS_DIR,
    SITES_PREFIX,
    canonical,
    is_secret,
    name_problems,
    setting_names,
)

DOTENV = ".env"
DATABASE_URL = "DATABASE_URL"
PROXIES = ("HTTPS_PROXY", "NO_PROXY")
"""Shared with all programs, in upper or lower case. urllib and requests look for them only in the
environment."""

_UNQUOTED_END = re.compile(r"""[^=]*=(?!\s*['"])[^\r\n]*\s\#""")
"""A line of `.env` whose value has no quotes, and where python-dotenv sees a comment."""


@dataclass(frozen=True)
class Given:
    """As text. `values` holds only known settings and those of sites, none of them empty. `proxies`
    are those that only `.env` sets; they take effect once they are put into the environment.
    `files` are those that something was read from."""

    values: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...]
    proxies: dict[str, str] = field(repr=False)
    files: tuple[Path, ...]
    cwd: Path


def gather(environ: Mapping[str, str] | None, cwd: Path | None) -> Given:
    """Everything that was given; an empty value counts as not set. Raises SettingsError when there
    is a `.env` that cannot be understood: what it sets is unknown then, so nothing can be said
    about the other settings.
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
    return Given(found, tuple(problems), proxies, tuple(files), cwd)


def files_seen_by_others(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[Path]:
    """The files with settings that everybody on the machine can read: `.env`, and secrets."""
    return [p for p in gather(environ, cwd).files if p.stat().st_mode & stat.S_IROTH]


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
