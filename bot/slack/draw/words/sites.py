"""What a pairing and its two sites are called: short, bold, and whole in the small print."""

from __future__ import annotations

import re

from bot.request.model import Request
from bot.request.pairing import Server
from bot.slack.draw.markup import NAME, TITLE, code, name

_EVERY_VCENTER = re.compile(r"(?:vcenter|vcsa|vc)[-_]", re.IGNORECASE)
_LABEL = re.compile(r"[^\W\d_][\w-]+")


def _short(server: Server, limit: int = NAME) -> str:
    """`vcenter-berlin.example.com` is Berlin. Only a word that says "vCenter" is left out, never
    one that may tell two sites apart. What is no host name stays whole."""
    label = server.title.partition(".")[0]
    rest = _EVERY_VCENTER.sub("", label, count=1)
    short = next((each for each in (rest, label) if _LABEL.fullmatch(each)), server.title)
    short = server.title if short.casefold() in ("vcenter", "vcsa", "vc") else short
    return name(short.capitalize() if short.isalpha() and short.islower() else short, limit)


def sites(request: Request, limit: int = NAME) -> tuple[str, str] | None:
    """The short names of the site whose appliance does the break, and of the other. The whole ones
    are in the small print. None until the pairing was read."""
    snapshot = request.snapshot
    if snapshot is None:
        return None
    here, there = _short(snapshot.local_vc, limit), _short(snapshot.remote_vc, limit)
    if here == there:
        return name(snapshot.local_vc.title, limit), name(snapshot.remote_vc.title, limit)
    return here, there


def between(request: Request, limit: int = NAME) -> str:
    """A pairing has no name, so its two sites are named, or what was typed."""
    both = sites(request, limit)
    return f"{both[0]} → {both[1]}" if both else name(request.asked, TITLE)


def pairing(request: Request) -> str:
    return f"*{between(request)}*"


def whole_names(request: Request) -> str:
    """As the appliance writes them, for the small print: short names may be shared."""
    return name(request.title, TITLE) if request.snapshot else ""


def what(request: Request, limit: int = NAME) -> str:
    """What a request would break, or has broken: `*Berlin → Oslo*: 12 replications, one-sided`."""
    return f"*{between(request, limit)}*{extent(request)}"


def extent(request: Request) -> str:
    counted = count_of(request.snapshot.count, "replication") if request.snapshot else ""
    told = [counted, "one-sided" if request.force else ""]
    return f": {', '.join(filter(None, told))}" if any(told) else ""


def pairing_at(request: Request) -> str:
    """The same, with its site if there are several."""
    return f"{pairing(request)}{at_site(request)}"


def at_site(request: Request) -> str:
    """Follows the pairing if there are several appliances. Empty until it is found at one."""
    return f" at {code(request.site, NAME)}" if request.terms.several and request.site else ""


def place(request: Request) -> str:
    """Which appliance of which deployment, so that nobody has to guess it from the channel. The
    site is named only if there are several: a single one is called `default`, which says nothing.
    """
    terms = request.terms
    parts = [f"{local_site(request)}'s appliance"] if request.snapshot else []
    parts += [f"site {code(request.site)}"] if terms.several and request.site else []
    parts += [f"in *{name(terms.label)}*"] if terms.label else []
    return f"Where: {', '.join(parts)}" if parts else ""


def local_site(request: Request, limit: int = NAME) -> str:
    """The site of the appliance that does the break."""
    both = sites(request, limit)
    return both[0] if both else "this site"


def remote_site(request: Request, limit: int = NAME) -> str:
    both = sites(request, limit)
    return both[1] if both else "the other site"


def count_of(number: int, one: str, many: str | None = None) -> str:
    """`1 pairing`, `2 pairings`, `1,200 pairings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
