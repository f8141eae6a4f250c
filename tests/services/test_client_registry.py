"""What an administrator registers is checked where it points to, and kept as it was meant (CON-1, CON-6)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.domain.client import Client, ClientAuthenticationMethod
from idp.services.clients import registry
from idp.services.clients.registry import ChangedMeanwhile, Invalid, Registered, Unknown
from tests.support.registration import CALLBACK, Elsewhere, a_registrar

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("CON-1")
SECTOR = "https://sector.example.org/uris.json"
OTHER = "https://other.example.org/callback"


@pytest.fixture
def internet() -> Elsewhere:
    """What other servers answer."""
    return Elsewhere()


@pytest.fixture
def context(database: Database, clock: SettableClock, internet: Elsewhere) -> Context:
    """The parts, with other servers that the test answers for."""
    return replace(a_registrar(database, clock).provider.context, http=internet)


def registered(context: Context, client: Client) -> Client:
    """Register a client that passes."""
    outcome = registry.create(context, client)
    assert isinstance(outcome, Registered), outcome
    return outcome.client


@pytest.mark.rule("CON-6")
@pytest.mark.spec("OIDC Registration", "5", "MUST")
def test_sector_is_read_when_it_matters_and_not_again(context: Context, internet: Elsewhere) -> None:
    """On registration, and when the redirect URIs or the address change; a new name asks nobody."""
    internet.says(SECTOR, json.dumps([CALLBACK]).encode())
    client = registered(
        context,
        Client(
            "app",
            "App",
            redirect_uris=(CALLBACK,),
            sector_identifier_uri=SECTOR,
            sector_identifier="sector.example.org",
        ),
    )

    renamed = registry.update(context, replace(client, name="Autre"))
    moved = registry.update(context, replace(client, version=2, redirect_uris=(CALLBACK, OTHER)))

    assert isinstance(renamed, Registered)
    assert isinstance(moved, Invalid)
    assert [problem.field for problem in moved.problems] == ["sector_identifier_uri"]
    assert internet.asked == [SECTOR, SECTOR]


@pytest.mark.rule("CON-6")
def test_sector_that_does_not_answer_registers_nobody(context: Context) -> None:
    """Nothing is stored of it."""
    wanted = Client(
        "app", "App", redirect_uris=(CALLBACK,), sector_identifier_uri=SECTOR,
        sector_identifier="sector.example.org",
    )  # fmt: skip

    assert isinstance(registry.create(context, wanted), Invalid)
    assert isinstance(registry.find(context, "app"), Unknown)


def test_change_of_an_unknown_client_changes_nothing(context: Context) -> None:
    """Nor does one that was made from another version."""
    client = registered(context, Client("app", "App", redirect_uris=(CALLBACK,)))

    assert isinstance(registry.update(context, replace(client, client_id="other")), Unknown)
    assert isinstance(registry.update(context, replace(client, version=7)), ChangedMeanwhile)


@pytest.mark.rule("OID-4")
def test_secret_that_signs_opens_for_its_client_alone(context: Context) -> None:
    """It is sealed for the place that it stands in: in another client's row it is worth nothing."""
    method = ClientAuthenticationMethod.SECRET_JWT
    outcome = registry.create(
        context, Client("app", "App", redirect_uris=(CALLBACK,), authentication_method=method)
    )
    assert isinstance(outcome, Registered)
    sealed = outcome.client.secrets[0].sealed or ""

    assert context.sealer.unseal(sealed, bound_to="client_secret/app").decode() == outcome.secret
    with pytest.raises(ValueError, match="sealed"):
        context.sealer.unseal(sealed, bound_to="client_secret/other")


@pytest.mark.rule("OID-4")
def test_rotation_within_the_time_of_another_leaves_two(context: Context, clock: SettableClock) -> None:
    """The newest and the one before."""
    registered(context, Client("app", "App", redirect_uris=(CALLBACK,)))
    for _ in range(3):
        clock.advance(minutes=1)
        registry.rotate_secret(context, "app", timedelta(hours=24))

    found = registry.find(context, "app")
    assert isinstance(found, Client)
    assert len([secret for secret in found.secrets if secret.is_live(clock())]) == 2
