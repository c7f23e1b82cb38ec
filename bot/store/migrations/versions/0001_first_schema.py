"""The first schema: requests, inbox, messages, audit, shared.

Written out, not taken from `bot.store.schema`: a migration must do tomorrow what it did today.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE requests (
        id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, site TEXT NOT NULL, pairing_id TEXT,
        requester TEXT NOT NULL, channel TEXT NOT NULL, created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, execute_by BIGINT, body TEXT NOT NULL,
        version INTEGER NOT NULL, due_at BIGINT, lease_until BIGINT NOT NULL)""",
    """CREATE UNIQUE INDEX one_open_request_per_pairing ON requests (site, pairing_id)
        WHERE pairing_id IS NOT NULL
        AND state IN ('approved', 'checking', 'deleting', 'following', 'pending')""",
    "CREATE INDEX requests_due ON requests (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX requests_newest ON requests (created_at)",
    "CREATE INDEX requests_of_pairing ON requests (site, pairing_id)",
    """CREATE TABLE inbox (
        number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL UNIQUE,
        request_id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, response_url TEXT,
        at BIGINT NOT NULL, absorbed_at BIGINT)""",
    "CREATE INDEX inbox_unabsorbed ON inbox (request_id) WHERE absorbed_at IS NULL",
    """CREATE TABLE messages (
        request_id TEXT NOT NULL, slot TEXT NOT NULL, urgency INTEGER NOT NULL,
        channel TEXT NOT NULL, thread_ts TEXT, ts TEXT, wanted TEXT NOT NULL, shown TEXT,
        due_at BIGINT, not_before BIGINT NOT NULL, lease_until BIGINT NOT NULL,
        attempts INTEGER NOT NULL, last_error TEXT, answer TEXT, person TEXT, response_url TEXT,
        created_at BIGINT NOT NULL, PRIMARY KEY (request_id, slot))""",
    "CREATE INDEX messages_due ON messages (urgency, due_at) WHERE due_at IS NOT NULL",
    """CREATE TABLE audit (
        number BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, request_id TEXT,
        actor TEXT NOT NULL, action TEXT NOT NULL, message TEXT, before TEXT, after TEXT,
        detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    "CREATE INDEX audit_of_request ON audit (request_id, number)",
    """CREATE TABLE audit_head (
        one BOOLEAN NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
        count BIGINT NOT NULL, hash TEXT NOT NULL)""",
    "INSERT INTO audit_head (one, count, hash) VALUES (true, 0, '" + "0" * 64 + "')",
    "CREATE TABLE shared (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE TABLE schema_info (oldest_program TEXT NOT NULL PRIMARY KEY)",
    "INSERT INTO schema_info (oldest_program) VALUES ('0.1.0')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
