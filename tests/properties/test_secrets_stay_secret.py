"""No log line, stored row or answer to somebody else holds a secret or a personal value in clear (PRI-3)."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sqlalchemy import select

from idp.domain.client import ClientAuthenticationMethod
from idp.outbound import logs
from idp.storage.models import metadata
from tests.support.devices import a_device
from tests.support.dpop import ProofMaker
from tests.support.provider import BROWSER_COOKIE, SESSION_COOKIE, Provider, Service, a_provider, answer_of
from tests.support.registration import Registrar
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

#: What a person or a service typed, to be found wherever it ends up.
EMAIL, GIVEN_NAME, FAMILY_NAME = "canari.zoe@ville.example", "Canarizoé", "Canaridurand"
PASSWORD, STATE, NONCE = "Canari-Vingt2.Tramways", "canari-state-1", "canari-nonce-1"
HINT = "canari.hint@ville.example"
API = "https://api.example.org/"


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider where clients register themselves, with a token."""
    return a_provider(database, clock, registration={"mode": "token"})


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Write every log, libraries' too, as a server that was told to say everything does."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("authlib", "sqlalchemy", "werkzeug")}
    logs.configure("debug", "json", stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for name, known in levels.items():
            logging.getLogger(name).setLevel(known)


def a_whole_life(provider: Provider) -> dict[str, str]:
    """Go every way, right and wrong, and give what must be found nowhere."""
    service = provider.a_client(consent_required=True)
    public = provider.a_client(is_public=True)
    person = provider.an_account(EMAIL, given_name=GIVEN_NAME, family_name=FAMILY_NAME)
    browser = provider.signed_in(person)
    scope = "openid email profile offline_access"
    asked: dict[str, str | None] = {"scope": scope, "state": STATE, "nonce": NONCE, "login_hint": HINT}
    location = provider.authorize(browser, service, **asked).location
    code = answer_of(provider.consent(browser, location, claims=("given_name", "family_name")))["code"]
    tokens = provider.redeem(service, code).json or {}
    provider.redeem(service, code)
    rotated = provider.tokens(browser, public, **asked)
    successor = (provider.refresh(public, rotated["refresh_token"]).json or {})["refresh_token"]
    extended = a_life_with_extensions(provider, browser)
    go_wrong(provider, service, tokens | extended)
    browser.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    browser.get("/logout", query_string={"id_token_hint": tokens["id_token"]})
    return {
        "email": EMAIL, "given name": GIVEN_NAME, "family name": FAMILY_NAME, "password": PASSWORD,
        "state": STATE, "login hint": HINT, "code": code, "client secret": service.secret,
        "access token": tokens["access_token"], "refresh token": tokens["refresh_token"],
        "id token": tokens["id_token"], "rotated": rotated["refresh_token"], "successor": successor,
        "session": value_of(browser_cookie(provider, person)), "browser": value_of(browser.get_cookie(BROWSER_COOKIE)),
        **extended,
    }  # fmt: skip


def a_life_with_extensions(provider: Provider, browser: FlaskClient) -> dict[str, str]:
    """Go the newer ways too: signed, pushed and registered, bound to a key, for an API, on a device, in front."""
    found = proven_by_a_key(provider, browser)
    found |= registered_by_itself(provider)
    device = a_device(provider)
    device.is_answered(browser=browser)
    found |= {"device code": device.answer["device_code"], "user code": device.user_code}
    found["token of a device"] = (device.polls().json or {})["access_token"]
    legacy = provider.a_client(response_types=frozenset({"code id_token token"}), consent_required=False)
    answer = answer_of(provider.authorize(browser, legacy, response_type="code id_token token"))
    found |= {f"{name} in front": answer[name] for name in ("code", "id_token", "access_token")}
    hidden = provider.a_client(authentication_method=ClientAuthenticationMethod.SECRET_JWT)
    found["assertion by secret"] = hidden.assertion()
    provider.post(
        "/introspect", hidden, token=answer["access_token"], client_assertion=found["assertion by secret"]
    )
    return found | {"secret that signs": hidden.secret}


def proven_by_a_key(provider: Provider, browser: FlaskClient) -> dict[str, str]:
    """Push a signed request, answer it by a JWT, and bind its tokens to a key."""
    key = ProofMaker(provider.clock)
    service = provider.a_client(
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT, dpop_bound_access_tokens=True
    )
    caller = provider.a_client(resources=(API,))
    signed = request_object(provider, service, login_hint=HINT, state=STATE, response_mode="jwt")
    pushed = provider.post("/par", service, request=signed)
    uri = (pushed.json or {})["request_uri"]
    query = {"client_id": service.client_id, "request_uri": uri}
    response = answer_of(browser.get("/authorize", query_string=query))["response"]
    claims: dict[str, str] = jwt.decode(response, options={"verify_signature": False})
    proof = key.proof()
    headers, fields = service.authentication()
    form = {
        "grant_type": "authorization_code", "code": claims["code"], "redirect_uri": service.callback,
        "code_verifier": service.verifier,
    }  # fmt: skip
    answer = provider.back_channel.post("/token", data=fields | form, headers=headers | {"DPoP": proof})
    assert answer.status_code == 200, answer.text
    at_api = provider.post("/token", caller, grant_type="client_credentials", resource=API).json or {}
    return {
        "request object": signed, "pushed request": uri, "signed answer": response, "proof": proof,
        "bound token": (answer.json or {})["access_token"], "assertion": fields["client_assertion"],
        "token for an API": at_api["access_token"],
    }  # fmt: skip


def registered_by_itself(provider: Provider) -> dict[str, str]:
    """Register a client by a token, read it and change it."""
    registrar = Registrar(provider)
    initial = registrar.initial_token()
    client = registrar.register(initial, contacts=["dev@example.org"])
    registrar.read(client)
    registrar.read(client, token=initial)
    return {
        "initial access token": initial,
        "registration access token": client["registration_access_token"],
        "secret of the registered": client["client_secret"],
    }


def browser_cookie(provider: Provider, person: Any) -> Any:
    """Open one more session, and give its cookie."""
    return provider.signed_in(person).get_cookie(SESSION_COOKIE)


def value_of(cookie: Any) -> str:
    """Read a cookie."""
    assert cookie is not None
    value: str = cookie.value
    return value


def go_wrong(provider: Provider, service: Service, tokens: dict[str, Any]) -> None:
    """Send secrets to wherever they do not belong."""
    client = provider.back_channel
    for path in (
        "/token",
        "/introspect",
        "/revoke",
        "/userinfo",
        "/authorize",
        "/logout",
        "/nowhere",
        "/consent",
        "/par",
        "/register",
        "/device",
        "/device_authorization",
    ):
        for name, value in (
            ("token", tokens["refresh_token"]), ("access_token", tokens["access_token"]), ("code", service.secret),
            ("client_secret", service.secret), ("id_token_hint", tokens["id_token"]), ("login_hint", EMAIL),
            ("state", STATE), ("pending", tokens["access_token"]), ("password", PASSWORD), (EMAIL, GIVEN_NAME),
            ("request", tokens["request object"]), ("request_uri", tokens["pushed request"]),
            ("client_assertion", tokens["assertion"]), ("device_code", tokens["device code"]),
            ("user_code", tokens["user code"]),
        ):  # fmt: skip
            client.get(path, query_string={name: value})
            client.post(path, data={name: value, "client_id": EMAIL})
            client.get(f"{path}/{value}")
        client.post(
            path, headers={"Authorization": f"Bearer {tokens['refresh_token']}", "X-Request-ID": EMAIL}
        )
        client.post(path, headers={"Authorization": f"Basic {service.secret}", "User-Agent": EMAIL})
        client.post(path, headers={"DPoP": tokens["proof"], "Authorization": f"DPoP {tokens['bound token']}"})
        client.post(path, headers={"Authorization": f"Bearer {tokens['registration access token']}"}, json={})
    provider.introspect(service, tokens["id_token"])


@pytest.mark.rule("PRI-3")
def test_no_log_line_holds_a_secret_or_a_personal_value(provider: Provider) -> None:
    """Every log of a whole life, at the level that says most."""
    with everything_logged() as stream:
        canaries = a_whole_life(provider)
    lines = stream.getvalue()

    assert lines.count("\n") > 100
    leaked = [name for name, value in canaries.items() if value in lines or value.split(".")[-1] in lines]
    assert leaked == []


@pytest.mark.rule("PRI-3")
def test_no_row_holds_a_secret_in_clear(provider: Provider) -> None:
    """Whoever reads the whole database can use nothing of it; names and addresses stand where they must."""
    canaries = a_whole_life(provider)
    own_tables = {"accounts", "account_attributes", "account_attribute_changes", "pending_authorizations"}
    known = {"email", "given name", "family name", "state", "login hint"}

    with provider.context.database.read() as connection:
        rows = {
            table.name: str([tuple(row) for row in connection.execute(select(table))])
            for table in metadata.sorted_tables
        }

    secrets = {name: value for name, value in canaries.items() if name not in known}
    personal = {name: canaries[name] for name in ("email", "given name", "family name")}
    assert [
        (table, name) for table, text in rows.items() for name, value in secrets.items() if value in text
    ] == []
    assert [
        (table, name)
        for table, text in rows.items()
        if table not in own_tables
        for name, value in personal.items()
        if value in text
    ] == []


@pytest.mark.rule("PRI-3")
def test_no_error_repeats_what_was_sent(lasting_provider: Provider) -> None:
    """An answer that refuses holds nothing of the request but what the standard returns."""
    service = lasting_provider.a_client()
    for path in (
        "/token",
        "/introspect",
        "/revoke",
        "/userinfo",
        "/par",
        "/device_authorization",
        "/register",
    ):
        for form in (
            {"token": STATE},
            {"code": STATE},
            {"client_id": STATE},
            {"access_token": STATE},
            {STATE: STATE},
        ):
            for proof in ({}, service.authentication()[0]):
                answer = lasting_provider.back_channel.post(
                    path, data={"grant_type": "authorization_code", **form}, headers=proof
                )
                assert STATE not in answer.text + str(answer.headers)
