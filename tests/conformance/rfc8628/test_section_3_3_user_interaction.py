"""RFC 8628 section 3.3: the person answers in a browser of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.devices import a_device
from tests.support.pages import send
from tests.support.provider import CALLBACK, ISSUER, form_of

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.rule("OID-7", "CON-2")
@pytest.mark.spec("RFC 8628", "3.3", "MUST")
@pytest.mark.parametrize("consent_required", [True, False])
def test_person_is_asked_each_time(lasting_provider: Provider, *, consent_required: bool) -> None:
    """Whatever the client, and whatever was allowed before: a code may be somebody else's trap (section 5.4)."""
    service = lasting_provider.a_client(consent_required=consent_required)
    browser = lasting_provider.signed_in()

    for _ in range(2):
        device = a_device(lasting_provider, service, scope="openid email")
        asked = send(browser, "/device", {"user_code": device.user_code})
        assert asked.location.startswith("/consent?")
        assert "De nouvelles données" not in browser.get(asked.location).text
        lasting_provider.consent(browser, asked.location)


@pytest.mark.spec("RFC 8628", "3.3", "RECOMMENDED")
def test_screen_of_consent_names_who_asks(lasting_provider: Provider) -> None:
    """The name of the service, and what it would receive."""
    service = lasting_provider.a_client(is_public=True, name="Télévision de quartier", redirect_uris=())
    browser = lasting_provider.signed_in()

    asked = send(
        browser, "/device", {"user_code": a_device(lasting_provider, service, scope="openid email").user_code}
    )

    text = browser.get(asked.location).text
    assert "Télévision de quartier" in text
    assert "Adresse e-mail" in text
    assert "devant l’appareil" in text
    assert urlsplit(ISSUER).hostname not in text.partition("<main")[2]


@pytest.mark.spec("RFC 8628", "3.3", "SHOULD")
@pytest.mark.parametrize("decision,ending", [("allow", ""), ("deny", "error=access_denied")])
def test_answer_ends_on_a_page_that_says_to_go_back_to_the_device(
    lasting_provider: Provider, decision: str, ending: str
) -> None:
    """No code, no token and nothing of the client's goes through the browser."""
    answer = a_device(lasting_provider).is_answered(decision)

    assert answer.status_code == 303
    assert answer.location.startswith(f"{ISSUER}/device/answer")
    assert ending in answer.location
    assert "code=" not in answer.location
    assert "token" not in answer.location


@pytest.mark.spec("RFC 8628", "3.3", "MUST")
def test_answer_of_a_device_never_goes_to_an_address_of_the_client(lasting_provider: Provider) -> None:
    """What the device asks for can't name another end."""
    service = lasting_provider.a_client()
    device = a_device(
        lasting_provider, service, redirect_uri=CALLBACK, response_mode="form_post", prompt="none"
    )

    answer = device.is_answered()

    assert answer.location.startswith(f"{ISSUER}/device/answer")


@pytest.mark.spec("RFC 8628", "3.3", "MUST")
def test_page_of_a_request_in_a_browser_can_not_pass_for_a_device(lasting_provider: Provider) -> None:
    """The address of that page is nobody's redirect URI."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, redirect_uri=f"{ISSUER}/device/answer"
    )

    assert answer.status_code == 400


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.3", "MUST")
def test_device_that_was_answered_in_another_browser_says_so(lasting_provider: Provider) -> None:
    """Two people type one code: the first answer stands, the second is told that it is over."""
    device = a_device(lasting_provider)
    late = lasting_provider.signed_in()
    asked = send(late, "/device", {"user_code": device.user_code})
    fields = form_of(late.get(asked.location))

    device.is_answered("deny")
    answer = late.post("/consent", data={**fields, "decision": "allow"})

    assert "error=expired_token" in answer.location
    assert device.polls().json["error"] == "access_denied"
