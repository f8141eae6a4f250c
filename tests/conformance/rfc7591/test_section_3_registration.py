"""RFC 7591 section 3: clients register themselves, behind a token or openly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.opaque import SecretKind, is_well_formed, new_secret
from idp.storage.models import audit_events
from idp.storage.models import clients as clients_table
from tests.support.registration import (
    CALLBACK,
    EC_KEY,
    Registrar,
    a_lasting_registrar,
    a_registrar,
    bearer,
    metadata,
)

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.databases import Databases

pytestmark = pytest.mark.rule("OID-7")


@pytest.fixture
def registrar(database: Database, clock: SettableClock) -> Registrar:
    """A provider where anybody may register."""
    return a_registrar(database, clock)


@pytest.fixture
def guarded(database: Database, clock: SettableClock) -> Registrar:
    """A provider where a token of an administrator is needed."""
    return a_registrar(database, clock, mode="token")


@pytest.fixture(scope="module")
def lasting(databases: Databases) -> Iterator[Registrar]:
    """A provider for what is refused: nothing is left behind."""
    with a_lasting_registrar(databases) as registrar:
        yield registrar


def count_of_clients(registrar: Registrar) -> int:
    """Count what is stored."""
    with registrar.provider.context.database.read() as connection:
        return len(connection.execute(clients_table.select()).all())


@pytest.mark.spec("RFC 7591", "3", "MUST")
def test_registration_that_is_off_is_not_there(database: Database, clock: SettableClock) -> None:
    """Without a word of the administrator nobody registers, reads, or finds out who did."""
    registrar = a_registrar(database, clock, mode="off")

    assert registrar.send(metadata()).status_code == 404
    for method in ("GET", "PUT", "DELETE"):
        answer = registrar.send(metadata(), path="/register/x", method=method, token="x")
        assert (answer.status_code, answer.mimetype) == (404, "application/json")


@pytest.mark.spec("RFC 7591", "3", "MUST")
@pytest.mark.parametrize("kind", [None, "nonsense", SecretKind.INITIAL_ACCESS, SecretKind.ACCESS_TOKEN])
def test_registration_without_a_token_that_opens_it_is_refused(guarded: Registrar, kind: str | None) -> None:
    """No token, a malformed one, an unknown one, one of another kind."""
    token = new_secret(kind) if isinstance(kind, SecretKind) else kind

    answer = guarded.send(metadata(), token=token)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == (token is not None)
    assert count_of_clients(guarded) == 0


@pytest.mark.spec("RFC 7591", "3", "OPTIONAL")
def test_token_registers_as_many_clients_as_it_was_made_for(guarded: Registrar) -> None:
    """Then it opens nothing any more; a registration that was refused has used nothing up."""
    token = guarded.initial_token(uses=2)

    refused = guarded.send(metadata(redirect_uris=["http://x.example/"]), token=token)
    first, second, third = (guarded.send(metadata(), token=token) for _ in range(3))

    assert [answer.status_code for answer in (refused, first, second, third)] == [400, 201, 201, 401]
    assert count_of_clients(guarded) == 2


@pytest.mark.spec("RFC 7591", "3", "OPTIONAL")
def test_token_that_expired_registers_nobody(guarded: Registrar, clock: SettableClock) -> None:
    """A token lives as long as the administrator said."""
    token = guarded.initial_token(uses=None, days=1)
    assert guarded.send(metadata(), token=token).status_code == 201

    clock.advance(days=1)

    assert guarded.send(metadata(), token=token).status_code == 401


@pytest.mark.spec("RFC 7591", "3.2.1", "MUST")
def test_answer_has_the_client_and_all_of_its_metadata(registrar: Registrar, clock: SettableClock) -> None:
    """Status 201, JSON that no cache keeps, what was asked for and what was filled in."""
    answer = registrar.send(metadata(contacts=["dsi@example.org"], logo_uri="https://app.example.org/l.png"))
    body: dict[str, Any] = answer.json or {}

    assert answer.status_code == 201
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_well_formed(SecretKind.CLIENT_SECRET, body["client_secret"])
    assert body["client_secret_expires_at"] == 0
    assert body["client_id_issued_at"] == int(clock().timestamp())
    assert body["redirect_uris"] == [CALLBACK]
    assert body["contacts"] == ["dsi@example.org"]
    assert body["token_endpoint_auth_method"] == "client_secret_basic"
    assert body["grant_types"] == ["authorization_code"]
    assert body["response_types"] == ["code"]
    # Uploaded or refused, never fetched: what was not taken is not said to be.
    assert "logo_uri" not in body


@pytest.mark.spec("RFC 7591", "3.2.1", "MUST")
def test_client_without_a_secret_gets_none(registrar: Registrar) -> None:
    """Neither a public client nor one that signs by its own key has anything to lose."""
    public = registrar.register(token_endpoint_auth_method="none")
    signs = registrar.register(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [EC_KEY]})

    assert {"client_secret", "client_secret_expires_at"}.isdisjoint(public | signs)


@pytest.mark.spec("RFC 7591", "2", "MUST")
def test_members_that_are_unknown_are_ignored(registrar: Registrar) -> None:
    """Neither an extension nor a name in another language, nor what only an administrator decides (S-163)."""
    body = registrar.register(
        **{
            "client_name#en": "An application",
            "software_id": "x",
            "colour": {"deep": [1]},
            "is_verified": True,
            "consent_required": False,
            "is_admin": 1,
            "profile": "fapi2",
            "resources": ["https://api.example.org/"],
            "client_id": "chosen",
            "client_secret": "chosen",
        }
    )
    client = registrar.provider.context.clients
    with registrar.provider.context.database.read() as connection:
        stored = client.find(connection, body["client_id"])

    assert stored is not None
    assert body["client_id"] != "chosen"
    assert body["client_secret"] != "chosen"
    assert (stored.is_verified, stored.consent_required, stored.profile) == (False, True, None)
    assert stored.resources == ()
    assert "colour" not in body


@pytest.mark.spec("RFC 7591", "3.1.1", "OPTIONAL")
def test_software_statement_is_refused(registrar: Registrar) -> None:
    """We trust nobody to vouch for a client: to ignore it would let the client believe otherwise."""
    answer = registrar.send(metadata(software_statement="a.b.c"))

    assert answer.status_code == 400
    assert (answer.json or {})["error"] == "invalid_client_metadata"


@pytest.mark.spec("RFC 7591", "3.2.2", "MUST")
@pytest.mark.parametrize(
    "redirect_uris",
    [
        [],
        ["http://app.example.org/cb"],
        ["https://a.example/#x"],
        ["javascript:x"],
        "https://a.example/",
        [1],
    ],
)
def test_wrong_redirect_uri_has_an_error_of_its_own(lasting: Registrar, redirect_uris: object) -> None:
    """invalid_redirect_uri, with what is wrong and nothing of what was sent."""
    answer = lasting.send(metadata(redirect_uris=redirect_uris))
    body: dict[str, Any] = answer.json or {}

    assert (answer.status_code, body["error"]) == (400, "invalid_redirect_uri")
    assert body["error_description"].isascii()
    assert "example" not in body["error_description"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 7591", "3.2.2", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": 1},
        {"client_name": "a\u202eb"},
        {"contacts": ["nobody"]},
        {"jwks": []},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [EC_KEY]}, "jwks_uri": "https://app.example.org/jwks"},
        {"jwks": {"keys": [EC_KEY | {"d": "private"}]}},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a"},
        {"token_endpoint_auth_method": "magic"},
        {"grant_types": ["password"]},
        {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
        {"response_types": ["code", "none"]},
        {"default_max_age": "1"},
        {"default_max_age": True},
        {"default_max_age": -1},
        {"default_max_age": 10**30},
        {"require_auth_time": "yes"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_encrypted_response_enc": "A128GCM"},
        {"id_token_encrypted_response_alg": "RSA-OAEP"},
        {"request_uris": ["http://app.example.org/r"]},
        {"frontchannel_logout_uri": "https://other.example.org/"},
        {"backchannel_logout_uri": "http://app.example.org/"},
        {"initiate_login_uri": "ftp://app.example.org/"},
        {"subject_type": "x"},
        {"application_type": "desktop"},
        {"tls_client_auth_subject_dn": "CN=a", "tls_client_auth_san_dns": "a.example"},
    ],
)
def test_wrong_metadata_are_refused(lasting: Registrar, changes: dict[str, Any]) -> None:
    """invalid_client_metadata: what can't be kept as asked is said, not bent."""
    answer = lasting.send(metadata(**changes))

    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_client_metadata")
    assert count_of_clients(lasting) == 0


