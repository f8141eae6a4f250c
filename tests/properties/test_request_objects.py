"""Whatever a request object says, it is taken or refused, and a refusal leads nowhere new (OID-9; RFC 9101)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp.crypto.jwe import encrypt
from idp.domain.client import Profile
from idp.protocol.authorization.request import KNOWN_PARAMETERS, parse
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import DirectError, EndpointError
from idp.services.authorization.pushed_requests import push
from idp.services.authorization.request_objects import resolve
from tests.support.client_keys import ClientKey, a_key, jwks
from tests.support.provider import CALLBACK, ISSUER
from tests.support.request_objects import claims_of

if TYPE_CHECKING:
    from tests.support.provider import Provider, Service

PATIENT = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ISSUED = ("iss", "aud", "exp", "nbf", "iat", "sub", "jti")
NAMES = sorted(KNOWN_PARAMETERS) + list(ISSUED)
TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["target", "signing", CALLBACK, "https://evil.example/", ISSUER]),
    st.sampled_from(["openid", "none", "code", "\ud800", "\x00"]),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 10**400, -(10**400), 1e308, 2**63]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
CLAIMS = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=6)), VALUES, max_size=8)
HEADERS = st.dictionaries(
    st.sampled_from(["typ", "alg", "kid", "crit", "jwk", "b64", "cty"]), VALUES, max_size=3
)
DEEP = "[" * 5000 + "]" * 5000
KEY = a_key()


@pytest.fixture(scope="module")
def services(patient_provider: Provider) -> dict[str, Service]:
    """Clients that sign their requests, by the rules of RFC 9101 and by those of FAPI."""
    fields: dict[str, Any] = {"key": KEY, "jwks": jwks(KEY), "redirect_uris": (CALLBACK,)}
    return {
        "target": patient_provider.a_client(client_id="target", **fields),
        "signing": patient_provider.a_client(
            client_id="signing", profile=Profile.FAPI2_MESSAGE_SIGNING, **fields
        ),
    }


def signed(payload: str, header: dict[str, Any], key: ClientKey = KEY) -> str:
    """Sign whatever it is, under whatever header that the library lets through."""
    members = {name: value for name, value in header.items() if name not in {"alg", "b64"}}
    try:
        return jwt.PyJWS().encode(
            payload.encode(errors="replace"), key.private, key.alg, {"kid": key.kid, **members}
        )
    except (TypeError, ValueError, jwt.PyJWTError):
        return jwt.PyJWS().encode(payload.encode(errors="replace"), key.private, key.alg, {"kid": key.kid})


def leads_to(provider: Provider, pairs: list[tuple[str, str]]) -> str | None:
    """Take a request out of what carries it, parse it, and say where its answer goes; None for our own page.

    No error but the two is caught: any other one fails the test.
    """
    context = provider.context
    try:
        resolved = resolve(context, pairs)
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in resolved.pairs)
        with context.database.read() as connection:
            request = parse(
                resolved.pairs,
                lambda client_id: context.clients.find(connection, client_id),
                context.clock(),
                resolved.origin,
            )
    except DirectError:
        return None
    except RedirectedError as error:
        return error.address.target.uri
    return request.redirect_target.uri


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize("client_id", ["target", "signing"])
@PATIENT
@given(
    claims=CLAIMS,
    header=HEADERS,
    outer=st.dictionaries(st.sampled_from(NAMES), TEXT, max_size=4),
    base=st.booleans(),
)
@example(claims={"aud": [[]]}, header={}, outer={}, base=True)
@example(claims={"exp": 10**400, "nbf": 1.5}, header={}, outer={}, base=True)
@example(claims={"claims": {"userinfo": {"\ud800": None}}}, header={}, outer={}, base=True)
def test_signed_object_is_taken_or_refused_whatever_it_says(
    patient_provider: Provider,
    services: dict[str, Service],
    client_id: str,
    *,
    claims: dict[str, Any],
    header: dict[str, Any],
    outer: dict[str, str],
    base: bool,
) -> None:
    """No claim of a client's own making is an incident, and none leads outside of what it registered."""
    usual = claims_of(patient_provider, services[client_id]) if base else {}
    token = signed(json.dumps(usual | claims), header)

    carriers = [("client_id", client_id), ("request", token)]
    first = leads_to(patient_provider, [*outer.items(), *carriers])
    second = leads_to(patient_provider, [*carriers, ("redirect_uri", CALLBACK)])
    assert {first, second} <= {None, CALLBACK}


@pytest.mark.rule("OID-9")
@PATIENT
@given(claims=CLAIMS, header=HEADERS, base=st.booleans())
def test_pushed_object_is_kept_or_refused_whatever_it_says(
    patient_provider: Provider,
    services: dict[str, Service],
    claims: dict[str, Any],
    header: dict[str, Any],
    *,
    base: bool,
) -> None:
    """The client hears what is wrong, in one kind of error."""
    service = services["target"]
    usual = claims_of(patient_provider, service) if base else {}
    token = signed(json.dumps(usual | claims), header)

    try:
        answer = push(patient_provider.context, service.client, {"request": token})
    except EndpointError as error:
        status = error.status
    else:
        status = 201
        carriers = [("client_id", "target"), ("request_uri", answer["request_uri"])]
        assert leads_to(patient_provider, carriers) == CALLBACK
    assert status in {201, 400}


@pytest.mark.rule("OID-9")
@pytest.mark.usefixtures("services")
@PATIENT
@given(
    name=st.sampled_from(["request", "request_uri"]),
    value=st.one_of(TEXT, st.text(alphabet="abAB01-_.=", max_size=60), st.binary(max_size=40).map(repr)),
)
@example(name="request", value="....")
@example(name="request", value="eyJhbGciOiJub25lIn0.e30.")
@example(name="request", value="bnVsbA.bnVsbA.")
@example(name="request_uri", value="urn:ietf:params:oauth:request_uri:")
@example(name="request_uri", value="urn:ietf:params:oauth:request_uri:\ud800")
@example(name="request_uri", value="https://[")
def test_carrier_that_is_nonsense_is_refused(patient_provider: Provider, name: str, value: str) -> None:
    """Neither an object nor an address: what nobody signed is an incident even less."""
    pairs = [("client_id", "target"), ("redirect_uri", CALLBACK), (name, value)]

    assert leads_to(patient_provider, pairs) in {None, CALLBACK}


@pytest.mark.rule("OID-9")
@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    "payload", [DEEP, '{"a":' + DEEP, "null", "[]", "1", '"x"', "", '{"exp":1e999}', "NaN"]
)
def test_payload_that_is_no_claims_set_is_refused(patient_provider: Provider, payload: str) -> None:
    """Signed or not, in the clear or encrypted: neither depth nor kind is an incident."""
    document: dict[str, Any] = patient_provider.back_channel.get("/jwks.json").json or {}
    jwk = next(key for key in document["keys"] if key.get("alg") == "ECDH-ES")
    token = signed(payload, {})

    for carried in (token, encrypt(token.encode(), jwk, "ECDH-ES", "A256GCM")):
        pairs = [("client_id", "target"), ("redirect_uri", CALLBACK), ("request", carried)]
        assert leads_to(patient_provider, pairs) == CALLBACK
