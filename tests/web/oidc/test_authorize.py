"""GET and POST /authorize: who asks, what is asked, where the answer goes (OID-1, OID-9, LOG-4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from idp.crypto import jwt
from idp.services.authorization import consents, requests
from idp.services.operations import accounts as administration
from idp.services.sign_in import sessions
from tests.support.builders import CONFIRMED
from tests.support.provider import (
    BROWSER_COOKIE,
    CALLBACK,
    ISSUER,
    SESSION_COOKIE,
    answer_of,
    continue_url,
    form_of,
    pending_of,
)

if TYPE_CHECKING:
    from typing import Any

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


def claims_of(provider: Provider, id_token: str) -> dict[str, Any]:
    """Read an ID token, verified with the keys of the provider."""
    return jwt.verified_claims(id_token, provider.context.keys.keyring().public_keys())


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST NOT")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "nobody"},
        {"client_id": "a" * 300},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?a=b"},
        {"redirect_uri": CALLBACK + "#"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "https://parking.example.org/callback/../evil"},
        {"redirect_uri": "https://parking.example.org@evil.example/callback"},
        {"redirect_uri": "https://parking.example.org:443/callback"},
        {"redirect_uri": "https://parking.example.org%2fcallback"},
        {"redirect_uri": "//parking.example.org/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": CALLBACK + "\r\nSet-Cookie: a=b"},
        {"redirect_uri": "a" * 3000},
    ],
    ids=str,
)
def test_request_whose_return_is_not_proven_stays_with_us(
    lasting_provider: Provider, changes: dict[str, str | None]
) -> None:
    """Neither an unknown client nor an unregistered address ever gets a redirection."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, **changes)

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    # Only the link to the other language of this very page may repeat it, escaped.
    assert "//evil.example" not in answer.text


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "3.1", "MUST NOT")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_request_whose_return_is_repeated_stays_with_us(lasting_provider: Provider, name: str) -> None:
    """Two clients or two addresses are none."""
    service = lasting_provider.a_client()
    pairs = [
        *lasting_provider.parameters(service).items(),
        (name, lasting_provider.parameters(service)[name]),
    ]

    answer = lasting_provider.signed_in().get("/authorize", query_string=dict_of_lists(pairs))

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def dict_of_lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Gather the values of each name."""
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST")
@pytest.mark.parametrize(
    "changes,code",
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unauthorized_client"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"response_type": "code id_token"}, "unauthorized_client"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"response_mode": "jwt.query"}, "invalid_request"),
        ({"response_mode": "fragment.jws"}, "invalid_request"),
        ({"resource": "https://api.example.org/"}, "invalid_target"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": 'openid "'}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 44}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "abc"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e9"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": '{"userinfo": {"a": null, "a": null}}'}, "invalid_request"),
        ({"claims": "[" * 300}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"state": "a\x00b"}, "invalid_request"),
        ({"nonce": "a\nb"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
    ],
    ids=str,
)
def test_request_that_is_wrong_is_told_to_its_service(
    lasting_provider: Provider, changes: dict[str, str | None], code: str
) -> None:
    """The error goes to the proven address, with the state and with who answers; and gives no code."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, **changes)

    assert answer.status_code == 303, answer.text
    # What asks for tokens in the answer itself reads it from the fragment.
    wanted = (changes.get("response_type") or "").split()
    mark = "#" if {"token", "id_token"} & set(wanted) else "?"
    assert answer.location.startswith(f"{CALLBACK}{mark}")
    found = answer_of(answer)
    assert found["error"] == code
    assert found["iss"] == ISSUER
    assert found.get("state") == (None if "state" in changes else "s-1")
    assert "code" not in found


@pytest.mark.spec("RFC 6749", "3.1", "MUST NOT")
@pytest.mark.parametrize("name", ["response_type", "scope", "state", "nonce", "code_challenge", "prompt"])
def test_request_with_repeated_parameter_is_refused(lasting_provider: Provider, name: str) -> None:
    """Of two values neither is believed."""
    service = lasting_provider.a_client()
    usual = {"prompt": "login", **lasting_provider.parameters(service)}

    answer = lasting_provider.signed_in().get(
        "/authorize", query_string=dict_of_lists([*usual.items(), (name, usual[name])])
    )

    assert answer_of(answer)["error"] == "invalid_request"


