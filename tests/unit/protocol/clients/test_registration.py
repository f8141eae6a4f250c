"""From the JSON of a registration to a client and back, types checked (RFC 7591 section 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from idp.domain.client import Client, ClientAuthenticationMethod, Encryption, RegistrationPolicy
from idp.protocol.clients.metadata import problems
from idp.protocol.clients.public_keys import known_members, signing_algorithms
from idp.protocol.clients.registration import Unreadable, read, written
from tests.support.authorization_requests import NOW, PARKING, a_client

POLICY = RegistrationPolicy()
EC_KEY = {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "y" * 43, "kid": "1"}
PASSES = {"client_name": "App", "redirect_uris": ["https://app.example.org/cb"]}


def fields_of(members: dict[str, Any]) -> set[str]:
    """Name what can't be read."""
    found = read(members, POLICY)
    return {problem.field for problem in found.problems} if isinstance(found, Unreadable) else set()


def made_of(members: dict[str, Any], present: Client | None = None) -> Client:
    """Read what can be read."""
    found = read(members, POLICY, present)
    assert isinstance(found, Client)
    return found


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize(
    "member, value",
    [
        ("client_name", 1),
        ("scope", ["openid"]),
        ("redirect_uris", "https://app.example.org/cb"),
        ("redirect_uris", [None]),
        ("jwks", "{}"),
        ("jwks_uri", {}),
        ("require_auth_time", 1),
        ("default_max_age", 1.5),
        ("default_max_age", False),
        ("subject_type", "secret"),
        ("application_type", []),
        ("token_endpoint_auth_method", "password"),
        ("id_token_encrypted_response_alg", 1),
        ("tls_client_auth_san_ip", 1),
        ("software_statement", {}),
    ],
)
def test_member_of_the_wrong_type_is_named(member: str, value: object) -> None:
    """Nothing is guessed from what it might have meant."""
    assert fields_of(PASSES | {member: value}) == {member}


def test_all_wrong_types_are_told_at_once() -> None:
    """A developer corrects a request once."""
    assert fields_of({"client_name": 1, "scope": 1, "jwks": 1}) == {"client_name", "scope", "jwks"}


def test_null_is_a_member_that_is_absent() -> None:
    """RFC 7592 section 2.2: so a value is taken back."""
    assert made_of(PASSES | {"client_uri": None, "contacts": None}) == made_of(PASSES)


def test_encryption_has_both_halves() -> None:
    """The algorithm of the key alone takes a default; the content's alone means nothing."""
    alone = made_of(PASSES | {"userinfo_encrypted_response_alg": "ECDH-ES"})

    assert alone.userinfo_encryption == Encryption("ECDH-ES", "A128CBC-HS256")
    assert fields_of(PASSES | {"userinfo_encrypted_response_enc": "A128GCM"}) == {
        "userinfo_encrypted_response_enc"
    }


@pytest.mark.rule("CON-6")
@pytest.mark.parametrize(
    "uri, sector",
    [("https://s.example/x", "s.example"), ("https://[/", None), ("x", None), (None, None)],
)
def test_sector_is_the_host_of_its_address(uri: str | None, sector: str | None) -> None:
    """Which the checks refuse when there is none."""
    assert made_of(PASSES | {"sector_identifier_uri": uri}).sector_identifier == sector


@pytest.mark.parametrize(
    "redirect_uris, name",
    [
        (["https://[/", "https://b.example/"], "b.example"),
        (["com.example.app:/cb"], "Service"),
        ([], "Service"),
    ],
)
def test_client_without_a_name_gets_one(redirect_uris: list[str], name: str) -> None:
    """The host that data go to; an app has none."""
    assert made_of({"redirect_uris": redirect_uris}).name == name


def test_service_without_people_gets_no_scope_of_theirs() -> None:
    """A client of its own data asks for APIs, which an administrator gives."""
    alone = made_of({"client_name": "Batch", "grant_types": ["client_credentials"]})

    assert alone.scopes == frozenset()
    assert problems(replace(alone, client_id="batch")) == ()


def test_change_keeps_what_is_not_the_clients_to_say() -> None:
    """What an administrator decided, the identifier and the secrets."""
    decided = a_client(allowed_origins=("https://app.example.org",), description={"fr": "Un service."})

    changed = made_of(PASSES, decided)

    assert (changed.client_id, changed.claims) == (PARKING.client_id, PARKING.claims)
    assert (changed.allowed_origins, changed.description) == (decided.allowed_origins, decided.description)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": "Autre"},
        {"redirect_uris": ["https://evil.example/"]},
        {"client_uri": "https://evil.example/"},
        {"policy_uri": "https://evil.example/"},
    ],
)
def test_change_of_what_people_see_is_not_verified_any_more(changes: dict[str, object]) -> None:
    """S-73: the city verified another service."""
    present = replace(made_of(PASSES), is_verified=True)

    assert made_of(PASSES | {"default_max_age": 1}, present).is_verified
    assert not made_of(PASSES | changes, present).is_verified


def test_public_client_uses_pkce_whatever_the_policy() -> None:
    """A change to a client without a secret brings it."""
    lax = RegistrationPolicy(require_pkce=False)
    public = read(PASSES | {"token_endpoint_auth_method": "none"}, lax)

    assert isinstance(public, Client)
    assert public.authentication_method is ClientAuthenticationMethod.NONE
    assert public.require_pkce


