"""The console script. Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys
from importlib.util import find_spec
from itertools import tee
from pathlib import Path
from typing import Annotated

import typer

from bot import __version__
from bot.__main__ import PROBLEM, WRONG_USE
from bot.__main__ import run as run_bot
from bot.cli_audit import audit
from bot.cli_stored import JsonOption, fail, for_machines, stored
from bot.operate import logs
from bot.settings import (
    EXAMPLE,
    SettingsError,
    files_seen_by_others,
    load,
    load_slack_app,
    use_env_file,
)

app = typer.Typer(
    name="vr-unpair",
    epilog="""Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings.

\b
Examples:
  vr-unpair demo --scripted      play one whole story on this machine
  vr-unpair settings --example   print what to put into .env
  vr-unpair check                see whether all is there, before a start
  vr-unpair run                  start the bot""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(stored)
app.add_typer(audit, name="audit")


def main() -> None:
    """The entry point. Wrong settings, and output that cannot be written, are reported in sentences
    on stderr, never with a traceback."""
    logs.set_up("critical", "console")  # commands speak in sentences, not in log lines
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # titles hold an arrow
    try:
        try:
            app()
        finally:
            if sys.stdout:  # None where the shell has closed it: `>&-`
                sys.stdout.flush()
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG_USE)
    except OSError as error:
        # Python flushes once more at its end, and would complain of the same again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:  # not an error: `| head` has read enough
            print(f"The output cannot be written: {error.strerror}.", file=sys.stderr)
        sys.exit(PROBLEM)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read this in the place of .env; /dev/null: nothing."),
    ] = None,
) -> None:
    """Break a vSphere Replication pairing from Slack, after somebody else has approved it."""
    use_env_file(env_file)
    context.call_on_close(lambda: use_env_file(None))


@app.command()
def run() -> None:
    """Run the bot: bring the database to its schema, then serve.

    Exits with 3 where no new start would help: Slack refuses the token, the database is damaged or
    belongs to a newer version. A database server that is away is waited for.
    """
    run_bot()  # a plain `vr-unpair run` does not get here: it is handled in `bot.__main__`


@app.command()
def demo(
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Play one whole story and print its thread.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Serve the page here, or at the next free port. [default: 8080]"
        ),
    ] = None,
) -> None:
    """Try the real bot in a browser, without any account.

    The appliance is simulated, and so is Slack. Without a terminal, as in CI, and without --port,
    the scripted story is played instead.
    """
    # A process of its own, as nothing else of the bot is: signals and exit codes are the demo's.
    if find_spec("sandbox") is None:
        fail("The demo is not in this installation: it was built without it, as the lean image is.")
    given = ["--scripted"] if scripted else []
    given += [] if port is None else ["--port", str(port)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "sandbox", *given])  # noqa: S606


@app.command()
def check(json_wanted: JsonOption = False) -> None:
    """Check everything that the bot needs.

    One line for each thing: ok, or what is wrong and what to do. Changes nothing: the appliance is
    logged in to once and read, and the privilege is only named. Exits with 1 where something is
    wrong, with 2 where it is the settings.
    """
    # Imported here: the others start without Slack.
    from bot.operate.check import check as checked
    from bot.operate.check_line import as_json, as_text

    logging.disable()  # the lines say everything; libraries would only log it again
    kept, lines = tee(checked(load, files_seen_by_others))
    if json_wanted:
        print(as_json(lines))
    else:
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        for text in as_text(lines, colours=colours):
            print(text, flush=True)
    failed = [line.name for line in kept if line.ok is False]
    if failed:
        raise typer.Exit(WRONG_USE if "settings" in failed else PROBLEM)


@app.command(
    epilog="""\b
Examples:
  vr-unpair manifest                                     for Socket Mode
  vr-unpair manifest --url https://unpair.example.com    for HTTP mode"""
)
def manifest(
    url: Annotated[
        str | None,
        typer.Option(help="Where Slack reaches the bot (HTTP mode). Without it: Socket Mode."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of YAML, as the Slack CLI wants it.")
    ] = False,
) -> None:
    """Print the Slack app manifest; no token is needed."""
    from bot.slack import manifest as app_manifest  # imported here: no other command needs Slack

    command, label = load_slack_app()
    for_machines()
    try:
        found = app_manifest.manifest(command=command, label=label, url=url)
    except app_manifest.AddressWrong as error:
        fail(str(error), WRONG_USE)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print(app_manifest.as_yaml(found), end="")


@app.command(epilog="Example: vr-unpair settings --example > .env")
def settings(
    example: Annotated[bool, typer.Option("--example", help="Every setting with its default.")],
) -> None:
    """Print a .env with every setting, its meaning and its default."""
    for_machines()
    print(EXAMPLE.read_text(encoding="utf-8"), end="")
