"""POST /par, and what the browser makes of it (RFC 9126; OID-5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.opaque import SecretKind, new_secret
from idp.domain.client import ClientAuthenticationMethod
from tests.support.client_keys import a_key, jwks
from tests.support.dpop import ProofMaker
from tests.support.provider import CALLBACK, CHALLENGE, FORM, a_provider, answer_of
from tests.support.request_objects import claims_of, request_object, unsigned

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

URN = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=90)


def push(provider: Provider, service: Service, **changes: str | None) -> TestResponse:
    """Push a request that passes, with changes."""
    fields = provider.parameters(service) | changes
    return provider.post("/par", service, **fields)


def pushed(provider: Provider, service: Service, **changes: str | None) -> str:
    """Push a request and give the name under which it waits."""
    answer = push(provider, service, **changes)
    assert answer.status_code == 201, answer.text
    uri: str = (answer.json or {})["request_uri"]
    return uri


def open_it(browser: FlaskClient, service: Service, uri: str, **others: str) -> TestResponse:
    """Send a browser to /authorize with the name of a request."""
    query = {"client_id": service.client_id, "request_uri": uri, **others}
    return browser.get("/authorize", query_string=query)


def with_proof(provider: Provider, service: Service, proof: str, **changes: str | None) -> TestResponse:
    """Push a request with a DPoP proof."""
    headers, proven = service.authentication()
    fields = {**provider.parameters(service, **changes), **proven}
    return provider.back_channel.post("/par", data=fields, headers={**headers, "DPoP": proof})


@pytest.mark.spec("RFC 9126", "2", "MUST")
@pytest.mark.parametrize(
    "fields",
    [
        {"client_secret": new_secret(SecretKind.CLIENT_SECRET)},
        {"client_secret": ""},
        {"client_id": "nobody", "client_secret": "x"},
        {"client_assertion": "x", "client_assertion_type": "x"},
    ],
    ids=["wrong secret", "no secret", "unknown", "assertion"],
)
def test_request_of_a_client_that_does_not_prove_itself_is_refused(
    lasting_provider: Provider, fields: dict[str, str]
) -> None:
    """As at /token, by the same rules, and nothing is kept."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.SECRET_POST)

    answer = lasting_provider.back_channel.post(
        "/par", data={**lasting_provider.parameters(service), **fields}
    )

    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


@pytest.mark.spec("RFC 9126", "2.1", "MUST NOT")
@pytest.mark.parametrize("uri", [URN + "x", "https://parking.example.org/request"])
def test_request_uri_can_not_be_pushed(lasting_provider: Provider, uri: str) -> None:
    """A request does not lead to another."""
    service = lasting_provider.a_client()

    answer = push(lasting_provider, service, request_uri=uri)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 9126", "2.3", "MUST")
@pytest.mark.parametrize(
    "changes, code",
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "nonsense"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unauthorized_client"),
        ({"response_mode": "nonsense"}, "invalid_request"),
        ({"scope": "\u2603"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "x"}, "invalid_request"),
        ({"claims": "x"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"resource": "https://nobody.example.org"}, "invalid_target"),
        ({"dpop_jkt": "x"}, "invalid_request"),
        ({"state": "a\x00b"}, "invalid_request"),
        ({"state": "s" * 9000}, "invalid_request"),
    ],
    ids=repr,
)
def test_request_that_would_fail_in_the_browser_fails_at_once(
    lasting_provider: Provider, changes: dict[str, str | None], code: str
) -> None:
    """The checks are those of /authorize, and their errors come back as JSON."""
    service = lasting_provider.a_client(require_pkce=True)

    answer = push(lasting_provider, service, **changes)

    assert answer.status_code == 400
    assert answer.json["error"] == code
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 9126", "2.1", "MUST")
def test_client_id_of_another_client_is_refused(lasting_provider: Provider) -> None:
    """Whatever proves the client, in the form or in an object."""
    key = a_key()
    service = lasting_provider.a_client(
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT, key=key
    )
    other = lasting_provider.a_client()
    basic = push(lasting_provider, other, client_id=service.client_id)
    assertion = push(lasting_provider, service, client_id=other.client_id)
    within = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, client_id=other.client_id)
    )

    assert [answer.status_code for answer in (basic, assertion, within)] == [401, 401, 400]
    assert within.json["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9126", "2.3", "MUST")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_than_post_are_refused(lasting_provider: Provider, method: str) -> None:
    """405, as JSON, with the method that is allowed."""
    answer = lasting_provider.back_channel.open("/par", method=method)

    assert answer.status_code == 405
    assert answer.json["error"] == "invalid_request"
    assert "POST" in answer.headers["Allow"]


