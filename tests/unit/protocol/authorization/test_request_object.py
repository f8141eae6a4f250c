"""Which request objects are taken, and what comes out of them (RFC 9101)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp.domain.client import Client, Encryption, Profile
from idp.protocol.authorization.request_object import (
    RequestObjectRefused,
    algorithms_of,
    check_encryption,
    check_header,
    is_encrypted,
    parameters_of,
)
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import ISSUER, NOW, a_client, parameters

SECONDS = int(NOW.timestamp())
PARKING = a_client()
FAPI = a_client(profile=Profile.FAPI2)
SIGNING = a_client(profile=Profile.FAPI2_MESSAGE_SIGNING)
ENCRYPTING = a_client(request_object_encryption=Encryption("ECDH-ES", "A256GCM"))
HOUR = 3600


def read(client: Client = PARKING, **changes: Any) -> list[tuple[str, str]]:
    """Take the parameters out of an object with changes; None takes a claim away."""
    usual: dict[str, Any] = {
        **parameters(),
        "iss": "parking",
        "aud": ISSUER,
        "iat": SECONDS,
        "nbf": SECONDS,
        "exp": SECONDS + 300,
    }
    claims = {name: value for name, value in (usual | changes).items() if value is not None}
    return parameters_of(claims, client, issuer=ISSUER, now=NOW)


def refused(client: Client = PARKING, **changes: Any) -> RequestObjectRefused:
    """Give the refusal of an object with changes."""
    with pytest.raises(RequestObjectRefused) as caught:
        read(client, **changes)
    return caught.value


@pytest.mark.spec("RFC 9101", "5", "MUST")
@pytest.mark.parametrize("client_id", [None, "", "other", "Parking", 1, ["parking"], {"parking": 1}, True])
def test_object_of_another_client_is_refused(client_id: object) -> None:
    """The client beside the object and the one inside are the same, letter by letter."""
    assert refused(client_id=client_id).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.spec("RFC 9101", "5", "MUST")
@pytest.mark.parametrize("iss", ["", "other", ISSUER, 0, ["parking"]])
def test_object_whose_issuer_is_not_the_client_is_refused(iss: object) -> None:
    """Nobody asks in the name of another."""
    assert refused(iss=iss).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.spec("RFC 9101", "10.8", "SHOULD")
def test_object_that_could_be_a_client_assertion_is_refused() -> None:
    """What proves a client at /token must not come through a browser."""
    assert "assertion" in refused(sub="parking").reason


@pytest.mark.spec("RFC 9101", "4", "MUST NOT")
@pytest.mark.parametrize("name", ["request", "request_uri"])
@pytest.mark.parametrize("value", ["", "x", 0, {}], ids=repr)
def test_object_within_an_object_is_refused(name: str, value: object) -> None:
    """An object does not lead to another, whatever its value."""
    assert refused(**{name: value}).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.parametrize(
    "aud",
    ["", "https://other.example.org", f"{ISSUER}/", [], [f"{ISSUER}/"], {ISSUER: 1}, [[ISSUER]], 0, True],
    ids=repr,
)
def test_object_for_another_provider_is_refused(aud: object) -> None:
    """An object made for another provider is not replayed here."""
    assert refused(aud=aud).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.parametrize("aud", [None, ISSUER, [ISSUER], ["https://other.example.org", ISSUER]], ids=repr)
def test_object_for_us_is_taken(aud: object) -> None:
    """Alone, among others, or without a word: OIDC Core 6.1 says SHOULD."""
    assert dict(read(aud=aud)) == parameters()


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    ["1", True, [], {}, float("nan"), float("inf"), float("-inf"), 2**53, -(10**400), 10**400, 1e300],
    ids=repr,
)
def test_object_with_a_moment_that_is_none_is_refused(name: str, value: object) -> None:
    """A moment is a finite number within reach, and a boolean is none."""
    assert refused(**{name: value}).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": SECONDS - 30},
        {"exp": 0},
        {"exp": SECONDS - 30.5},
        {"nbf": SECONDS + 31},
        {"iat": SECONDS + 61},
    ],
    ids=repr,
)
def test_object_of_another_time_is_refused(changes: dict[str, object]) -> None:
    """Expired, or not yet valid, by more than clocks differ."""
    assert refused(**changes).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None, "nbf": None, "iat": None},
        {"exp": SECONDS - 29},
        {"nbf": SECONDS + 30, "iat": SECONDS + 30},
        {"nbf": SECONDS + 8.5},
        {"nbf": SECONDS - 30 * HOUR, "exp": SECONDS + 30 * HOUR},
    ],
    ids=repr,
)
def test_object_of_this_time_is_taken(changes: dict[str, object]) -> None:
    """Clocks may differ by half a minute, and OIDC Core asks for no times at all."""
    assert dict(read(**changes)) == parameters()


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3.1", "SHALL")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None},
        {"nbf": None},
        {"exp": None},
        {"nbf": SECONDS - HOUR - 1},
        {"exp": SECONDS + HOUR + 1},
        {"nbf": SECONDS + 30, "exp": SECONDS + HOUR + 31},
    ],
    ids=repr,
)
def test_object_of_a_client_that_signs_its_messages_says_for_whom_and_when(
    changes: dict[str, object],
) -> None:
    """Within an hour, and for us by name."""
    assert refused(SIGNING, **changes).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3.1", "SHALL")
@pytest.mark.parametrize(
    "changes",
    [{}, {"nbf": SECONDS - HOUR, "exp": SECONDS}, {"exp": SECONDS + HOUR}, {"nbf": SECONDS + 8}],
    ids=repr,
)
def test_object_of_an_hour_is_taken_of_a_client_that_signs_its_messages(changes: dict[str, object]) -> None:
    """Up to the limits, and with a clock that is ahead."""
    assert dict(read(SIGNING, **changes)) == parameters()


@pytest.mark.spec("RFC 9101", "6.3", "MUST")
def test_parameters_are_those_inside_and_nothing_else_of_the_object() -> None:
    """What the JWT says of itself is no parameter, and what is unknown is ignored."""
    read_back = read(jti="1", foo={"bar": 1}, display="page")

    assert dict(read_back) == parameters() | {"display": "page"}


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": ["none"]},
        {"prompt": True},
        {"scope": ["openid"]},
        {"redirect_uri": ["https://parking.example.org/callback"]},
        {"state": 1},
        {"nonce": {}},
        {"max_age": True},
        {"max_age": 1.5},
        {"max_age": [1]},
        {"claims": ["email"]},
        {"claims": 1},
        {"registration": []},
        {"resource": ["https://a.example.org", 1]},
        {"resource": {"a": 1}},
        {"login_hint": False},
    ],
    ids=repr,
)
def test_parameter_of_the_wrong_type_is_refused(changes: dict[str, object]) -> None:
    """Text is text, a list stands for `resource` alone, and a boolean for nothing."""
    error = refused(**changes)

    assert error.code is ErrorCode.INVALID_REQUEST_OBJECT
    assert error.reason.endswith("has the wrong type")


@pytest.mark.spec("RFC 9101", "4", "MUST")
@pytest.mark.parametrize(
    "name, value, texts",
    [
        ("max_age", 0, ["0"]),
        ("max_age", 300, ["300"]),
        ("max_age", -1, ["-1"]),
        ("max_age", "300", ["300"]),
        ("resource", "https://a.example.org", ["https://a.example.org"]),
        ("resource", ["https://a.example.org", "https://b.example.org"], ["https://a.example.org", "https://b.example.org"]),
        ("resource", [], []),
        ("claims", '{"userinfo":{}}', ['{"userinfo":{}}']),
        ("registration", {"a": 1}, ['{"a":1}']),
    ],
)  # fmt: skip
def test_parameter_with_a_form_of_its_own_becomes_text(name: str, value: object, texts: list[str]) -> None:
    """A number, a list and an object are written as a query would have brought them."""
    assert [text for given, text in read(**{name: value}) if given == name] == texts


def test_claims_object_becomes_its_json_text() -> None:
    """The `claims` parameter is an object here (OIDC Core 6.1), and text further on."""
    asked = {"userinfo": {"email": {"essential": True}}, "id_token": {"acr": {"values": ["é"]}}}

    assert json.loads(dict(read(claims=asked))["claims"]) == asked


def test_claims_object_that_is_nested_without_end_is_refused() -> None:
    """Nobody exhausts the stack."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}

    assert refused(claims=deep).code is ErrorCode.INVALID_REQUEST_OBJECT


