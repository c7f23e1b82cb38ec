"""The tables, as the program names them. `migrations/` creates them in a database, with their
indexes; a test checks that the columns agree."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

REVISION = "0001"
"""The newest migration that this program knows."""

metadata = MetaData()

TWICE = {
    "requests.id": "requests_pkey",
    "requests.site, requests.pairing_id": "one_open_request_per_pairing",
    "requests.pair_key": "one_open_request_per_pair",
    "inbox.origin": "inbox_origin_key",
    "messages.request_id, messages.slot": "messages_pkey",
    "audit.number": "audit_pkey",
}
"""What may be there only once: its columns, which SQLite names, and its constraint or index, which
PostgreSQL names."""

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("place", Integer, nullable=False),
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
    Column("signature", Text),
    Column("key", Text),
)
GLASS_BROKEN = text("action = 'glass_broken'")
"""As in the condition of its index."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Boolean, CheckConstraint("one"), primary_key=True, server_default=text("true")),
    Column("count", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("signers", Text, nullable=False, server_default=""),
)
"""`signers`: the ids of the keys that may sign the next record, with blanks between; empty before
the first. It keeps a copy without such a key from writing; what proves anything is in the records.
"""

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
