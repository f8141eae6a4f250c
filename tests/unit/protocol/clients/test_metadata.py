"""Everything that is wrong with a client, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.domain.client import (
    ApplicationType,
    CertificateSubject,
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    ClientSecret,
    Encryption,
    Profile,
    SubjectType,
)
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
        ({"starts_at": NOW.replace(tzinfo=None), "ends_at": NOW}, {"starts_at"}),
        ({"starts_at": NOW, "ends_at": NOW.replace(tzinfo=None)}, {"ends_at"}),
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
        ({"claims": (ClaimUse("email", {"fr": "x" * 1001}),)}, {"claims"}),
        ({"claims": (ClaimUse("email", {"fr": "x", "en": "\u202e"}),)}, {"claims"}),
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


P384_KEY = {"kty": "EC", "crv": "P-384", "x": "x" * 64, "y": "y" * 64, "kid": "4", "use": "enc"}
X25519_KEY = {"kty": "OKP", "crv": "X25519", "x": "x" * 43, "kid": "5", "use": "enc", "alg": "ECDH-ES"}
FAPI_CLIENT = {
    "profile": Profile.FAPI2,
    "authentication_method": PRIVATE_KEY_JWT,
    "jwks": {"keys": [EC_KEY]},
    "dpop_bound_access_tokens": True,
}
SIGNED = {
    "profile": Profile.FAPI2_MESSAGE_SIGNING,
    "request_object_signing_alg": "ES256",
    "authorization_signed_response_alg": "PS256",
}
IMPLICIT = {
    "response_types": frozenset({"code id_token"}),
    "grant_types": frozenset({"authorization_code", "refresh_token", "implicit"}),
}


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"jwks": {"keys": [EC_KEY]}, "jwks_uri": "https://rp.example/jwks"}, {"jwks_uri"}),
        ({"jwks_uri": "http://rp.example/jwks"}, {"jwks_uri"}),
        ({"authentication_method": ClientAuthenticationMethod.SELF_SIGNED_TLS}, {"jwks"}),
        (
            {"authentication_method": PRIVATE_KEY_JWT, "jwks": {"keys": [RSA_KEY | {"use": "enc"}]}},
            {"jwks"},
        ),
        ({"authentication_method": ClientAuthenticationMethod.TLS}, {"tls_client_auth_subject_dn"}),
        ({"certificate_subject": CertificateSubject("subject_cn", "a")}, {"certificate_subject"}),
        ({"certificate_subject": CertificateSubject("san_dns", "")}, {"tls_client_auth_san_dns"}),
        ({"certificate_subject": CertificateSubject("san_dns", "a\n")}, {"tls_client_auth_san_dns"}),
        ({"certificate_subject": CertificateSubject("san_dns", "a" * 1025)}, {"tls_client_auth_san_dns"}),
        (
            {
                "authentication_method": ClientAuthenticationMethod.SECRET_JWT,
                "authentication_signing_alg": "ES256",
            },
            {"token_endpoint_auth_signing_alg"},
        ),
        ({"id_token_encryption": Encryption("RSA1_5"), "jwks": {"keys": [RSA_KEY]}},
         {"id_token_encrypted_response_alg", "jwks"}),
        ({"userinfo_encryption": Encryption("RSA-OAEP", "A192GCM"), "jwks_uri": "https://rp.example/jwks"},
         {"userinfo_encrypted_response_enc"}),
        ({"authorization_encryption": Encryption("RSA-OAEP")}, {"jwks"}),
        ({"introspection_encryption": Encryption("RSA-OAEP"), "jwks": {"keys": [EC_KEY]}}, {"jwks"}),
        ({"introspection_encryption": Encryption("RSA-OAEP"), "jwks": {"keys": [RSA_KEY]}}, {"jwks"}),
        ({"id_token_encryption": Encryption("ECDH-ES+A128KW"), "jwks": {"keys": [X25519_KEY]}}, {"jwks"}),
        ({"request_object_encryption": Encryption("RSA1_5")}, {"request_object_encryption_alg"}),
        ({"request_object_encryption": Encryption("ECDH-ES", "x")}, {"request_object_encryption_enc"}),
        ({"request_object_signing_alg": "none"}, {"request_object_signing_alg"}),
        ({"authorization_signed_response_alg": "HS256"}, {"authorization_signed_response_alg"}),
        ({"introspection_signed_response_alg": "none"}, {"introspection_signed_response_alg"}),
    ],
)  # fmt: skip
def test_faulty_proof_or_algorithm_is_named(changes: dict[str, object], fields: set[str]) -> None:
    """Keys, certificates and algorithms that could not work are refused at once, not at the first login."""
    assert fields_of(a_client(**changes)) == fields


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": {"keys": [P384_KEY]}, "id_token_encryption": Encryption("ECDH-ES+A256KW", "A256GCM")},
        {"jwks": {"keys": [X25519_KEY, EC_KEY]}, "userinfo_encryption": Encryption("ECDH-ES")},
        {"jwks": {"keys": [RSA_KEY | {"use": "enc"}]}, "authorization_encryption": Encryption("RSA-OAEP")},
        {"jwks_uri": "https://rp.example/jwks", "introspection_encryption": Encryption("RSA-OAEP-256")},
        {"request_object_encryption": Encryption("RSA-OAEP-256", "A256CBC-HS512")},
        {"jwks": {"keys": [EC_KEY | {"x5c": ["MIIB"]}]}, "tls_bound_access_tokens": True,
         "authentication_method": ClientAuthenticationMethod.SELF_SIGNED_TLS},
        {"certificate_subject": CertificateSubject("subject_dn", "CN=rp,O=Ville"),
         "authentication_method": ClientAuthenticationMethod.TLS},
        {"authentication_method": ClientAuthenticationMethod.SECRET_JWT, "authentication_signing_alg": "HS256"},
    ],
)  # fmt: skip
def test_proof_and_encryption_that_can_work_are_accepted(changes: dict[str, object]) -> None:
    """Each kind of key for what it can do."""
    assert problems(a_client(**changes)) == ()


@pytest.mark.parametrize(
    "key",
    [
        EC_KEY | {"kid": 1},
        EC_KEY | {"x5c": "MIIB"},
        EC_KEY | {"x5c": []},
        EC_KEY | {"use": "both"},
        EC_KEY | {"use": ["sig"]},
        EC_KEY | {"use": "sig", "alg": "ECDH-ES"},
        EC_KEY | {"x": "not base64url!"},
        P384_KEY | {"use": "sig"},
        X25519_KEY | {"alg": "RSA-OAEP"},
        RSA_KEY | {"use": "enc", "alg": "RSA1_5"},
        RSA_KEY | {"use": "enc", "alg": "PS256"},
        RSA_KEY | {"n": ["n" * 342]},
    ],
)
def test_key_that_serves_nothing_is_refused(key: dict[str, object]) -> None:
    """By its use, its algorithm, its curve or what it is made of."""
    assert fields_of(a_client(jwks={"keys": [key]})) == {"jwks"}


@pytest.mark.spec("OIDC Registration", "2", "MUST")
@pytest.mark.parametrize(
    "changes, fields",
    [
        (IMPLICIT | {"response_types": frozenset({"code"})}, {"response_types"}),
        (IMPLICIT | {"grant_types": frozenset({"authorization_code", "refresh_token"})}, {"response_types"}),
        (IMPLICIT | {"response_types": frozenset({"id_token"})}, {"response_types"}),
        (IMPLICIT | {"redirect_uris": ("http://localhost/cb",)}, {"redirect_uris"}),
        (IMPLICIT | {"response_types": frozenset({"code token"}), "dpop_bound_access_tokens": True},
         {"response_types"}),
    ],
)  # fmt: skip
def test_response_types_that_do_not_fit_are_refused(changes: dict[str, object], fields: set[str]) -> None:
    """With their grants, with https, and without a key that a token in an address can't be bound to."""
    assert fields_of(a_client(**changes)) == fields


