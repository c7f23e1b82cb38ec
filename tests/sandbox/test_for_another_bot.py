"""What `sandbox/README.md` promises to somebody with a bot of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "sandbox" / "README.md").read_text("utf-8")


def test_the_example_runs_without_our_bot(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    # A folder with the sandbox alone: nothing of the bot can be imported there.
    (tmp_path / "sandbox").symlink_to(ROOT / "sandbox")
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise AssertionError('the bot is imported')")
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    (promised,) = re.findall(r"it prints `(.*)`", README)
    assert (done.returncode, done.stdout) == (0, f"{promised}\n"), done.stderr


def test_each_name_that_it_lists_is_there() -> None:
    from sandbox.appliance import SimulatedAppliance
    from sandbox.slack import LocalSlack

    with SimulatedAppliance() as appliance, LocalSlack() as slack:
        found = {"appliance": appliance, "slack": slack, "sockets": slack.sockets}
        named = re.findall(r"\b(appliance|slack|sockets)\.(?!py\b)([a-z_]+)", README)
        missing = [f"{of}.{name}" for of, name in named if not hasattr(found[of], name)]
    assert len(named) > 20
    assert missing == []


def test_each_file_that_it_names_is_there() -> None:
    names = re.findall(r"`([a-z_]+\.py)`", README)
    there = {path.name for path in (ROOT / "sandbox").rglob("*.py")}
    assert len(names) > 10
    assert set(names) <= there
