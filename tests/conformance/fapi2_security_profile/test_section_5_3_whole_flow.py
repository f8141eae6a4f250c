"""FAPI 2.0 Security Profile (final) 5.3: the profile is enforced as a whole, from the pushed request to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import ClientAuthenticationMethod, Profile
from tests.support.client_keys import self_signed
from tests.support.dpop import ProofMaker
from tests.support.provider import BEHIND_TLS, CALLBACK, a_provider, answer_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

KEY, TLS = ClientAuthenticationMethod.PRIVATE_KEY_JWT, ClientAuthenticationMethod.SELF_SIGNED_TLS
SCOPE = "openid email offline_access"


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider behind a proxy that hands certificates over."""
    return a_provider(database, clock, keys=None, **BEHIND_TLS)


@pytest.fixture
def proofs(clock: SettableClock) -> ProofMaker:
    """The key that the client binds its tokens to."""
    return ProofMaker(clock)


def a_fapi_client(provider: Provider, method: ClientAuthenticationMethod, **fields: Any) -> Service:
    """Register a client whose requests are held to the profile."""
    if method is TLS or fields.get("tls_bound_access_tokens"):
        fields.setdefault("certificate", self_signed("a client"))
    return provider.a_client(authentication_method=method, profile=Profile.FAPI2, **fields)


def push(provider: Provider, service: Service, **changes: str | None) -> TestResponse:
    """Push a request that passes, with changes."""
    return provider.post("/par", service, **(provider.parameters(service, scope=SCOPE) | changes))


def opened(browser: FlaskClient, service: Service, pushed: TestResponse) -> TestResponse:
    """Bring the browser with the name of a pushed request."""
    assert pushed.status_code == 201, pushed.text
    query = {"client_id": service.client_id, "request_uri": (pushed.json or {})["request_uri"]}
    return browser.get("/authorize", query_string=query)


def a_code(provider: Provider, browser: FlaskClient, service: Service, **changes: str | None) -> str:
    """Go the way of the profile to a code."""
    answer = opened(browser, service, push(provider, service, **changes))
    if "/consent" in answer.headers.get("Location", ""):
        answer = provider.consent(browser, answer.location)
    return answer_of(answer)["code"]


def redeemed(provider: Provider, service: Service, code: str, proof: str | None = None) -> TestResponse:
    """Bring a code to /token, with a proof of possession or none."""
    headers, fields = service.authentication()
    form = {
        **fields,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": service.verifier,
    }
    return provider.back_channel.post(
        "/token", data=form, headers=headers | ({"DPoP": proof} if proof is not None else {})
    )


@pytest.mark.rule("OID-5")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2", "SHALL")
@pytest.mark.parametrize("method", [KEY, TLS], ids=str)
def test_client_gets_tokens_bound_to_its_key(
    provider: Provider, proofs: ProofMaker, method: ClientAuthenticationMethod
) -> None:
    """Pushed request, code, proof: a DPoP token that opens UserInfo with a proof and not without."""
    service, browser = a_fapi_client(provider, method), provider.signed_in()
    code = a_code(provider, browser, service)

    tokens = redeemed(provider, service, code, proofs.proof("/token")).get_json()

    assert tokens["token_type"] == "DPoP"
    token = tokens["access_token"]
    proof = proofs.proof("/userinfo", method="GET", access_token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert provider.back_channel.get("/userinfo", headers=headers).status_code == 200
    assert provider.userinfo(token).status_code == 401


@pytest.mark.rule("OID-5")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
@pytest.mark.parametrize("method", [KEY, TLS], ids=str)
def test_client_gets_tokens_bound_to_its_certificate(
    provider: Provider, method: ClientAuthenticationMethod
) -> None:
    """The same by mutual TLS: another certificate, or none, opens nothing."""
    service = a_fapi_client(provider, method, tls_bound_access_tokens=True)
    browser = provider.signed_in()

    tokens = redeemed(provider, service, a_code(provider, browser, service)).get_json()

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert service.certificate is not None
    own = {"Client-Cert": service.certificate.client_cert}
    other = {"Client-Cert": self_signed("another").client_cert}
    answers = [provider.back_channel.get("/userinfo", headers=bearer | more) for more in (own, other, {})]
    assert [answer.status_code for answer in answers] == [200, 401, 401]


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
def test_token_bound_to_nothing_is_not_given(provider: Provider) -> None:
    """A client of the profile without a proof gets no bearer token."""
    service = a_fapi_client(provider, KEY)
    code = a_code(provider, provider.signed_in(), service)

    answer = redeemed(provider, service, code)

    assert answer.status_code == 400
    assert "access_token" not in (answer.json or {})


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
def test_plain_request_is_refused(provider: Provider) -> None:
    """Without PAR there is no code, whoever is signed in."""
    service = a_fapi_client(provider, KEY)

    found = answer_of(provider.authorize(provider.signed_in(), service))

    assert found["error"] == "invalid_request"
    assert "code" not in found


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "code id_token"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
    ],
    ids=str,
)
def test_pushed_request_is_checked_at_once(provider: Provider, changes: dict[str, str | None]) -> None:
    """What would fail in the browser fails before the browser is sent anywhere."""
    service = a_fapi_client(provider, KEY)

    answer = push(provider, service, **changes)

    assert answer.status_code == 400
    assert "request_uri" not in (answer.json or {})


