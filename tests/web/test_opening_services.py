"""From our pages to a service, already signed in (OIDC Core 4; OID-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

if TYPE_CHECKING:
    from tests.support.provider import Provider

INITIATE = "https://parking.example.org/begin?registered=1"
HOME = "https://parking.example.org/"


@pytest.mark.spec("OIDC Core", "4", "REQUIRED")
def test_service_is_opened_by_the_login_that_it_registered(lasting_provider: Provider) -> None:
    """303 with our issuer and the service's own page; the query that was registered stays, the person is not named."""
    service = lasting_provider.a_client(initiate_login_uri=INITIATE, service_uri=HOME)

    answer = lasting_provider.signed_in().get(f"/services/{service.client_id}/open")

    assert answer.status_code == 303
    assert answer.location.startswith(INITIATE + "&")
    assert parse_qsl(urlsplit(answer.location).query) == [
        ("registered", "1"),
        ("iss", lasting_provider.context.issuer),
        ("target_link_uri", HOME),
    ]


def test_service_without_a_page_of_its_own_gets_the_issuer_alone(lasting_provider: Provider) -> None:
    """`target_link_uri` is for those that have one."""
    service = lasting_provider.a_client(initiate_login_uri="https://parking.example.org/begin")

    answer = lasting_provider.signed_in().get(f"/services/{service.client_id}/open")

    assert [name for name, _ in parse_qsl(urlsplit(answer.location).query)] == ["iss"]


def test_stranger_signs_in_first_and_comes_back(lasting_provider: Provider) -> None:
    """The link is worth keeping as a bookmark."""
    service = lasting_provider.a_client(initiate_login_uri=INITIATE)

    answer = lasting_provider.client().get(f"/services/{service.client_id}/open")

    assert answer.location == f"/sign-in?next=/services/{service.client_id}/open"


@pytest.mark.parametrize("what", ["unknown", "off", "without such a login"])
def test_service_that_can_not_be_opened_is_not_found(lasting_provider: Provider, what: str) -> None:
    """Nobody is sent to an address that is not a registered, enabled service's."""
    match what:
        case "unknown":
            name = "nobody"
        case "off":
            made = lasting_provider.a_client(
                initiate_login_uri=INITIATE, disabled_at=lasting_provider.clock()
            )
            name = made.client_id
        case _:
            name = lasting_provider.a_client(service_uri=HOME).client_id

    assert lasting_provider.signed_in().get(f"/services/{name}/open").status_code == 404


def test_lists_lead_there_for_who_is_signed_in(provider: Provider) -> None:
    """Strangers are led to the service itself."""
    service = provider.a_client(
        initiate_login_uri=INITIATE, service_uri=HOME, rubrique="deplacements", consent_required=True
    )
    browser = provider.signed_in()
    provider.tokens(browser, service)

    home, own, stranger = browser.get("/"), browser.get("/account/services"), provider.client().get("/")

    way = f'href="/services/{service.client_id}/open"'
    assert way in home.text
    assert way in own.text
    assert way not in stranger.text
    assert f'href="{HOME}"' in stranger.text