@pytest.mark.spec("OIDC Registration", "2", "MUST")
def test_native_application_goes_to_its_own_machine_or_scheme() -> None:
    """An https address is a web application's."""
    native = {"application_type": ApplicationType.NATIVE, "post_logout_redirect_uris": ()}

    assert (
        problems(a_public_client(**native, redirect_uris=("com.example.app:/cb", "http://127.0.0.1/"))) == ()
    )
    assert fields_of(a_public_client(**native)) == {"redirect_uris"}


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"tos_uri": "javascript:x"}, {"tos_uri"}),
        ({"initiate_login_uri": "http://rp.example/"}, {"initiate_login_uri"}),
        ({"backchannel_logout_uri": "http://rp.example/"}, {"backchannel_logout_uri"}),
        ({"backchannel_logout_uri": "https://rp.example/#x"}, {"backchannel_logout_uri"}),
        ({"frontchannel_logout_uri": "https://rp.example/out"}, {"frontchannel_logout_uri"}),
        ({"frontchannel_logout_uri": "https://parking.example.org:8443/out"}, {"frontchannel_logout_uri"}),
        ({"frontchannel_logout_uri": "x"}, {"frontchannel_logout_uri"}),
        ({"request_uris": ("http://rp.example/r",)}, {"request_uris"}),
        ({"request_uris": ("https://rp.example/r#a b",)}, {"request_uris"}),
        ({"request_uris": ("https://rp.example/r",) * 51}, {"request_uris"}),
        ({"allowed_origins": ("null",)}, {"allowed_origins"}),
        ({"allowed_origins": ("*",)}, {"allowed_origins"}),
        ({"allowed_origins": ("https://*.rp.example",)}, {"allowed_origins"}),
        ({"allowed_origins": ("https://rp.example/",)}, {"allowed_origins"}),
        ({"allowed_origins": ("https://rp.example:443",)}, {"allowed_origins"}),
        ({"allowed_origins": ("http://rp.example",)}, {"allowed_origins"}),
        ({"allowed_origins": ("https://RP.example",)}, {"allowed_origins"}),
        ({"resource_identifier": "/api"}, {"resource_identifier"}),
        ({"resource_identifier": "https://api.example/#x"}, {"resource_identifier"}),
        ({"resources": ("api",)}, {"resources"}),
        ({"resources": ("data:x",)}, {"resources"}),
        ({"resources": ("urn:ville:api",) * 51}, {"resources"}),
        ({"default_max_age": -1}, {"default_max_age"}),
        ({"userinfo_max_age": 10**10}, {"userinfo_max_age"}),
        ({"default_acr_values": ("a b",)}, {"default_acr_values"}),
        ({"default_acr_values": ("",)}, {"default_acr_values"}),
        ({"userinfo_acr": "gold"}, {"userinfo_acr"}),
        ({"sector_identifier_uri": "http://rp.example/"}, {"sector_identifier_uri"}),
        ({"sector_identifier_uri": "https://rp.example/s", "sector_identifier": "other.example"},
         {"sector_identifier"}),
    ],
)  # fmt: skip
def test_faulty_address_or_level_is_named(changes: dict[str, object], fields: set[str]) -> None:
    """Logout, requests, scripts, APIs and levels."""
    assert fields_of(a_client(**changes)) == fields


