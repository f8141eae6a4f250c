"""Requests in an object, by value and by reference (RFC 9101, OIDC Core 6; OID-5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.jwe import encrypt
from idp.domain.client import Encryption
from tests.support.client_keys import a_key, jwks
from tests.support.provider import CALLBACK, ISSUER, a_provider, answer_of
from tests.support.request_objects import claims_of, request_object, unsigned
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

OTHER_CALLBACK = "https://parking.example.org/other"
OUTER = ("client_id", "redirect_uri", "response_type", "scope")


def a_signer(provider: Provider, alg: str = "ES256", **fields: Any) -> Service:
    """Register a client that has a key to sign its requests with."""
    key = a_key(alg)
    return provider.a_client(key=key, **({"jwks": jwks(key)} | fields))


def ask(provider: Provider, service: Service, **changes: str | None) -> TestResponse:
    """Send somebody who is signed in, with what OIDC Core 6.1 wants beside an object, and changes."""
    usual = {name: provider.parameters(service)[name] for name in OUTER}
    query = {name: value for name, value in {**usual, "state": "outer", **changes}.items() if value}
    return provider.signed_in().get("/authorize", query_string=query)


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody"},
        {"client_id": None},
        {"iss": "somebody"},
        {"aud": "https://other.example.org"},
        {"exp": 1},
        {"nbf": 9_000_000_000},
        {"request_uri": "https://parking.example.org/request"},
        {"request": "x.y.z"},
        {"scope": ["openid"]},
        {"prompt": True},
    ],
    ids=repr,
)
def test_object_that_is_not_valid_is_told_to_the_client(
    lasting_provider: Provider, changes: dict[str, Any]
) -> None:
    """The error goes to the address beside the object, with the state beside it."""
    service = a_signer(lasting_provider)

    answer = ask(lasting_provider, service, request=request_object(lasting_provider, service, **changes))

    assert answer.location.startswith(f"{CALLBACK}?")
    told = answer_of(answer)
    assert (told["error"], told["state"]) == ("invalid_request_object", "outer")
    assert told["iss"] == ISSUER


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
def test_object_signed_by_anybody_else_is_refused(lasting_provider: Provider) -> None:
    """Another key under the same name, another name, another algorithm than the key's, an altered text."""
    service = a_signer(lasting_provider)
    good = request_object(lasting_provider, service)
    head, body, signature = good.split(".")
    other_body = request_object(lasting_provider, service, scope="openid email").split(".")[1]
    bad = [
        request_object(lasting_provider, service, key=a_key()),
        request_object(lasting_provider, service, key=a_key(kid="unknown")),
        request_object(lasting_provider, service, header={"kid": "unknown"}),
        request_object(lasting_provider, service, header={"crit": ["x"], "x": 1}),
        request_object(lasting_provider, service, header={"typ": "dpop+jwt"}),
        f"{head}.{other_body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}.{signature}",
        "x",
        "...",
        "....",
        "é.é.é",
        "a" * 6000,
    ]

    codes = [answer_of(ask(lasting_provider, service, request=one))["error"] for one in bad]

    assert set(codes) == {"invalid_request_object"}


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
def test_client_without_keys_can_sign_nothing(lasting_provider: Provider) -> None:
    """There is nothing to verify with."""
    service = lasting_provider.a_client(key=a_key())

    answer = ask(lasting_provider, service, request=request_object(lasting_provider, service))

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("OIDC Core", "3.1.2.6", "MAY")
def test_unsigned_object_is_not_supported(lasting_provider: Provider) -> None:
    """Whoever registered nothing hears that it is not supported, and who signs that it is not valid."""
    plain = lasting_provider.a_client()
    signer = a_signer(lasting_provider, request_object_signing_alg="ES256")

    answers = [
        ask(lasting_provider, service, request=unsigned(claims_of(lasting_provider, service)))
        for service in (plain, signer)
    ]

    assert [answer_of(answer)["error"] for answer in answers] == [
        "request_not_supported",
        "invalid_request_object",
    ]


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST NOT")
@pytest.mark.parametrize("outer", [None, "https://evil.example/"])
def test_bad_object_without_a_proven_address_gets_our_own_page(
    lasting_provider: Provider, outer: str | None
) -> None:
    """What an unverified object says of its address proves nothing."""
    service = a_signer(lasting_provider)
    bad = request_object(lasting_provider, service, key=a_key())

    answer = ask(lasting_provider, service, request=bad, redirect_uri=outer)

    assert answer.status_code == 400
    assert "invalid_request_object" in answer.text
    assert service.client.name in answer.text


