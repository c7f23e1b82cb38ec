"""What a pairing and its two sites are called, what hangs on it, and what breaking it would do."""

from __future__ import annotations

import re

from bot.request.model import Request
from bot.request.pairing import Snapshot
from bot.slack.draw import limits
from bot.slack.draw.markup import code, line, when

_EVERY_VCENTER = re.compile(r"(?:vcenter|vcsa|vc)[-_]", re.IGNORECASE)
_LABEL = re.compile(r"[^\W\d_][\w-]+")


def _short(title: str, limit: int) -> str:
    """`vcenter-berlin.example.com` is Berlin. Only a word that says "vCenter" is left out, never
    one that may tell two sites apart. What is no host name stays whole."""
    label = title.partition(".")[0]
    rest = _EVERY_VCENTER.sub("", label, count=1)
    short = next((each for each in (rest, label) if _LABEL.fullmatch(each)), title)
    short = title if short.casefold() in ("vcenter", "vcsa", "vc") else short
    return code(short.capitalize() if short.isalpha() and short.islower() else short, limit)


def sites(request: Request, limit: int = limits.NAME) -> tuple[str, str]:
    """The short names of the site whose appliance does the break, and of the other. The whole ones
    are in the small print."""
    read = request.snapshot
    if read is None:
        return "this site", "the other site"
    here, there = read.local_vc.title, read.remote_vc.title
    short = _short(here, limit), _short(there, limit)
    return short if short[0] != short[1] else (code(here, limit), code(there, limit))


def between(request: Request, limit: int = limits.NAME) -> str:
    """A pairing has no name, so its two sites are named, or what was typed."""
    if request.snapshot is None:
        return code(request.asked, 2 * limit + 10)
    return " → ".join(sites(request, limit))


def pairing(request: Request) -> str:
    return f"*{between(request)}*"


def what(request: Request, limit: int = limits.NAME) -> str:
    """What a request would break, or has broken: `*Berlin → Oslo*: 12 replications, one-sided`."""
    return f"*{between(request, limit)}*{extent(request)}"


def extent(request: Request) -> str:
    counted = count_of(request.snapshot.count, "replication") if request.snapshot else ""
    told = [counted, "one-sided" if request.force else ""]
    return f": {', '.join(filter(None, told))}" if any(told) else ""


def at_site(request: Request) -> str:
    """Follows the pairing if there are several appliances. Empty until it is found at one."""
    several = request.terms.several and request.site
    return f" at {code(request.site, limits.NAME)}" if several else ""


def place(request: Request) -> str:
    """Which appliance of which deployment, so that nobody has to guess it from the channel. The
    site is named only if there are several: a single one is called `default`, which says nothing.
    """
    terms = request.terms
    parts = [f"{sites(request)[0]}'s appliance"] if request.snapshot else []
    parts += [f"site {code(request.site)}"] if terms.several and request.site else []
    parts += [f"in *{line(terms.label, limits.NAME)}*"] if terms.label else []
    return f"Where: {', '.join(parts)}" if parts else ""


def consequences(request: Request) -> list[str]:
    """What somebody is about to do."""
    guarded = protected(request.snapshot)
    lines = [f"{what(request)}.", *([f"{guarded}."] if guarded else [])]
    if request.scheduled_at is not None:
        lines.append(f"⏰ *Not before:* {not_before(request)}")
    if request.terms.dry_run:
        return [*lines, "🧪 *Dry run: nothing will be deleted.*"]
    return [*lines, who_drops(request), no_way_back(request)]


def not_before(request: Request) -> str:
    """When the delete is sent at the earliest: to each reader in their own time zone, and as it was
    asked for. Empty without such a time."""
    at = request.scheduled_at
    if at is None or request.at is None:
        return ""
    clock = "" if request.at.startswith("+") else f", {code(request.zone or 'UTC', limits.NAME)}"
    return f"{when(at)} your time (typed: {code(request.at)}{clock})"


def who_drops(request: Request, limit: int = limits.NAME) -> str:
    """With and without `force` (vendor OpenAPI)."""
    if not request.force:
        return "Both sites drop the pairing."
    here, there = sites(request, limit)
    return f"Only {here} drops the pairing; {there} keeps its half."


def protected(snapshot: Snapshot | None) -> str:
    """How many replications recovery plans protect. Empty if that is none, or not told."""
    if snapshot is None or not snapshot.protected:
        return ""
    guarded, count = snapshot.protected, count_of(snapshot.count, "VM")
    are = "is in a recovery plan" if guarded == 1 else "are in recovery plans"
    if guarded == snapshot.count:
        return f"{'All ' if guarded > 1 else ''}{count} {are}"
    # Only the listed ones are counted. Whether the others are protected is not known.
    return f"{'' if snapshot.complete else 'At least '}{guarded:,} of {count} {are}"


def no_way_back(request: Request) -> str:
    """What it would take to have the pairing back."""
    count = request.snapshot.count if request.snapshot else 0
    anew = f" and all {count:,} replications reconfigured" if count > 1 else ""
    anew = " and its replication reconfigured" if count == 1 else anew
    return f"This can't be undone. The sites would have to be paired again{anew}."


def count_of(number: int, one: str, many: str | None = None) -> str:
    """`1 pairing`, `2 pairings`, `1,200 pairings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
