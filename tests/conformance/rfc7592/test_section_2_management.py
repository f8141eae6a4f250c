"""RFC 7592 section 2: a client reads, replaces and takes back its own registration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.client import Client, ClientAuthenticationMethod
from idp.storage.models import (
    audit_events,
    client_registrations,
    client_secrets,
    consents,
    token_families,
    tokens,
)
from idp.storage.models import clients as clients_table
from idp.storage.repositories import clients
from tests.support.provider import CHALLENGE, VERIFIER, answer_of, form_of
from tests.support.registration import CALLBACK, EC_KEY, Registrar, a_registrar

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("OID-7")
#: What only answers carry (section 2.2: "MUST NOT include").
ANSWER = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


@pytest.fixture
def registrar(database: Database, clock: SettableClock) -> Registrar:
    """A provider where anybody may register."""
    return a_registrar(database, clock)


def sent_back(client: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Give what a client sends to change itself: what it was answered, without what belongs to answers."""
    return {name: value for name, value in client.items() if name not in ANSWER} | changes


def stored(registrar: Registrar, client: dict[str, Any]) -> Client:
    """Read a client as it is kept."""
    with registrar.provider.context.database.read() as connection:
        found = clients.by_id(connection, client["client_id"])
    assert found is not None
    return found


@pytest.mark.spec("RFC 7592", "2.1", "MUST")
def test_client_reads_what_it_registered(registrar: Registrar) -> None:
    """The same as it was answered; the secret, which is kept as a hash, aside."""
    client = registrar.register(contacts=["dsi@example.org"], default_max_age=60)

    answer = registrar.read(client)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {name: value for name, value in client.items() if name != "client_secret"}


@pytest.mark.spec("RFC 7592", "3", "REQUIRED")
def test_answer_says_where_and_by_what_it_is_managed(registrar: Registrar) -> None:
    """The address is below ours, and opens with the token."""
    client = registrar.register()

    assert client["registration_client_uri"].endswith(f"/register/{client['client_id']}")
    assert registrar.read(client).status_code == 200


@pytest.mark.spec("RFC 7592", "2", "MUST")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("token", [None, "", "nonsense", "of_another_kind", "unknown", "of_another_client"])
def test_wrong_token_manages_nothing(registrar: Registrar, method: str, token: str | None) -> None:
    """Status 401 and nothing more; whether there is such a client is not told."""
    client, other = registrar.register(), registrar.register()
    given = {
        "of_another_kind": new_secret(SecretKind.INITIAL_ACCESS),
        "unknown": new_secret(SecretKind.REGISTRATION_ACCESS),
        "of_another_client": other["registration_access_token"],
    }.get(token or "", token)

    path = f"/register/{client['client_id']}"
    answer = registrar.send(sent_back(client, client_name="Autre"), token=given, path=path, method=method)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert stored(registrar, client).name == "Une application"


@pytest.mark.spec("RFC 7592", "2", "MUST")
@pytest.mark.parametrize("client_id", ["nobody", "%00", "%ff", "a%2fb", "é", "."])
def test_token_manages_no_client_that_it_was_not_made_for(registrar: Registrar, client_id: str) -> None:
    """Nor one whose name no database could hold."""
    client = registrar.register()

    answer = registrar.send(
        {}, token=client["registration_access_token"], path=f"/register/{client_id}", method="GET"
    )

    assert answer.status_code in {401, 404}


@pytest.mark.spec("RFC 7592", "2", "MUST")
def test_secret_of_the_client_manages_nothing(registrar: Registrar) -> None:
    """Only the token that was made for it does."""
    client = registrar.register()

    answer = registrar.provider.back_channel.get(
        f"/register/{client['client_id']}", auth=(client["client_id"], client["client_secret"])
    )

    assert answer.status_code == 401