@pytest.mark.spec("RFC 9207", "2", "MUST")
def test_code_comes_with_the_state_and_the_issuer(lasting_provider: Provider) -> None:
    """The answer carries what the service sent, unchanged, and who answers."""
    service = lasting_provider.a_client()
    state = "é \"<script>&=+%41'~" + "x" * 2000

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, state=state)

    found = answer_of(answer)
    assert set(found) == {"code", "state", "iss", "session_state"}
    assert found["state"] == state
    assert found["iss"] == ISSUER


@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
def test_request_posted_by_another_site_becomes_a_get_of_ours(lasting_provider: Provider) -> None:
    """Lax cookies do not come with a cross-site POST: it is turned into a GET, with every parameter."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()
    sent = {"Sec-Fetch-Site": "cross-site", "Origin": "https://parking.example.org"}

    first = browser.post("/authorize", data=lasting_provider.parameters(service, state="é&="), headers=sent)
    second = browser.get(first.location)

    assert first.status_code == 303
    assert urlsplit(first.location).path == "/authorize"
    assert answer_of(second)["state"] == "é&="


def test_request_posted_too_long_for_an_address_is_refused(lasting_provider: Provider) -> None:
    """An address that no server takes is not handed to the browser."""
    service = lasting_provider.a_client()

    answer = lasting_provider.client().post(
        "/authorize", data=lasting_provider.parameters(service, claims="x" * 20_000)
    )

    assert answer.status_code == 413


@pytest.mark.spec("RFC 9700", "2.6", "MUST NOT")
def test_authorization_endpoint_knows_no_other_origin(lasting_provider: Provider) -> None:
    """No script of another site may read what /authorize answers."""
    headers = {"Origin": "https://parking.example.org", "Access-Control-Request-Method": "GET"}

    preflight = lasting_provider.client().options("/authorize", headers=headers)
    answer = lasting_provider.client().get("/authorize", headers=headers)

    assert not [
        name for name in (*preflight.headers.keys(), *answer.headers.keys()) if "Access-Control" in name
    ]


@pytest.mark.parametrize("path", ["/authorize", "/logout"])
@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender"])
def test_prefetch_by_the_browser_does_nothing(lasting_provider: Provider, path: str, purpose: str) -> None:
    """A page opened in advance neither uses a request up nor signs anybody out."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()

    answer = browser.get(
        path, query_string=lasting_provider.parameters(service), headers={"Sec-Purpose": purpose}
    )

    assert answer.status_code == 403
    assert "code" in answer_of(lasting_provider.authorize(browser, service))


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.6", "MUST")
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_silent_request_of_nobody_gets_login_required(lasting_provider: Provider, mode: str) -> None:
    """prompt=none shows no page: the error comes back in the mode that was asked."""
    answer = lasting_provider.authorize(
        lasting_provider.client(), lasting_provider.a_client(), prompt="none", response_mode=mode
    )

    assert answer_of(answer)["error"] == "login_required"
    assert answer_of(answer)["state"] == "s-1"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.6", "MUST")
def test_silent_request_without_consent_gets_consent_required(lasting_provider: Provider) -> None:
    """The same for a consent that would have to be asked."""
    service = lasting_provider.a_client(consent_required=True)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, prompt="none", scope="openid email"
    )

    assert answer_of(answer)["error"] == "consent_required"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "11", "MUST")
def test_silent_request_for_offline_access_needs_a_consent(lasting_provider: Provider) -> None:
    """A refresh token is never given without having been asked for, even to a service of legal obligation."""
    service = lasting_provider.a_client(consent_required=False)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, prompt="none", scope="openid offline_access"
    )

    assert answer_of(answer)["error"] == "consent_required"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}], ids=str)
def test_person_who_signed_in_long_ago_proves_their_presence_again(
    provider: Provider, clock: SettableClock, changes: dict[str, str]
) -> None:
    """prompt=login and max_age lead to the sign-in page; in silence, to login_required."""
    service = provider.a_client()
    browser = provider.signed_in()
    clock.advance(minutes=2)

    asked = provider.authorize(browser, service, **changes)
    silent = None if "prompt" in changes else provider.authorize(browser, service, prompt="none", **changes)

    assert asked.location.startswith("/sign-in?")
    assert "confirm=1" in asked.location
    assert silent is None or answer_of(silent)["error"] == "login_required"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
