"""GET /services/<client_id>/logo: an image that an administrator uploaded, and nothing that runs (CON-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.clients import registry
from idp.services.clients.registry import Registered, Unknown
from tests.support.provider import CHALLENGE

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from idp.domain.client import Client
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-1")
PNG = b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>"


@pytest.fixture
def client(provider: Provider) -> Client:
    """A service with a logo."""
    service = provider.a_client(
        client_id="parking",
        name="Stationnement",
        consent_required=True,
        grant_types=frozenset({"authorization_code", "refresh_token"}),
    )
    present = registry.find(provider.context, service.client_id)
    assert not isinstance(present, Unknown)
    changed = registry.update(provider.context, present, PNG)
    assert isinstance(changed, Registered), changed
    return changed.client


def logo(provider: Provider, client: Client, **headers: str) -> TestResponse:
    """Ask for the image at the address that stands in the pages."""
    return provider.back_channel.get(client.logo_uri or "", headers=headers)


def test_image_is_an_image_and_nothing_else(provider: Provider, client: Client) -> None:
    """Its type is what its first bytes say; no browser sniffs, runs or frames it."""
    answer = logo(provider, client)

    assert (answer.status_code, answer.data, answer.content_type) == (200, PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.spec("RFC 9110", "13.1.2", "MUST")
def test_image_that_is_known_is_not_sent_again(provider: Provider, client: Client) -> None:
    """Its ETag is its content's."""
    answer = logo(provider, client, **{"If-None-Match": logo(provider, client).headers["ETag"]})

    assert (answer.status_code, answer.data) == (304, b"")
    assert logo(provider, client, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("client_id", ["nobody", "..%2f..", "%00"])
def test_service_without_a_logo_has_none(provider: Provider, client_id: str) -> None:
    """Unknown or without an image: not found."""
    assert provider.back_channel.get(f"/services/{client_id}/logo").status_code == 404


def test_logo_stands_beside_the_name_without_a_text_of_its_own(provider: Provider, client: Client) -> None:
    """On sign-in and on consent; a screen reader hears the name once."""
    asked = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "openid email",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    for browser in (provider.client(), provider.signed_in()):
        page = browser.get(browser.get("/authorize", query_string=asked).location)

        assert f'<img class="service-mark" src="{client.logo_uri}" alt=""' in page.text


def test_logo_goes_with_its_service(provider: Provider, client: Client) -> None:
    """Nothing of an erased service is served."""
    assert registry.delete(provider.context, client.client_id)

    assert logo(provider, client).status_code == 404
