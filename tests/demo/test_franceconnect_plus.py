"""The simulator as FranceConnect+: higher levels, tokens encrypted to the service, the register told apart."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.error import URLError

import pytest
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from tests.demo.simulated import ALL_SCOPES, JWKS_URI, SIGNED_OUT, Service, header, members, query

pytestmark = [pytest.mark.rule("FC-6", "FC-8")]

RSA, RSA_OLD, ECDH = "RSA-OAEP-256", "RSA-OAEP", "ECDH-ES"
REGISTER = "openid identite_pivot rnipp_identite_pivot idp_birthdate"


@cache
def a_key(alg: str) -> ECKey | RSAKey:
    """Make the service's key, once for every test."""
    return ECKey.generate_key("P-256") if alg == ECDH else RSAKey.generate_key(2048)


def key_set(kind: str, **members_of_the_key: str) -> dict[str, Any]:
    """Publish the service's key beside one that signs."""
    signing = ECKey.generate_key("P-256").as_dict(private=False)
    encrypting = a_key(kind).as_dict(private=False)
    return {
        "keys": [
            signing | {"kid": "sig", "use": "sig"},
            encrypting | {"kid": "enc", "use": "enc"} | members_of_the_key,
        ]
    }


def a_service(alg: str | None = RSA) -> Service:
    """Register a service at FranceConnect+."""
    return Service(plus=True, encryption_alg=alg, published=None if alg is None else key_set(alg))  # type: ignore[arg-type]  # Names of algorithms.


def inside(token: str, alg: str = RSA) -> str:
    """Decrypt, as the service does."""
    registry = jwe.JWERegistry(algorithms=[alg, "A256GCM"], strict_check_header=False)
    found = jwe.decrypt_compact(token, a_key(alg), registry=registry)
    assert found.plaintext is not None
    return found.plaintext.decode()


@pytest.mark.parametrize("alg, members_of_header", [(RSA, 6), (RSA_OLD, 6), (ECDH, 7)])
def test_tokens_are_signed_then_encrypted_to_the_key_of_the_service(alg: str, members_of_header: int) -> None:
    """Both tokens: a JWS by ES256 in a JWE, whose header names the service's key, the issuer and the audience."""
    service = a_service(alg)
    tokens = service.tokens()
    userinfo = service.userinfo(tokens["access_token"])

    for token in (tokens["id_token"], userinfo.text):
        outer = header(token)
        assert len(outer) == members_of_header
        assert (outer["alg"], outer["enc"], outer["cty"], outer["kid"]) == (alg, "A256GCM", "JWT", "enc")
        assert (outer["iss"], outer["aud"]) == ("http://localhost:8001/api/v2", "mon-paris")
        assert header(inside(token, alg)) == {"alg": "ES256", "kid": "pkcs11:hsm"}
        assert service.verified(inside(token, alg))["aud"] == "mon-paris"
    assert userinfo.mimetype == "application/jwt"
    assert set(service.fetched) == {JWKS_URI}


@pytest.mark.parametrize(
    "published",
    [
        URLError("nobody"),
        ValueError("not JSON"),
        None,
        [],
        {"keys": []},
        {"keys": ["x", {"kty": "RSA", "use": "enc", "n": "?", "e": "?"}]},
        key_set(ECDH),
        key_set(RSA, use="sig"),
        key_set(RSA, alg="RSA-OAEP-512"),
    ],
    ids=[
        "unreachable",
        "not JSON",
        "null",
        "list",
        "empty",
        "unusable",
        "other kind",
        "signs",
        "other algorithm",
    ],
)
def test_service_without_a_usable_key_gets_no_token(published: object) -> None:
    """FranceConnect says that the key set could not be refreshed, in JSON, with its code."""
    service = a_service()
    code = service.code()
    service.published = published

    answer = service.token(code)

    assert answer.status_code == 400
    assert members(answer)["error"] == "invalid_client_metadata"
    assert "code=Y044D511" in members(answer)["error_uri"]


def test_rotated_key_of_the_service_is_taken_at_the_next_token() -> None:
    """The key set is fetched each time."""
    service = a_service()
    service.tokens()
    service.published = key_set(RSA, kid="next")

    assert header(service.tokens()["id_token"])["kid"] == "next"


@pytest.mark.parametrize(
    "asked, answered",
    [("eidas2", "eidas2"), ("eidas3", "eidas3"), ("eidas3 eidas2", "eidas2"), ("unknown", "eidas2")],
)
def test_acr_is_the_lowest_that_was_asked(asked: str, answered: str) -> None:
    """Several levels count as the lowest, none known as the portal's lowest."""
    service = a_service(None)

    assert service.verified(service.tokens(acr_values=asked)["id_token"])["acr"] == answered


@pytest.mark.parametrize("asked", ["eidas1", "eidas1 eidas2"])
def test_level_of_the_other_portal_is_refused(asked: str) -> None:
    """FranceConnect+ gives no eidas1."""
    answer = query(a_service().authorize(acr_values=asked))

    assert answer["error"] == "invalid_acr"
    assert answer["error_description"].endswith("expected eidas2, eidas3, got eidas1")


