"""GET and POST /userinfo (OIDC Core 5.3; RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto import jwt
from idp.storage.models import accounts
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


@pytest.fixture
def token(lasting_provider: Provider) -> str:
    """A live access token."""
    service = lasting_provider.a_client()
    access_token: str = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]
    return access_token


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Core", "5.3.1", "MUST")
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_token_in_the_header_is_read_by_get_and_post(
    lasting_provider: Provider, token: str, scheme: str
) -> None:
    """Both methods, whatever the case of the scheme."""
    headers = {"Authorization": scheme + token}

    answers = [
        lasting_provider.back_channel.open("/userinfo", method=m, headers=headers) for m in ("GET", "POST")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(answer.json.keys() == {"sub"} for answer in answers)
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers)


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 6750", "2.2", "MAY")
def test_token_in_the_form_is_read(lasting_provider: Provider, token: str) -> None:
    """RFC 6750 section 2.2, which Authlib does not know."""
    assert lasting_provider.post("/userinfo", access_token=token).json.keys() == {"sub"}


@pytest.mark.spec("RFC 9700", "4.3.2", "MUST NOT")
def test_token_in_the_address_is_refused(lasting_provider: Provider, token: str) -> None:
    """An address is logged by everything on the way."""
    answers = [
        lasting_provider.back_channel.open(f"/userinfo?access_token={token}", method=method)
        for method in ("GET", "POST")
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all('error="invalid_request"' in answer.headers["WWW-Authenticate"] for answer in answers)
    assert token not in str(answers[0].headers) + answers[0].text


@pytest.mark.spec("RFC 6750", "2", "MUST NOT")
def test_token_given_twice_is_refused(lasting_provider: Provider, token: str) -> None:
    """In two places, or twice in one."""
    header = {"Authorization": f"Bearer {token}"}

    answers = [
        lasting_provider.back_channel.post("/userinfo", data={"access_token": token}, headers=header),
        lasting_provider.back_channel.post("/userinfo", data={"access_token": [token, token]}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]


@pytest.mark.spec("RFC 6750", "3.1", "SHOULD NOT")
@pytest.mark.parametrize("header", [None, "Basic YTpi", "Token x", ""], ids=str)
def test_request_without_a_token_is_challenged_without_a_reason(
    lasting_provider: Provider, header: str | None
) -> None:
    """Who brings nothing is told what is wanted, and no error."""
    headers = {} if header is None else {"Authorization": header}

    answer = lasting_provider.back_channel.get("/userinfo", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="mon-paris", DPoP realm="mon-paris"')
    assert "error" not in answer.headers["WWW-Authenticate"]
    assert answer.json == {}


@pytest.mark.spec("RFC 6750", "3.1", "MUST")
@pytest.mark.parametrize(
    "forged",
    ["Bearer", "Bearer ", "Bearer x", "Bearer " + "a" * 5000, "Bearer é", "Bearer mpa_" + "a" * 49,
     'Bearer "x"', "Bearer a b c", "Bearer eyJhbGciOiJub25lIn0.e30."],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_token_that_is_none_is_invalid(lasting_provider: Provider, forged: str) -> None:
    """Whatever it looks like, one answer."""
    answer = lasting_provider.back_channel.get("/userinfo", headers={"Authorization": forged})

    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.rule("OID-2")
def test_token_of_another_kind_is_invalid(lasting_provider: Provider) -> None:
    """A code, a refresh token, an ID token or a secret opens nothing here (S-55)."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()
    tokens = lasting_provider.tokens(browser, service, scope="openid offline_access")
    others = [
        tokens["refresh_token"],
        tokens["id_token"],
        service.secret,
        lasting_provider.code(browser, service),
    ]

    assert [lasting_provider.userinfo(other).status_code for other in others] == [401] * 4


@pytest.mark.rule("OID-2")
def test_token_past_its_time_is_invalid(provider: Provider, clock: SettableClock) -> None:
    """Five minutes."""
    token = provider.tokens(provider.signed_in(), provider.a_client())["access_token"]

    clock.advance(seconds=299)
    before = provider.userinfo(token).status_code
    clock.advance(seconds=1)

    assert (before, provider.userinfo(token).status_code) == (200, 401)


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Core", "5.3.2", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_answer_is_signed_for_whoever_registered_it(lasting_provider: Provider, alg: str) -> None:
    """A JWT with issuer and audience, and the same subject as the ID token."""
    service = lasting_provider.a_client(userinfo_signed_response_alg=alg)
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope="openid email")
    keys = lasting_provider.context.keys.keyring().public_keys()

    answer = lasting_provider.userinfo(tokens["access_token"])

    claims: dict[str, Any] = jwt.verified_claims(answer.text, keys)
    assert answer.mimetype == "application/jwt"
    assert answer.headers["Cache-Control"] == "no-store"
    assert jwt.unverified_header(answer.text)["alg"] == alg
    assert (claims["iss"], claims["aud"]) == (ISSUER, service.client_id)
    assert claims["sub"] == jwt.verified_claims(tokens["id_token"], keys)["sub"]
    assert claims["email_verified"] is True


@pytest.mark.rule("FC-3")
def test_changed_value_is_seen_at_the_next_question(lasting_provider: Provider) -> None:
    """Nothing about the person is frozen in a token."""
    service = lasting_provider.a_client()
    person = lasting_provider.an_account(language="en")
    tokens = lasting_provider.tokens(lasting_provider.signed_in(person), service, scope="openid email")
    with lasting_provider.context.database.write() as connection:
        connection.execute(
            accounts.update()
            .where(accounts.c.account_id == person.account_id)
            .values(email="new@ville.example", email_canonical="new@ville.example")
        )

    assert lasting_provider.userinfo(tokens["access_token"]).json["email"] == "new@ville.example"
