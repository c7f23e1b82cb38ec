"""Where settings come from (the environment, `.env`, a folder of secrets), and what they are called
there."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from dotenv.parser import parse_stream
from pydantic import BaseModel, SecretStr

from bot.settings.addresses import open_regular, proxy
from bot.settings.model import ApplianceSettings, Problem, Settings, SettingsError

DOTENV = ".env"
SECRETS_DIR = "SECRETS_DIR"
APPLIANCE_PREFIX = "VR_"
SITES_PREFIX = "VR_SITES__"
PROXIES = ("HTTPS_PROXY", "NO_PROXY")
"""Shared with all programs, in upper or lower case. urllib and requests look for them only in the
environment."""

LONGEST_SITE = 30
"""A site's name and a pairing id must fit together into the value of a menu option (150
characters), and the name into one line on a phone."""

_SITE = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,{LONGEST_SITE - 2}}}[A-Za-z0-9])?")
_LARGEST_FILE = 1_000_000
_OWN_CUTOFF, _ELSEWHERE_CUTOFF = 0.7, 0.84
_SHORTEST_TO_COMPARE = 6


@dataclass(frozen=True)
class Given:
    """What was given, as text. `values` holds only known settings and those of sites, none of them
    empty. `proxies` are those that only `.env` sets; they take effect once they are put into the
    environment. `files` are those that something was read from."""

    values: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...]
    proxies: dict[str, str] = field(repr=False)
    files: tuple[Path, ...]


def gather(environ: Mapping[str, str], cwd: Path) -> Given:
    """Everything that was given. The environment wins over `.env`, and `.env` over SECRETS_DIR.

    An empty value counts as not set. Raises SettingsError when there is a `.env` that cannot be
    understood: what it sets is unknown then, so nothing can be said about the other settings.
    """
    files: list[Path] = []
    dotenv = _read_dotenv(cwd / DOTENV, files)
    given = _known(dotenv) | _known(environ)
    secrets, problems = _secret_files(given, cwd, files)
    proxies = {
        written: dotenv[written]
        for name in PROXIES
        if not any(environ.get(written) for written in (name, name.lower()))
        for written in (name, name.lower())
        if dotenv.get(written)
    }
    problems += [p for source in (dotenv, environ) for p in _written_twice(source)]
    problems += [
        Problem(name, f"{name} holds bytes that are not UTF-8 text: write it again.")
        for name, value in {**given, **proxies}.items()
        # Python turns bytes of the environment that are not UTF-8 into lone surrogates. They would
        # fail much later, in the middle of a log-in or while a card is written.
        if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value)
    ]
    problems += _proxy_problems({**environ, **proxies})
    values = secrets | given
    problems += _misspelled(environ, dotenv, values)
    return Given(values, tuple(problems), proxies, tuple(files))


def seen_by_others(files: Iterable[Path]) -> list[Path]:
    """Those of the files that everybody on the machine can read."""
    return [path for path in files if path.stat().st_mode & stat.S_IROTH]


# --- Names


def own_names() -> dict[str, str]:
    """The operator's name of each setting of the bot itself, mapped to its field."""
    return {field.upper(): field for field in Settings.model_fields if field != "sites"}


def appliance_names(prefix: str = APPLIANCE_PREFIX) -> dict[str, str]:
    """The operator's name of each setting of one appliance, mapped to its field."""
    return {prefix + field.upper(): field for field in ApplianceSettings.model_fields}


def site_prefix(site: str) -> str:
    """The prefix of the settings of this one of several appliances."""
    return f"{SITES_PREFIX}{site.upper()}__"


def setting_names() -> tuple[str, ...]:
    """Every setting, with those of a single appliance and without those of several."""
    return (*own_names(), *appliance_names(), SECRETS_DIR)


def secret_names() -> frozenset[str]:
    """The settings whose values are never shown and may come from files in SECRETS_DIR."""
    models = ((own_names(), Settings), (appliance_names(), ApplianceSettings))
    return frozenset(n for names, model in models for n, f in names.items() if _secret(model, f))


def _secret(model: type[BaseModel], field: str) -> bool:
    annotation = model.model_fields[field].annotation
    kinds = [annotation, *get_args(annotation)]
    return any(SecretStr in (kind, *get_args(kind)) for kind in kinds)


def is_secret(name: str) -> bool:
    """Whether this is a secret, of the bot itself or of an appliance."""
    _, suffix = of_site(name)
    return (APPLIANCE_PREFIX + suffix if suffix else name) in secret_names()


def of_site(name: str) -> tuple[str, str]:
    """Site and suffix of `VR_SITES__<NAME>__HOST`, in the case in which they are written. Two empty
    texts for other names.

    The site's name is kept in lower case: it is what people type before the slash in
    `SITE/PAIRING`. It cannot hold two underscores in a row, since these end it.
    """
    if not name.startswith(SITES_PREFIX):
        return "", ""
    site, _, suffix = name.removeprefix(SITES_PREFIX).partition("__")
    return site, suffix