def test_max_age_that_is_kept_gives_the_time_of_the_sign_in(provider: Provider, clock: SettableClock) -> None:
    """auth_time is when the person signed in, not when the token was made."""
    service = provider.a_client()
    signed_in_at = int(clock().timestamp())
    browser = provider.signed_in()
    clock.advance(minutes=2)

    tokens_ = provider.tokens(browser, service, max_age="3600")

    assert claims_of(provider, tokens_["id_token"])["auth_time"] == signed_in_at


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "SHOULD")
def test_hint_of_the_person_who_is_there_is_followed_even_expired(
    provider: Provider, clock: SettableClock
) -> None:
    """An ID token of ours names the person, whatever its age."""
    service = provider.a_client()
    browser = provider.signed_in()
    hint = provider.tokens(browser, service)["id_token"]
    clock.advance(hours=3)

    answer = provider.authorize(browser, service, prompt="none", id_token_hint=hint)

    assert "code" in answer_of(answer)


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
def test_hint_of_somebody_else_gets_login_required(lasting_provider: Provider) -> None:
    """Another person's answer is never given in place of the one meant."""
    service = lasting_provider.a_client()
    hint = lasting_provider.tokens(lasting_provider.signed_in(), service)["id_token"]

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, prompt="none", id_token_hint=hint
    )
    asked = lasting_provider.authorize(lasting_provider.signed_in(), service, id_token_hint=hint)

    assert answer_of(answer)["error"] == "login_required"
    assert asked.location.startswith("/sign-in?")


@pytest.mark.rule("LOG-4")
def test_hint_of_another_service_is_refused(lasting_provider: Provider) -> None:
    """A token that was made for another client is no hint of this one's."""
    browser = lasting_provider.signed_in()
    hint = lasting_provider.tokens(browser, lasting_provider.a_client())["id_token"]

    answer = lasting_provider.authorize(
        browser, lasting_provider.a_client(), prompt="none", id_token_hint=hint
    )

    assert answer_of(answer)["error"] == "invalid_request"


@pytest.mark.rule("LOG-4")
def test_signed_userinfo_is_no_hint(lasting_provider: Provider) -> None:
    """A JWT of ours of another kind is not taken for an ID token."""
    service = lasting_provider.a_client(userinfo_signed_response_alg="ES256")
    browser = lasting_provider.signed_in()
    tokens_ = lasting_provider.tokens(browser, service)
    hint = lasting_provider.userinfo(tokens_["access_token"]).text

    answer = lasting_provider.authorize(browser, service, prompt="none", id_token_hint=hint)

    assert answer_of(answer)["error"] == "invalid_request"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "5.5.1.1", "MUST")
def test_essential_level_that_nobody_reaches_is_refused(lasting_provider: Provider) -> None:
    """An essential acr is given or refused, never pretended."""
    service = lasting_provider.a_client()
    claims = '{"id_token": {"acr": {"essential": true, "values": ["eidas3"]}}}'

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, claims=claims)

    assert answer_of(answer)["error"] == "unmet_authentication_requirements"


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
def test_wishes_that_can_not_be_had_are_no_error(lasting_provider: Provider) -> None:
    """acr_values, ui_locales, claims_locales, display and login_hint never stop a request."""
    service = lasting_provider.a_client()

    found = answer_of(
        lasting_provider.authorize(
            lasting_provider.signed_in(),
            service,
            acr_values="eidas3 eidas2",
            ui_locales="xx en-GB",
            claims_locales="de",
            display="wap",
            login_hint='"><script>alert(1)</script>',
            prompt="something_new",
            unknown_parameter="x",
        )
    )

    assert "code" in found


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2", "MUST")
def test_form_post_page_sends_the_answer_as_it_was_and_nowhere_else(lasting_provider: Provider) -> None:
    """The page escapes as HTML, lets its form go to the service alone, and keeps the rest of the policy."""
    service = lasting_provider.a_client()
    state = "a b\"<script>alert('1')</script>&amp;%41+"

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, response_mode="form_post", state=state
    )

    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert f'action="{CALLBACK}"' in answer.text
    assert form_of(answer)["state"] == state
    assert "<script>alert" not in answer.text
    assert "form-action 'self' https://parking.example.org;" in policy
    assert "script-src 'self';" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OAuth 2.0 Multiple Response Type Encoding Practices", "2.1", "MUST")
def test_fragment_mode_puts_the_answer_behind_the_hash(lasting_provider: Provider) -> None:
    """Nothing of the answer reaches the server of the address."""
    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), lasting_provider.a_client(), response_mode="fragment"
    )

    parts = urlsplit(answer.location)
    assert parts.query == ""
    assert "code" in answer_of(answer)


