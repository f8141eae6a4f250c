"""GET and POST /logout (RP-Initiated Logout 2, 3; LOG-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey

from tests.support.provider import BYE, SESSION_COOKIE, answer_of, continue_url, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

STATE = 'é&="<script>'


@pytest.fixture
def service(lasting_provider: Provider) -> Service:
    """A service that people sign out from."""
    return lasting_provider.a_client()


@pytest.fixture
def browser(lasting_provider: Provider) -> FlaskClient:
    """A signed-in browser."""
    return lasting_provider.signed_in()


@pytest.fixture
def hint(lasting_provider: Provider, service: Service, browser: FlaskClient) -> str:
    """The ID token that the service got for that browser."""
    token: str = lasting_provider.tokens(browser, service)["id_token"]
    return token


def is_signed_in(provider: Provider, browser: FlaskClient) -> bool:
    """Tell whether a browser still has its session."""
    answer = provider.authorize(browser, provider.a_client(), prompt="none")
    return "code" in answer_of(answer)


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST")
def test_logout_with_the_hint_of_this_session_needs_no_question(
    lasting_provider: Provider, browser: FlaskClient, hint: str
) -> None:
    """The session ends, the cookie goes, and the person is back at the service with its state."""
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None

    answer = browser.get(
        "/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": STATE}
    )

    assert answer.status_code == 303
    assert answer.location.startswith(f"{BYE}?")
    assert answer_of(answer) == {"state": STATE}
    assert browser.get_cookie(SESSION_COOKIE) is None
    browser.set_cookie(SESSION_COOKIE, cookie.value)
    assert not is_signed_in(lasting_provider, browser)


@pytest.mark.rule("LOG-7")
def test_logout_by_post_of_another_site_is_the_same(
    lasting_provider: Provider, browser: FlaskClient, hint: str
) -> None:
    """A cross-site POST becomes a GET of ours, where the cookie is seen."""
    answer = browser.post(
        "/logout",
        data={"id_token_hint": hint, "post_logout_redirect_uri": BYE},
        headers={"Sec-Fetch-Site": "cross-site"},
        follow_redirects=False,
    )
    answer = browser.get(answer.location)

    assert answer.location == BYE
    assert not is_signed_in(lasting_provider, browser)


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "MUST")
@pytest.mark.parametrize("named", [True, False], ids=["a service", "nobody"])
def test_logout_without_a_hint_asks_first(
    lasting_provider: Provider, browser: FlaskClient, service: Service, *, named: bool
) -> None:
    """An image on any page must not sign people out (S-88)."""
    query = {"client_id": service.client_id, "post_logout_redirect_uri": BYE, "state": STATE} if named else {}

    page = browser.get("/logout", query_string=query)
    assert is_signed_in(lasting_provider, browser)
    fields = form_of(page)
    stay = browser.post("/logout/confirm", data=fields | {"decision": "stay"})
    assert is_signed_in(lasting_provider, browser)
    nothing = browser.post("/logout/confirm", data=fields)
    forged = browser.post("/logout/confirm", data={"decision": "sign_out"})
    assert is_signed_in(lasting_provider, browser)
    gone = browser.post("/logout/confirm", data=fields | {"decision": "sign_out"})

    assert "<script>" not in page.text.replace('<script src="', "")
    assert (stay.status_code, nothing.status_code, forged.status_code) == (303, 400, 400)
    assert not is_signed_in(lasting_provider, browser)
    if named:
        assert continue_url(gone).startswith(f"{BYE}?state=")
    else:
        assert gone.location == "/signed-out"


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "SHOULD")
def test_hint_of_another_person_asks_first(lasting_provider: Provider, hint: str) -> None:
    """A token of somebody else's does not end this session."""
    other = lasting_provider.signed_in()

    answer = other.get("/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE})

    assert answer.status_code == 200
    assert is_signed_in(lasting_provider, other)


@pytest.mark.rule("LOG-7")
def test_hint_of_another_session_of_the_same_person_asks_first(
    lasting_provider: Provider, service: Service
) -> None:
    """A token born on another device speaks of that device."""
    person = lasting_provider.an_account()
    there, here = lasting_provider.signed_in(person), lasting_provider.signed_in(person)
    hint = lasting_provider.tokens(there, service)["id_token"]

    answer = here.get("/logout", query_string={"id_token_hint": hint})

    assert answer.status_code == 200
    assert is_signed_in(lasting_provider, here)


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "SHOULD")
def test_hint_past_its_time_still_speaks(provider: Provider, clock: SettableClock) -> None:
    """An ID token lives five minutes, a session twenty hours."""
    browser = provider.signed_in()
    hint = provider.tokens(browser, provider.a_client())["id_token"]
    clock.advance(hours=10)

    answer = browser.get("/logout", query_string={"id_token_hint": hint})

    assert answer.location == "/signed-out"


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "MUST")
def test_hint_that_is_forged_or_of_another_kind_is_refused(
    lasting_provider: Provider, browser: FlaskClient, hint: str
) -> None:
    """Only an ID token of ours, for the client that is named."""
    claims: dict[str, Any] = pyjwt.decode(hint, options={"verify_signature": False})
    header = pyjwt.get_unverified_header(hint)
    stranger = ec.generate_private_key(ec.SECP256R1())
    signing = lasting_provider.a_client(userinfo_signed_response_alg="ES256")
    tokens = lasting_provider.tokens(browser, signing)
    own_key = lasting_provider.context.keys.keyring().signing_key("ES256")

    def ours(changes: dict[str, Any]) -> str:
        return pyjwt.encode(claims | changes, own_key.private_key, "ES256", headers={"kid": own_key.kid})

    forged = [
        "x", "a.b.c", hint[:-6] + "AAAAAA",
        pyjwt.encode(claims, stranger, "ES256", headers={"kid": header["kid"]}),
        pyjwt.encode(claims, "secret" * 10, "HS256", headers={"kid": header["kid"]}),
        pyjwt.encode(claims, None, "none"),
        tokens["access_token"],
        lasting_provider.userinfo(tokens["access_token"]).text,
        ours({"iss": "https://evil.example"}), ours({"aud": "nobody"}), ours({"aud": ["a", "b"]}), ours({"aud": None}),
    ]  # fmt: skip

    statuses = [
        browser.get(
            "/logout", query_string={"id_token_hint": token, "post_logout_redirect_uri": BYE}
        ).status_code
        for token in forged
    ]
    mixed = browser.get("/logout", query_string={"id_token_hint": hint, "client_id": signing.client_id})

    assert statuses == [400] * len(forged)
    assert mixed.status_code == 400
    assert is_signed_in(lasting_provider, browser)


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST NOT")
@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", BYE + "/", BYE + "?a=b", BYE + "#", "https://parking.example.org/callback",
     "javascript:alert(1)", "//evil.example", "/", BYE + "\r\nX: y"],
)  # fmt: skip
def test_address_that_is_not_registered_is_never_followed(
    lasting_provider: Provider, browser: FlaskClient, service: Service, hint: str, address: str
) -> None:
    """With or without a hint: a page says what is wrong, and the session stays."""
    answers = [
        browser.get("/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": address}),
        browser.get(
            "/logout", query_string={"client_id": service.client_id, "post_logout_redirect_uri": address}
        ),
        browser.get("/logout", query_string={"post_logout_redirect_uri": address}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert is_signed_in(lasting_provider, browser)


@pytest.mark.rule("LOG-7")
def test_hint_without_a_session_speaks_of_the_person(
    lasting_provider: Provider, browser: FlaskClient, hint: str
) -> None:
    """A token of ours that names no session ends the one of the person it names, and of nobody else."""
    claims: dict[str, Any] = pyjwt.decode(hint, options={"verify_signature": False})
    del claims["sid"]
    key = lasting_provider.context.keys.keyring().signing_key("ES256")
    without = pyjwt.encode(claims, key.private_key, "ES256", headers={"kid": key.kid})

    other = lasting_provider.signed_in().get("/logout", query_string={"id_token_hint": without})
    own = browser.get("/logout", query_string={"id_token_hint": without})

    assert other.status_code == 200
    assert own.location == "/signed-out"


@pytest.mark.rule("LOG-7")
def test_logout_of_nobody_goes_where_it_may(lasting_provider: Provider, service: Service) -> None:
    """Without a session there is nothing to ask: the registered address is followed, no other."""
    query = {"client_id": service.client_id, "post_logout_redirect_uri": BYE, "state": "s"}

    there = lasting_provider.client().get("/logout", query_string=query)
    here = lasting_provider.client().get("/logout")

    assert there.location == f"{BYE}?state=s"
    assert here.location == "/signed-out"


@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"])
def test_repeated_parameter_of_logout_is_refused(browser: FlaskClient, name: str) -> None:
    """Of two values neither is believed."""
    answer = browser.get("/logout", query_string={name: ["a", "b"]})

    assert answer.status_code == 400


@pytest.mark.rule("LOG-3")
def test_one_click_signs_out(lasting_provider: Provider, browser: FlaskClient) -> None:
    """The button of every page ends the session; a forged form does not."""
    page = browser.get("/contact").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    forged = browser.post("/sign-out", data={"csrf_token": "x"})
    assert is_signed_in(lasting_provider, browser)
    answer = browser.post("/sign-out", data={"csrf_token": token})

    assert forged.status_code == 400
    assert answer.location == "/signed-out"
    assert not is_signed_in(lasting_provider, browser)
    assert browser.get("/signed-out").status_code == 200


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "SHOULD")
def test_hint_of_a_key_that_is_gone_proves_nothing_and_is_no_error(
    lasting_provider: Provider, browser: FlaskClient, service: Service, hint: str
) -> None:
    """A session can outlive the key of its first ID token: the person is asked, and goes where they wanted."""
    old = signed_by_a_key_gone(hint)
    query = {
        "id_token_hint": old,
        "client_id": service.client_id,
        "post_logout_redirect_uri": BYE,
        "state": STATE,
    }

    page = browser.get("/logout", query_string=query)
    assert is_signed_in(lasting_provider, browser)
    gone = browser.post("/logout/confirm", data=form_of(page) | {"decision": "sign_out"})

    assert service.client.name in page.text
    assert continue_url(gone).startswith(f"{BYE}?state=")
    assert not is_signed_in(lasting_provider, browser)


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST NOT")
def test_hint_of_a_key_that_is_gone_names_no_client(
    lasting_provider: Provider, browser: FlaskClient, hint: str
) -> None:
    """What nobody can verify says nothing: whose address it would be is not known."""
    old = signed_by_a_key_gone(hint)

    with_address = browser.get(
        "/logout", query_string={"id_token_hint": old, "post_logout_redirect_uri": BYE}
    )
    alone = browser.get("/logout", query_string={"id_token_hint": old})

    assert (with_address.status_code, alone.status_code) == (400, 200)
    assert is_signed_in(lasting_provider, browser)