def site_name_problem(name: str) -> str | None:
    """What is wrong with a name that begins with VR_SITES__, as the rest of a sentence that begins
    with it."""
    site, suffix = of_site(name)
    fields = [field.upper() for field in ApplianceSettings.model_fields]
    if not suffix:
        return f"is not a setting: write {SITES_PREFIX}<NAME>__HOST and its like."
    if not _SITE.fullmatch(site) or "__" in site:
        return (
            f"has no name of a site between the underscores: use letters, digits, - and _, at "
            f"most {LONGEST_SITE}, beginning and ending with a letter or digit."
        )
    if suffix in fields:
        return None
    typed = suffix.upper().replace("__", "_").removeprefix(APPLIANCE_PREFIX)
    meant = _nearest(APPLIANCE_PREFIX + typed, own=True)
    if meant:
        meant = site_prefix(site) + meant.removeprefix(APPLIANCE_PREFIX)
        return f"is not a setting: did you mean {meant}?"
    return f"is not a setting: a site has {', '.join(fields)}."


def _canonical(name: str) -> str:
    """The name as this program writes it, with the site in upper case."""
    site, suffix = of_site(name)
    return f"{site_prefix(site)}{suffix}" if suffix else name


def _known(values: Mapping[str, str]) -> dict[str, str]:
    names = setting_names()
    return {
        _canonical(name): value
        for name, value in values.items()
        if value and (name in names or name.startswith(SITES_PREFIX))
    }


def _written_twice(values: Mapping[str, str]) -> Iterator[Problem]:
    """Names that differ only in upper and lower case of the site. Nobody could say which one
    counts."""
    first: dict[str, str] = {}
    for name in sorted(name for name, value in values.items() if value and of_site(name)[1]):
        other = first.setdefault(_canonical(name), name)
        if other != name:
            yield Problem(_canonical(name), f"{name} and {other} are the same: keep one.")


def _misspelled(
    environ: Mapping[str, str], dotenv: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Problem]:
    """One problem for each name that is not a setting but looks like one.

    The environment belongs to all programs on the machine, so only names that look like ours are
    compared. The `.env` file belongs to this bot, so every name in it is compared.
    """
    names = {name for source in (environ, dotenv) for name, value in source.items() if value}
    for name in sorted(names - set(setting_names())):
        if name.startswith(SITES_PREFIX):
            continue
        own = name.upper().startswith(APPLIANCE_PREFIX)
        meant = _nearest(name, own=own, near=bool(dotenv.get(name)) or name.startswith("SLACK_"))
        # If the right name is set too, the other may belong to another program, unless it has our
        # own prefix.
        if meant and (name.startswith(APPLIANCE_PREFIX) or meant not in given):
            yield Problem(name, f"{name} is not a setting: did you mean {meant}?")


def _nearest(name: str, *, own: bool, near: bool = False) -> str | None:
    """The setting that was meant: the same but for case, - and _; with our prefix (`own`) one that
    goes on after it or is much like it; where `near`, one that is very much like it."""
    known = setting_names()
    typed = name.upper().replace("-", "_")
    if typed.startswith("VR_SITE"):
        return f"{SITES_PREFIX}<NAME>__HOST and its like"
    bare = typed.replace("_", "")
    if len(bare) >= _SHORTEST_TO_COMPARE:
        for candidate in known:
            if candidate.replace("_", "") == bare:
                return candidate
    close: list[str] = []
    if own:
        close = [k for k in known if k.startswith(f"{typed}_")]
        close = close or get_close_matches(typed, appliance_names(), 1, _OWN_CUTOFF)
    elif near:
        close = get_close_matches(name, known, 1, _ELSEWHERE_CUTOFF)
    return close[0] if close else None


# --- Files


def _read_dotenv(path: Path, files: list[Path]) -> dict[str, str]:
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
    files.append(path)
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            values[binding.key] = binding.value
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
    return values


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
    given: Mapping[str, str], cwd: Path, files: list[Path]
) -> tuple[dict[str, str], list[Problem]]:
    if SECRETS_DIR not in given:
        return {}, []
    folder = cwd / given[SECRETS_DIR]
    if not os.path.isdir(folder):  # unlike Path.is_dir, it takes any text
        sentence = "SECRETS_DIR is not a folder: give one with a file for each secret, by its name."
        return {}, [Problem(SECRETS_DIR, sentence)]
    try:
        entries = sorted(entry.name for entry in folder.iterdir() if is_secret(entry.name))
    except OSError as error:
        sentence = f"SECRETS_DIR cannot be listed ({error.strerror}): make it readable."
        return {}, [Problem(SECRETS_DIR, sentence)]
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, entry in {_canonical(entry): entry for entry in entries}.items():
        if name in given:
            continue
        try:
            text = _read_text(folder / entry).rstrip("\r\n")
        except FileNotFoundError:
            continue
        except OSError as error:
            sentence = f"{name} cannot be read from SECRETS_DIR ({error.strerror})"
            problems.append(Problem(name, f"{sentence}: make that file readable."))
        except ValueError as error:
            problems.append(Problem(name, f"{name} in SECRETS_DIR {error}."))
        else:
            files.append(folder / entry)
            found |= {name: text} if text else {}
    return found, problems


def _proxy_problems(environ: Mapping[str, str]) -> Iterator[Problem]:
    for name in ("https_proxy", "HTTPS_PROXY"):  # urllib looks for them in this order
        if value := environ.get(name):
            try:
                proxy(value)
            except ValueError as error:
                yield Problem(name, f"{name} {error}.")
            return
