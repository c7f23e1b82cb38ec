"""Programs that a host of an operator's has and this machine may lack, for the blocks of
`docs/deploy.md`. Each writes down how it was called; podman also does what it was asked, with the
installed bot in the place of the image. An option that it does not know ends it with 125.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SILENT = ("apt-get", "dnf", "journalctl", "kubectl", "systemctl")
"""They do nothing here: packages, units and a cluster are not made by a test."""

PLAIN = {"--rm", "--read-only", "--detach"}
TAKES = {"--env-file", "--env", "--secret", "--volume", "--cap-drop", "--ulimit", "--name"}
TAKES |= {"--stop-timeout", "--network"}


def install(folder: Path, state: Path) -> None:
    """The programs into `folder`; what they keep, and the log of their calls, into `state`."""
    state.mkdir()
    for name in (*SILENT, "podman"):
        script = folder / name
        command = f'exec "{sys.executable}" "{__file__}" "{state}" {name} "$@"'
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)


def main() -> int:
    state, name, *words = sys.argv[1:]
    with (Path(state) / "calls").open("a") as calls:
        calls.write(" ".join((name, *words)) + "\n")
    return _podman(Path(state), words) if name == "podman" else 0


def _podman(state: Path, words: list[str]) -> int:
    match words:
        case ["secret", "create", name, "-"]:
            (state / name).write_text(sys.stdin.read())
            return 0
        case ["exec", _, "vr-unpair", *command]:
            return _bot(_lines((state / "env").read_text()), command)
        case ["run", *rest]:
            return _run(state, rest)
    return 0


def _run(state: Path, words: list[str]) -> int:
    env, given = "", set()
    while words and words[0].startswith("--"):
        option = words.pop(0)
        if option in PLAIN:
            given.add(option)
        elif option not in TAKES:
            return 125
        else:
            value = words.pop(0)
            if option == "--env-file":
                env += Path(value).read_text()
            elif option == "--env":
                env += f"{value}\n"
            elif option == "--secret" and not (state / value.split(",")[0]).exists():
                return 125
    image, *command = words
    if image == "vr-unpair-demo":
        return 0
    # Where an image has its secrets and its database, this machine has neither.
    env = env.replace("/run/secrets", str(state)) + f"DATABASE_URL=sqlite:///{state}/bot.db\n"
    if "--detach" not in given:
        return _bot(_lines(env), command)
    (state / "env").write_text(env)
    return _bot(_lines(env), command or ["run"])


def _lines(text: str) -> dict[str, str]:
    """Each line literally, quotes and all, as both engines read an `--env-file`."""
    lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, equals, value in lines if equals}


def _bot(env: dict[str, str], command: list[str]) -> int:
    whole = {"PATH": os.environ["PATH"], "HOST": "0.0.0.0", **env}
    program = [os.environ["VR_UNPAIR_OF_THE_TEST"], *command]
    if command == ["run"]:
        return 0 if serves(program, whole) else 1
    return subprocess.run(program, env=whole, check=False).returncode


def serves(program: list[str], env: dict[str, str]) -> bool:
    """Whether it says that it has started, and then stops in order when it is told to."""
    env = {**env, "LOG_FORMAT": "json"}
    with subprocess.Popen(program, env=env, stderr=subprocess.PIPE, text=True) as bot:
        started = any('"event": "started"' in line for line in bot.stderr or ())
        if started:
            bot.terminate()
        return bot.wait() == 0 and started


if __name__ == "__main__":
    sys.exit(main())
