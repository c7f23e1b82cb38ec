"""The REST client of the vSphere Replication appliance: session, models, errors, trust, budget.

The client knows nothing of the core: `port`, `lookups`, `problems` and `snapshots` do, which make
of it what requests need, and the files of `check`. Nothing here knows another adapter.
"""

from __future__ import annotations

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance, Calls
from bot.appliance.errors import (
    Answered,
    ApplianceError,
    ConnectFailed,
    ConnectionCut,
    HeldBack,
    Limited,
    LoginRefused,
    NameLookupFailed,
    NoSession,
    NoSuchPairing,
    NotFound,
    NotSent,
    NotUnderstood,
    OverBudget,
    Refused,
    Resting,
    TimedOut,
    TlsFailed,
    TooLate,
    Unanswered,
    Unauthorized,
    Unavailable,
    Unproven,
)
from bot.appliance.gate import Gate, GateState, MemoryGate
from bot.appliance.models import (
    Info,
    Issue,
    Listing,
    MetaError,
    Pairing,
    Replication,
    ResponseError,
    ServerInfo,
    Task,
    TaskError,
)
from bot.appliance.transport import OnCall
from bot.appliance.trust import Trust

__all__ = [
    "Answered",
    "Appliance",
    "ApplianceError",
    "Calls",
    "ConnectFailed",
    "ConnectionCut",
    "Gate",
    "GateState",
    "HeldBack",
    "Info",
    "Issue",
    "Limited",
    "Listing",
    "LoginRefused",
    "MemoryGate",
    "MetaError",
    "NameLookupFailed",
    "NoSession",
    "NoSuchPairing",
    "NotFound",
    "NotSent",
    "NotUnderstood",
    "OnCall",
    "OverBudget",
    "Pairing",
    "Priority",
    "Refused",
    "Replication",
    "ResponseError",
    "Resting",
    "ServerInfo",
    "Task",
    "TaskError",
    "TimedOut",
    "TlsFailed",
    "TooLate",
    "Trust",
    "Unanswered",
    "Unauthorized",
    "Unavailable",
    "Unproven",
]
