"""Everything that is wrong with a client, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.domain.client import ClaimUse, Client, ClientAuthenticationMethod, ClientSecret, SubjectType
from idp.protocol.claims.standard import COMPANIONS, PERSON_CLAIMS
from idp.protocol.clients.metadata import Rules, problems
from tests.support.authorization_requests import NOW, a_client, a_public_client

EC_KEY = {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "y" * 43, "kid": "1"}
OKP_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "x" * 43, "kid": "2", "alg": "EdDSA"}
RSA_KEY = {"kty": "RSA", "n": "n" * 342, "e": "AQAB", "kid": "3", "use": "sig"}
PRIVATE_KEY_JWT = ClientAuthenticationMethod.PRIVATE_KEY_JWT


def fields_of(client: Client) -> set[str]:
    """Name the fields that are wrong."""
    return {problem.field for problem in problems(client)}


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/cb",
        "https://rp.example:8443/cb?a=1&b=%20",
        "https://rp.example",
        "http://localhost:8002/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "https://xn--mller-kva.example/cb",
    ],
)
def test_web_redirect_uri_is_accepted(uri: str) -> None:
    """A web client uses https anywhere, http on this machine."""
    assert problems(a_client(redirect_uris=(uri,), post_logout_redirect_uris=(uri,))) == ()


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "rp.example/cb",
        "//rp.example/cb",
        "https:",
        "https:///cb",
        "https:rp.example",
        "https://",
        "HTTPS://rp.example/cb",
        "http://rp.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "https://user@rp.example/cb",
        "https://user:pw@rp.example/cb",
        "https://rp.example/cb#",
        "https://rp.example/cb#fragment",
        "https://*.rp.example/cb",
        "https://rp.example/*",
        "https://rp.example/a b",
        " https://rp.example/cb",
        "https://rp.example/cb\n",
        "https://rp.example/\tcb",
        "https://rp.example/\x00",
        "https://rp.example\\@evil.example/cb",
        "https://rp.example/cb\\",
        "https://rp.éxample/cb",
        "https://rp.example/é",
        "https://RP.example/cb",
        "https://rp.example:0/cb",
        "https://rp.example:99999/cb",
        "https://rp.example:x/cb",
        "https://[::2]/cb",
        "https://[::1/cb",
        "https://-rp.example/cb",
        "https://rp%2eexample/cb",
        "https://rp.example/%zz",
        "https://rp.example/a/../cb",
        "https://rp.example/<script>",
        "https://rp.example/{a}",
        "https://rp.example/" + "a" * 2048,
        "javascript:alert(1)",
        "JavaScript://rp.example/%0aalert(1)",
        "data:text/html,x",
        "DATA:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://rp.example/x",
        "about:blank",
        "ftp://rp.example/",
        "mailto:x@rp.example",
        "intent://rp.example",
        "view-source:https://rp.example",
        "myapp:/cb",
        "myapp://cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "com.example.app:/cb",
        "com.example.app:cb",
    ],
)
def test_dangerous_redirect_uri_of_a_web_client_is_refused(uri: str) -> None:
    """What browsers and servers read differently, or what runs, is never registered."""
    client = a_client(redirect_uris=(uri,), post_logout_redirect_uris=(uri,))

    assert {"redirect_uris", "post_logout_redirect_uris"} <= fields_of(client)


@pytest.mark.spec("RFC 8252", "7.1", "MUST")
@pytest.mark.parametrize("uri", ["com.example.app:/cb", "com.example.app://cb/x"])
def test_app_scheme_of_a_public_client_is_accepted(uri: str) -> None:
    """A reversed domain name of the app's maker is a scheme for apps."""
    assert problems(a_public_client(redirect_uris=(uri,))) == ()