@pytest.mark.spec("RFC 7591", "3.1", "MUST")
@pytest.mark.parametrize(
    "body, content_type, status",
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"client_name": "\\ud800"}', "application/json", 400),
        (b'{"client_name": "\xff"}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a":' * 10_000, "application/json", 400),
        (b"{" + b" " * 70_000 + b"}", "application/json", 413),
        (b"client_name=x", "application/x-www-form-urlencoded", 400),
        (b'{"redirect_uris": ["https://app.example.org/cb"]}', "text/plain", 400),
    ],
)
def test_body_that_is_no_json_object_is_refused(
    lasting: Registrar, body: bytes, content_type: str, status: int
) -> None:
    """Nor one that is larger than any registration."""
    answer = lasting.provider.back_channel.post(
        "/register", data=body, content_type=content_type, headers=bearer(lasting.token)
    )

    assert (answer.status_code, answer.mimetype) == (status, "application/json")


@pytest.mark.spec("RFC 7591", "3", "MUST")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_endpoint_takes_posts_only(lasting: Registrar, method: str) -> None:
    """Anything else is told so, in JSON."""
    answer = lasting.send(metadata(), method=method)

    assert (answer.status_code, answer.mimetype) == (405, "application/json")


@pytest.mark.spec("RFC 7591", "5", "SHOULD")
def test_many_registrations_of_one_network_are_slowed_down(
    registrar: Registrar, clock: SettableClock
) -> None:
    """Who fills the table waits; an hour later it goes on."""
    answers = [registrar.send({}) for _ in range(61)]

    assert {answer.status_code for answer in answers[:60]} == {400}
    assert (answers[60].status_code, answers[60].mimetype) == (429, "application/json")
    assert int(answers[60].headers["Retry-After"]) > 0
    clock.advance(hours=1)
    assert registrar.send(metadata()).status_code == 201


