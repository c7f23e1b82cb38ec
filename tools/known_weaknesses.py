"""`make check` and `make audit-dependencies`: known weaknesses in what the bot runs on.

A weakness fails both. What the advisory service does not tell (it is away, or behind a mirror that
carries packages alone) is said in a sentence, and fails only with `--strict`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / ".venv" / "audit" / "bin" / "pip-audit"
SECONDS = 120


def main(arguments: list[str]) -> int:
    strict = "--strict" in arguments
    more = [argument for argument in arguments if argument != "--strict"]
    wanted = [f"-r{ROOT / 'requirements' / name}" for name in ("build.txt", "run.txt")]
    fixed = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
    try:
        done = subprocess.run(
            [PIP_AUDIT, *fixed, *more, *wanted],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError) as error:
        return _untold(f"the advisory service did not answer ({type(error).__name__})", strict)
    weak = [dependency for dependency in found if dependency.get("vulns")]
    for dependency in weak:
        names = ", ".join(weakness["id"] for weakness in dependency["vulns"])
        print(f"{dependency['name']} {dependency['version']} has known weaknesses: {names}")
    if weak:
        print("Take a newer version: make lock LOCK_ARGS=--upgrade", file=sys.stderr)
        return 1
    told = [dependency for dependency in found if "vulns" in dependency]
    if len(told) < len(found):
        return _untold(f"{len(told)} of {len(found)} dependencies could be looked up", strict)
    print(f"no known weakness in {len(told)} dependencies")
    return 0


def _untold(why: str, strict: bool) -> int:
    print(
        f"Known weaknesses: {why}. Run `make audit-dependencies` where the service is within "
        "reach; AUDIT_ARGS='-s osv' asks another one."
    )
    return int(strict)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