@pytest.mark.rule("OID-6", "OID-10")
def test_addresses_of_every_kind_are_accepted() -> None:
    """As a service of today registers them."""
    client = a_client(
        tos_uri="https://rp.example/tos",
        initiate_login_uri="http://localhost:8002/login",
        backchannel_logout_uri="https://rp.example/back?a=1",
        frontchannel_logout_uri="https://parking.example.org:443/front",
        request_uris=("https://rp.example/r#k9dQ_2-A",),
        allowed_origins=("https://rp.example", "https://rp.example:8443", "http://localhost:8002"),
        resource_identifier="urn:ville:api",
        resources=("https://api.example/v1?tenant=a",),
        default_max_age=0,
        default_acr_values=("eidas1",),
        userinfo_acr="eidas1",
        userinfo_max_age=60,
        sector_identifier_uri="https://sector.example/uris",
        sector_identifier="sector.example",
    )

    assert problems(client) == ()


def test_public_client_is_no_api() -> None:
    """It could not prove itself at introspection."""
    assert fields_of(a_public_client(resource_identifier="https://api.example/")) == {"resource_identifier"}


def test_device_needs_no_redirect_uri() -> None:
    """The person comes back to nowhere; the device may refresh."""
    client = a_public_client(
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=frozenset({"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}),
        response_types=frozenset(),
    )

    assert problems(client) == ()


@pytest.mark.rule("OID-4")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"authentication_method": ClientAuthenticationMethod.SECRET_BASIC}, {"token_endpoint_auth_method"}),
        ({"authentication_method": ClientAuthenticationMethod.SECRET_JWT}, {"token_endpoint_auth_method"}),
        ({"accepts_endpoint_audience": True}, {"accepts_endpoint_audience"}),
        ({"dpop_bound_access_tokens": False}, {"dpop_bound_access_tokens"}),
        ({"require_pkce": False}, {"require_pkce"}),
        ({"redirect_uris": ("http://localhost/cb",)}, {"redirect_uris"}),
        (IMPLICIT, {"grant_types", "response_types"}),
        ({"id_token_signed_response_alg": "RS256"}, {"id_token_signed_response_alg"}),
        ({"userinfo_signed_response_alg": "RS256"}, {"userinfo_signed_response_alg"}),
        ({"authentication_signing_alg": "RS256"}, {"token_endpoint_auth_signing_alg"}),
        ({"request_object_signing_alg": "RS256"}, {"request_object_signing_alg"}),
    ],
)
def test_profile_is_demanded_as_a_whole(changes: dict[str, object], fields: set[str]) -> None:
    """A client that is marked and does not fit would be told at each request; it is told at once."""
    assert problems(a_client(**FAPI_CLIENT)) == ()
    assert fields_of(a_client(**(FAPI_CLIENT | changes))) == fields


