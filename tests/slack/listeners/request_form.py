"""The request modal as a person meets it: opened, looked at, sent."""

from __future__ import annotations

import json
from typing import Any

from bot.request.lookup_results import PairingsListed
from bot.sandbox.slack.block_limits import check_view
from tests.slack.listeners import looked_up, made
from tests.slack.listeners.conftest import Adapter, Reply

ONE = looked_up.pairing(1)


def open_form(adapter: Adapter, **changes: str | None) -> Reply:
    return adapter.send(made.command("", adapter.api.response_url(), **changes))


def lists(adapter: Adapter, *listed: PairingsListed) -> None:
    adapter.lookups.sites = {each.site: each for each in listed or (looked_up.listed(ONE),)}


def view_of(adapter: Adapter, method: str = "views.update") -> dict[str, Any]:
    view: Any = adapter.api.of(method)[-1].body["view"]
    found: dict[str, Any] = json.loads(view) if isinstance(view, str) else view
    assert check_view(found) == []
    return found


def inputs(view: dict[str, Any]) -> dict[str, Any]:
    return {b["block_id"]: b for b in view["blocks"] if b["type"] == "input"}


def words_of(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


def send(adapter: Adapter, metadata: str, **changes: Any) -> Reply:
    """Presses the button of the form. Changes: `pairing`, `force`, `reason`, `site`, `date`,
    `time`, `view_id`."""
    given = {"pairing": ONE.id, "force": "false", "reason": "moving out", **changes}

    def picked(value: Any) -> Any:
        return {"value": {"selected_option": {"value": value} if value is not None else None}}

    values = {name: picked(given[name]) for name in ("pairing", "force", "site") if name in given}
    for name in ("date", "time"):
        values[name] = {"value": {f"selected_{name}": given.get(name)}}
    values["reason"] = {"value": {"type": "plain_text_input", "value": given["reason"]}}
    view = {
        "id": given.get("view_id", "V1"),
        "type": "modal",
        "callback_id": "unpair_request",
        "private_metadata": metadata,
        "state": {"values": values},
    }
    payload = made.submission("", "", view=view, trigger_id=given.get("trigger_id", "8.9.jkl"))
    payload["user"] = {"id": "UREQUESTER", "team_id": "T1"}
    return adapter.send(payload)


def opened(adapter: Adapter) -> str:
    """The metadata of a form that is filled."""
    lists(adapter)
    assert open_form(adapter).body == b""
    metadata: str = view_of(adapter)["private_metadata"]
    return metadata
