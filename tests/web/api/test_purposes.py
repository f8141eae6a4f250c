"""GET /api/purposes and PUT /api/purposes/<name>: answers on a service's own page (CON-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.opaque import SecretKind, new_secret
from idp.domain.authentication import ACR_EIDAS1
from idp.services.authorization import access
from idp.storage.repositories import accounts
from tests.support import purposes as support
from tests.support.client_keys import self_signed
from tests.support.dpop import ProofMaker, redeem
from tests.support.provider import BEHIND_TLS, a_provider
from tests.support.purposes import EVENTS, MOBILE, SURVEYS, Session, a_session, events_waiting, proofs

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-3")

APP = "https://app.example.org"
PATHS = [("GET", "/api/purposes"), ("PUT", "/api/purposes/mobile_providers")]


@pytest.fixture
def session(lasting_provider: Provider) -> Session:
    """Somebody at a service that asks two questions, with no answer to either."""
    return a_session(lasting_provider)


def ask(provider: Provider, method: str, path: str, **headers: str) -> Any:
    """Send a request that passes but for its headers."""
    body = {"answer": True, "version": "1"} if method == "PUT" else None
    return provider.back_channel.open(path, method=method, json=body, headers=headers)


def is_unanswered(session: Session) -> bool:
    """Tell whether nothing was kept."""
    return session.claim() == {}


@pytest.mark.spec("RFC 6750", "3.1", "SHOULD NOT")
@pytest.mark.parametrize("method, path", PATHS)
def test_request_without_a_token_is_challenged(lasting_provider: Provider, method: str, path: str) -> None:
    """Both schemes are offered, and no reason is given."""
    answer = ask(lasting_provider, method, path)

    assert (answer.status_code, answer.json) == (401, {})
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="mon-paris", DPoP ')


@pytest.mark.spec("RFC 6750", "3.1", "MUST")
@pytest.mark.parametrize("method, path", PATHS)
@pytest.mark.parametrize("token", ["x", new_secret(SecretKind.ACCESS_TOKEN)], ids=["malformed", "unknown"])
def test_token_that_opens_nothing_is_refused(
    lasting_provider: Provider, method: str, path: str, token: str
) -> None:
    """As at UserInfo."""
    answer = ask(lasting_provider, method, path, Authorization=f"Bearer {token}")

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("method, path", PATHS)
def test_expired_token_is_refused(provider: Provider, clock: SettableClock, method: str, path: str) -> None:
    """Neither read nor written with."""
    session = a_session(provider)
    clock.advance(timedelta(minutes=6))

    answer = ask(provider, method, path, **session.bearer)

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    assert proofs(provider.context) == []


def test_token_of_a_withdrawn_consent_is_refused(provider: Provider) -> None:
    """The tokens died with it."""
    session = a_session(provider)
    with provider.context.database.write() as connection:
        access.end_within(
            connection,
            session.account.account_id,
            session.service.client,
            provider.clock(),
            reason="consent_withdrawn",
            sealer=provider.context.sealer,
        )

    assert [session.listed().status_code, session.put().status_code] == [401, 401]


def test_token_of_an_erased_account_is_refused(provider: Provider) -> None:
    """It is gone with everything else."""
    session = a_session(provider)
    with provider.context.database.write() as connection:
        accounts.remove(connection, session.account.account_id)

    assert [session.listed().status_code, session.put().status_code] == [401, 401]


def test_token_without_a_person_is_refused(lasting_provider: Provider) -> None:
    """A service can't answer in its own name."""
    service = lasting_provider.a_client(purposes=(MOBILE,))
    token = lasting_provider.post("/token", service, grant_type="client_credentials").json
    assert token is not None

    answer = ask(lasting_provider, *PATHS[1], Authorization=f"Bearer {token['access_token']}")

    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")


@pytest.mark.spec("RFC 9449", "7.2", "MUST")
def test_bound_token_is_refused_without_a_proof(lasting_provider: Provider, clock: SettableClock) -> None:
    """A stolen token changes nobody's answer; with a proof of each request it does what it is for."""
    provider, maker = lasting_provider, ProofMaker(lasting_provider.clock)
    del clock
    service = provider.a_client(dpop_bound_access_tokens=True)
    person = provider.an_account()
    browser = provider.signed_in(person)
    code = provider.code(browser, service)
    tokens = redeem(provider, service, code, maker.proof()).json
    assert tokens is not None
    session = Session(provider, provider.change(service, purposes=(MOBILE,)), person, browser, tokens)
    method, path = PATHS[1]

    stolen = session.put()
    proof = maker.proof(path, method=method, access_token=tokens["access_token"])
    proven = ask(provider, method, path, Authorization=f"DPoP {tokens['access_token']}", DPoP=proof)

    assert (stolen.status_code, (stolen.json or {})["error"]) == (401, "invalid_token")
    assert (proven.status_code, proven.json["answer"]) == (200, True)