@pytest.mark.parametrize("uri", ["myapp:/cb", "com.example.app:cb", "Com.example.app:/cb", "1.a:/cb"])
def test_app_scheme_without_a_domain_is_refused(uri: str) -> None:
    """A scheme that anybody could choose belongs to nobody."""
    assert "redirect_uris" in fields_of(a_public_client(redirect_uris=(uri,)))


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "st%61te"])
def test_redirect_uri_with_a_parameter_of_the_answer_is_refused(name: str) -> None:
    """The client would read two of them."""
    client = a_client(redirect_uris=(f"https://rp.example/cb?{name}=",))

    assert fields_of(client) == {"redirect_uris"}


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"client_id": ""}, {"client_id"}),
        ({"client_id": "a b"}, {"client_id"}),
        ({"client_id": "a\n"}, {"client_id"}),
        ({"client_id": "a" * 43}, {"client_id"}),
        ({"client_id": "a" * 256}, {"client_id"}),
        ({"name": " "}, {"client_name"}),
        ({"name": "a" * 201}, {"client_name"}),
        ({"name": "a\x00"}, {"client_name"}),
        ({"name": "a\u202eb"}, {"client_name"}),
        ({"policy_version": ""}, {"policy_version"}),
        ({"contacts": ("dsi",)}, {"contacts"}),
        ({"starts_at": NOW, "ends_at": NOW}, {"ends_at"}),
        ({"redirect_uris": ()}, {"redirect_uris"}),
        ({"redirect_uris": ("https://rp.example/",) * 51}, {"redirect_uris"}),
        ({"logo_uri": "https://rp.example/logo.png"}, {"logo_uri"}),
        ({"policy_uri": "javascript:x"}, {"policy_uri"}),
        ({"service_uri": "com.example:/x"}, {"client_uri"}),
        ({"authentication_signing_alg": "HS256"}, {"token_endpoint_auth_signing_alg"}),
        ({"authentication_signing_alg": "none"}, {"token_endpoint_auth_signing_alg"}),
        ({"authentication_method": PRIVATE_KEY_JWT}, {"jwks"}),
        ({"grant_types": frozenset()}, {"grant_types", "response_types", "scope"}),
        (
            {"grant_types": frozenset({"authorization_code", "refresh_token", "password"})},
            {"grant_types"},
        ),
        (
            {"grant_types": frozenset({"refresh_token"}), "response_types": frozenset()},
            {"grant_types"},
        ),
        ({"response_types": frozenset({"code", "token"})}, {"response_types"}),
        ({"response_types": frozenset()}, {"response_types"}),
        ({"response_modes": frozenset()}, {"response_modes"}),
        ({"response_modes": frozenset({"web_message"})}, {"response_modes"}),
        ({"id_token_signed_response_alg": "HS256"}, {"id_token_signed_response_alg"}),
        ({"id_token_signed_response_alg": "none"}, {"id_token_signed_response_alg"}),
        ({"userinfo_signed_response_alg": "none"}, {"userinfo_signed_response_alg"}),
        ({"sector_identifier": "https://a.example/x"}, {"sector_identifier"}),
        ({"sector_identifier": ""}, {"sector_identifier"}),
        ({"redirect_uris": ("https://a.example/", "https://b.example/")}, {"sector_identifier"}),
        ({"scopes": frozenset({"openid", "ad min"})}, {"scope"}),
        ({"scopes": frozenset({"openid", "a" * 201})}, {"scope"}),
        ({"scopes": frozenset({"openid", "admin"}), "is_verified": False}, {"scope"}),
        ({"scopes": frozenset({"email"})}, {"scope"}),
        ({"grant_types": frozenset({"authorization_code"})}, {"scope"}),
        ({"claims": (ClaimUse("shoe_size", {"fr": "x"}),)}, {"claims"}),
        ({"claims": (ClaimUse("email_verified", {"fr": "x"}),)}, {"claims"}),
        ({"claims": (ClaimUse("sub", {"fr": "x"}),)}, {"claims"}),
        ({"claims": (ClaimUse("email", {"en": "x"}),)}, {"claims"}),
        ({"claims": (ClaimUse("email", {"fr": " "}),)}, {"claims"}),
        ({"claims": (ClaimUse("email", {"fr": "x"}, minimum_level=1),)}, {"claims"}),
        ({"claims": (ClaimUse("email", {"fr": "x"}),) * 2}, {"claims"}),
    ],
)
def test_faulty_field_is_named(changes: dict[str, object], fields: set[str]) -> None:
    """Each fault names its field, and no other."""
    assert fields_of(a_client(**changes)) == fields


@pytest.mark.rule("ADM-1")
def test_all_faults_are_told_at_once() -> None:
    """An administrator corrects a file once."""
    client = a_client(name="", redirect_uris=("http://rp.example/",), scopes=frozenset())

    assert fields_of(client) == {"client_name", "redirect_uris", "scope"}