def test_response_mode_that_the_service_did_not_register_is_refused(lasting_provider: Provider) -> None:
    """ASVS v5.0.0-10.4.12: each client has its own list of modes."""
    service = lasting_provider.a_client(response_modes=frozenset({"query"}))

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, response_mode="fragment")

    assert answer_of(answer)["error"] == "invalid_request"
    assert urlsplit(answer.location).fragment == ""


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 8252", "7.3", "MUST")
def test_native_app_gets_its_answer_on_the_port_it_names(lasting_provider: Provider) -> None:
    """A loopback address may have any port; only for a client without a secret."""
    app = lasting_provider.a_client(is_public=True, redirect_uris=("http://127.0.0.1/cb",))
    server = lasting_provider.a_client(redirect_uris=("http://127.0.0.1/cb",))
    address = "http://127.0.0.1:51004/cb"

    of_app = lasting_provider.authorize(lasting_provider.client(), app, redirect_uri=address, prompt="none")
    of_server = lasting_provider.authorize(
        lasting_provider.client(), server, redirect_uri=address, prompt="none"
    )

    assert of_app.location.startswith(f"{address}?error=login_required")
    assert of_server.status_code == 400


@pytest.mark.rule("OID-1")
def test_service_that_was_opted_out_of_pkce_redeems_without_a_verifier(lasting_provider: Provider) -> None:
    """The administrator may let one confidential client do without; a verifier out of nowhere is refused."""
    service = lasting_provider.a_client(require_pkce=False)
    browser = lasting_provider.signed_in()
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}

    downgraded = lasting_provider.redeem(service, lasting_provider.code(browser, service, **without))
    plain = lasting_provider.redeem(
        service, lasting_provider.code(browser, service, **without), code_verifier=None
    )

    assert downgraded.json["error"] == "invalid_grant"
    assert plain.status_code == 200


@pytest.mark.rule("CON-1")
def test_service_that_is_disabled_is_refused_at_once(provider: Provider, clock: SettableClock) -> None:
    """No request of it passes any more; its person reads why, on our page."""
    service = provider.a_client()
    browser = provider.signed_in()
    provider.authorize(browser, service)

    provider.change(service, disabled_at=clock())

    answer = provider.authorize(browser, service)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize("field,days", [("starts_at", 1), ("ends_at", 0)])
def test_service_outside_of_its_dates_is_refused(
    provider: Provider, clock: SettableClock, field: str, days: int
) -> None:
    """A contract has a first and a last day."""
    moment = clock() if days == 0 else clock.advance(days=days)
    clock.advance(days=-days)
    service = provider.a_client(**{field: moment})

    assert provider.authorize(provider.signed_in(), service).status_code == 400


@pytest.mark.rule("CON-6")
@pytest.mark.spec("OIDC Core", "8.1", "MUST")
def test_two_services_know_a_person_under_two_names(lasting_provider: Provider) -> None:
    """Neither the subject nor the session's name can be joined; one service always gets the same."""
    person = lasting_provider.an_account()
    parking = lasting_provider.a_client()
    panel = lasting_provider.a_client(redirect_uris=("https://panel.example.net/cb",))
    browser = lasting_provider.signed_in(person)

    first, again, other = (
        claims_of(lasting_provider, lasting_provider.tokens(browser, service)["id_token"])
        for service in (parking, parking, panel)
    )

    assert first["sub"] == again["sub"]
    assert first["sub"] != other["sub"]
    assert first["sid"] != other["sid"]
    assert person.account_id not in {first["sub"], other["sub"]}


@pytest.mark.rule("LOG-3")
def test_session_past_its_limits_is_nobody(provider: Provider, clock: SettableClock) -> None:
    """Idle for twenty hours, or seven days old: the person signs in again."""
    service = provider.a_client()
    idle, old = provider.signed_in(), provider.signed_in()
    for _ in range(9):
        clock.advance(hours=19)
        provider.authorize(old, service, prompt="none")

    assert answer_of(provider.authorize(idle, service, prompt="none"))["error"] == "login_required"
    assert answer_of(provider.authorize(old, service, prompt="none"))["error"] == "login_required"


