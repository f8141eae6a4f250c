"""OIDC Registration 5: the address of a sector lists every redirect URI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.protocol.claims.subject import sector_of
from idp.storage.repositories import clients
from tests.support.registration import CALLBACK, Registrar, a_registrar, elsewhere, metadata

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

pytestmark = [pytest.mark.rule("OID-7"), pytest.mark.rule("CON-6")]
SECTOR = "https://sector.example.org/uris.json"
OTHER = "https://other.example.org/callback"


@pytest.fixture
def registrar(database: Database, clock: SettableClock) -> Registrar:
    """A provider where anybody may register."""
    return a_registrar(database, clock)


def sector_metadata(**changes: object) -> dict[str, Any]:
    """Give a registration of two hosts in one sector."""
    return metadata(redirect_uris=[CALLBACK, OTHER], sector_identifier_uri=SECTOR, **changes)


@pytest.mark.spec("OIDC Registration", "5", "MUST")
@pytest.mark.spec("OIDC Core", "8.1", "MUST")
def test_sector_that_lists_every_address_is_taken(registrar: Registrar) -> None:
    """Its host is what pairwise subjects are made for."""
    with elsewhere(registrar) as internet:
        internet.says(SECTOR, json.dumps([CALLBACK, OTHER, "https://third.example.org/"]).encode())
        answer = registrar.send(sector_metadata())

    body: dict[str, Any] = answer.json or {}
    with registrar.provider.context.database.read() as connection:
        client = clients.by_id(connection, body["client_id"])
    assert body["sector_identifier_uri"] == SECTOR
    assert internet.asked == [SECTOR]
    assert client is not None
    assert sector_of(client) == "sector.example.org"


@pytest.mark.spec("OIDC Registration", "5", "MUST")
@pytest.mark.parametrize(
    "listed, status",
    [
        (json.dumps([CALLBACK]).encode(), 200),
        (b"[]", 200),
        (b"{}", 200),
        (b"[1]", 200),
        (b"[", 200),
        (b"[" * 100_000, 200),
        (b"\xff", 200),
        (json.dumps([CALLBACK, OTHER]).encode(), 302),
        (json.dumps([CALLBACK, OTHER]).encode(), 404),
        (None, 0),
    ],
)
def test_sector_that_does_not_list_every_address_is_refused(
    registrar: Registrar, listed: bytes | None, status: int
) -> None:
    """Nor one that can't be read: "registration MUST fail"."""
    with elsewhere(registrar) as internet:
        if listed is not None:
            internet.says(SECTOR, listed, status)
        answer = registrar.send(sector_metadata())

    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_client_metadata")


@pytest.mark.rule("OID-7")
@pytest.mark.spec("OIDC Registration", "5", "MUST")
@pytest.mark.parametrize(
    "uri", ["http://sector.example.org/", "http://localhost/", "ftp://a/", "x", "https://[/"]
)
def test_sector_is_read_by_https_alone(registrar: Registrar, uri: str) -> None:
    """An address that anybody on the way could answer proves nothing; it is not even asked (S-149)."""
    with elsewhere(registrar) as internet:
        answer = registrar.send(metadata(sector_identifier_uri=uri))

    assert (answer.json or {})["error"] == "invalid_client_metadata"
    assert internet.asked == []


@pytest.mark.spec("OIDC Core", "8.1", "MUST")
def test_several_hosts_without_a_sector_are_refused(registrar: Registrar) -> None:
    """It would be unclear which host a pairwise subject is made for."""
    answer = registrar.send(metadata(redirect_uris=[CALLBACK, OTHER]))
    public = registrar.send(metadata(redirect_uris=[CALLBACK, OTHER], subject_type="public"))

    assert (answer.status_code, public.status_code) == (400, 201)


@pytest.mark.spec("OIDC Registration", "5", "MUST")
def test_sector_is_read_again_when_the_client_changes(registrar: Registrar) -> None:
    """A redirect URI that the sector doesn't list can't be added later either."""
    with elsewhere(registrar) as internet:
        internet.says(SECTOR, json.dumps([CALLBACK, OTHER]).encode())
        client = registrar.send(sector_metadata()).json or {}
        sent = sector_metadata(client_id=client["client_id"])
        third = "https://third.example.org/"
        refused = registrar.replace(client, sent | {"redirect_uris": [CALLBACK, third]})
        taken = registrar.replace(client, sent | {"redirect_uris": [OTHER]})

    assert (refused.status_code, taken.status_code) == (400, 200)
