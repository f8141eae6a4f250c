"""`idp accounts export` hands out everything kept about a person, to answer a request (PRI-1, PRI-4)."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from idp.cli import group
from idp.cli.key_files import utc_now
from tests.support.clock import SettableClock
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from pathlib import Path

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.cli.conftest import Run

pytestmark = pytest.mark.rule("PRI-4")


@pytest.fixture
def account(database: Database) -> Account:
    """Somebody."""
    provider = a_provider(database, SettableClock(utc_now()))
    return provider.an_account("zoe@example.org", given_name="Zoé", language="en")


def data_of(content: bytes) -> tuple[dict[str, object], str]:
    """Read data and page of an archive."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = {name.rpartition("/")[2]: name for name in archive.namelist()}
        return json.loads(archive.read(names["donnees.json"])), archive.read(names["index.html"]).decode()


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("nobody@example.org", "--reason", "case 42"), 4),
        (("zoe@example.org",), 2),
        (("zoe@example.org", "--reason", " "), 2),
        (("zoe@example.org", "--reason", "x", "--language", "de"), 2),
    ],
    ids=["nobody", "no reason", "an empty reason", "a language that is not there"],
)
def test_export_that_is_not_right_hands_nothing_out(
    idp: Run, account: Account, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    """No file is made, and the trail has no line of an export."""
    file = tmp_path / "export.zip"

    ran = idp("accounts", "export", *arguments, "--output", str(file))

    assert ran.code == code
    assert not file.exists()
    assert (
        "account.exported" not in idp("accounts", "show", account.account_id, "--reason", "x", "--json").out
    )


def test_file_that_is_there_is_left_alone(idp: Run, account: Account, tmp_path: Path) -> None:
    """Nothing is overwritten, and nothing is handed out for it."""
    file = tmp_path / "export.zip"
    file.write_text("mine")

    ran = idp("accounts", "export", account.account_id, "--reason", "case 42", "--output", str(file))

    assert ran.code == 1
    assert "is there already" in ran.err
    assert file.read_text() == "mine"


def test_archive_is_written_for_its_reader_alone(idp: Run, account: Account, tmp_path: Path) -> None:
    """Mode 0600, the person's language, and the look in the trail with who and why."""
    file = tmp_path / "export.zip"

    ran = idp(
        "accounts", "export", account.email, "--reason", "case 42", "--operator", "Claire", "--output", str(file)
    )  # fmt: skip

    assert ran.code == 0, ran.err
    assert file.stat().st_mode & 0o777 == 0o600
    data, page = data_of(file.read_bytes())
    assert data["account"]["email"] == "zoe@example.org"  # type: ignore[index]
    assert '<html lang="en">' in page
    assert "case 42" in page
    assert "Claire" in page


def test_archive_may_go_to_the_standard_output(config: Path, account: Account) -> None:
    """For a program that encrypts it, without a file between."""
    ran = CliRunner().invoke(
        group,
        [
            "--config", str(config), "accounts", "export", account.account_id,
            "--reason", "case 42", "--language", "fr",
        ],
    )  # fmt: skip

    assert ran.exit_code == 0
    assert '<html lang="fr">' in data_of(ran.stdout_bytes)[1]