@pytest.mark.rule("LOG-3")
def test_session_cookie_that_comes_twice_is_nobody(lasting_provider: Provider) -> None:
    """A cookie tossed by a sibling domain beside ours makes both worthless (S-478)."""
    service = lasting_provider.a_client()
    cookie = lasting_provider.signed_in().get_cookie(SESSION_COOKIE)
    assert cookie is not None

    answer = lasting_provider.back_channel.get(
        "/authorize",
        query_string=lasting_provider.parameters(service, prompt="none"),
        headers={"Cookie": f"{SESSION_COOKIE}={cookie.value}; {SESSION_COOKIE}={cookie.value}"},
    )

    assert answer_of(answer)["error"] == "login_required"


@pytest.mark.rule("LOG-6")
def test_locked_account_is_dead_everywhere_at_once(lasting_provider: Provider) -> None:
    """Session, code, access and refresh tokens end in one transaction, and do not come back to life."""
    service = lasting_provider.a_client()
    person = lasting_provider.an_account()
    browser = lasting_provider.signed_in(person)
    tokens_ = lasting_provider.tokens(browser, service, scope="openid offline_access")
    code = lasting_provider.code(browser, service)

    administration.lock(lasting_provider.context, person.account_id, "theft")
    locked = (lasting_provider.is_dead(service, tokens_), lasting_provider.redeem(service, code).json)
    silent = answer_of(lasting_provider.authorize(browser, service, prompt="none"))
    administration.unlock(lasting_provider.context, person.account_id)

    assert locked == (True, lasting_provider.redeem(service, code).json)
    assert locked[1]["error"] == "invalid_grant"
    assert silent["error"] == "login_required"
    assert lasting_provider.is_dead(service, tokens_)


@pytest.mark.rule("OID-9")
def test_public_service_at_a_loopback_address_is_never_answered_in_silence(
    lasting_provider: Provider,
) -> None:
    """RFC 8252 section 8.6: nothing proves who listens there, consent or not."""
    service = lasting_provider.a_client(is_public=True, redirect_uris=("http://127.0.0.1/cb",))
    browser = lasting_provider.signed_in()
    lasting_provider.tokens(browser, service)

    answer = lasting_provider.authorize(browser, service, prompt="none")

    assert answer_of(answer)["error"] == "consent_required"


def test_public_service_is_agreed_to_each_time(lasting_provider: Provider) -> None:
    """ASVS v5.0.0-10.7.1: anybody can start its request, so that its person is asked at each one."""
    service = lasting_provider.a_client(is_public=True)
    browser = lasting_provider.signed_in()
    lasting_provider.tokens(browser, service)

    asked = lasting_provider.authorize(browser, service)
    silent = lasting_provider.authorize(browser, service, prompt="none")

    assert asked.location.startswith("/consent?")
    assert "code" in answer_of(silent)


