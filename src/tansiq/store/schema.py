"""The one `MetaData` on which every capability's `records` declares its tables."""

from __future__ import annotations

from sqlalchemy import Index, MetaData, text

# Named constraints, or a later migration could not drop them (SQLite gives none a name of its own).
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(name: str, *columns: str, rows: str) -> Index:
    """An index of the few rows of which a plain SQL condition is true; whoever reads by it says the very same words,
    as `text(rows)`: a bound value could be any."""
    return Index(name, *columns, sqlite_where=text(rows), postgresql_where=text(rows))
