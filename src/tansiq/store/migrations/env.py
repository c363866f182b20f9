"""Alembic's entry: runs inside the transaction that `Store.open` began, on its connection."""

from alembic import context

from tansiq.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
