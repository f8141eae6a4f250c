"""idpyoidc's relying party, the library of a certified implementation, against a started provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from idpyoidc.client.defaults import DEFAULT_OIDC_SERVICES
from idpyoidc.client.rp_handler import RPHandler

from tests.support.started import BYE, CALLBACK, Registered

if TYPE_CHECKING:
    from tests.support.plain_browser import PlainBrowser
    from tests.support.started import Started

pytestmark = pytest.mark.rule("OID-1", "OID-4")
PKCE = {
    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}
SERVICES = {**DEFAULT_OIDC_SERVICES, "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"}}
PREFERENCE: dict[str, Any] = {
    "response_types_supported": ["code"],
    "scopes_supported": ["openid", "email", "offline_access"],
    "id_token_signing_alg_values_supported": ["ES256"],
    "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
}


@dataclass
class Visit:
    """A person whom the library has signed in.

    Attributes:
        party: The library.
        browser: The person's.
        email: The person's.
        state: By which the library finds them again.
        found: What it made of the answer.
    """

    party: RPHandler
    browser: PlainBrowser
    email: str
    state: str
    found: dict[str, Any]


def a_party(started: Started, service: Registered | None = None, **how: Any) -> RPHandler:
    """Configure the library for a service, or for one that will register itself."""
    method = how.pop("method", "client_secret_basic")
    preference = PREFERENCE | {"token_endpoint_auth_methods_supported": [method]} | how.pop("preference", {})
    client: dict[str, Any] = {
        "client_type": "oidc",
        "issuer": started.issuer,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "preference": preference,
        "client_authn_methods": [method],
        "add_ons": {"pkce": PKCE, **how.pop("add_ons", {})},
        "services": SERVICES,
    }
    if service is not None:
        client |= {"client_id": service.client_id, "client_secret": service.secret}
    keys = {"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]}
    return RPHandler(
        base_url="https://parking.example.org", client_configs={started.issuer: client | how}, key_conf=keys
    )


def signed_in(started: Started, party: RPHandler, **asked: str) -> Visit:
    """Let the library sign somebody new in: discovery, request, answer, tokens, UserInfo."""
    browser, email = started.browser(), started.a_person()
    answer = browser.go_through(party.begin(started.issuer, req_args=asked), email).answer
    found = party.finalize(started.issuer, answer)
    assert "error" not in found, found
    return Visit(party, browser, email, found["state"], found)


@pytest.fixture(scope="module")
def service(started: Started) -> Registered:
    """A service with a secret."""
    return started.register()


def test_idpyoidc_code_flow_gives_a_verified_identity(started: Started, service: Registered) -> None:
    """Discovery, code flow with PKCE, ID token and UserInfo, all checked by the library."""
    visit = signed_in(started, a_party(started, service))

    assert visit.found["userinfo"]["email"] == visit.email
    assert visit.found["id_token"]["iss"] == started.issuer
    assert visit.found["id_token"]["sub"] == visit.found["userinfo"]["sub"]


def test_idpyoidc_refresh_gives_tokens_that_work(started: Started, service: Registered) -> None:
    """`refresh_access_token`, then UserInfo by the new access token."""
    visit = signed_in(started, a_party(started, service))

    tokens = visit.party.refresh_access_token(visit.state)
    told = visit.party.get_user_info(visit.state, access_token=tokens["access_token"])

    assert tokens["access_token"] != visit.found["token"]
    assert told["sub"] == visit.found["id_token"]["sub"]


@pytest.mark.spec("OIDC Core", "3.3", "MUST")
@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token", "id_token token"])
def test_idpyoidc_hybrid_and_implicit_flows_give_a_verified_identity(
    started: Started, response_type: str
) -> None:
    """What comes in the fragment is checked by the library: c_hash, at_hash, nonce."""
    grants = ["authorization_code", "implicit"] if "code" in response_type else ["implicit"]
    scopes = ["openid", "email"]
    registered = started.register(response_types=[response_type], grant_types=grants, scopes=scopes)
    preference = {"response_types_supported": [response_type], "scopes_supported": scopes}
    party = a_party(started, registered, preference=preference)

    visit = signed_in(started, party)

    assert visit.found["userinfo"]["email"] == visit.email
    assert visit.found["id_token"]["sub"] == visit.found["userinfo"]["sub"]


@pytest.mark.rule("OID-6")
@pytest.mark.spec("RP-Initiated Logout", "2", "MUST")
def test_idpyoidc_logout_ends_the_session_and_comes_back(started: Started, service: Registered) -> None:
    """RP-initiated logout with the ID token as hint: back at the service, and no session is left."""
    visit = signed_in(started, a_party(started, service))
    request = visit.party.logout(visit.state, post_logout_redirect_uri=BYE)

    back = visit.browser.go_through(request["url"], visit.email)

    assert back.address.startswith(f"{BYE}?state=")
    silent = visit.browser.open(visit.party.begin(started.issuer, req_args={"prompt": "none"}))
    assert silent.answer["error"] == "login_required"


@pytest.mark.spec("RFC 7523", "2.2", "MUST")
def test_idpyoidc_private_key_jwt_proves_the_service(started: Started) -> None:
    """Code flow and refresh; the library names the token endpoint as audience, which the registration allows."""
    party = a_party(started, method="private_key_jwt")
    registered = started.register(
        authentication_method="private_key_jwt",
        jwks=party.keyjar.export_jwks(),
        accepts_endpoint_audience=True,
    )
    party.client_configs[started.issuer]["client_id"] = registered.client_id

    visit = signed_in(started, party)
    tokens = party.refresh_access_token(visit.state)

    assert tokens["access_token"] != visit.found["token"]


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9101", "4", "MUST")
def test_idpyoidc_signed_request_is_answered(started: Started) -> None:
    """JAR by value: the library's request object carries the request."""
    jar = {
        "function": "idpyoidc.client.oauth2.add_on.jar.add_support",
        "kwargs": {"request_type": "request_parameter"},
    }
    algorithm = {"request_object_signing_alg_values_supported": ["ES256"]}
    party = a_party(started, add_ons={"jar": jar}, preference=algorithm)
    registered = started.register(jwks=party.keyjar.export_jwks(), require_signed_requests=True)
    party.client_configs[started.issuer] |= {
        "client_id": registered.client_id,
        "client_secret": registered.secret,
    }
    # The library looks for the key of a request object under the name of who signs it.
    party.keyjar.import_jwks(party.keyjar.export_jwks(private=True), registered.client_id)

    visit = signed_in(started, party)

    assert visit.found["userinfo"]["email"] == visit.email


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 7591", "3.1", "MUST")
def test_idpyoidc_registers_itself_and_signs_people_in(started: Started) -> None:
    """Dynamic registration, then the code flow by the client_id and secret that came of it."""
    party = a_party(
        started, preference={"client_name": "Registered by itself", "scopes_supported": ["openid"]}
    )
    client = party.init_client(started.issuer)
    client.do_provider_info()
    # The library (5.0) reads `scope` of the answer as one word: with two of them, it takes fright.
    client.do_client_registration(request_args={"scope": "openid"})
    party.issuer2rp[started.issuer] = client

    visit = signed_in(started, party)

    assert visit.found["id_token"]["aud"] == [client.get_client_id()]