def test_written_client_has_no_member_without_a_value() -> None:
    """No null, no empty list; the moment of registration in seconds."""
    shown = written(a_client(created_at=NOW))

    assert None not in shown.values()
    assert shown["client_id_issued_at"] == int(NOW.timestamp())
    assert [name for name, value in shown.items() if value == [] and name != "response_types"] == []


def test_names_of_extensions_are_read_and_written() -> None:
    """The certificate's name and both halves of an encryption; a response type in any order of words."""
    sent = PASSES | {
        "tls_client_auth_san_uri": "urn:app",
        "request_object_encryption_alg": "ECDH-ES",
        "request_object_encryption_enc": "A256GCM",
        "response_types": ["token id_token"],
        "request_object_signing_alg": "none",
    }

    client = made_of(sent)
    shown = written(client)

    assert {name: shown[name] for name in ("tls_client_auth_san_uri", "request_object_encryption_enc")} == {
        "tls_client_auth_san_uri": "urn:app",
        "request_object_encryption_enc": "A256GCM",
    }
    assert (shown["response_types"], shown["grant_types"]) == (["id_token token"], ["implicit"])
    assert client.request_object_signing_alg is None
    assert fields_of(sent | {"tls_client_auth_subject_dn": "CN=a"}) == {"tls_client_auth_san_uri"}


@pytest.mark.rule("OID-4")
def test_key_set_keeps_what_is_read_and_what_must_be_refused() -> None:
    """Unknown members of a key are dropped; a private one stays, so that it is seen."""
    kept = made_of(PASSES | {"jwks": {"keys": [EC_KEY | {"ext": 10**40, "d": "x"}, 7], "more": 1}}).jwks

    assert kept == {"keys": [EC_KEY | {"d": "x"}, None]}
    assert known_members({"keys": "x"}) == {}


@pytest.mark.rule("OID-4")
def test_algorithms_follow_the_keys_that_sign() -> None:
    """A key for encryption signs nothing."""
    rsa = {"kty": "RSA", "n": "n" * 342, "e": "AQAB"}
    okp = {"kty": "OKP", "crv": "Ed25519", "x": "x" * 43}
    jwks = {"keys": [rsa, okp, EC_KEY, EC_KEY | {"use": "enc"}, EC_KEY | {"crv": "P-384"}, {"crv": 1}, 7]}

    assert signing_algorithms(jwks) == ("PS256", "EdDSA", "ES256")
    assert signing_algorithms({}) == ()


#: The city's part of a contract, in the words of the file of services.
OF_THE_CITY: dict[str, Any] = {
    "organisation": "Ville de Paris",
    "description": {"fr": "Service officiel."},
    "rubrique": "deplacements",
    "legal_basis": "legal_obligation",
    "retention": {"fr": "Un jour."},
    "recipients": ["Personne"],
    "storage_location": "France",
    "data_protection_contact": "dpd@paris.example",
    "required_acr": "eidas1",
    "minimum_age": 3,
    "consent_required": False,
    "consent_always": True,
    "claims": [{"name": "email", "reason": {"fr": "Obligatoire."}, "required": True}],
    "purposes": [{"name": "p", "version": "1", "title": {}, "yes": {}, "no": {}}],
    "newsletters": [{"name": "n", "title": {}, "description": {}}],
    "events_uri": "https://app.example.org/events",
    "policy_version": "9",
    "is_verified": True,
    "starts_at": "2020-01-01T00:00:00Z",
}


@pytest.mark.rule("CON-1", "OID-7")
@pytest.mark.parametrize("name", OF_THE_CITY)
def test_contract_with_the_city_is_nothing_that_a_stranger_sets(name: str) -> None:
    """Whoever registers itself says nothing about legal basis, age, level, questions or verification."""
    made = made_of(PASSES | {name: OF_THE_CITY[name]})

    assert made == made_of(PASSES)
    assert name not in written(made)


@pytest.mark.rule("CON-1", "OID-7")
def test_contract_with_the_city_outlives_a_change_by_the_service() -> None:
    """What an administrator agreed with it stays, whatever it sends (RFC 7592 section 2.2)."""
    agreed = {"minimum_age": 15, "required_acr": "eidas1", "recipients": ("Régie",), "consent_always": True}
    present = a_client(**agreed)

    changed = made_of(PASSES | OF_THE_CITY | {"contacts": ["dev@app.example.org"]}, present)

    assert {name: getattr(changed, name) for name in agreed} == agreed
    assert changed.contacts == ("dev@app.example.org",)


@pytest.mark.rule("CON-1", "OID-7")
def test_what_people_can_read_of_a_service_is_the_services_to_say() -> None:
    """Its home page, its policy, its terms and whom to write to come from the standards."""
    said = {
        "client_uri": "https://app.example.org/",
        "policy_uri": "https://app.example.org/policy",
        "tos_uri": "https://app.example.org/tos",
        "contacts": ["dev@app.example.org"],
    }

    made = made_of(PASSES | said)

    assert problems(replace(made, client_id="app")) == ()
    assert {name: value for name, value in written(made).items() if name in said} == said
