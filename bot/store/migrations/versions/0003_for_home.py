"""Two indexes for what people look at: the latest ends, and what one person asked.

Older programs work on it as before, so `schema_info` stays as it is.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "CREATE INDEX requests_latest ON requests (updated_at, id)",
    "CREATE INDEX requests_of_person ON requests (requester, created_at, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
