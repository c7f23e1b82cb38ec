"""A request in any state, a policy, and what Slack sends about them."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.request.model import Request, State, Terms
from bot.request.pairing import Server, Snapshot
from bot.request.who_may import Policy, SiteTerms
from bot.slack.draw.ids import ButtonValue

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMAND = "/vr-unpair"
CARD_TS = "1700000000.000100"
FINGERPRINT = "a" * 16
Json = dict[str, Any]


def policy(**changes: Any) -> Policy:
    usual: Json = {
        "approvers": frozenset({"UAPPROVER", "UOTHER"}),
        "approvals_required": 1,
        "force_approvals_required": 1,
        "notify": ("UAPPROVER",),
        "requesters": None,
        "channels": None,
        "require_reason": False,
        "reason_pattern": None,
        "approval_ttl_ms": 3_600_000,
        "execution_ttl_ms": 600_000,
        "follow_ttl_ms": 86_400_000,
        "remind_after_ms": 900_000,
        "schedule_max_ms": 604_800_000,
        "dry_run": False,
        "label": "",
        "sites": {"default": SiteTerms(appliance="vr.local", poll_ms=5000, timeout_ms=10_000)},
    }
    return Policy(**(usual | changes))


def request(**changes: Any) -> Request:
    """Pending, with its card in Slack."""
    usual: Json = {
        "id": "K7QM-3XPD",
        "state": State.PENDING,
        "site": "default",
        "asked": "paris",
        "force": False,
        "reason": "moving out",
        "requester": "UREQUESTER",
        "channel": "C1",
        "terms": Terms(
            approvals_required=1,
            approval_ttl_ms=3_600_000,
            execution_ttl_ms=600_000,
            follow_ttl_ms=86_400_000,
            remind_after_ms=900_000,
            poll_ms=5000,
            timeout_ms=10_000,
            dry_run=False,
            notify=("UAPPROVER",),
        ),
        "asked_by_event": 1,
        "created_at": 1_000,
        "updated_at": 1_000,
        "pairing_id": "p-1",
        "snapshot": Snapshot(
            pairing_id="p-1",
            local_vc=Server(id="vc-1", name="london"),
            remote_vc=Server(id="vc-2", name="paris"),
            local_vrms=Server(id="r-1"),
            remote_vrms=Server(id="r-2"),
            count=0,
            complete=True,
            replications_digest="d",
            read_at=1_000,
        ),
        "fingerprint": FINGERPRINT,
        "card_ts": CARD_TS,
        "decide_by": 3_601_000,
        "pending_since": 1_000,
    }
    return Request(**(usual | changes))


def command(text: str, response_url: str, **changes: str | None) -> Json:
    fields: Json = {
        "token": "legacy",
        "team_id": "T1",
        "channel_id": "C1",
        "channel_name": "ops",
        "user_id": "UREQUESTER",
        "command": COMMAND,
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": "1.2.abc",
    }
    return {k: v for k, v in (fields | changes).items() if v is not None}


def click(action_id: str, response_url: str, **changes: Any) -> Json:
    """`block_actions`. Changes: `value`, `by`, `message`, or any top-level key; None drops it."""
    value = changes.pop("value", ButtonValue(request_id="K7QM-3XPD", fingerprint=FINGERPRINT))
    action: Json = {
        "type": "button",
        "action_id": action_id,
        "block_id": "b",
        "action_ts": "1700000001.5",
        "value": value.pack() if isinstance(value, ButtonValue) else value,
    }
    payload: Json = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": changes.pop("by", "UAPPROVER"), "team_id": "T1"},
        "api_app_id": "A1",
        "token": "legacy",
        "container": {"type": "message", "message_ts": CARD_TS, "channel_id": "C1"},
        "channel": {"id": "C1", "name": "ops"},
        "message": {"ts": CARD_TS, "app_id": "A1", "bot_id": "B1", "user": "UBOT"},
        "trigger_id": "3.4.def",
        "response_url": response_url,
        "actions": [action],
    }
    return {k: v for k, v in (payload | changes).items() if v is not None}


def submission(metadata: str, reason: Any, **changes: Any) -> Json:
    """`view_submission` of the deny modal."""
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "unpair_deny_reason",
        "private_metadata": metadata,
        "state": {"values": {"reason": {"value": {"type": "plain_text_input", "value": reason}}}},
    }
    payload: Json = {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "UAPPROVER", "team_id": "T1"},
        "api_app_id": "A1",
        "trigger_id": "5.6.ghi",
        "view": view,
        "response_urls": [],
    }
    return payload | changes


def form(payload: Json) -> str:
    """As Slack sends it: a command as fields, everything else as JSON in the field `payload`."""
    if "command" in payload:
        return urlencode(payload)
    return urlencode({"payload": json.dumps(payload)})


def signed(body: str, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    timestamp = str(int(time.time()) - age_s)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