@pytest.mark.rule("OID-9")
def test_object_of_an_unknown_or_disabled_client_gets_our_own_page(lasting_provider: Provider) -> None:
    """Nobody is there to hear of it; the client beside the object counts."""
    service = a_signer(lasting_provider)
    signed = request_object(lasting_provider, service)
    lasting_provider.change(service, disabled_at=lasting_provider.clock())

    answers = [
        ask(lasting_provider, service, request=signed),
        ask(lasting_provider, service, request=signed, client_id="nobody"),
        ask(lasting_provider, service, request=signed, client_id=None),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]


@pytest.mark.spec("RFC 9101", "5", "MUST NOT")
def test_object_and_its_address_together_are_refused(lasting_provider: Provider) -> None:
    """Or one of them twice: which one counts would be a guess."""
    service = a_signer(lasting_provider)
    signed = request_object(lasting_provider, service)
    browser = lasting_provider.signed_in()
    outer = lasting_provider.parameters(service)

    for extra in (
        {"request": signed, "request_uri": "https://parking.example.org/request"},
        {"request": signed, "request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"request": [signed, signed]},
        {"request_uri": ["urn:ietf:params:oauth:request_uri:x", "urn:ietf:params:oauth:request_uri:x"]},
        {"request": "a\x00b"},
    ):
        answer = browser.get("/authorize", query_string={**outer, **extra})
        assert answer_of(answer)["error"] == "invalid_request", extra


@pytest.mark.spec("OAuth 2.0 Multiple Response Type Encoding Practices", "5", "MUST")
@pytest.mark.parametrize(
    "outer, mark",
    [
        ({"response_type": "code"}, "?"),
        ({"response_type": "id_token"}, "#"),
        ({"response_type": "code token"}, "#"),
        ({"response_type": "code id_token foo"}, "#"),
        ({"response_mode": "fragment"}, "#"),
        ({"response_mode": "nonsense"}, "?"),
        ({"response_type": None}, "?"),
    ],
    ids=repr,
)
def test_error_goes_back_in_the_mode_of_the_outer_request(
    lasting_provider: Provider, outer: dict[str, str | None], mark: str
) -> None:
    """A client that waits for a fragment finds its error there."""
    service = a_signer(lasting_provider)

    answer = ask(lasting_provider, service, request="x", **outer)

    assert answer.location.startswith(f"{CALLBACK}{mark}error=invalid_request_object")


@pytest.mark.spec("RFC 9101", "6.3", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256", "RS256"])
def test_signed_request_gets_its_code(lasting_provider: Provider, alg: str) -> None:
    """Only what is inside counts: state, address, nonce, whatever stands beside it."""
    service = a_signer(lasting_provider, alg, redirect_uris=(CALLBACK, OTHER_CALLBACK))
    signed = request_object(
        lasting_provider, service, state="inner", redirect_uri=OTHER_CALLBACK, max_age=300
    )

    answer = ask(
        lasting_provider, service, request=signed, redirect_uri="https://evil.example/", prompt="login"
    )

    assert answer.location.startswith(f"{OTHER_CALLBACK}?code=")
    told = answer_of(answer)
    assert told["state"] == "inner"
    tokens = lasting_provider.redeem(service, told["code"], redirect_uri=OTHER_CALLBACK)
    assert tokens.status_code == 200


@pytest.mark.spec("RFC 9101", "5", "REQUIRED")
def test_name_of_the_client_beside_the_object_is_enough(lasting_provider: Provider) -> None:
    """RFC 9101 needs nothing more outside; a state outside is not the request's."""
    service = a_signer(lasting_provider)
    signed = request_object(lasting_provider, service, state=None)

    answer = lasting_provider.signed_in().get(
        "/authorize",
        query_string={"client_id": service.client_id, "request": signed, "state": "outer"},
    )

    assert "code" in answer_of(answer)
    assert "state" not in answer_of(answer)


def test_parameter_without_a_value_is_no_object(lasting_provider: Provider) -> None:
    """What is sent without a value is not sent (RFC 6749 section 3.1)."""
    service = lasting_provider.a_client()
    query = {**lasting_provider.parameters(service), "request": "", "request_uri": ""}

    answer = lasting_provider.signed_in().get("/authorize", query_string=query)

    assert "code" in answer_of(answer)


@pytest.mark.spec("RFC 9101", "10.5", "MUST")
def test_client_that_must_sign_its_requests_gets_nothing_for_a_plain_one(lasting_provider: Provider) -> None:
    """Neither plain, nor beside an object that is empty."""
    service = a_signer(lasting_provider, require_signed_requests=True)

    plain = ask(lasting_provider, service)
    signed = ask(lasting_provider, service, request=request_object(lasting_provider, service))

    assert answer_of(plain)["error"] == "invalid_request"
    assert "code" in answer_of(signed)


def test_signed_request_that_waits_for_its_person_is_still_signed(provider: Provider) -> None:
    """How a request came is kept with it: who must sign may sign in on the way."""
    service = a_signer(provider, require_signed_requests=True, consent_required=True)
    browser = provider.signed_in()
    query = {"client_id": service.client_id, "request": request_object(provider, service)}

    answer = provider.consent(browser, browser.get("/authorize", query_string=query).location)

    assert "code" in answer_of(answer)


@pytest.mark.spec("RFC 9101", "6.1", "MUST")
@pytest.mark.parametrize("registered", [None, Encryption("ECDH-ES", "A256GCM")])
def test_object_encrypted_for_us_is_read(lasting_provider: Provider, registered: Encryption | None) -> None:
    """Signed, then encrypted to a key of our JWK Set."""
    service = a_signer(lasting_provider, request_object_encryption=registered)
    jwk = encryption_key(lasting_provider)
    signed = request_object(lasting_provider, service)
    sealed = encrypt(signed.encode(), jwk, "ECDH-ES", "A256GCM", cty="JWT")

    assert "code" in answer_of(ask(lasting_provider, service, request=sealed))


@pytest.mark.spec("RFC 9101", "6.1", "MUST")
def test_object_encrypted_badly_is_refused(lasting_provider: Provider) -> None:
    """Otherwise than registered, not at all, altered, unsigned within, or no object within."""
    service = a_signer(lasting_provider, request_object_encryption=Encryption("ECDH-ES", "A256GCM"))
    jwk = encryption_key(lasting_provider)
    signed = request_object(lasting_provider, service).encode()
    good = encrypt(signed, jwk, "ECDH-ES", "A256GCM")
    bad = [
        signed.decode(),
        encrypt(signed, jwk, "ECDH-ES", "A128CBC-HS256"),
        good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        encrypt(unsigned(claims_of(lasting_provider, service)).encode(), jwk, "ECDH-ES", "A256GCM"),
        encrypt(b"\xff\xfe", jwk, "ECDH-ES", "A256GCM"),
        encrypt(good.encode(), jwk, "ECDH-ES", "A256GCM"),
        "....",
        "a.b.c.d.e",
    ]

    codes = [answer_of(ask(lasting_provider, service, request=one))["error"] for one in bad]

    assert set(codes) == {"invalid_request_object"}


def encryption_key(provider: Provider) -> dict[str, Any]:
    """Find the key that our JWK Set offers to encrypt with."""
    document: dict[str, Any] = provider.back_channel.get("/jwks.json").json or {}
    found: dict[str, Any] = next(key for key in document["keys"] if key.get("alg") == "ECDH-ES")
    return found


class Publisher:
    """A service that publishes its requests, badly or well, and counts who asks."""

    def __init__(self) -> None:
        self.body = b""
        self.status = "200 OK"
        self.headers = [("Content-Type", "application/oauth-authz-req+jwt")]
        self.asked: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer."""
        self.asked.append(environ["PATH_INFO"])
        start_response(self.status, self.headers)
        return [self.body]


@pytest.fixture
def fetching(database: Database, clock: SettableClock) -> Provider:
    """A provider that may send requests to this machine."""
    return a_provider(database, clock, outbound={"allow_private_networks": True})


def a_publishing_service(
    provider: Provider, serve: Callable[[WSGIApplication], str], publisher: Publisher, **fields: Any
) -> tuple[Service, str]:
    """Register a service that publishes its requests at an address, and put one there."""
    uri = f"{serve(publisher)}/request"
    service = a_signer(provider, request_uris=(uri,), **fields)
    publisher.body = request_object(provider, service, state="inner").encode()
    return service, uri


@pytest.mark.spec("OIDC Core", "6.2", "MUST")
def test_address_that_is_not_registered_is_not_asked(
    fetching: Provider, serve: Callable[[WSGIApplication], str]
) -> None:
    """Anybody can send us an address: only what the client registered is fetched, letter by letter."""
    publisher = Publisher()
    service, uri = a_publishing_service(fetching, serve, publisher)
    others = (
        uri.replace("/request", "/other"),
        f"{uri}/",
        f"{uri}?x",
        uri.upper(),
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "x",
        "#",
    )

    codes = [answer_of(ask(fetching, service, request_uri=other))["error"] for other in others]

    assert set(codes) == {"invalid_request_uri"}
    assert publisher.asked == []


@pytest.mark.spec("RFC 9101", "5.2.3", "MUST")
@pytest.mark.parametrize(
    "status, headers, body",
    [
        ("404 Not Found", {}, None),
        ("204 No Content", {}, b""),
        ("303 See Other", {"Location": "/elsewhere"}, None),
        ("200 OK", {"Content-Type": "text/html"}, None),
        ("200 OK", {"Content-Type": "text/plain"}, None),
        ("200 OK", {}, b"x" * 70_000),
        ("200 OK", {}, b"x" * 2_000_000),
    ],
    ids=["missing", "empty", "redirect", "page", "text", "large", "endless"],
)
def test_address_that_does_not_lead_to_an_object_is_told(
    fetching: Provider,
    serve: Callable[[WSGIApplication], str],
    status: str,
    headers: dict[str, str],
    body: bytes | None,
) -> None:
    """No redirect is followed, no page is read, nothing large is kept."""
    publisher = Publisher()
    service, uri = a_publishing_service(fetching, serve, publisher)
    publisher.status = status
    publisher.headers = list((dict(publisher.headers) | headers).items())
    publisher.body = publisher.body if body is None else body

    answer = ask(fetching, service, request_uri=uri)

    assert answer_of(answer)["error"] == "invalid_request_uri"
    assert publisher.asked == ["/request"]


def test_address_that_nobody_answers_at_is_told(fetching: Provider) -> None:
    """A dead host costs a moment, and the client hears of it."""
    uri = f"http://localhost:{free_port()}/request"
    service = a_signer(fetching, request_uris=(uri,))

    answer = ask(fetching, service, request_uri=uri)

    assert answer_of(answer)["error"] == "invalid_request_uri"


def test_address_on_a_private_network_is_not_asked_by_default(
    provider: Provider, serve: Callable[[WSGIApplication], str]
) -> None:
    """Neither plain http nor our own networks, even when it was registered."""
    publisher = Publisher()
    service, uri = a_publishing_service(provider, serve, publisher)

    answer = ask(provider, service, request_uri=uri)

    assert answer_of(answer)["error"] == "invalid_request_uri"
    assert publisher.asked == []


@pytest.mark.spec("OIDC Core", "6.3", "MUST")
@pytest.mark.parametrize(
    "body", [b"", b"x", "é.é.é".encode(), b"\xff", b"a.b.c", b"eyJhbGciOiJub25lIn0.e30."]
)
def test_object_fetched_that_is_not_valid_is_refused(
    fetching: Provider, serve: Callable[[WSGIApplication], str], body: bytes
) -> None:
    """What comes from the client's own address is verified as anything else."""
    publisher = Publisher()
    service, uri = a_publishing_service(fetching, serve, publisher, request_object_signing_alg="ES256")
    publisher.body = body

    answer = ask(fetching, service, request_uri=uri)

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("OIDC Core", "6.2", "MUST")
@pytest.mark.parametrize(
    "media_type",
    ["application/oauth-authz-req+jwt", "application/jwt;charset=UTF-8", "application/jose"],
)
@pytest.mark.parametrize("fragment", ["", "#digest-of-today"])
def test_object_published_at_a_registered_address_gets_its_code(
    fetching: Provider, serve: Callable[[WSGIApplication], str], media_type: str, fragment: str
) -> None:
    """Whatever its fragment says, for nothing is kept: each request is read anew."""
    publisher = Publisher()
    service, uri = a_publishing_service(fetching, serve, publisher, request_object_signing_alg="ES256")
    service = fetching.change(service, request_uris=(f"{uri}#digest-of-yesterday",))
    publisher.headers = [("Content-Type", media_type)]
    publisher.body += b"\n"

    answers = [ask(fetching, service, request_uri=uri + fragment) for _ in range(2)]

    assert all("code" in answer_of(answer) for answer in answers)
    assert answer_of(answers[0])["state"] == "inner"
    assert publisher.asked == ["/request", "/request"]


def test_object_signed_by_a_key_that_is_published_is_read(
    fetching: Provider, serve: Callable[[WSGIApplication], str]
) -> None:
    """Keys at a `jwks_uri` do as well as registered ones."""
    key, publisher = a_key(), Publisher()
    publisher.headers = [("Content-Type", "application/jwk-set+json")]
    publisher.body = json.dumps(jwks(key)).encode()
    service = fetching.a_client(key=key, jwks_uri=f"{serve(publisher)}/jwks")

    answer = ask(fetching, service, request=request_object(fetching, service))

    assert "code" in answer_of(answer)