def signed_by_a_key_gone(token: str) -> str:
    """Sign the claims of an ID token with a key that nobody knows, under a name of its own."""
    claims = pyjwt.decode(token, options={"verify_signature": False})
    return pyjwt.encode(
        claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "2025-gone"}
    )


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MAY")
def test_hint_may_be_encrypted_to_us(lasting_provider: Provider, browser: FlaskClient, hint: str) -> None:
    """A client that gets its ID tokens encrypted may encrypt them again, to a key that we publish."""
    (published,) = (
        key
        for key in lasting_provider.back_channel.get("/jwks.json").json["keys"]
        if key["use"] == "enc"  # type: ignore[index] # a key set
    )
    header = {"alg": "ECDH-ES", "enc": "A128CBC-HS256", "cty": "JWT", "kid": published["kid"]}
    encrypted = jwe.encrypt_compact(header, hint, ECKey.import_key(published))

    broken = browser.get("/logout", query_string={"id_token_hint": encrypted[:-4] + "AAAA"})
    answer = browser.get("/logout", query_string={"id_token_hint": encrypted})

    assert broken.status_code == 400
    assert answer.location == "/signed-out"


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST")
def test_query_of_the_registered_address_is_kept(lasting_provider: Provider, browser: FlaskClient) -> None:
    """State joins what was registered."""
    service = lasting_provider.a_client(post_logout_redirect_uris=(f"{BYE}?from=mon-paris",))
    hint = lasting_provider.tokens(browser, service)["id_token"]

    answer = browser.get(
        "/logout",
        query_string={
            "id_token_hint": hint,
            "post_logout_redirect_uri": f"{BYE}?from=mon-paris",
            "state": "s",
        },
    )

    assert answer.location == f"{BYE}?from=mon-paris&state=s"


@pytest.mark.rule("LOG-7")
@pytest.mark.spec("RP-Initiated Logout", "2", "OPTIONAL")
def test_logout_hint_is_no_proof(lasting_provider: Provider, browser: FlaskClient, service: Service) -> None:
    """Anybody can write a name into a link: it is taken, and the person is asked."""
    page = browser.get("/logout", query_string={"client_id": service.client_id, "logout_hint": "zoe"})

    assert page.status_code == 200
    assert is_signed_in(lasting_provider, browser)
