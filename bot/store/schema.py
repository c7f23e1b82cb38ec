"""The tables. `migrations/` creates them in a database; a test checks that both agree."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from bot.request.model import OPEN

REVISION = "0001"
"""The newest migration that this program knows."""

metadata = MetaData()

_OPEN_STATES = ", ".join(f"'{state.value}'" for state in sorted(OPEN))
# Partial indexes have only `sqlite_where` here, since `postgresql_where` would load that dialect,
# 2 MB in every process. The tables are made by the migrations, which have the condition for both.
HOLDS_PAIRING = text(f"pairing_id IS NOT NULL AND state IN ({_OPEN_STATES})")
HOLDS_PAIR = text(f"pair_key IS NOT NULL AND state IN ({_OPEN_STATES})")

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("pairing_id", Text),
    Column("pair_key", Text),
    Column("requester", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("scheduled_at", BigInteger),
    Column("execute_by", BigInteger),
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False),
)
Index(
    "one_open_request_per_pairing",
    requests.c.site,
    requests.c.pairing_id,
    unique=True,
    sqlite_where=HOLDS_PAIRING,
)
Index(
    "one_open_request_per_pair",
    requests.c.pair_key,
    unique=True,
    sqlite_where=HOLDS_PAIR,
)
Index(
    "requests_due",
    requests.c.due_at,
    sqlite_where=requests.c.due_at.isnot(None),
)
Index("requests_newest", requests.c.created_at)
Index("requests_of_pairing", requests.c.site, requests.c.pairing_id)
Index("requests_by_state", requests.c.state)
Index("requests_latest", requests.c.updated_at, requests.c.id)
Index("requests_of_person", requests.c.requester, requests.c.created_at, requests.c.id)

inbox = Table(
    "inbox",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("origin", Text, nullable=False, unique=True),
    Column("request_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("response_url", Text),
    Column("answer_via", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("absorbed_at", BigInteger),
    sqlite_autoincrement=True,
)
Index(
    "inbox_unabsorbed",
    inbox.c.request_id,
    sqlite_where=inbox.c.absorbed_at.is_(None),
)
Index("inbox_addresses", inbox.c.at, sqlite_where=inbox.c.response_url.isnot(None))

messages = Table(
    "messages",
    metadata,
    Column("request_id", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread_ts", Text),
    Column("ts", Text),
    Column("wanted", Integer, nullable=False),
    Column("shown", Text),
    Column("due_at", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("last_error", Text),
    Column("answer", Text),
    Column("person", Text),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("request_id", "slot"),
)
Index(
    "messages_due",
    messages.c.urgency,
    messages.c.due_at,
    sqlite_where=messages.c.due_at.isnot(None),
)
Index("messages_over", messages.c.created_at, sqlite_where=messages.c.due_at.is_(None))

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("request_id", Text),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("message", Text),
    Column("before", Text),
    Column("after", Text),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index("audit_of_request", audit.c.request_id, audit.c.number)
GLASS_BROKEN = text("action = 'glass_broken'")
Index("audit_glass_broken", audit.c.number, sqlite_where=GLASS_BROKEN)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Boolean, CheckConstraint("one"), primary_key=True, server_default=text("true")),
    Column("count", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

shared = Table(
    "shared",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

schema_info = Table(
    "schema_info",
    metadata,
    Column("oldest_program", Text, primary_key=True),
)
"""The oldest program that may work on this schema and read what is stored as JSON. A migration sets
it, so that an older program stops with a sentence (`bot.store.migrate`)."""
