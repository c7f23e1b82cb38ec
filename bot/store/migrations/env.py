"""Alembic's entry point: it uses the connection and the transaction of `bot.store.migrate`."""

from __future__ import annotations

from alembic import context

from bot.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
