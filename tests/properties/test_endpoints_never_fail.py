"""Whatever parameters, headers and bodies come to an endpoint, it answers, and never by a 500 (OID-9)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.client import GrantType
from idp.protocol.authorization.request import KNOWN_PARAMETERS
from tests.support.dpop import base64url, public_jwk
from tests.support.provider import BYE, CALLBACK, CHALLENGE, FORM, ISSUER, VERIFIER, Service, basic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy
    from werkzeug.test import TestResponse

    from tests.support.databases import Databases
    from tests.support.provider import Provider

PATHS = (
    "/authorize",
    "/par",
    "/token",
    "/userinfo",
    "/introspect",
    "/revoke",
    "/register",
    "/register/target",
    "/device_authorization",
    "/device",
    "/logout",
    "/logout/confirm",
    "/check-session",
    "/jwks.json",
    "/.well-known/openid-configuration",
)
METHODS = ("GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROXY = {"REMOTE_ADDR": "127.0.0.1"}
CERTIFICATE_HEADER = "X-Client-Cert"
MEMBERS = (
    "redirect_uris", "response_types", "grant_types", "application_type", "contacts", "client_name", "logo_uri",
    "client_uri", "policy_uri", "tos_uri", "jwks", "jwks_uri", "sector_identifier_uri", "subject_type",
    "id_token_signed_response_alg", "id_token_encrypted_response_alg", "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg", "request_object_signing_alg", "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg", "default_max_age", "require_auth_time", "default_acr_values",
    "initiate_login_uri", "request_uris", "post_logout_redirect_uris", "backchannel_logout_uri",
    "backchannel_logout_session_required", "frontchannel_logout_uri", "scope", "software_statement",
    "tls_client_auth_subject_dn", "dpop_bound_access_tokens", "client_id", "client_secret",
    "authorization_signed_response_alg", "introspection_signed_response_alg", "client_name#fr", "client_name#",
)  # fmt: skip
CLAIMS = (
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "htm", "htu", "ath", "nonce", "client_id", "redirect_uri",
    "response_type", "scope", "claims", "request", "request_uri", "state", "max_age", "prompt",
)  # fmt: skip
NAMES = sorted(
    KNOWN_PARAMETERS
    | {
        "grant_type", "code", "code_verifier", "refresh_token", "token", "token_type_hint", "client_secret",
        "client_assertion", "client_assertion_type", "device_code", "user_code", "access_token", "resource",
        "post_logout_redirect_uri", "logout_hint", "pending", "csrf_token", "decision", "lang", "dpop_jkt", "\x00",
    }
)  # fmt: skip
PATIENT = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


@dataclass(frozen=True)
class Target:
    """What is shot at.

    Attributes:
        provider: With everything switched on.
        service: With a secret and a key.
        values: That mean something there: tokens, addresses, names.
    """

    provider: Provider
    service: Service
    values: tuple[str, ...]


@cache
def a_private_key() -> ec.EllipticCurvePrivateKey:
    """Make the key of the service."""
    return ec.generate_private_key(ec.SECP256R1())


def signed(header: dict[str, Any], payload: object) -> str:
    """Write a JWS whose signature is right, whatever stands in it (RFC 7515 section 7.1)."""
    start = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    der = a_private_key().sign(start.encode(), ec.ECDSA(hashes.SHA256()))
    raw = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
    return f"{start}.{base64url(raw)}"


def jsons(names: tuple[str, ...], values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Draw an object with these members, of any types."""
    leaf = st.one_of(values, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
    value = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=4,
    )
    return st.dictionaries(st.one_of(st.sampled_from(names), st.text(max_size=5)), value, max_size=8)


