"""Says whether a database is at the newest migration, without the cost of importing Alembic (OPS-3)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from idp.storage.engine import Database

_PACKAGE = Path(__file__).resolve().parent.parent
_TOUCH = text("UPDATE alembic_version SET version_num = version_num RETURNING version_num")
_REVISION = re.compile(r"^revision(?:: str)? = [\"']([0-9a-z_]+)[\"']", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision(?:: [^=]+)? = [\"']([0-9a-z_]+)[\"']", re.MULTILINE)


class DatabaseUnwritable(Exception):
    """Nothing can be written; the text is the class of the driver's error, which quotes no row and no password."""


def migrations_directory() -> Path:
    """Find the migrations: in the checkout, else inside the installed package."""
    checkout = _PACKAGE.parent / "migrations"
    return checkout if (checkout / "env.py").is_file() else _PACKAGE / "_migrations"


def expected() -> str:
    """Read the revision that this program expects: the one that no other follows.

    Raises:
        ValueError: There are several or none: the installation is damaged.
    """
    sources = [
        file.read_text(encoding="utf-8") for file in (migrations_directory() / "versions").glob("*.py")
    ]
    made: set[str] = {match for source in sources for match in _REVISION.findall(source)}
    followed = {match for source in sources for match in _DOWN_REVISION.findall(source)}
    heads = made - followed
    if len(heads) != 1:
        raise ValueError(f"{migrations_directory()} has {len(heads)} newest migrations, not one")
    return heads.pop()


def present(database: Database) -> str | None:
    """Read the revision that the database is at; None when it has no tables of ours."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return _text(connection.scalar(text("SELECT version_num FROM alembic_version")))


def is_current(database: Database) -> bool:
    """Tell whether the database is at the revision that this program expects."""
    return present(database) == expected()


def probe(database: Database) -> str | None:
    """Write for real, and leave nothing behind: the row of the revision is set to what it is.

    Returns:
        The revision that the database is at; None when it has no tables of ours.

    Raises:
        DatabaseUnwritable: It is away, locked, full, or a replica that only reads.
    """
    try:
        with database.write() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return _text(connection.scalar(_TOUCH))
    except SQLAlchemyError as error:
        raise DatabaseUnwritable(type(error).__name__) from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)