@pytest.mark.spec("RFC 9101", "10.8", "SHOULD")
@pytest.mark.parametrize("typ", ["", "dpop+jwt", "at+jwt", "logout+jwt", "id_token", "JWS", 1, ["JWT"], {}])
def test_jwt_of_another_type_is_refused(typ: object) -> None:
    """A proof of possession is signed by the client too, and asks for nothing."""
    with pytest.raises(RequestObjectRefused):
        check_header({"alg": "ES256", "typ": typ}, PARKING)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "jwt"},
        {"typ": "oauth-authz-req+jwt"},
        {"typ": "application/OAuth-Authz-Req+JWT"},
    ],
    ids=repr,
)
def test_request_object_by_its_type_or_a_general_one_is_taken(header: dict[str, object]) -> None:
    """Its own type, a general one, or none, which is what OIDC Core knows."""
    check_header({"alg": "ES256", **header}, PARKING)


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
@pytest.mark.parametrize(
    "client, code",
    [
        (PARKING, ErrorCode.REQUEST_NOT_SUPPORTED),
        (a_client(require_signed_requests=True), ErrorCode.INVALID_REQUEST_OBJECT),
        (a_client(request_object_signing_alg="ES256"), ErrorCode.INVALID_REQUEST_OBJECT),
        (ENCRYPTING, ErrorCode.INVALID_REQUEST_OBJECT),
        (FAPI, ErrorCode.INVALID_REQUEST_OBJECT),
        (SIGNING, ErrorCode.INVALID_REQUEST_OBJECT),
    ],
    ids=[
        "registered nothing",
        "must sign",
        "registered an algorithm",
        "encrypts",
        "fapi2",
        "message signing",
    ],
)
def test_unsigned_object_is_refused_by_the_code_that_its_client_expects(
    client: Client, alg: str, code: ErrorCode
) -> None:
    """Unsigned objects are not supported; of a client that signs, one is not valid."""
    with pytest.raises(RequestObjectRefused) as caught:
        check_header({"alg": alg}, client)

    assert caught.value.code is code


