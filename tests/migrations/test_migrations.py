"""Migrations go up, down and up again on both databases, and end where the tables of the program are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from idp.storage import revisions
from idp.storage.engine import open_database
from idp.storage.migrate import differences, upgrade

if TYPE_CHECKING:
    from idp.storage.engine import Database


@pytest.fixture
def configuration() -> Config:
    """Alembic's configuration, as `idp database upgrade` makes it."""
    made = Config()
    made.set_main_option("script_location", str(revisions.migrations_directory()))
    made.set_main_option("path_separator", "os")
    return made


@pytest.fixture
def migrated(database_url: str) -> Iterator[Database]:
    """A database at the newest revision."""
    database = open_database(database_url)
    yield database
    database.dispose()


def tables(database: Database) -> set[str]:
    """Name the tables."""
    with database.read() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def downgrade(database: Database, configuration: Config, to: str) -> None:
    """Take migrations back."""
    with database.write() as connection:
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, to)


@pytest.mark.rule("OPS-2")
def test_migrations_go_down_and_up_again(migrated: Database, configuration: Config) -> None:
    """Down leaves no table, up again leaves the same ones."""
    before = tables(migrated)

    downgrade(migrated, configuration, "base")
    emptied = tables(migrated)
    upgrade(migrated)

    assert emptied == set()
    assert tables(migrated) == before
    assert revisions.is_current(migrated)


@pytest.mark.rule("OPS-2")
def test_newest_revision_is_what_the_tables_of_the_program_are(migrated: Database) -> None:
    """Neither a table, a column, an index nor a type differs."""
    assert differences(migrated) == []


def test_migrations_have_one_head(configuration: Config) -> None:
    """Two branches would leave it to chance which one a database has."""
    assert len(ScriptDirectory.from_config(configuration).get_heads()) == 1


def test_upgrade_of_a_current_database_changes_nothing(migrated: Database) -> None:
    """It may be run at every start."""
    upgrade(migrated)

    assert revisions.is_current(migrated)
    assert revisions.probe(migrated) == revisions.expected()


def test_database_without_tables_has_no_revision(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An empty file is no error: it has not been upgraded yet."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('empty')}/idp.db")

    assert revisions.present(database) is None
    assert revisions.probe(database) is None
    database.dispose()
