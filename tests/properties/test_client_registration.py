"""Whatever is sent to /register, it answers, and what it stores passes its own checks (OID-7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.client import ClientAuthenticationMethod, GrantType, RegistrationPolicy
from idp.protocol.clients.metadata import problems
from idp.protocol.clients.public_keys import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS
from idp.protocol.clients.registration import Unreadable, read, written
from idp.protocol.signature_algorithms import SIGNING_ALGORITHMS
from idp.storage.repositories import clients
from tests.support.registration import CALLBACK, EC_KEY, RSA_KEY, Registrar, a_lasting_registrar, bearer

if TYPE_CHECKING:
    from tests.support.databases import Databases

PATIENT = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
URIS = st.sampled_from(
    [
        CALLBACK,
        "https://app.example.org/other?a=1",
        "https://two.example.org/",
        "http://localhost:80/",
        "http://[::1]/",
        "com.example.app:/cb",
        "https://[/",
        "https://a:99999/",
        "https://a.example/#x",
        "//a",
        "",
        "javascript:x",
        "https://a.example/\u0000",
    ]
)
KEYS = st.one_of(
    st.sampled_from([EC_KEY, RSA_KEY, RSA_KEY | {"use": "enc"}, EC_KEY | {"crv": "P-384", "use": "enc"}]),
    st.fixed_dictionaries(
        {"kty": ANY_JSON, "crv": ANY_JSON, "use": ANY_JSON, "alg": ANY_JSON, "n": ANY_JSON}
    ),
    ANY_JSON,
)
RESPONSE_TYPES = st.sampled_from(
    ["code", "id_token", "token id_token", "code id_token", "code token", "none", " "]
)
ALGORITHMS = st.sampled_from([*SIGNING_ALGORITHMS, "HS256", "none"])
#: Values that mean something, for the members that are registered.
PLAUSIBLE = {
    "client_name": st.text(max_size=210),
    "redirect_uris": st.lists(URIS, max_size=4),
    "post_logout_redirect_uris": st.lists(URIS, max_size=2),
    "request_uris": st.lists(URIS, max_size=2),
    "contacts": st.lists(st.text(max_size=10) | st.just("dsi@example.org"), max_size=2),
    "grant_types": st.lists(st.sampled_from([*(grant.value for grant in GrantType), "password"]), max_size=4),
    "response_types": st.lists(RESPONSE_TYPES, max_size=3),
    "scope": st.sampled_from(
        ["openid", "openid email", "email", "", " ", "openid offline_access", "a\u0000"]
    ),
    "application_type": st.sampled_from(["web", "native", "desktop"]),
    "subject_type": st.sampled_from(["public", "pairwise", ""]),
    "token_endpoint_auth_method": st.sampled_from([*(m.value for m in ClientAuthenticationMethod), "x"]),
    "token_endpoint_auth_signing_alg": ALGORITHMS,
    "jwks": st.fixed_dictionaries({"keys": st.lists(KEYS, max_size=3)}),
    "jwks_uri": URIS,
    "sector_identifier_uri": URIS,
    "client_uri": URIS,
    "logo_uri": URIS,
    "policy_uri": URIS,
    "tos_uri": URIS,
    "initiate_login_uri": URIS,
    "backchannel_logout_uri": URIS,
    "frontchannel_logout_uri": URIS,
    "default_max_age": st.integers(),
    "default_acr_values": st.lists(st.text(max_size=5), max_size=2),
    "id_token_signed_response_alg": ALGORITHMS,
    "userinfo_signed_response_alg": ALGORITHMS,
    "request_object_signing_alg": ALGORITHMS,
    "id_token_encrypted_response_alg": st.sampled_from([*ENCRYPTION_ALGORITHMS, "RSA1_5"]),
    "id_token_encrypted_response_enc": st.sampled_from([*CONTENT_ENCRYPTIONS, "x"]),
    "request_object_encryption_alg": st.sampled_from(ENCRYPTION_ALGORITHMS),
    "dpop_bound_access_tokens": st.booleans(),
    "require_pushed_authorization_requests": st.booleans(),
    "tls_client_auth_subject_dn": st.text(max_size=10),
    "software_statement": st.none() | st.just("x"),
    "client_name#fr": st.text(max_size=5),
}
MEMBERS = st.fixed_dictionaries(
    {}, optional={name: st.one_of(values, values, values, ANY_JSON) for name, values in PLAUSIBLE.items()}
)
#: Most of these pass: what is stored is looked at too.
SOUND = st.fixed_dictionaries(
    {"redirect_uris": st.just([CALLBACK])},
    optional={
        "client_name": st.text(min_size=1, max_size=20),
        "scope": PLAUSIBLE["scope"],
        "subject_type": st.sampled_from(["public", "pairwise"]),
        "response_types": st.lists(RESPONSE_TYPES, min_size=1, max_size=2),
        "token_endpoint_auth_method": st.sampled_from(
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"]
        ),
        "jwks": st.just({"keys": [EC_KEY, RSA_KEY]}),
        "id_token_encrypted_response_alg": st.sampled_from(ENCRYPTION_ALGORITHMS),
        "default_max_age": st.integers(0, 10_000),
        "dpop_bound_access_tokens": st.booleans(),
        "contacts": st.just(["dsi@example.org"]),
    },
)


@pytest.fixture(scope="module")
def registrar(databases: Databases) -> Iterator[Registrar]:
    """A provider that takes every response type."""
    with a_lasting_registrar(databases) as lasting:
        yield lasting


@pytest.mark.rule("OID-7", "OID-9")
@pytest.mark.spec("RFC 7591", "3.2", "MUST")
@PATIENT
@given(members=st.one_of(MEMBERS, SOUND, ANY_JSON))
def test_registration_is_answered_whatever_is_sent(registrar: Registrar, members: Any) -> None:
    """Status 201 or 4xx, never 500; what was registered passes the checks that let it in, and can be read."""
    body = json.dumps(members, ensure_ascii=False).encode(errors="surrogatepass")

    answer = registrar.provider.back_channel.post(
        "/register", data=body, content_type="application/json", headers=bearer(registrar.token)
    )

    assert answer.status_code in {201, 400, 413}, answer.text
    if answer.status_code != 201:
        assert (answer.json or {})["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}
        return
    client = answer.json or {}
    with registrar.provider.context.database.read() as connection:
        stored = clients.by_id(connection, client["client_id"])
    assert stored is not None
    assert problems(stored) == ()
    assert not stored.is_verified
    assert registrar.read(client).status_code == 200


@pytest.mark.rule("OID-7")
@PATIENT
@given(members=SOUND, legacy=st.booleans())
def test_what_is_written_is_read_again_as_it_was(members: dict[str, Any], *, legacy: bool) -> None:
    """A client that sends back what it was answered changes nothing (RFC 7592 section 2.2)."""
    policy = RegistrationPolicy(legacy_response_types=legacy)
    client = read(members, policy)
    assert not isinstance(client, Unreadable)

    again = read(json.loads(json.dumps(written(client))), policy, client)

    assert again == client


@pytest.mark.rule("OID-9")
@PATIENT
@given(members=MEMBERS)
def test_reading_never_fails(members: dict[str, Any]) -> None:
    """Types are checked, not believed; what is read is checked without an exception."""
    client = read(members, RegistrationPolicy())

    if isinstance(client, Unreadable):
        assert all(problem.message.isascii() for problem in client.problems)
    else:
        assert all(problem.message.isascii() for problem in problems(client))
