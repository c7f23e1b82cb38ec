"""What was given for the settings, as text: in the environment, which wins over `.env`, and that
over the files of SECRETS_DIR. What settings are called there, and which one a name that is none was
meant for."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import parse_stream

from bot.settings import values
from bot.settings.defaults import ApplianceSettings, Problem, Settings, SettingsError

SECRETS_DIR = "SECRETS_DIR"
APPLIANCE_PREFIX = "VR_"
SITES_PREFIX = "VR_SITES__"
SITES_FORM = f"{SITES_PREFIX}<NAME>__HOST and its like"

SECRETS = frozenset(
    {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "DATABASE_URL",
        "VR_PASSWORD",
        "VR_REMOTE_PASSWORD",
    }
)
"""The settings whose values are never shown and may come from files in SECRETS_DIR."""

LONGEST_SITE = 30
"""A site's name and a pairing id must fit together into the value of a menu option (150
characters), and the name into one line on a phone."""

_SITE = re.compile(rf"(?!.*__)[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,{LONGEST_SITE - 2}}}[A-Za-z0-9])?")
_OWN_CUTOFF, _ELSEWHERE_CUTOFF = 0.6, 0.84


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


def is_secret(name: str) -> bool:
    """Whether this is a secret, of the bot itself or of an appliance."""
    suffix = of_site(name)[1]
    return (APPLIANCE_PREFIX + suffix if suffix else name) in SECRETS


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


def canonical(name: str) -> str:
    """The name as this program writes it, with the site in upper case."""
    site, suffix = of_site(name)
    return f"{site_prefix(site)}{suffix}" if suffix else name


def name_problems(
    environ: Mapping[str, str], dotenv: Mapping[str, str], values: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with names, whatever the values. `values` are those that count, by their
    canonical names.

    The environment belongs to all programs on the machine, so only names that look like ours are
    compared. The `.env` file belongs to this bot, so every name in it is compared.
    """
    given = {name for source in (environ, dotenv) for name, value in source.items() if value}
    for name in sorted(given - set(setting_names())):
        if name.startswith(SITES_PREFIX):
            continue
        meant = _nearest(name, alike=bool(dotenv.get(name)) or name.startswith("SLACK_"))
        # If the right name is set too, the other may belong to another program, unless it has our
        # own prefix.
        if meant and (name.startswith(APPLIANCE_PREFIX) or meant not in values):
            yield Problem(name, f"{name} is not a setting: did you mean {meant}?")
    several = [name for name in values if name.startswith(SITES_PREFIX)]
    for name in several:
        if problem := site_name_problem(name):
            yield Problem(name, f"{name} {problem}")
    for name in appliance_names() if several else ():
        if name in values:
            among = site_prefix("NAME") + name.removeprefix(APPLIANCE_PREFIX)
            sentence = (
                f"{name} is set beside {several[0]}: keep the single VR_ settings for one "
                f"appliance, or write this one as {among} too."
            )
            yield Problem(name, sentence)


def site_name_problem(name: str) -> str | None:
    """What is wrong with a name that begins with VR_SITES__, as the rest of a sentence that begins
    with it."""
    site, suffix = of_site(name)
    fields = [field.upper() for field in ApplianceSettings.model_fields]
    if not suffix:
        return f"is not a setting: write {SITES_FORM}."
    if not _SITE.fullmatch(site):
        return (
            f"has no name of a site between the underscores: use letters, digits, - and _, at "
            f"most {LONGEST_SITE}, beginning and ending with a letter or digit."
        )
    return None if suffix in fields else f"is not a setting: a site has {', '.join(fields)}."


def _nearest(name: str, *, alike: bool = False) -> str | None:
    """The setting that was meant: the same but for case, - and _; with our prefix one that is much
    like it; where `alike`, one that is very much like it."""
    typed = name.upper().replace("-", "_")
    if typed.startswith("VR_SITE"):
        return SITES_FORM
    for known in setting_names():
        # Not so short as HOST and PORT, which others have too.
        if len(known) > len("HOST") and known.replace("_", "") == typed.replace("_", ""):
            return known
    own = typed.startswith(APPLIANCE_PREFIX)
    among = appliance_names() if own else setting_names() if alike else ()
    close = get_close_matches(typed, among, 1, _OWN_CUTOFF if own else _ELSEWHERE_CUTOFF)
    return close[0] if close else None


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
        for name, value in {**found, **proxies}.items()
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
            line = binding.original.line + blank
            sentence = (
                f"Line {line} of the file .env is not understood: write "
                f"NAME=value, with single quotes around a value that holds spaces, quotes or #."
            )
            problems.append(Problem(f"{DOTENV}:{line}", sentence))
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
