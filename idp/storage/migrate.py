"""Brings a database to the present schema, and says whether it is there (ADM-1, OPS-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from idp.storage.models import metadata
from idp.storage.revisions import migrations_directory

if TYPE_CHECKING:
    from idp.storage.engine import Database


def upgrade(database: Database) -> None:
    """Apply every migration that is missing; one transaction, one upgrader at a time."""
    with database.write() as connection:
        if not database.is_sqlite:
            # Two nodes that start together would both create the tables.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7236545891)")
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def head_revision() -> str | None:
    """Read the revision that this program expects."""
    return ScriptDirectory.from_config(_configuration()).get_current_head()


def differences(database: Database) -> list[str]:
    """Name each difference between the database and the tables of this program; empty when they agree."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, metadata)]


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_directory()))
    configuration.set_main_option("path_separator", "os")
    return configuration