@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_certificate_bound_token_is_refused_without_the_certificate(
    database: Database, clock: SettableClock
) -> None:
    """The connection has to show it."""
    provider, certificate = a_provider(database, clock, **BEHIND_TLS), self_signed()
    session = a_session(provider, certificate=certificate, tls_bound_access_tokens=True)

    without = session.put()
    headers = session.bearer | {"Client-Cert": certificate.client_cert}
    shown = ask(provider, *PATHS[1], **headers)

    assert without.status_code == 401
    assert shown.status_code == 200


@pytest.mark.spec("RFC 9470", "3", "MUST")
def test_weak_login_is_challenged_where_the_service_wants_a_stronger_one(lasting_provider: Provider) -> None:
    """What UserInfo would not tell can't be changed either."""
    session = a_session(lasting_provider, userinfo_acr=ACR_EIDAS1)

    answer = session.put()

    assert (answer.status_code, answer.json["error"]) == (401, "insufficient_user_authentication")  # type: ignore[index]


@pytest.mark.parametrize("name", ["advertising", "x" * 500, "é", "a/b", "%2e%2e"])
def test_unknown_purpose_is_not_found(session: Session, name: str) -> None:
    """Whatever the name, the answer is JSON."""
    answer = session.put(name)

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"] in {"unknown_purpose", "invalid_request"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_unanswered(session)


def test_purpose_of_another_service_is_not_found(lasting_provider: Provider, session: Session) -> None:
    """A token reaches the questions of its own client alone, and does not tell who else asks."""
    other = a_session(lasting_provider)
    changed = lasting_provider.change(other.service, purposes=(replace(SURVEYS, name="others"),))

    answer = session.put("others", version="3")

    assert (answer.status_code, answer.json["error"]) == (404, "unknown_purpose")  # type: ignore[index]
    assert [one.name for one in changed.client.purposes] == ["others"]
    assert is_unanswered(session)


@pytest.mark.parametrize("version", ["0", "2", "", "1 "])
def test_other_version_is_a_conflict(session: Session, version: str) -> None:
    """Nobody answers words that they have not read."""
    answer = session.put(version=version)

    assert (answer.status_code, answer.json["error"]) == (409, "purpose_version_mismatch")  # type: ignore[index]
    assert is_unanswered(session)


def test_language_of_no_wording_is_refused(session: Session) -> None:
    """The proof has the words that were shown: there are none in this language."""
    answer = session.put("surveys", version="3", language="en")

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")  # type: ignore[index]
    assert is_unanswered(session)


@pytest.mark.parametrize(
    "body",
    [
        {"answer": "true", "version": "1"},
        {"answer": 1, "version": "1"},
        {"answer": None, "version": "1"},
        {"version": "1"},
        {"answer": True},
        {"answer": True, "version": 1},
        {"answer": True, "version": "1", "purpose": "surveys"},
        {"answer": True, "version": "1", "language": ["fr"]},
        [],
        "yes",
        True,
    ],
    ids=str,
)
def test_body_that_is_no_answer_is_refused(session: Session, body: object) -> None:
    """Nothing is guessed."""
    answer = session.put(body=body)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")  # type: ignore[index]
    assert is_unanswered(session)


@pytest.mark.parametrize(
    "data, content_type, status",
    [
        (b"answer=true&version=1", "application/x-www-form-urlencoded", 415),
        (b'{"answer": true, "version": "1"}', "text/plain", 415),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"answer": true', "application/json", 400),
        (b'{"answer": true, "version": "' + b"1" * 5000 + b'"}', "application/json", 413),
        (b"[" * 4000, "application/json", 400),
    ],
    ids=["form", "text", "empty", "no-utf-8", "cut", "too-large", "deep"],
)
def test_body_that_can_not_be_read_is_refused(
    session: Session, data: bytes, content_type: str, status: int
) -> None:
    """In JSON, whatever was sent."""
    headers = session.bearer | {"Content-Type": content_type}

    answer = session.provider.back_channel.put("/api/purposes/mobile_providers", data=data, headers=headers)

    assert (answer.status_code, answer.json["error"]) == (status, "invalid_request")  # type: ignore[index]
    assert is_unanswered(session)


