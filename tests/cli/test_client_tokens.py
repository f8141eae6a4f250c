"""`idp clients token` makes, lists and ends tokens that let a service register itself (RFC 7591; OID-7)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.cli.operators import system_user
from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.storage.engine import open_database
from idp.storage.models import audit_events, initial_access_tokens

if TYPE_CHECKING:
    from tests.cli.conftest import Run

pytestmark = [pytest.mark.rule("ADM-1"), pytest.mark.rule("OID-7")]
CREATE = ("clients", "token", "create", "--label", "Sports")


@pytest.mark.rule("ADM-2")
def test_token_is_shown_once(idp: Run, config: Path) -> None:
    """It is kept as a hash, and no list knows it."""
    made = idp(*CREATE, "--uses", "3", "--days", "7", "--json")

    token = made.json["token"]
    listed = [idp("clients", "token", "list", *more).out for more in ((), ("--json",))]
    assert is_well_formed(SecretKind.INITIAL_ACCESS, token)
    assert made.json["uses_left"] == 3
    assert all(token not in out and "Sports" in out for out in listed)
    assert hashes(config) == [digest(token)]


def test_token_may_be_used_any_number_of_times(idp: Run) -> None:
    """Without --uses nothing is counted; for people it is said in words."""
    assert idp(*CREATE, "--json").json["uses_left"] is None
    assert "any number" in idp("clients", "token", "list").out


@pytest.mark.rule("ADM-2")
def test_administrator_is_told_that_registration_is_off(idp: Run, config: Path) -> None:
    """A token that nobody can use would be looked for in the wrong place."""
    assert "mode" in idp(*CREATE).err
    config.write_text(config.read_text() + '[registration]\nmode = "token"\n')
    assert "mode" not in idp(*CREATE).err


def test_token_is_revoked_once(idp: Run) -> None:
    """The second time there is none to revoke."""
    token_id = idp(*CREATE, "--json").json["token_id"]

    codes = [idp("clients", "token", "revoke", token_id).code for _ in range(2)]

    assert codes == [0, 4]
    assert idp("clients", "token", "list", "--json").json[0]["is_live"] is False


@pytest.mark.parametrize("flags", [("--uses", "0"), ("--days", "0"), ("--days", "9999"), ("--uses", "-1")])
def test_token_that_opens_nothing_is_not_made(idp: Run, flags: tuple[str, str]) -> None:
    """Wrong usage, and nothing is stored."""
    assert idp(*CREATE, *flags).code == 2
    assert idp("clients", "token", "list", "--json").json == []


@pytest.mark.rule("ADM-3")
def test_every_act_is_audited(idp: Run, config: Path) -> None:
    """By the identifier of the token, not by its label, which may name somebody."""
    token_id = idp(*CREATE, "--json").json["token_id"]
    idp("clients", "token", "revoke", token_id)

    database = open_database(url_of(config))
    with database.read() as connection:
        events = connection.execute(audit_events.select().order_by(audit_events.c.event_id)).mappings().all()
    database.dispose()
    assert [event["details"] for event in events] == [
        {"change": "created", "token_id": token_id, "by": system_user()},
        {"change": "revoked", "token_id": token_id, "by": system_user()},
    ]


def url_of(config: Path) -> str:
    """Read the database of a configuration."""
    return config.read_text().split('url = "')[1].split('"')[0]


def hashes(config: Path) -> list[bytes]:
    """Read what is kept of the tokens."""
    database = open_database(url_of(config))
    with database.read() as connection:
        rows = connection.execute(initial_access_tokens.select()).mappings().all()
    database.dispose()
    return [bytes(row["token_hash"]) for row in rows]
