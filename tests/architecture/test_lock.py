"""requirements.lock pins what pyproject.toml asks for, by hash, and names no registry."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.marks import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# A locked package: its line, then its hashes.
LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>\S+)[^\n]*\\\n(?:    --hash=\S+.*\n)+", re.MULTILINE
)


def asked() -> list[Requirement]:
    """List what the project asks for, extras included.

    Returns:
        The requirements of pyproject.toml.
    """
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def locked() -> dict[str, set[str]]:
    """List what is locked.

    Returns:
        The versions of each package: several where they depend on the platform.
    """
    versions: dict[str, set[str]] = {}
    for match in LOCKED.finditer(LOCK):
        versions.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return versions


def test_lock_names_no_registry() -> None:
    """The packages come from whichever registry the reader's pip is set to."""
    assert "://" not in LOCK
    assert "--index-url" not in "".join(line for line in LOCK.splitlines() if not line.startswith("#"))


def test_every_locked_package_has_hashes() -> None:
    """A package that was changed on the way is refused."""
    packages = [line for line in LOCK.splitlines() if re.match(r"[A-Za-z0-9]", line)]

    assert len(packages) == len(LOCKED.findall(LOCK))


def test_lock_holds_what_the_project_asks_for() -> None:
    """Who changes a dependency also runs `make lock`."""
    versions = locked()

    missing = [
        str(requirement)
        for requirement in asked()
        if not any(
            requirement.specifier.contains(version)
            for version in versions.get(canonicalize_name(requirement.name), ())
        )
    ]

    assert missing == []


def test_lock_holds_nothing_that_nobody_asked_for() -> None:
    """Each locked package is there for the project or for a package of it."""
    reasons = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==.*\n(?:    --hash.*\n)+    # via", LOCK, re.MULTILINE)

    assert {canonicalize_name(name) for name in reasons} == set(locked())