@pytest.mark.parametrize(
    "method, path", [("POST", "/api/purposes"), ("DELETE", "/api/purposes/x"), ("GET", "/api/nothing")]
)
def test_wrong_method_or_address_is_told_in_json(lasting_provider: Provider, method: str, path: str) -> None:
    """Programs call here."""
    answer = lasting_provider.back_channel.open(path, method=method)

    assert answer.status_code in {404, 405}
    assert answer.json is not None
    assert answer.json["error"] == "invalid_request"


def test_list_has_the_exact_words_and_no_answer_at_first(session: Session) -> None:
    """What a page must show, and nothing ticked."""
    answer = session.listed()

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    mobile, surveys = (answer.json or {})["purposes"]
    assert mobile == {
        "name": "mobile_providers",
        "title": MOBILE.title,
        "yes": MOBILE.yes,
        "no": MOBILE.no,
        "recipients": ["PayByPhone", "EasyPark"],
        "answer": None,
        "updated_at": None,
        "version": "1",
    }
    assert (surveys["name"], surveys["answer"]) == ("surveys", None)


def test_service_that_asks_nothing_has_an_empty_list(lasting_provider: Provider) -> None:
    """And nothing to answer."""
    session = a_session(lasting_provider)
    lasting_provider.change(session.service, purposes=())

    assert session.listed().json == {"purposes": []}
    assert session.put().status_code == 404
    assert session.claim() is None


def test_answer_takes_effect_at_once(session: Session) -> None:
    """The answer itself, the list, and UserInfo tell it."""
    at = int(session.provider.clock().timestamp())

    put = session.put(answer=False)

    assert put.status_code == 200
    assert put.headers["Cache-Control"] == "no-store"
    assert put.json is not None
    assert (put.json["answer"], put.json["updated_at"], put.json["version"]) == (False, at, "1")
    assert (session.listed().json or {})["purposes"][0] == put.json
    assert session.claim() == {"mobile_providers": {"answer": False, "version": "1", "updated_at": at}}


@pytest.mark.rule("CON-5")
def test_answer_by_the_service_is_proven_and_told(provider: Provider) -> None:
    """The proof says that it came from the service's own page, in which language; the event goes out all the same."""
    session = a_session(provider, events_uri=EVENTS)

    session.put(language="en")
    session.put(language="en")

    (entry,) = proofs(provider.context)
    assert (entry.channel, entry.language, entry.act) == ("api", "en", "given")
    assert len(events_waiting(provider.context)) == 1


def test_scripts_of_the_service_alone_may_read_answers(lasting_provider: Provider) -> None:
    """Cross-origin requests, as at UserInfo."""
    provider = lasting_provider
    session = a_session(provider, allowed_origins=(APP,))
    a_session(provider, allowed_origins=("https://other.example.org",))
    asked = {"Access-Control-Request-Method": "PUT", "Origin": APP}

    before = provider.back_channel.options(PATHS[1][1], headers=asked)
    own = ask(provider, *PATHS[1], Origin=APP, **session.bearer)
    others = ask(provider, *PATHS[0], Origin="https://other.example.org", **session.bearer)
    nobodys = provider.back_channel.options(PATHS[1][1], headers=asked | {"Origin": "https://evil.example"})

    assert before.status_code == 204
    assert before.headers["Access-Control-Allow-Methods"] == "PUT"
    assert before.headers["Access-Control-Allow-Origin"] == APP
    assert own.headers["Access-Control-Allow-Origin"] == APP
    for closed in (others, nobodys):
        assert "Access-Control-Allow-Origin" not in closed.headers


def test_id_token_has_the_claim_where_it_is_asked_for(lasting_provider: Provider) -> None:
    """By the `claims` parameter, from a client that declares purposes."""
    session = a_session(lasting_provider)
    session.put()
    session.put("surveys", version="3", answer=False)
    claims = '{"id_token": {"purposes": null}}'

    asked = lasting_provider.tokens(session.browser, session.service, claims=claims)
    silent = lasting_provider.tokens(session.browser, session.service)
    quiet = lasting_provider.tokens(session.browser, lasting_provider.a_client(), claims=claims)

    at = int(lasting_provider.clock().timestamp())
    assert support.payload(asked["id_token"])["purposes"] == {
        "mobile_providers": {"answer": True, "version": "1", "updated_at": at},
        "surveys": {"answer": False, "version": "3", "updated_at": at},
    }
    assert "purposes" not in support.payload(silent["id_token"])
    assert "purposes" not in support.payload(quiet["id_token"])


def test_discovery_names_the_claim(lasting_provider: Provider) -> None:
    """Services find it there."""
    metadata = lasting_provider.back_channel.get("/.well-known/openid-configuration").json

    assert metadata is not None
    assert "purposes" in metadata["claims_supported"]