@pytest.mark.spec("RFC 9126", "2.3", "MUST")
def test_request_that_is_too_large_is_refused(lasting_provider: Provider) -> None:
    """413, as JSON."""
    answer = lasting_provider.back_channel.post("/par", data={"state": "s" * 300_000})

    assert answer.status_code == 413
    assert answer.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 9126", "2.1", "MUST")
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain", ""])
def test_request_that_is_no_form_is_refused(lasting_provider: Provider, kind: str) -> None:
    """The body is a form, as at /token."""
    answer = lasting_provider.back_channel.post("/par", data=b"{}", content_type=kind)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request"


def test_parameters_in_the_address_or_twice_are_refused(lasting_provider: Provider) -> None:
    """An address is logged by everything on its way; of two values none counts."""
    service = lasting_provider.a_client()
    headers, _ = service.authentication()
    fields = lasting_provider.parameters(service)

    in_query = lasting_provider.back_channel.post("/par?state=x", data=fields, headers=headers)
    twice = lasting_provider.back_channel.post("/par", data={**fields, "state": ["a", "b"]}, headers=headers)

    assert in_query.json["error"] == twice.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 9126", "2.2", "REQUIRED")
def test_request_that_is_kept_gets_a_name_and_a_time(lasting_provider: Provider) -> None:
    """201, a name that nobody guesses, seconds, and no cache."""
    service = lasting_provider.a_client()

    answers = [push(lasting_provider, service) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    bodies: list[dict[str, Any]] = [answer.json or {} for answer in answers]
    assert all(set(body) == {"request_uri", "expires_in"} for body in bodies)
    assert all(body["request_uri"].startswith(URN + SecretKind.PUSHED_REQUEST) for body in bodies)
    assert bodies[0]["request_uri"] != bodies[1]["request_uri"]
    assert bodies[0]["expires_in"] == LIFETIME.total_seconds()
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert answers[0].content_type == "application/json"


@pytest.mark.spec("RFC 9126", "2", "MUST")
@pytest.mark.parametrize(
    "method",
    [
        ClientAuthenticationMethod.SECRET_BASIC,
        ClientAuthenticationMethod.SECRET_POST,
        ClientAuthenticationMethod.SECRET_JWT,
        ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        ClientAuthenticationMethod.NONE,
    ],
)
def test_every_client_may_push_by_its_own_method(
    lasting_provider: Provider, method: ClientAuthenticationMethod
) -> None:
    """A public client says its name, which is all it has; what proves a client is not kept with the request."""
    service = lasting_provider.a_client(authentication_method=method)

    browser, uri = lasting_provider.signed_in(), pushed(lasting_provider, service)
    answer = open_it(browser, service, uri)
    if service.client.is_public:
        # Nothing proves whose program it is: the person is asked.
        answer = lasting_provider.consent(browser, answer.location)

    assert lasting_provider.redeem(service, answer_of(answer)["code"]).status_code == 200


@pytest.mark.spec("RFC 9126", "4", "MUST")
def test_what_was_pushed_counts_and_nothing_beside_its_name(lasting_provider: Provider) -> None:
    """Whoever handles the browser changes nothing."""
    service = lasting_provider.a_client(redirect_uris=(CALLBACK, f"{CALLBACK}/other"))
    uri = pushed(lasting_provider, service, state="pushed")

    answer = open_it(
        lasting_provider.signed_in(),
        service,
        uri,
        state="browser",
        redirect_uri=f"{CALLBACK}/other",
        prompt="login",
        scope="email",
        response_mode="fragment",
    )

    assert answer.location.startswith(f"{CALLBACK}?code=")
    assert answer_of(answer)["state"] == "pushed"


@pytest.mark.spec("RFC 9126", "4", "MUST")
def test_request_that_expired_gets_our_own_page(provider: Provider) -> None:
    """It says what happened and where to start again, and leads nowhere by itself."""
    service = provider.a_client(service_uri="https://parking.example.org/")
    browser = provider.signed_in()
    uri = pushed(provider, service)
    provider.clock.advance(seconds=LIFETIME.total_seconds())

    answer = open_it(browser, service, uri, redirect_uri=CALLBACK)

    assert answer.status_code == 400
    assert "Cette demande a expiré" in answer.text
    assert "Retournez sur le service et recommencez" in answer.text
    assert "https://parking.example.org/" in answer.text
    assert "invalid_request_uri" in answer.text


def test_page_of_an_expired_request_speaks_english(lasting_provider: Provider) -> None:
    """The person reads it in the language of the browser."""
    service = lasting_provider.a_client()

    answer = lasting_provider.client().get(
        "/authorize",
        query_string={"client_id": service.client_id, "request_uri": URN + "x"},
        headers={"Accept-Language": "en"},
    )

    assert "This request has expired" in answer.text
    assert "waited too long, or you have already answered it" in answer.text


@pytest.mark.spec("RFC 9126", "2.2", "MUST")
def test_request_of_another_client_is_nobody_elses(lasting_provider: Provider) -> None:
    """The name is bound to who pushed it."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()
    uri = pushed(lasting_provider, service)

    answer = open_it(lasting_provider.signed_in(), other, uri)

    assert answer.status_code == 400
    assert "invalid_request_uri" in answer.text
    assert "code" in answer_of(open_it(lasting_provider.signed_in(), service, uri))


@pytest.mark.parametrize(
    "name",
    ["", "x", "mpp_" + "a" * 49, new_secret(SecretKind.PUSHED_REQUEST), new_secret(SecretKind.LINK), "\u00e9" * 53],
    ids=["empty", "short", "wrong sum", "unknown", "another kind", "not ASCII"],
)  # fmt: skip
def test_name_that_was_never_given_leads_nowhere(lasting_provider: Provider, name: str) -> None:
    """Malformed, of another kind, invented."""
    service = lasting_provider.a_client()

    answer = open_it(lasting_provider.signed_in(), service, URN + name)

    assert answer.status_code == 400
    assert "invalid_request_uri" in answer.text


def test_request_of_a_client_that_was_disabled_leads_nowhere(lasting_provider: Provider) -> None:
    """Whoever pushed it may ask no more."""
    service = lasting_provider.a_client()
    uri = pushed(lasting_provider, service)
    lasting_provider.change(service, disabled_at=lasting_provider.clock())

    answer = open_it(lasting_provider.signed_in(), service, uri)

    assert answer.status_code == 400
    assert "unauthorized_client" in answer.text


@pytest.mark.spec("RFC 9126", "4", "SHOULD")
def test_request_that_was_answered_is_used_up(lasting_provider: Provider) -> None:
    """A name that was overheard is of no use afterwards."""
    service, browser = lasting_provider.a_client(), lasting_provider.signed_in()
    uri = pushed(lasting_provider, service)

    first, second = (open_it(browser, service, uri) for _ in range(2))

    assert "code" in answer_of(first)
    assert second.status_code == 400
    assert "invalid_request_uri" in second.text


@pytest.mark.spec("RFC 9126", "4", "MAY")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
def test_request_may_be_opened_again_until_it_is_answered(provider: Provider) -> None:
    """Somebody reloads the page, or signs in after it has expired: the answer comes, once."""
    service = provider.a_client(consent_required=True)
    person = provider.an_account()
    browser, other = (provider.signed_in(person) for _ in range(2))
    uri = pushed(provider, service)

    pages = [open_it(one, service, uri) for one in (browser, browser, other)]
    provider.clock.advance(seconds=LIFETIME.total_seconds())
    answer = provider.consent(browser, pages[1].location)
    late = other.get(pages[2].location)

    assert all("/consent" in page.location for page in pages)
    assert "code" in answer_of(answer)
    assert "error" in answer_of(late)


@pytest.mark.spec("RFC 9126", "5", "MAY")
def test_client_that_must_push_gets_nothing_for_a_plain_request(lasting_provider: Provider) -> None:
    """Neither in the browser, nor for an object there."""
    key = a_key()
    service = lasting_provider.a_client(require_pushed_requests=True, key=key, jwks=jwks(key))
    browser = lasting_provider.signed_in()

    plain = lasting_provider.authorize(browser, service)
    signed = lasting_provider.authorize(browser, service, request=request_object(lasting_provider, service))
    through_par = open_it(browser, service, pushed(lasting_provider, service))

    assert answer_of(plain)["error"] == answer_of(signed)["error"] == "invalid_request"
    assert "code" in answer_of(through_par)


@pytest.mark.spec("RFC 9126", "3", "MUST")
@pytest.mark.parametrize(
    "changes",
    [{"aud": "https://other.example.org"}, {"exp": 1}, {"request_uri": "x"}, {"scope": ["openid"]}],
    ids=repr,
)
def test_pushed_object_that_is_not_valid_is_refused(
    lasting_provider: Provider, changes: dict[str, Any]
) -> None:
    """By the rules of RFC 9101, told as JSON."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))

    answer = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, **changes)
    )

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request_object"