@pytest.mark.rule("OID-5")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
def test_pushed_request_may_be_opened_again_until_it_is_answered(provider: Provider) -> None:
    """A page that is loaded anew, or a second tab, is no attack; a second answer would be."""
    service = a_fapi_client(provider, KEY)
    pushed = push(provider, service)
    nobody, browser = provider.client(), provider.signed_in()

    for _ in range(2):
        assert "/sign-in" in opened(nobody, service, pushed).location
    first = opened(browser, service, pushed)
    if "/consent" in first.headers.get("Location", ""):
        first = provider.consent(browser, first.location)
    assert "code" in answer_of(first)

    again = opened(browser, service, pushed)

    assert again.status_code == 400
    assert "code=" not in again.headers.get("Location", "")


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
@pytest.mark.parametrize("waited, status", [(59, 200), (60, 400)])
def test_code_lives_sixty_seconds_at_most(
    database: Database, clock: SettableClock, proofs: ProofMaker, waited: int, status: int
) -> None:
    """Whatever the configuration gives other clients."""
    provider = a_provider(database, clock, tokens={"code_seconds": 600})
    service = a_fapi_client(provider, KEY)
    code = a_code(provider, provider.signed_in(), service)

    clock.advance(seconds=waited)

    assert redeemed(provider, service, code, proofs.proof("/token")).status_code == status


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL NOT")
def test_refresh_token_stays_and_takes_a_new_key(provider: Provider, proofs: ProofMaker) -> None:
    """No rotation; the client proves itself, and may bind the new access token to another key."""
    service, browser = a_fapi_client(provider, KEY), provider.signed_in()
    tokens = redeemed(provider, service, a_code(provider, browser, service), proofs.proof()).get_json()
    other = ProofMaker(provider.clock)

    headers, fields = service.authentication()
    form = {**fields, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = provider.back_channel.post("/token", data=form, headers=headers | {"DPoP": other.proof()})

    body = renewed.get_json()
    assert renewed.status_code == 200, renewed.text
    assert body.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    assert provider.introspect(service, body["access_token"])["cnf"] == {"jkt": other.jkt}


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
def test_code_bound_to_a_key_is_redeemed_by_that_key_alone(provider: Provider, proofs: ProofMaker) -> None:
    """`dpop_jkt`: another key gets nothing, and the code is gone."""
    service, browser = a_fapi_client(provider, KEY), provider.signed_in()
    code = a_code(provider, browser, service, dpop_jkt=proofs.jkt)
    thief = ProofMaker(provider.clock)

    assert redeemed(provider, service, code, thief.proof()).status_code == 400

    code = a_code(provider, browser, service, dpop_jkt=proofs.jkt)
    assert redeemed(provider, service, code, proofs.proof()).status_code == 200
