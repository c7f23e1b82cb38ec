"""Two indexes for what people look at: the requests that ended last, and one person's own requests.

Older programs can work on this schema, so `schema_info` stays as it is.
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
