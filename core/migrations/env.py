"""Alembic's entry: the connection is handed over by `core.migrate`; no application code is imported."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
