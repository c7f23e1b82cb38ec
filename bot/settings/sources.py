"""Where settings come from: the environment, a `.env` file, a folder of secrets."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from bot.settings.files import open_regular
from bot.settings.forms import proxy
from bot.settings.names import (
    PROXIES,
    SECRETS_DIR,
    SITES_PREFIX,
    is_secret_of_site,
    secret_names,
    setting_names,
)
from bot.settings.problems import Problem, SettingsError
from bot.settings.several import canonical, written_twice

DOTENV = ".env"
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Given:
    """What was given, as text. `values` holds only known settings, none of them empty, and all
    names that begin with VR_SITES__, in canonical form and known or not. `proxies` are those that
    only `.env` sets; they take effect once they are put into the environment."""

    values: dict[str, str] = field(repr=False)
    environ_names: frozenset[str]
    dotenv_names: frozenset[str]
    problems: tuple[Problem, ...]
    proxies: dict[str, str] = field(repr=False)


def gather(environ: Mapping[str, str], cwd: Path) -> Given:
    """Everything that was given. The environment wins over `.env`, and `.env` over SECRETS_DIR.

    An empty value counts as not set. Raises SettingsError when there is a `.env` that cannot be
    understood: what it sets is unknown then, so nothing can be said about the other settings.
    """
    dotenv = read_dotenv(cwd / DOTENV)
    values = _known(dotenv) | _known(environ)
    files, problems = _secret_files(values, cwd)
    twice = [p for source in (dotenv, environ) for p in written_twice(sorted(_set(source)))]
    proxies = _proxies(dotenv, environ)
    return Given(
        files | values,
        _set(environ),
        _set(dotenv),
        (
            *problems,
            *twice,
            *(_not_text(n) for n, value in {**values, **proxies}.items() if not _is_text(value)),
            *_proxy_problems({**environ, **proxies}),
        ),
        proxies,
    )


def _proxies(dotenv: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {
        written: dotenv[written]
        for name in PROXIES
        if not any(environ.get(written) for written in (name, name.lower()))
        for written in (name, name.lower())
        if dotenv.get(written)
    }


def _proxy_problems(environ: Mapping[str, str]) -> Iterable[Problem]:
    for name in ("https_proxy", "HTTPS_PROXY"):  # urllib looks for them in this order
        if value := environ.get(name):
            try:
                proxy(value)
            except ValueError as error:
                yield Problem(name, f"{name} {error}.")
            return


def _is_text(value: str) -> bool:
    # Python turns bytes of the environment that are not UTF-8 into lone surrogates. They would fail
    # much later, in the middle of a log-in or while a card is written.
    return not any("\ud800" <= char <= "\udfff" or char == "\0" for char in value)


def _not_text(name: str) -> Problem:
    return Problem(name, f"{name} holds bytes that are not UTF-8 text: write it again.")


def _known(values: Mapping[str, str]) -> dict[str, str]:
    names = setting_names()
    return {
        canonical(name) if name.startswith(SITES_PREFIX) else name: value
        for name, value in values.items()
        if value and (name in names or name.startswith(SITES_PREFIX))
    }


def _set(values: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, value in values.items() if value)


def read_dotenv(path: Path) -> dict[str, str]:
    """The names and values of a `.env` file as python-dotenv reads them; {} without the file.

    `${NAME}` is not expanded, since a password may contain it. Raises SettingsError.
    """
    try:
        text = _read_text(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        sentence = (
            f"The file .env cannot be read ({error.strerror}): make it readable or remove it."
        )
        raise SettingsError([Problem(DOTENV, sentence)]) from None
    except ValueError as error:
        raise SettingsError([Problem(DOTENV, f"The file .env {error}.")]) from None
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            values[binding.key] = binding.value
        elif binding.error or binding.key is not None:
            # The line is not quoted: it may hold a password.
            line = binding.original.line + _blank_lines_before(binding.original.string)
            sentence = (
                f"Line {line} of the file .env is not understood: write NAME=value, with single "
                f"quotes around a value that holds spaces, quotes or #."
            )
            problems.append(Problem(DOTENV, sentence))
    if problems:
        raise SettingsError(problems)
    return values


def _blank_lines_before(original: str) -> int:
    # python-dotenv counts blank lines as part of the line after them.
    blank = original[: len(original) - len(original.lstrip())]
    return blank.count("\n")


def _read_text(path: Path) -> str:
    with open_regular(path) as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError("is larger than 1 MB: that cannot be it")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text: save it again as UTF-8") from None


def _secret_files(
    values: Mapping[str, str], cwd: Path
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    if SECRETS_DIR not in values:
        return {}, ()
    folder = cwd / values[SECRETS_DIR]
    if not folder.is_dir():
        sentence = "SECRETS_DIR is not a folder: give one with a file for each secret, by its name."
        return {}, (Problem(SECRETS_DIR, sentence),)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        of_sites = {entry.name for entry in folder.iterdir() if is_secret_of_site(entry.name)}
    except OSError as error:
        sentence = f"SECRETS_DIR cannot be listed ({error.strerror}): make it readable."
        return {}, (Problem(SECRETS_DIR, sentence),)
    files = {name: name for name in secret_names()} | {canonical(n): n for n in sorted(of_sites)}
    for name in sorted(files.keys() - values.keys()):
        try:
            text = _read_text(folder / files[name]).rstrip("\r\n")
        except FileNotFoundError:
            continue
        except OSError as error:
            sentence = f"{name} cannot be read from SECRETS_DIR ({error.strerror})."
            problems.append(Problem(name, f"{sentence[:-1]}: make that file readable."))
            continue
        except ValueError as error:
            problems.append(Problem(name, f"{name} in SECRETS_DIR {error}."))
            continue
        if text:
            found[name] = text
    return found, tuple(problems)
