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
from bot.cli_terminal import Commands, Progress
from bot.operate import logs
from bot.operate.json_and_csv import printable
from bot.settings import (
    EXAMPLE,
    SettingsError,
    files_seen_by_others,
    load,
    load_slack_app,
    shown,
    use_env_file,
)

app = typer.Typer(
    name="vr-unpair",
    cls=Commands,
    epilog="""Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings. Of
`run` also 3: no new start would help.

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
    """The entry point. Output that cannot be written is a sentence on stderr, never a traceback."""
    logs.set_up("critical", "console")  # commands speak in sentences, not in log lines
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # titles hold an arrow
    try:
        try:
            app()
        finally:
            if sys.stdout:  # None where the shell has closed it: `>&-`
                sys.stdout.flush()
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
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="The version."),
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read this in the place of .env; /dev/null: nothing."),
    ] = None,
) -> None:
    """Break a vSphere Replication pairing from Slack, after somebody else has approved it."""
    use_env_file(env_file)
    context.call_on_close(lambda: use_env_file(None))


@app.command(name="help", epilog="Example: vr-unpair help audit verify")
def help_(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Without one: all.")
    ] = None,
) -> None:
    """Show the help of a command."""
    app([*(command or ()), "-h"], prog_name=context.find_root().info_name)


@app.command(epilog="Example: vr-unpair version")
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command(
    epilog="""\b
Examples:
  vr-unpair run
  vr-unpair --env-file /etc/vr-unpair/test.env run"""
)
def run() -> None:
    """Run the bot: bring the database to its schema, then serve.

    Exits with 3 where no new start would help: Slack refuses the token, the database is damaged or
    belongs to a newer version. A database server that is away is waited for.
    """
    run_bot()  # a plain `vr-unpair run` does not get here: it is handled in `bot.__main__`


@app.command(
    epilog="""\b
Examples:
  vr-unpair demo --scripted
  vr-unpair demo --port 8090"""
)
def demo(
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Play one whole story and print its thread.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="Serve the page here, or at the next free one. [default: 8080]",
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


@app.command(
    epilog="""\b
Examples:
  vr-unpair check
  vr-unpair check --json"""
)
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
        with Progress("Checking") as progress:
            for text in as_text(lines, colours=colours):
                progress.print(text)
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


@app.command(
    epilog="""\b
Examples:
  vr-unpair settings
  vr-unpair settings --example > .env"""
)
def settings(
    example: Annotated[
        bool, typer.Option("--example", help="A .env with every setting and its default.")
    ] = False,
) -> None:
    """Print the settings that hold, and where each comes from.

    Secrets are masked. Exits with 2 where something is wrong with them.
    """
    for_machines()
    if example:
        print(EXAMPLE.read_text(encoding="utf-8"), end="")
        return
    rows, problems = shown()
    width, origins = (max(map(len, column)) for column in list(zip(*rows, strict=True))[:2])
    for name, origin, value in rows:
        print(f"{name:<{width}}  {origin:<{origins}}  {printable(value)}".rstrip())
    if problems:
        sys.stdout.flush()
        raise SettingsError(problems)