@pytest.mark.spec("RFC 7592", "2", "MUST")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_client_that_an_administrator_closed_manages_nothing(registrar: Registrar, method: str) -> None:
    """Or it would open itself again under another name."""
    client = registrar.register()
    with registrar.provider.context.database.write() as connection:
        clients.replace(
            connection, replace(stored(registrar, client), disabled_at=registrar.provider.clock())
        )

    path, token = f"/register/{client['client_id']}", client["registration_access_token"]
    answer = registrar.send(sent_back(client), token=token, path=path, method=method)

    assert answer.status_code == 401


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
def test_change_replaces_everything(registrar: Registrar) -> None:
    """What is left out goes back to the default; the token and the secret stay."""
    client = registrar.register(
        contacts=["dsi@example.org"], default_max_age=60, policy_uri="https://a.example/p"
    )

    changed = sent_back(client, client_name="Un autre nom", contacts=None)
    del changed["default_max_age"], changed["policy_uri"]
    answer = registrar.replace(client, changed)
    body: dict[str, Any] = answer.json or {}

    assert answer.status_code == 200
    assert body["client_name"] == "Un autre nom"
    assert {"contacts", "default_max_age", "policy_uri"}.isdisjoint(body)
    assert body["registration_access_token"] == client["registration_access_token"]
    assert stored(registrar, client).default_max_age is None
    assert stored(registrar, client).secrets[0].secret_hash == digest(client["client_secret"])