@pytest.mark.parametrize(
    "client, algorithms",
    [
        (PARKING, {"PS256", "ES256", "EdDSA", "RS256"}),
        (a_client(request_object_signing_alg="RS256"), {"RS256"}),
        (a_client(request_object_signing_alg="none"), set()),
        (a_client(request_object_signing_alg="HS256"), set()),
        (FAPI, {"PS256", "ES256", "EdDSA"}),
        (a_client(profile=Profile.FAPI2, request_object_signing_alg="PS256"), {"PS256"}),
        (a_client(profile=Profile.FAPI2, request_object_signing_alg="RS256"), set()),
    ],
)
def test_algorithms_are_those_of_the_profile_and_of_the_registration(
    client: Client, algorithms: set[str]
) -> None:
    """What is registered narrows the list, and never widens it."""
    assert set(algorithms_of(client)) == algorithms


@pytest.mark.parametrize(
    "header",
    [
        None,
        {},
        {"alg": "RSA-OAEP-256", "enc": "A256GCM"},
        {"alg": "ECDH-ES", "enc": "A128CBC-HS256"},
    ],
)
def test_object_encrypted_otherwise_than_registered_is_refused(header: dict[str, str] | None) -> None:
    """Neither without, nor with another algorithm than the client said."""
    with pytest.raises(RequestObjectRefused):
        check_encryption(header, ENCRYPTING)


def test_object_encrypted_as_registered_is_taken() -> None:
    """Both algorithms are those of the registration."""
    check_encryption({"alg": "ECDH-ES", "enc": "A256GCM"}, ENCRYPTING)


def test_client_that_registered_no_encryption_may_encrypt_or_not() -> None:
    """The JWK Set invites everybody."""
    check_encryption(None, PARKING)
    check_encryption({"alg": "ECDH-ES", "enc": "A256GCM"}, PARKING)


@pytest.mark.parametrize(
    "token, encrypted", [("a.b.c", False), ("a.b.c.d.e", True), ("a", False), ("....", True)]
)
def test_encrypted_object_has_five_parts(token: str, *, encrypted: bool) -> None:
    """A JWE in its compact form has five parts, a JWS three."""
    assert is_encrypted(token) is encrypted