class TestPending:
    """A request that waits: bound to its browser, one row each, past its time a page that leads back."""

    def test_two_tabs_do_not_collide(self, lasting_provider: Provider) -> None:
        """Each tab ends where its own service wanted."""
        first = lasting_provider.a_client(consent_required=True)
        second = lasting_provider.a_client(
            consent_required=True, redirect_uris=("https://panel.example.net/cb",)
        )
        browser = lasting_provider.signed_in()

        pages = [
            lasting_provider.authorize(browser, service, state=service.client_id).location
            for service in (first, second)
        ]
        answers = [lasting_provider.consent(browser, page) for page in pages]

        assert [answer_of(answer)["state"] for answer in answers] == [first.client_id, second.client_id]
        assert [urlsplit(continue_url(answer)).netloc for answer in answers] == [
            "parking.example.org",
            "panel.example.net",
        ]

    @pytest.mark.rule("OID-1")
    def test_another_browser_can_not_go_on_with_it(self, lasting_provider: Provider) -> None:
        """Whoever is handed the address of a page of the way gets a page that says it is gone."""
        service = lasting_provider.a_client(consent_required=True)
        location = lasting_provider.authorize(lasting_provider.signed_in(), service).location

        answer = lasting_provider.signed_in().get(location)

        assert answer.status_code == 410
        assert service.client.name not in answer.text

    def test_request_past_its_time_leads_back_to_the_service(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """The page says so with a 410 and links the service: never a dead end."""
        service = provider.a_client(consent_required=True, service_uri="https://parking.example.org/start")
        person = provider.an_account()
        browser = provider.signed_in(person)
        location = provider.authorize(browser, service).location
        clock.advance(hours=20)

        answer = provider.signed_in(person, browser=browser).get(location)

        assert answer.status_code == 410
        assert 'href="https://parking.example.org/start"' in answer.text

    @pytest.mark.parametrize("pending", ["x", "", "mpq_" + "a" * 49, "\x00", "é"])
    def test_name_that_we_did_not_give_is_gone(self, lasting_provider: Provider, pending: str) -> None:
        """An invented identifier is answered like one that is past its time."""
        answer = lasting_provider.signed_in().get("/consent", query_string={"pending": pending})

        assert answer.status_code == 410

    def test_answered_request_lasts_for_a_double_click_only(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """A second click goes on to the service too; a minute later the request is gone."""
        service = provider.a_client(consent_required=True)
        browser = provider.signed_in()
        location = provider.authorize(browser, service).location
        fields = form_of(browser.get(location)) | {"decision": "allow"}

        clicks = [browser.post("/consent", data=fields) for _ in range(2)]
        clock.advance(minutes=1)
        late = browser.post("/consent", data=fields)

        assert all("code" in answer_of(click) for click in clicks)
        assert late.status_code == 410

    def test_service_disabled_meanwhile_gets_no_answer(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """What holds is what is true when the person answers."""
        service = provider.a_client(consent_required=True)
        browser = provider.signed_in()
        location = provider.authorize(browser, service).location
        fields = form_of(browser.get(location)) | {"decision": "allow"}
        provider.change(service, disabled_at=clock())

        answer = browser.post("/consent", data=fields)

        assert answer.status_code == 400
        assert CALLBACK not in answer.text

    def test_error_after_a_form_of_ours_goes_on_by_a_page(self, lasting_provider: Provider) -> None:
        """Chromium holds each hop after a form to form-action: an error too travels by a page that goes on (S-473)."""
        service = lasting_provider.a_client(consent_required=True)
        browser = lasting_provider.signed_in()
        location = lasting_provider.authorize(browser, service).location
        fields = form_of(browser.get(location)) | {"decision": "allow"}
        lasting_provider.change(service, scopes=frozenset({"email"}))

        answer = browser.post("/consent", data=fields)

        assert answer.status_code == 200
        assert answer_of(answer)["error"] == "invalid_scope"

    def test_browser_cookie_is_no_right_of_its_own(self, lasting_provider: Provider) -> None:
        """The page of a waiting request shows nothing to a browser that is not signed in."""
        service = lasting_provider.a_client(consent_required=True)
        browser = lasting_provider.signed_in(lasting_provider.an_account("leila@example.org"))
        location = lasting_provider.authorize(browser, service, scope="openid email").location
        browser.delete_cookie(SESSION_COOKIE)

        answer = browser.get(location)

        assert browser.get_cookie(BROWSER_COOKIE) is not None
        assert answer.status_code == 303
        assert answer.location.startswith("/sign-in?")
        assert pending_of(answer.location) == pending_of(location)


@pytest.mark.rule("OID-1")
@pytest.mark.parametrize("change", ["withdrawn", "signed out"])
def test_what_ends_between_reading_and_answering_is_noticed(provider: Provider, change: str) -> None:
    """The transaction of the answer looks again at the session and at the consent."""
    service = provider.a_client(consent_required=True)
    person = provider.an_account()
    browser = provider.signed_in(person)
    provider.tokens(browser, service)
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    clock = provider.context.clock
    calls = 0

    def meddle() -> Any:
        # The clock is read once to parse, once for the session, once to decide: then it is too late to read anew.
        nonlocal calls
        calls += 1
        if calls == 3:
            if change == "withdrawn":
                consents.withdraw(provider.context, person.account_id, service.client_id, CONFIRMED)
            else:
                sessions.end_others(provider.context, person.account_id, but=None)
        return clock()

    outcome = requests.begin(
        replace(provider.context, clock=meddle),
        provider.parameters(service).items(),
        session_cookie=cookie.value,
        browser_hash=lambda: bytes(32),
    )

    assert calls >= 3
    assert isinstance(outcome, requests.Asked)
    assert outcome.step == ("consent" if change == "withdrawn" else "sign_in")


@pytest.mark.spec("RFC 9110", "9.3.2", "MAY")
@pytest.mark.parametrize("path", ["/authorize", "/logout"])
def test_head_request_does_nothing(lasting_provider: Provider, path: str) -> None:
    """Whoever only looks whether we are there gets no code, and signs nobody out."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()

    answer = browser.head(path, query_string=lasting_provider.parameters(service))

    assert answer.status_code == 405
    assert lasting_provider.code(browser, service, prompt="none")