def tokens_of(values: SearchStrategy[str]) -> SearchStrategy[str]:
    """Draw JWTs, right and wrong in their form, their signature, their header and their claims."""
    jwk = st.sampled_from([public_jwk(a_private_key()), {}, {"kty": "EC"}, {"kty": "oct", "k": "AA"}, [], 1])
    headers = st.fixed_dictionaries(
        {"alg": st.sampled_from(["ES256", "ES256", "ES256", "none", "HS256", "RS256", "", 1, None])},
        optional={
            "typ": st.sampled_from(["dpop+jwt", "oauth-authz-req+jwt", "JWT", 1, None]),
            "jwk": jwk,
            "kid": st.sampled_from(["k-1", "", 1, None, []]),
            "crit": st.sampled_from([[], ["exp"], "exp"]),
            "b64": st.booleans(),
            "zip": st.just("DEF"),
        },
    )
    return st.one_of(
        st.builds(signed, headers, jsons(CLAIMS, values)),
        st.builds(signed, headers, st.sampled_from([[], 1, "x", None])),
        st.sampled_from(["..", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30.", "é.é.é", "a.b.c.d.e"]),
    )


def beginnings(path: str, target: Target) -> list[dict[str, str]]:
    """Give forms that are nearly right, so that what is drawn on top of them gets far before it fails."""
    access, refresh, id_token, code, secret = target.values[:5]
    asked = {
        "client_id": "target", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    proof = {"client_id": "target", "client_secret": secret}
    assertion = {"client_assertion_type": ASSERTION, "client_assertion": id_token}
    every = {
        "/authorize": [asked, {"client_id": "target"}],
        "/par": [asked | proof, proof, assertion],
        "/token": [
            proof | {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER},
            proof | {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK},
            proof | {"grant_type": "refresh_token", "refresh_token": refresh},
            proof | {"grant_type": GrantType.CLIENT_CREDENTIALS.value},
            proof | {"grant_type": GrantType.DEVICE_CODE.value},
            assertion | {"grant_type": "refresh_token"},
        ],
        "/introspect": [proof | {"token": access}, assertion | {"token": access}],
        "/revoke": [proof, assertion | {"token": "x"}],
        "/device_authorization": [proof, {"client_id": "target"}],
        "/logout": [{"id_token_hint": id_token, "post_logout_redirect_uri": BYE}],
    }  # fmt: skip
    return [{}, *every.get(path, [])]


def requests_to(path: str, target: Target) -> SearchStrategy[dict[str, Any]]:
    """Draw whole requests."""
    known = st.sampled_from(target.values)
    value = st.one_of(known, known, tokens_of(known), st.text(max_size=20))
    begun = st.sampled_from([list(form.items()) for form in beginnings(path, target)])
    drawn = st.lists(st.tuples(st.sampled_from(NAMES), value), max_size=5)
    pairs = st.tuples(begun, drawn).map(lambda two: [*two[0], *two[1]])
    bodies = st.one_of(
        pairs.map(lambda found: (encoded(found), FORM)),
        st.tuples(
            jsons(MEMBERS, known).map(lambda found: json.dumps(found).encode()), st.just("application/json")
        ),
        st.tuples(
            st.binary(max_size=40),
            st.sampled_from(
                [FORM, "application/json", "application/jwt", "multipart/form-data; boundary=x", "", "é"]
            ),
        ),
    )
    bearers = st.builds("{} {}".format, st.sampled_from(["Bearer", "DPoP", "Basic", "dpop", "Digest"]), value)
    secret = st.just(basic(target.service.client_id, target.service.secret))
    headers = st.fixed_dictionaries(
        {},
        optional={
            "Authorization": st.one_of(secret, secret, bearers),
            "DPoP": value,
            CERTIFICATE_HEADER: value,
            "Origin": st.sampled_from(["https://parking.example.org", "null", "", "x"]),
            "Accept": st.sampled_from(
                ["application/token-introspection+jwt", "*/*", "", ";;q=x", "text/html"]
            ),
            "Accept-Language": st.text(max_size=8),
            "Cookie": st.builds("{}={}".format, st.sampled_from(["__Host-mon_paris_session", "x"]), value),
            "Access-Control-Request-Method": st.sampled_from(["POST", "x"]),
        },
    )
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from(METHODS),
            "query": pairs if path == "/authorize" else drawn,
            "body": bodies,
            "headers": headers,
        }
    )


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    """Write pairs as a form does; half of a surrogate pair goes as its raw bytes."""
    return urlencode(pairs, errors="surrogatepass").encode()


def printable(value: str) -> str:
    """Keep what a header can carry: everything else is refused by the server in front."""
    return "".join(letter for letter in value if letter.isprintable() and ord(letter) < 256)


@pytest.fixture(scope="module")
def target(databases: Databases) -> Iterator[Target]:
    """A provider with everything on, a service that may do everything, and what it knows."""
    from idp.storage.engine import open_database
    from tests.support.clock import SettableClock
    from tests.support.provider import a_provider

    with databases.new("sqlite") as url:
        opened = open_database(url)
        provider = a_provider(
            opened,
            SettableClock(),
            server={"trusted_proxies": ["127.0.0.1"]},
            mutual_tls={"certificate_header": CERTIFICATE_HEADER},
            registration={"mode": "open", "legacy_response_types": True},
        )
        yield a_target(provider)
        opened.dispose()


def a_target(provider: Provider) -> Target:
    """Register the service, sign somebody in, and gather every value that means something."""
    service = provider.a_client(
        client_id="target",
        jwks={"keys": [{**public_jwk(a_private_key()), "kid": "k-1", "use": "sig"}]},
        response_types=frozenset({"code", "code id_token", "id_token token"}),
        resource_identifier="https://api.example.org/",
        resources=("https://api.example.org/",),
    )
    browser = provider.signed_in()
    tokens = provider.tokens(browser, service, scope="openid email offline_access")
    code = provider.code(browser, service)
    ours = (tokens["access_token"], tokens["refresh_token"], tokens["id_token"], code, service.secret)
    return Target(
        provider,
        service,
        (
            *ours, "target", "target", CALLBACK, CALLBACK, BYE, ISSUER, ISSUER + "/token", ASSERTION, CHALLENGE,
            VERIFIER, *sorted(GrantType), "code", "code id_token", "query.jwt", "form_post", "openid",
            "openid offline_access", "S256", "none", "login", "0", "https://api.example.org/",
            "urn:ietf:params:oauth:request_uri:x", "https://127.0.0.1/keys", "https://localhost/x", "POST", "", "\x00",
            '{"id_token": {"acr": {"values": [1]}}}', "[]", "9" * 400, "access_token", "allow", "\ud800",
        ),
    )  # fmt: skip


def answer_to(target: Target, path: str, sent: dict[str, Any]) -> TestResponse:
    """Send a drawn request."""
    data, content_type = sent["body"]
    return target.provider.back_channel.open(
        path,
        method=sent["method"],
        query_string=encoded(sent["query"]).decode(),
        data=data,
        content_type=printable(content_type),
        headers={name: printable(value) for name, value in sent["headers"].items()},
        environ_base=PROXY,
    )


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize("path", PATHS)
def test_endpoint_answers_whatever_is_sent(target: Target, path: str) -> None:
    """Never a 500, never a trace, and an error of a program's endpoint is JSON that says which."""

    @PATIENT
    @given(requests_to(path, target))
    def law(sent: dict[str, Any]) -> None:
        answer = answer_to(target, path, sent)

        assert answer.status_code < 500, answer.text
        assert "Traceback" not in answer.text
        if answer.is_json and answer.status_code >= 400 and sent["method"] != "HEAD":
            # RFC 6750 section 3.1: a request without a token is told nothing but how to bring one.
            assert isinstance(answer.get_json().get("error", ""), str)

    law()
