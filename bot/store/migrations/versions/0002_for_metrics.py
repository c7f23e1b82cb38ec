"""Two indexes for `/metrics`, which must not search all ended requests for what it counts.

Older programs can work on this schema, so `schema_info` stays as it is.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "CREATE INDEX requests_by_state ON requests (state)",
    "CREATE INDEX audit_glass_broken ON audit (number) WHERE action = 'glass_broken'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