@pytest.mark.rule("ADM-3")
@pytest.mark.spec("RFC 7591", "5", "SHOULD")
def test_registration_is_audited(registrar: Registrar) -> None:
    """The client did it, not an administrator; no value stands in the trail."""
    body = registrar.register()

    with registrar.provider.context.database.read() as connection:
        (event,) = connection.execute(audit_events.select()).mappings().all()
    assert (event["name"], event["actor"]) == ("client.changed", "client")
    assert event["client_id"] == body["client_id"]
    assert "Une application" not in str(event["details"])


@pytest.mark.spec("RFC 7591", "2", "OPTIONAL")
def test_scopes_are_those_that_it_asked_for_and_may_have(registrar: Registrar) -> None:
    """Scopes of the city's APIs are nobody's for the asking; without a wish it gets the standard ones."""
    asked = registrar.register(scope="openid email requests:write")
    silent = registrar.register()
    offline = registrar.register(grant_types=["authorization_code", "refresh_token"])

    assert asked["scope"] == "email openid"
    assert silent["scope"] == "address email openid phone profile"
    assert "offline_access" in offline["scope"].split()


@pytest.mark.spec("RFC 7591", "2.1", "SHOULD")
@pytest.mark.parametrize(
    "given, grants, types",
    [
        ({"response_types": ["code"]}, ["authorization_code"], ["code"]),
        ({"grant_types": ["client_credentials"]}, ["client_credentials"], []),
        (
            {"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "redirect_uris": None},
            ["urn:ietf:params:oauth:grant-type:device_code"],
            [],
        ),
    ],
)
def test_grants_and_response_types_go_together(
    registrar: Registrar, given: dict[str, Any], grants: list[str], types: list[str]
) -> None:
    """What one implies of the other is filled in."""
    body = registrar.register(**given)

    assert (body["grant_types"], body["response_types"]) == (grants, types)


@pytest.mark.spec("RFC 7591", "2", "OPTIONAL")
def test_client_without_a_name_is_called_by_its_host(registrar: Registrar) -> None:
    """People are shown where their data go, when nobody says for whom."""
    assert registrar.register(client_name=None)["client_name"] == "app.example.org"


@pytest.mark.spec("RFC 7591", "5", "MUST")
@pytest.mark.rule("CON-2")
def test_client_that_registered_itself_asks_and_is_told_to_be_unverified(registrar: Registrar) -> None:
    """S-73: people consent to each datum, and read that the city has not verified the service."""
    registrar.provider.clock.advance(seconds=1)
    body = registrar.register(tos_uri="https://app.example.org/tos", scope="openid email")
    browser = registrar.provider.signed_in(registrar.provider.an_account())
    with registrar.provider.context.database.read() as connection:
        client = registrar.provider.context.clients.find(connection, body["client_id"])
    assert client is not None

    answer = browser.get(
        "/authorize",
        query_string={
            "client_id": body["client_id"],
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        },
    )
    page = browser.get(answer.location)

    assert "pas vérifié" in page.text
    assert 'href="https://app.example.org/tos"' in page.text
    assert all(not use.required for use in client.claims)


@pytest.mark.spec("RFC 7591", "3.2.1", "MUST")
def test_registered_client_gets_a_token(registrar: Registrar) -> None:
    """What was answered works: the secret opens the token endpoint."""
    body = registrar.register(grant_types=["authorization_code", "client_credentials"])

    answer = registrar.provider.back_channel.post(
        "/token",
        data={"grant_type": "authorization_code", "code": "x"},
        auth=(body["client_id"], body["client_secret"]),
    )

    assert (answer.json or {})["error"] == "invalid_grant"
