"""Metrics, alerts, log events, the runbook: what the docs name is what there is, nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.operate.check import NAMES
from bot.settings.names import PROXIES, setting_names
from tests.operate.running.scraped import EMPTY, watched

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
LOG_EVENTS = (ROOT / "docs" / "dev" / "log-events.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]

CHOSEN = "say"
"""What a method of a logger is called where one of two is chosen: once loudly, then at debug."""

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}


def section(heading: str, page: str = OPERATIONS) -> str:
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def table(text: str) -> dict[str, list[str]]:
    """Each name of a first cell to the other cells."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            for name in re.findall(r"`([^`]+)`", first):
                assert name not in found, f"{name} stands twice"
                found[name] = cells
    return found


# ---- metrics ---------------------------------------------------------------------------------


def exposed() -> dict[str, Any]:
    """Every family of a scrape in Socket Mode, by the name that is documented."""
    metrics = watched(
        ["default"],
        lambda: EMPTY,
        socket_age=lambda: 1.0,
        certificate_ends=lambda: {"default": 1.0},
    )
    families = text_string_to_metric_families(metrics.text().decode())
    return {f"{f.name}_total" if f.type == "counter" else f.name: f for f in families}


EXPOSED = exposed()


def test_each_metric_is_documented_and_no_other() -> None:
    assert set(table(section("Metrics"))) == set(EXPOSED)


@pytest.mark.parametrize("name", sorted(EXPOSED))
def test_help_says_the_same_of_the_copies_as_the_docs(name: str) -> None:
    labels, over, words = table(section("Metrics"))[name]
    assert words
    help_text = EXPOSED[name].documentation
    said = {
        "whole": "(read from the database, the same in every copy)",
        "copy": "(counted in this copy)",
        "now": "(this copy, ",
    }
    if name != "vr_unpair_build_info":
        assert said[over] in help_text
    shown = {label for sample in EXPOSED[name].samples for label in sample.labels} - {"le"}
    assert shown <= set(re.findall(r"`(\w+)`", labels))


# ---- alerts ----------------------------------------------------------------------------------


def anchors() -> set[str]:
    """As they are made of headings: lower case, hyphens for spaces, nothing but word characters."""
    headings = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_what_is_wrong_and_where_to_go(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert all(notes.values())
    page, _, anchor = notes["runbook_url"].partition("#")
    assert page == "https://docs.example.com/vr-unpair/runbook.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_alert_asks_for_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    there = dict(EXPOSED) | {
        family.name + suffix: family
        for family in EXPOSED.values()
        for suffix in SUFFIXES.get(family.type, ())
    }
    asked = re.findall(r"(vr_unpair_\w+)(?:\{([^}]*)\})?", rule["expr"])
    assert asked
    documented = table(section("Metrics"))
    for name, selectors in asked:
        assert name in there, name
        family = there[name]
        key = f"{family.name}_total" if family.type == "counter" else family.name
        for label in re.findall(r"(\w+)(?:=|!)", selectors):
            assert f"`{label}`" in documented[key][0], f"{name} has no {label}"


def test_the_runbook_has_no_alert_that_is_gone() -> None:
    written = re.findall(r"^### (VrUnpair\w+)$", RUNBOOK, re.MULTILINE)
    assert sorted(written) == sorted(rule["alert"] for rule in RULES)


# ---- the runbook -----------------------------------------------------------------------------


def test_the_runbook_has_an_entry_for_each_line_of_check() -> None:
    found = table(section("A line of `vr-unpair check` is wrong", RUNBOOK))
    assert sorted(found) == sorted(NAMES)
    assert all(len(cells) == 2 and all(cells) for cells in found.values())


def test_the_runbook_names_settings_that_there_are() -> None:
    written = set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[a-z]+)?`", RUNBOOK))
    assert written - set(PROXIES) <= set(setting_names())
    assert len(written) > 10


# ---- log events ------------------------------------------------------------------------------


def log_calls() -> Iterator[tuple[str, str, ast.expr | None]]:
    """File and line, level, first argument of every call of a logger."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            if isinstance(node.func, ast.Name) and node.func.id == CHOSEN:
                if isinstance(node.args[0], ast.Constant):
                    yield where, CHOSEN, node.args[0]
                continue
            if not isinstance(node.func, ast.Attribute):
                continue
            logger = node.func.value
            if node.func.attr in LEVELS and isinstance(logger, ast.Name) and "log" in logger.id:
                yield where, node.func.attr, node.args[0] if node.args else None


def test_each_log_event_is_documented_by_name_and_level_and_no_other() -> None:
    events: dict[str, set[str]] = {}
    for where, level, name in log_calls():
        assert isinstance(name, ast.Constant), f"{where}: the name of an event is written out"
        event = str(name.value)
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", event), where
        events.setdefault(event, set()).add("error" if level == "exception" else level)
    documented = table(LOG_EVENTS)
    assert set(documented) == set(events)
    for event, levels in events.items():
        assert levels - {CHOSEN} <= set(documented[event][0].split(", ")), event
    assert set(table(section("Logs"))) <= set(events), "those that an operator looks for"
