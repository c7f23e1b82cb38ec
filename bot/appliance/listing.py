"""Reads a whole collection page by page, and always comes to an end.

Source: vendor OpenAPI, list operations: `limit` and `offset`, answers with `list` and `_meta`
(`errors`, `total`, `links`). The links are absolute addresses, maybe of another origin, and are
never followed. Neither `total` nor `limit` is relied on. A list that stays shorter than announced
is marked as partial, so that it is not shown as complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from bot.appliance.answers import Answer
from bot.appliance.errors import Refused
from bot.appliance.models import (
    FromAppliance,
    Listing,
    MetaError,
    Shortfall,
    as_whole,
    read_meta_errors,
)

PAGE = 100  # the documented default, which every appliance accepts

# A site pair can hold some thousand replications. At 100 a page, listing them would use up the
# calls of a minute. Whether there is an upper limit is not documented: after a 400, reading goes on
# with the default, and whoever reads next begins with what this one has learned.
LARGE_PAGE = 500

PageSizes = MutableMapping[str, int]
"""The largest page that an appliance is known to give, by list. Where nothing is known yet it is
worth one call to try."""

# More than a site pair can hold (about 4000 replications). An appliance that serves new items for
# ever must not keep a thread busy for ever, nor fill the memory.
ITEMS_MAX = 5_000
PAGES_MAX = 200
BYTES_MAX = 12 * 1024 * 1024  # 4000 replications have some 6

M = TypeVar("M", bound=FromAppliance)


def read_all(
    fetch: Callable[[Mapping[str, str]], Answer],
    listing: type[Listing[M]],
    model: type[M],
    identity: Callable[[M], object],
    *,
    expect: Callable[[int], None],
    sizes: PageSizes,
    name: str,
) -> Listing[M]:
    """All pages; `fetch` makes one call with the given query.

    `identity` tells an item that comes twice, since the collection may change while it is read.
    `expect` is told how many more calls will follow, as soon as that is known: counted one by one,
    a long list would end half-way when the minute is used up, and begin again, and again. `sizes`
    remembers for the list `name` how large a page may be. Raises what `fetch` and `expect` raise,
    and NotUnderstood for a page of another shape.
    """
    items: list[M] = []
    seen: set[object] = set()
    errors: dict[MetaError, None] = {}
    total: int | None = None
    offset = bytes_read = 0
    limit = PAGE
    counted = 0
    ended = False
    for _ in range(PAGES_MAX):
        counted = max(0, counted - 1)
        try:
            answer = fetch({"limit": str(limit), "offset": str(offset)})
        except Refused as exc:
            if exc.status != 400 or limit == PAGE:
                raise
            limit = sizes[name] = PAGE
            counted = _expected(expect, total, offset, limit, counted)
            continue
        page = _page(answer)
        errors.update(dict.fromkeys(page.errors))
        total = total if page.total is None else page.total
        # No more than were asked for: what is left over comes with the next page, or is missing,
        # and then the list is marked as partial.
        found = [answer.shape(model, entry) for entry in page.entries[:limit]]
        fresh = [item for item in found if identity(item) not in seen]
        items += fresh
        seen.update(identity(item) for item in fresh)
        offset += len(found)
        # Nothing new: this is the end, or the appliance ignores `offset`.
        ended = not fresh or page.last or (total is not None and offset >= total)
        bytes_read += answer.size
        if ended or len(items) >= ITEMS_MAX or bytes_read >= BYTES_MAX:
            break
        if len(found) < limit:  # it gives no more at once, whatever is asked for
            sizes[name] = max(PAGE, len(found))
        size = len(found) if len(found) < limit else sizes.get(name, LARGE_PAGE)
        counted = _expected(expect, total, offset, size, counted)
        limit = sizes.get(name, LARGE_PAGE)
        del answer, page  # some megabytes, at the worst, that the next page need not come on top of
    if total is not None and len(items) < total:
        errors[Shortfall(message=f"{total} were announced and {len(items)} listed.")] = None
    elif not ended:
        errors[Shortfall(message=f"Only the first {len(items)} were read.")] = None
    return listing(items=tuple(items), errors=tuple(errors))


def _expected(
    expect: Callable[[int], None], total: int | None, offset: int, size: int, counted: int
) -> int:
    """How many calls are counted for the rest of the list, after those that were missing."""
    left = 1 if total is None else ceil(min(total - offset, ITEMS_MAX) / size)
    if left > counted:
        expect(left - counted)
    return max(left, counted)


@dataclass(frozen=True)
class _Page:
    entries: list[object]
    errors: tuple[MetaError, ...]
    total: int | None
    last: bool


class _PageErrors(FromAppliance):
    errors: tuple[MetaError, ...] = ()


def _page(answer: Answer) -> _Page:
    found = answer.json()
    if not isinstance(found, dict):
        raise answer.not_understood("with something that is not a list")
    meta = found.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    total = as_whole(meta.get("total"))
    entries = found.get("list")
    if entries is None and total == 0:
        entries = []
    if not isinstance(entries, list):
        # An empty object must not count as an empty list, which would say that nothing exists.
        raise answer.not_understood("without a list")
    errors = answer.shape(_PageErrors, {"errors": read_meta_errors(meta)}).errors
    links = meta.get("links")
    # The links are only believed if they say that there is no next page and no total is known.
    last = total is None and isinstance(links, dict) and links.get("next") is None
    return _Page(entries, errors, total if total is None or total >= 0 else None, last)