def test_pushed_object_without_a_signature_is_refused(lasting_provider: Provider) -> None:
    """Though the client has proven itself: plain parameters would do."""
    service = lasting_provider.a_client()

    answer = lasting_provider.post("/par", service, request=unsigned(claims_of(lasting_provider, service)))

    assert (answer.status_code, answer.json["error"]) == (400, "request_not_supported")


@pytest.mark.spec("RFC 9126", "3", "MUST")
def test_pushed_object_counts_and_nothing_beside_it(lasting_provider: Provider) -> None:
    """Parameters beside it are not the request's, and a request in it is signed."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key), require_signed_requests=True)
    signed = request_object(lasting_provider, service, state="inner")

    plain = push(lasting_provider, service)
    uri = pushed(lasting_provider, service, request=signed, state="outer", prompt="none login")
    answer = open_it(lasting_provider.signed_in(), service, uri)

    assert plain.json["error"] == "invalid_request"
    assert answer_of(answer)["state"] == "inner"
    assert "code" in answer_of(answer)


@pytest.mark.spec("RFC 9126", "2", "MUST")
def test_resource_may_stand_several_times(lasting_provider: Provider) -> None:
    """It alone (RFC 8707 section 2): both are asked for when the browser comes."""
    apis = ("https://api.example.org/a", "https://api.example.org/b")
    service = lasting_provider.a_client(resources=apis)
    headers, proven = service.authentication()
    fields: dict[str, Any] = {**lasting_provider.parameters(service), **proven, "resource": list(apis)}

    answer = lasting_provider.back_channel.post("/par", data=fields, headers=headers)

    assert answer.status_code == 201, answer.text
    opened = open_it(lasting_provider.signed_in(), service, (answer.json or {})["request_uri"])
    assert "code" in answer_of(opened)


@pytest.mark.spec("RFC 9449", "10.1", "MUST")
def test_proof_that_is_not_of_the_key_asked_for_is_refused(provider: Provider) -> None:
    """A proof says by itself which key; a thumbprint beside it must say the same."""
    service = provider.a_client()
    maker, other = ProofMaker(provider.clock), ProofMaker(provider.clock)

    answer = with_proof(provider, service, maker.proof("/par"), dpop_jkt=other.jkt)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_dpop_proof"


@pytest.mark.spec("RFC 9449", "10.1", "MUST")
@pytest.mark.parametrize("path", ["/token", "/authorize"])
def test_proof_for_another_place_is_refused(provider: Provider, path: str) -> None:
    """A proof is for one method and one address, as everywhere."""
    service = provider.a_client()

    answer = with_proof(provider, service, ProofMaker(provider.clock).proof(path))

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_dpop_proof"


@pytest.mark.spec("RFC 9449", "10.1", "MUST")
@pytest.mark.parametrize("says_thumbprint", [False, True])
def test_proof_binds_the_code_to_its_key(provider: Provider, *, says_thumbprint: bool) -> None:
    """The code is then worth nothing without a proof by the same key."""
    service, maker = provider.a_client(), ProofMaker(provider.clock)
    asked = maker.jkt if says_thumbprint else None
    answer = with_proof(provider, service, maker.proof("/par"), dpop_jkt=asked)
    assert answer.status_code == 201, answer.text
    uri = (answer.json or {})["request_uri"]
    codes = [answer_of(open_it(provider.signed_in(), service, uri))["code"]]

    headers, proven = service.authentication()
    form = {
        "grant_type": "authorization_code",
        "code": codes[0],
        "redirect_uri": CALLBACK,
        "code_verifier": service.verifier,
        **proven,
    }
    redeemed = provider.back_channel.post("/token", data=form, headers={**headers, "DPoP": maker.proof()})

    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.json["token_type"] == "DPoP"


@pytest.mark.spec("RFC 9449", "10.1", "MUST")
def test_code_bound_by_a_pushed_proof_is_refused_without_it(provider: Provider) -> None:
    """Whoever overhears the code lacks the key."""
    service, maker = provider.a_client(), ProofMaker(provider.clock)
    answer = with_proof(provider, service, maker.proof("/par"))
    uri = (answer.json or {})["request_uri"]
    code = answer_of(open_it(provider.signed_in(), service, uri))["code"]

    redeemed = provider.redeem(service, code)

    assert redeemed.status_code == 400


@pytest.mark.spec("RFC 9449", "8", "MUST")
def test_nonce_is_demanded_where_it_is_configured(database: Database, clock: SettableClock) -> None:
    """The answer tells the nonce, and the next try with it passes."""
    provider = a_provider(database, clock, dpop={"require_nonce": True})
    service, maker = provider.a_client(), ProofMaker(clock)

    first = with_proof(provider, service, maker.proof("/par"))
    second = with_proof(provider, service, maker.proof("/par", nonce=first.headers["DPoP-Nonce"]))

    assert (first.status_code, first.json["error"]) == (400, "use_dpop_nonce")
    assert second.status_code == 201


@pytest.mark.parametrize("seconds", [10, 590])
def test_lifetime_is_the_configured_one(database: Database, clock: SettableClock, seconds: int) -> None:
    """Between the limits of FAPI 2.0, which are less than ten minutes."""
    provider = a_provider(database, clock, tokens={"pushed_request_seconds": seconds})

    assert (push(provider, provider.a_client()).json or {})["expires_in"] == seconds


def test_name_and_request_stand_in_no_log(
    lasting_provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name is a secret until it is used, and what is asked is the person's business."""
    service = lasting_provider.a_client()
    uri = pushed(lasting_provider, service, login_hint="zoe.canary@example.org")
    open_it(lasting_provider.client(), service, uri)
    open_it(lasting_provider.client(), lasting_provider.a_client(), uri)

    written = "".join(capsys.readouterr())
    assert uri.removeprefix(URN) not in written
    assert "canary" not in written


def test_form_of_another_site_may_push_nothing_in_a_browsers_name(lasting_provider: Provider) -> None:
    """The endpoint knows no cookie: a browser's form is a stranger like any other."""
    browser = lasting_provider.signed_in()

    answer = browser.post(
        "/par",
        data=f"code_challenge={CHALLENGE}",
        content_type=FORM,
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 401