def test_messages_can_go_on_the_wire() -> None:
    """They are ASCII, and hold nothing of what was sent."""
    client = a_client(name="é\x00", client_id="é", redirect_uris=("https://é/",))

    for problem in problems(client):
        assert problem.message.isascii()
        assert problem.message.isprintable()


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"require_pkce": False}, {"require_pkce"}),
        ({"secrets": (ClientSecret(b"x", NOW),)}, {"client_secret"}),
        (
            {"grant_types": frozenset({"authorization_code", "refresh_token", "client_credentials"})},
            {"grant_types"},
        ),
    ],
)
def test_public_client_with_what_needs_a_secret_is_refused(
    changes: dict[str, object], fields: set[str]
) -> None:
    """A client that can't keep a secret has none, and proves its requests by PKCE."""
    assert fields_of(a_public_client(**changes)) == fields


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": None},
        {"keys": []},
        {"keys": [EC_KEY] * 21},
        {"keys": ["key"]},
        {"keys": [{}]},
        {"keys": [{"kty": ["EC"]}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [EC_KEY | {"d": "private"}]},
        {"keys": [RSA_KEY | {"p": "private"}]},
        {"keys": [EC_KEY | {"crv": "secp256k1"}]},
        {"keys": [EC_KEY | {"y": ""}]},
        {"keys": [EC_KEY | {"x": 1}]},
        {"keys": [OKP_KEY | {"crv": "X25519"}]},
        {"keys": [OKP_KEY | {"x": None}]},
        {"keys": [RSA_KEY | {"n": "n" * 171}]},
        {"keys": [RSA_KEY | {"e": ""}]},
        {"keys": [RSA_KEY | {"alg": "HS256"}]},
        {"keys": [EC_KEY | {"alg": "RS256"}]},
        {"keys": [EC_KEY | {"alg": "none"}]},
        {"keys": [EC_KEY | {"use": "enc"}]},
        {"keys": [EC_KEY, OKP_KEY | {"kid": "1"}]},
        {"keys": [EC_KEY, {n: v for n, v in OKP_KEY.items() if n != "kid"}]},
    ],
)
def test_key_set_that_proves_nothing_is_refused(jwks: dict[str, object]) -> None:
    """Public, strong, of a known kind, and each with a name of its own."""
    client = a_client(authentication_method=PRIVATE_KEY_JWT, jwks=jwks)

    assert fields_of(client) == {"jwks"}


@pytest.mark.rule("OID-4")
def test_key_set_of_every_kind_is_accepted() -> None:
    """ES256, EdDSA and RSA keys live side by side, as during a rotation; one alone needs no kid."""
    keys = [EC_KEY, OKP_KEY, RSA_KEY]
    alone = {name: value for name, value in EC_KEY.items() if name != "kid"}

    for several in (keys, [alone]):
        client = a_client(
            authentication_method=PRIVATE_KEY_JWT,
            authentication_signing_alg="ES256",
            jwks={"keys": several},
        )
        assert problems(client) == ()


@pytest.mark.rule("CON-6")
@pytest.mark.parametrize(
    "changes",
    [{"sector_identifier": "city.example"}, {"subject_type": SubjectType.PUBLIC}],
)
def test_several_hosts_with_one_subject_are_accepted(changes: dict[str, object]) -> None:
    """It has to be said how the person is called at both hosts."""
    client = a_client(redirect_uris=("https://a.example/", "https://b.example/"), **changes)

    assert problems(client) == ()


def test_service_without_people_is_accepted() -> None:
    """A client that only calls interfaces needs no redirect URI and no openid."""
    client = a_client(
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=frozenset({"client_credentials"}),
        response_types=frozenset(),
        scopes=frozenset({"requests:write"}),
        claims=(),
    )

    assert problems(client) == ()


def test_client_with_everything_is_accepted() -> None:
    """Each optional field has a value that passes."""
    client = a_client(
        contacts=("dsi@example.org",),
        logo_uri="/services/parking/logo?v=1",
        policy_uri="https://rp.example/donnees",
        service_uri="http://localhost:8002/",
        userinfo_signed_response_alg="ES256",
        starts_at=NOW,
        ends_at=NOW + timedelta(days=1),
        claims=tuple(
            ClaimUse(name, {"fr": "Pour le service."}) for name in PERSON_CLAIMS if name not in COMPANIONS
        ),
    )

    assert problems(client) == ()


def test_algorithm_without_a_key_is_refused() -> None:
    """What the keyring can't sign with can't be promised."""
    client = a_client(id_token_signed_response_alg="PS256")

    assert problems(client) == ()
    assert len(problems(client, Rules(signing_algs=("ES256", "RS256")))) == 1