@pytest.mark.parametrize(
    "level, minutes, words",
    [("eidas2", 9, "va recevoir"), ("eidas2", 10, "Choisir"), ("eidas3", 1, "Choisir")],
)
def test_single_sign_on_lasts_ten_minutes_and_is_for_eidas2(level: str, minutes: int, words: str) -> None:
    """The higher level always authenticates."""
    service = a_service()
    service.tokens()
    service.now += timedelta(minutes=minutes)

    assert words in service.get(service.authorize(acr_values=level).headers["Location"]).text


@pytest.mark.parametrize(
    "login, expected",
    [
        (
            "étranger_présumé_né_jour_et_mois",
            {"birthdate": "1992-00-00", "rnipp_birthdate": "1992-01-01", "idp_birthdate": "1992-00-00"},
        ),
        (
            "naissance_etranger_birthplace_texte",
            {"birthplace": "Alger", "rnipp_birthplace": "", "rnipp_birthcountry": "99352"},
        ),
        ("plusieurs_prénoms_3", {"rnipp_given_name_array": ["Jean", "Philippe", "Arnaud"]}),
    ],
)
def test_plain_claims_are_the_identity_providers_and_the_registers_come_beside(
    login: str, expected: dict[str, Any]
) -> None:
    """Partial dates and places in words come through; `rnipp_…` has the register's own."""
    claims = a_service(None).claims(login, REGISTER)

    assert {name: claims.get(name) for name in expected} == expected


def test_registers_claims_need_their_scopes() -> None:
    """Without them nothing of the register is told."""
    claims = a_service(None).claims("test", ALL_SCOPES)

    assert not any(name.startswith("rnipp_") for name in claims)
    assert claims["family_name"] == "DUBOIS"


def test_registers_scopes_are_unknown_to_the_ordinary_portal() -> None:
    """They are dropped there without a word, as every unknown scope."""
    assert members(Service().token(Service().code())).get("error") == "invalid_grant"
    service = Service()
    tokens = service.tokens(scope=REGISTER)

    assert "rnipp" not in tokens["scope"]


def test_subjects_differ_from_those_of_the_ordinary_portal() -> None:
    """Nothing tells that two subjects are one person's."""
    assert a_service(None).claims("test")["sub"] != Service().claims("test")["sub"]


def test_logout_wants_the_decrypted_hint() -> None:
    """The encrypted token can't be decoded; the signed one inside is the hint."""
    service = a_service()
    id_token = service.tokens()["id_token"]

    refused = service.get("/session/end", id_token_hint=id_token, post_logout_redirect_uri=SIGNED_OUT)
    accepted = service.sign_out(id_token_hint=inside(id_token), post_logout_redirect_uri=SIGNED_OUT)

    assert "Y04FEDB9" in refused.text
    assert accepted.status_code == 303


def test_discovery_announces_encryption_and_the_higher_levels() -> None:
    """ES256 only, the three algorithms of keys, one of contents."""
    document = members(a_service().get("/.well-known/openid-configuration"))

    assert document["acr_values_supported"] == ["eidas2", "eidas3"]
    for token in ("id_token", "userinfo"):
        assert document[f"{token}_signing_alg_values_supported"] == ["ES256"]
        assert document[f"{token}_encryption_alg_values_supported"] == [ECDH, RSA_OLD, RSA]
        assert document[f"{token}_encryption_enc_values_supported"] == ["A256GCM"]
    assert "rnipp_identite_pivot" in document["scopes_supported"]


def test_key_set_has_the_one_key_that_signs() -> None:
    """Named as on the test stack."""
    keys = members(a_service().get("/jwks"))["keys"]

    assert [(key["kid"], key["alg"]) for key in keys] == [("pkcs11:hsm", "ES256")]


@pytest.mark.parametrize("place", ["id_token", "userinfo"])
def test_faults_of_encryption_are_what_they_say(place: str) -> None:
    """Signed only, and encrypted to somebody else."""
    for fault in ("unencrypted", "wrong_encryption_key"):
        service = a_service()
        service.fault(fault=fault, on=place, times=1)
        tokens = service.tokens()
        token = tokens["id_token"] if place == "id_token" else service.userinfo(tokens["access_token"]).text

        if fault == "unencrypted":
            assert service.verified(token)["aud"] == "mon-paris"
        else:
            with pytest.raises((JoseError, ValueError)):
                inside(token)


def test_session_cookie_lives_as_long_as_the_session() -> None:
    """Ten minutes."""
    assert "Max-Age=600" in a_service().authorize().headers["Set-Cookie"]


def test_json_userinfo_is_not_for_this_portal_by_default() -> None:
    """An encrypted token is never JSON."""
    service = a_service()

    with pytest.raises(json.JSONDecodeError):
        json.loads(service.userinfo(service.tokens()["access_token"]).text)