@pytest.mark.rule("OID-4")
@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3", "SHALL")
@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"request_object_signing_alg": None}, {"request_object_signing_alg"}),
        ({"authorization_signed_response_alg": None}, {"authorization_signed_response_alg"}),
        ({"introspection_signed_response_alg": "RS256"}, {"introspection_signed_response_alg"}),
        ({"response_modes": frozenset({"query", "fragment"})}, {"response_modes"}),
        (
            {
                "jwks": None,
                "authentication_method": ClientAuthenticationMethod.TLS,
                "certificate_subject": CertificateSubject("san_dns", "rp.example"),
            },
            {"jwks"},
        ),
    ],
)
def test_message_signing_demands_the_more(changes: dict[str, object], fields: set[str]) -> None:
    """Signed requests need a key and an algorithm, signed answers an algorithm."""
    assert problems(a_client(**FAPI_CLIENT | SIGNED)) == ()
    assert fields_of(a_client(**(FAPI_CLIENT | SIGNED | changes))) == fields


def test_what_is_off_here_can_not_be_registered() -> None:
    """Rules of the installation: response types, methods, keys to decrypt with."""
    rules = Rules(
        response_types=("code",), authentication_methods=("private_key_jwt",), decryption_algs=("ECDH-ES",)
    )
    client = a_client(**IMPLICIT, request_object_encryption=Encryption("RSA-OAEP"))

    assert {problem.field for problem in problems(client, rules)} == {
        "response_types",
        "token_endpoint_auth_method",
        "request_object_encryption_alg",
    }
