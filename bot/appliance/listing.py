"""Reads a whole collection page by page, and always comes to an end.

Source: vendor OpenAPI, list operations: `limit` and `offset`, answers with `list` and `_meta`
(`errors`, `total`, `links`). The links are absolute addresses, maybe of another origin, and are
not read. Neither `total` nor `limit` is relied on. A list that stays shorter than announced is
marked as partial, so that it is not shown as complete.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from bot.appliance.http_answers import Answer, CallError
from bot.appliance.models import Found, as_text, as_whole

PAGE = 100  # the documented default, which every appliance accepts

# A site pair can hold some thousand replications. At 100 a page, listing them would use up the
# calls of a minute. Whether there is an upper limit is not documented: it is worth one call to try,
# and after a 400 reading goes on with the default.
LARGE_PAGE = 500

# More than a site pair can hold (about 4000 replications). An appliance that serves new items for
# ever must not fill the memory; how long it may keep a thread busy the budget and the deadline say.
ITEMS_MAX = 5_000
BYTES_MAX = 12 * 1024 * 1024  # 4000 replications have some 6

ERRORS_MAX = 100
"""Of one answer. There is one for each server of a pairing that is away, and few are shown."""

T = TypeVar("T")


@dataclass(frozen=True)
class MetaError:
    """Why an answer is incomplete (vendor OpenAPI, MetaError). `field` is a JSONPath. `ours`: fewer
    items were listed than announced. The list may have changed while it was read, so that says
    nothing about the remote site."""

    code: str | None = None
    message: str | None = None
    field: str | None = None
    ours: bool = False

    @property
    def words(self) -> str:
        """What is missing, as one line: the sentence, and the vendor's code as it came."""
        if self.message and self.code:
            return f"{self.message.rstrip('. ')} ({self.code})"
        return self.message or self.code or "part of the answer is missing"


UNREADABLE = MetaError(message="The appliance reported a problem that could not be read.")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A whole collection, all pages together, with the `_meta.errors` of every page."""

    items: tuple[T, ...] = ()
    errors: tuple[MetaError, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether something may be missing, which whoever decides must be told."""
        return bool(self.errors)

    @property
    def said_partial(self) -> bool:
        """Whether the appliance itself says that something is missing."""
        return not all(error.ours for error in self.errors)


def meta_errors(meta: Mapping[str, object]) -> tuple[MetaError, ...]:
    """All `errors` of a `_meta` object.

    An entry that cannot be read becomes UNREADABLE. If it were dropped, the person who decides
    would take a partial answer for a complete one.
    """
    found = meta.get("errors")
    if found is None:
        return ()
    if not isinstance(found, list):
        return (UNREADABLE,)
    read = tuple(
        MetaError(as_text(e.get("code")), as_text(e.get("message")), as_text(e.get("field")))
        if isinstance(e, Mapping)
        else UNREADABLE
        for e in found[:ERRORS_MAX]
    )
    return read if len(found) <= ERRORS_MAX else (*read, UNREADABLE)


def read_all(
    fetch: Callable[[Mapping[str, str]], Answer],
    read: Callable[[Found], T],
    key: Callable[[T], Hashable],
    *,
    expect: Callable[[int], None],
) -> Listing[T]:
    """All pages; `fetch` makes one call with the given query, `read` makes an item of an entry.

    `key` tells an item that comes on two pages, since the collection may change while it is read.
    `expect` is told how many more calls will follow, as soon as that is known: counted one by one,
    a long list would end half-way when the minute is used up, and begin again, and again. Raises
    what `fetch` and `expect` raise, and NOT_UNDERSTOOD for a page of another shape.
    """
    items: list[T] = []
    seen: set[Hashable] = set()
    errors: dict[MetaError, None] = {}
    total: int | None = None
    offset = bytes_read = 0
    limit, largest = PAGE, LARGE_PAGE
    counted = 0
    ended = False
    while True:
        counted = max(0, counted - 1)
        try:
            answer = fetch({"limit": str(limit), "offset": str(offset)})
        except CallError as exc:
            if exc.status != 400 or limit == PAGE:
                raise
            limit = largest = PAGE
            counted = _expected(expect, total, offset, limit, counted)
            continue
        entries, meta, page_total = _page(answer)
        errors.update(dict.fromkeys(meta_errors(meta)))
        if page_total is not None and page_total >= 0:
            total = page_total
        # No more than were asked for: what is left over comes with the next page, or is missing,
        # and then the list is marked as partial.
        page = [answer.shape(read, entry) for entry in entries[:limit]]
        fresh = [item for item in page if key(item) not in seen]
        items += fresh
        seen.update(map(key, page))
        found = len(page)
        offset += found
        # Nothing new: this is the end, or the appliance ignores `offset`.
        ended = not fresh or (total is not None and offset >= total)
        bytes_read += answer.size
        if ended or len(items) >= ITEMS_MAX or bytes_read >= BYTES_MAX:
            break
        if found < limit:  # it gives no more at once, whatever is asked for
            largest = max(PAGE, found)
        size = found if found < limit else largest
        counted = _expected(expect, total, offset, size, counted)
        limit = largest
        # Some megabytes, at the worst, that the next page need not come on top of.
        del answer, entries, meta
    if total is not None and len(items) < total:
        words = f"{total} were announced and {len(items)} listed."
        errors[MetaError(message=words, ours=True)] = None
    elif not ended:
        errors[MetaError(message=f"Only the first {len(items)} were read.", ours=True)] = None
    return Listing(tuple(items), tuple(errors))


def _expected(
    expect: Callable[[int], None], total: int | None, offset: int, size: int, counted: int
) -> int:
    """How many calls are counted for the rest of the list, after those that were missing."""
    left = 1 if total is None else ceil(min(total - offset, ITEMS_MAX) / size)
    if left > counted:
        expect(left - counted)
    return max(left, counted)


def _page(answer: Answer) -> tuple[list[object], Mapping[str, object], int | None]:
    """Its entries, its `_meta` and the total. Raises NOT_UNDERSTOOD."""
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
    return entries, meta, total
