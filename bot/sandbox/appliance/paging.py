"""List answers: filter, order, page, and the `_meta` around it (vendor OpenAPI, MetadataList)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

LIST_PARAMETERS = frozenset({"filter_property", "filter", "sort_by", "order_by", "limit", "offset"})
DEFAULT_LIMIT = 100
_DESCENDING = {"asc": False, "ascending": False, "desc": True, "descending": True}

Query = Mapping[str, tuple[str, ...]]
Document = Mapping[str, Any]


class BadRequest(ValueError):
    """The call breaks the contract: answered with 400 and this text."""


def single(query: Query, name: str) -> str | None:
    """The only value of a parameter, None when absent; BadRequest when it was given twice."""
    values = query.get(name, ())
    if len(values) > 1:
        raise BadRequest(f"Parameter '{name}' was given {len(values)} times.")
    return values[0] if values else None


def boolean(query: Query, name: str) -> bool:
    """False when absent. Only `true` and `false` are booleans: `True` is a client's mistake."""
    text = single(query, name)
    if text not in (None, "true", "false"):
        raise BadRequest(f"Parameter '{name}' must be true or false, not '{text}'.")
    return text == "true"


def _whole_number(query: Query, name: str, default: int) -> int:
    text = single(query, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"Parameter '{name}' must be a whole number, not '{text}'.")
    return int(text)


def _nested(document: Document, dotted: str) -> Any:
    value: Any = document
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _filtered(items: Sequence[Document], query: Query) -> list[Document]:
    name, wanted = single(query, "filter_property"), query.get("filter", ())
    if (name is None) != (not wanted):
        raise BadRequest("'filter' and 'filter_property' go together.")
    if name is None:
        return list(items)
    return [item for item in items if str(_nested(item, name)) in wanted]


def _ordered(items: list[Document], query: Query) -> list[Document]:
    name, order = single(query, "sort_by"), single(query, "order_by")
    if order is not None and name is None:
        raise BadRequest("'order_by' must be used with 'sort_by'.")
    if order is not None and order not in _DESCENDING:
        raise BadRequest(f"'order_by' must be one of {', '.join(_DESCENDING)}, not '{order}'.")
    if name is None:
        return items

    def key(item: Document) -> tuple[int, float, str]:
        value = _nested(item, name)
        if isinstance(value, (int, float)):
            return (0, float(value), "")
        return (1, 0.0, str(value))

    return sorted(items, key=key, reverse=_DESCENDING[order or "asc"])


def cut_page(
    items: Sequence[Document], query: Query, largest: int | None
) -> tuple[list[Document], dict[str, int]]:
    """(the page, {total, offset, limit}); BadRequest for parameters that break the contract.

    `largest`: a `limit` above it is refused; the contract names none, so None is no limit.
    """
    limit = _whole_number(query, "limit", min(DEFAULT_LIMIT, largest or DEFAULT_LIMIT))
    if largest is not None and limit > largest:
        raise BadRequest(f"'limit' must not be more than {largest}, not {limit}.")
    if "offset" in query and "limit" not in query:
        raise BadRequest("'offset' must be used with 'limit'.")
    offset = _whole_number(query, "offset", 0)
    kept = _ordered(_filtered(items, query), query)
    return kept[offset : offset + limit], {"total": len(kept), "offset": offset, "limit": limit}


def list_document(
    page: Sequence[Document],
    numbers: Mapping[str, int],
    *,
    url: str,
    query: Query,
    errors: Sequence[Document],
) -> dict[str, Any]:
    """The whole list answer. `url` is absolute; a link that leads nowhere is left out."""
    total, offset, limit = numbers["total"], numbers["offset"], numbers["limit"]
    others = [(name, value) for name, values in query.items() for value in values]
    others = [(name, value) for name, value in others if name not in ("limit", "offset")]

    def link(start: int) -> dict[str, str]:
        return {"href": f"{url}?{urlencode([*others, ('limit', limit), ('offset', start)])}"}

    links = {"self": link(offset)}
    if offset + limit < total and limit > 0:
        links["next"] = link(offset + limit)
    if offset > 0:
        links["previous"] = link(max(0, offset - limit))
    return {"list": list(page), "_meta": {"errors": list(errors), **numbers, "links": links}}