@pytest.mark.spec("RFC 7592", "2.2", "MUST NOT")
@pytest.mark.parametrize("name", ANSWER)
def test_what_belongs_to_answers_is_refused(registrar: Registrar, name: str) -> None:
    """The request "MUST NOT include" it."""
    client = registrar.register()

    answer = registrar.replace(client, sent_back(client, **{name: client[name]}))

    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_client_metadata")


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
@pytest.mark.parametrize("client_id", [None, "another", 1])
def test_change_without_the_clients_own_identifier_is_refused(
    registrar: Registrar, client_id: object
) -> None:
    """A change that was meant for another client would overwrite this one."""
    client = registrar.register()

    answer = registrar.replace(client, sent_back(client, client_id=client_id))

    assert (answer.status_code, (answer.json or {})["error"]) == (400, "invalid_client_metadata")


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
@pytest.mark.parametrize("secret", ["chosen", "", 1, ["x"]])
def test_secret_can_not_be_chosen(registrar: Registrar, secret: object) -> None:
    """A secret that is sent "MUST match the currently issued client secret"."""
    client = registrar.register()

    answer = registrar.replace(client, sent_back(client, client_secret=secret))

    assert answer.status_code == 400
    assert registrar.replace(client, sent_back(client)).status_code == 200


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
@pytest.mark.parametrize(
    "changes, error",
    [
        ({"redirect_uris": ["http://a.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"software_statement": "x"}, "invalid_client_metadata"),
    ],
)
def test_change_is_checked_as_a_registration_is(
    registrar: Registrar, changes: dict[str, object], error: str
) -> None:
    """What could not be registered can't be become."""
    client = registrar.register()

    answer = registrar.replace(client, sent_back(client, **changes))

    assert (answer.status_code, (answer.json or {})["error"]) == (400, error)
    assert stored(registrar, client).redirect_uris == (CALLBACK,)


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
def test_change_that_is_no_json_is_refused(registrar: Registrar) -> None:
    """And nothing is stored of it."""
    client = registrar.register()

    assert registrar.replace(client, ["x"]).status_code == 400


@pytest.mark.spec("RFC 7592", "2.2", "MAY")
def test_change_of_method_brings_the_secret_that_it_needs(registrar: Registrar) -> None:
    """None for a key, a new one for a secret, and one that signs for client_secret_jwt; the old one ends."""
    client = registrar.register()
    first = client.pop("client_secret")

    by_key = registrar.replace(
        client,
        sent_back(client, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [EC_KEY]}),
    ).json
    by_secret = registrar.replace(client, sent_back(client)).json or {}
    signing = (
        registrar.replace(client, sent_back(client, token_endpoint_auth_method="client_secret_jwt")).json
        or {}
    )

    now = registrar.provider.clock()
    live = [secret for secret in stored(registrar, client).secrets if secret.is_live(now)]
    assert "client_secret" not in (by_key or {})
    assert len({first, by_secret["client_secret"], signing["client_secret"]}) == 3
    assert [secret.secret_hash for secret in live] == [digest(signing["client_secret"])]
    opened = registrar.provider.context.sealer.unseal(
        live[0].sealed or "", bound_to=f"client_secret/{client['client_id']}"
    )
    assert opened.decode() == signing["client_secret"]


@pytest.mark.spec("RFC 7592", "2.2", "MUST")
def test_what_an_administrator_decided_stays(registrar: Registrar) -> None:
    """A client changes its own metadata; neither the rules that it is under nor the city's word for it."""
    client = registrar.register()
    decided = replace(
        stored(registrar, client),
        is_verified=True,
        require_pkce=False,
        consent_required=False,
        scopes=frozenset({"openid", "requests:write"}),
    )
    with registrar.provider.context.database.write() as connection:
        clients.replace(connection, decided)

    same = registrar.replace(
        client, sent_back(client, scope="openid requests:write", contacts=["a@b.example"])
    )
    kept = stored(registrar, client)
    moved = registrar.replace(
        client, sent_back(client, redirect_uris=["https://evil.example/"], scope="openid")
    )

    assert (same.status_code, moved.status_code) == (200, 200)
    assert (kept.is_verified, kept.require_pkce, kept.consent_required) == (True, False, False)
    assert kept.scopes == {"openid", "requests:write"}
    # Another address, another service: nobody has verified that one.
    assert not stored(registrar, client).is_verified


@pytest.mark.spec("RFC 7592", "2.3", "MUST")
def test_client_that_is_taken_back_is_gone_with_everything(registrar: Registrar) -> None:
    """Status 204; its tokens, its consents, its secrets and the token that managed it are dead."""
    client = registrar.register(grant_types=["authorization_code", "refresh_token"])
    tokens_of(registrar, client)

    answer = registrar.delete(client)

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    for attempt in (registrar.read(client), registrar.delete(client), registrar.replace(client, {})):
        assert attempt.status_code == 401
    with registrar.provider.context.database.read() as connection:
        for table in (
            clients_table, client_secrets, client_registrations, consents, token_families, tokens,
        ):  # fmt: skip
            assert connection.execute(table.select()).all() == [], table.name


@pytest.mark.rule("ADM-3")
@pytest.mark.spec("RFC 7592", "2", "OPTIONAL")
def test_each_act_is_audited(registrar: Registrar) -> None:
    """Who, which client, which attributes."""
    client = registrar.register()
    registrar.replace(client, sent_back(client, client_name="Autre"))
    registrar.delete(client)

    with registrar.provider.context.database.read() as connection:
        events = connection.execute(audit_events.select().order_by(audit_events.c.event_id)).mappings().all()
    assert {event["details"]["change"] for event in events} == {"created", "updated", "deleted"}
    assert {event["actor"] for event in events} == {"client"}
    assert [event["details"]["fields"] for event in events if event["details"]["change"] == "updated"] == [
        ["name"]
    ]


@pytest.mark.spec("RFC 7592", "5", "MUST")
def test_token_is_kept_as_a_hash(registrar: Registrar) -> None:
    """Who reads the database can manage nobody's client."""
    client = registrar.register()

    with registrar.provider.context.database.read() as connection:
        (row,) = connection.execute(client_registrations.select()).mappings().all()
    assert bytes(row["token_hash"]) == digest(client["registration_access_token"])
    assert stored(registrar, client).authentication_method is ClientAuthenticationMethod.SECRET_BASIC


def tokens_of(registrar: Registrar, client: dict[str, Any]) -> dict[str, Any]:
    """Sign somebody in to a client, with consent."""
    browser = registrar.provider.signed_in()
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid offline_access",
        "prompt": "consent",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page = browser.get("/authorize", query_string=asked).location
    answer = browser.post("/consent", data={**form_of(browser.get(page)), "decision": "allow"})
    answered = registrar.provider.back_channel.post(
        "/token",
        data={
            "grant_type": "authorization_code",
            "code": answer_of(answer)["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        },
        auth=(client["client_id"], client["client_secret"]),
    )
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json or {}
    return body
