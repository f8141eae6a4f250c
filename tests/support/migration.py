"""Writes a migration from the difference between the migrations and the tables: `make migration m="…"`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config

from idp.storage.engine import open_database
from idp.storage.migrate import upgrade
from idp.storage.revisions import migrations_directory


def main() -> None:
    """Write the migration that the command line describes; read it before it is committed."""
    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_directory()))
    configuration.set_main_option("path_separator", "os")
    configuration.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    configuration.set_main_option("truncate_slug_length", "60")
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'migration.sqlite'}")
        upgrade(database)
        with database.write() as connection:
            configuration.attributes["connection"] = connection
            command.revision(configuration, message=sys.argv[1], autogenerate=True)
        database.dispose()


if __name__ == "__main__":
    main()
