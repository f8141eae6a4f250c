"""`INSERT … ON CONFLICT`, which both databases have and SQLAlchemy keeps in each dialect."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Start an insert that may say what happens when the row is there already."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect_name: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Start such an insert for a dialect: to build a statement once, and keep it."""
    # The engine has imported the dialect that is used; importing the other one costs every start 0.1 s.
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    return cast("postgresql.Insert | sqlite.Insert", dialect.insert(table))
