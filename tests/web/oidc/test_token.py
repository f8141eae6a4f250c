"""POST /token: codes, refresh tokens, client credentials (OID-1, OID-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto import jwt
from idp.crypto.opaque import SecretKind, new_secret
from idp.domain.client import GrantType
from tests.support.provider import CALLBACK, ISSUER, VERIFIER, answer_of, basic, challenge_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

OTHER_VERIFIER = "another-verifier-that-is-long-enough-to-be-one"
OFFLINE = "openid offline_access"


def error_of(answer: TestResponse) -> str:
    """Read the error of an answer, which no cache may keep."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    error: str = answer.json["error"]
    return error


def claims_of(provider: Provider, tokens: dict[str, Any]) -> dict[str, Any]:
    """Read the ID token of an answer, verified."""
    return jwt.verified_claims(tokens["id_token"], provider.context.keys.keyring().public_keys())


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 6749", "4.1.3", "MUST")
@pytest.mark.parametrize(
    "changes,error",
    [
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": "x"}, "invalid_grant"),
        ({"code": "mpc_" + "a" * 49}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": OTHER_VERIFIER}, "invalid_grant"),
        ({"code_verifier": VERIFIER[:42]}, "invalid_grant"),
        ({"code_verifier": VERIFIER * 3}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "é"}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "\n"}, "invalid_request"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "Authorization_Code"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "unsupported_grant_type"),
    ],
    ids=str,
)
def test_code_request_that_is_wrong_gives_nothing(
    lasting_provider: Provider, changes: dict[str, str | None], error: str
) -> None:
    """Whatever does not match what the code is bound to, nothing is given."""
    service = lasting_provider.a_client()
    code = lasting_provider.code(lasting_provider.signed_in(), service)

    answer = lasting_provider.redeem(service, code, **changes)

    assert error_of(answer) == error


@pytest.mark.rule("OID-1")
def test_code_that_nobody_gave_is_refused(lasting_provider: Provider) -> None:
    """Well formed, and unknown; a refresh token and a token to revoke likewise."""
    service = lasting_provider.a_client()

    code = lasting_provider.redeem(service, new_secret(SecretKind.AUTHORIZATION_CODE))
    refreshed = lasting_provider.refresh(service, new_secret(SecretKind.REFRESH_TOKEN))
    revoked = lasting_provider.post("/revoke", service, token=new_secret(SecretKind.ACCESS_TOKEN))

    assert error_of(code) == "invalid_grant"
    assert error_of(refreshed) == "invalid_grant"
    assert revoked.status_code == 200


@pytest.mark.rule("OID-1")
@pytest.mark.spec("OIDC Core", "3.1.3.2", "MUST")
def test_code_of_another_service_gives_nothing_and_stays_good(lasting_provider: Provider) -> None:
    """A code is its client's own: a stranger neither redeems it nor uses it up."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()
    code = lasting_provider.code(lasting_provider.signed_in(), service)

    stolen = lasting_provider.redeem(other, code)
    own = lasting_provider.redeem(service, code)

    assert error_of(stolen) == "invalid_grant"
    assert own.status_code == 200


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 6749", "4.1.2", "MUST")
def test_code_past_its_minute_gives_nothing(provider: Provider, clock: SettableClock) -> None:
    """Sixty seconds, and not one more."""
    service = provider.a_client()
    browser = provider.signed_in()
    in_time, late = provider.code(browser, service), provider.code(browser, service)

    clock.advance(seconds=59)
    first = provider.redeem(service, in_time)
    clock.advance(seconds=1)
    second = provider.redeem(service, late)

    assert first.status_code == 200
    assert error_of(second) == "invalid_grant"


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 6749", "4.1.2", "SHOULD")
def test_code_that_comes_again_ends_what_it_gave(lasting_provider: Provider) -> None:
    """A second redemption means that somebody else has the code: every token of it dies."""
    service = lasting_provider.a_client()
    code = lasting_provider.code(lasting_provider.signed_in(), service)
    tokens = lasting_provider.redeem(service, code).json

    again = lasting_provider.redeem(service, code)

    assert error_of(again) == "invalid_grant"
    assert lasting_provider.is_dead(service, tokens)


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 9700", "4.5.3", "MUST")
def test_code_replayed_without_its_verifier_ends_nothing(lasting_provider: Provider) -> None:
    """Whoever only saw the code can't end a person's access with it."""
    service = lasting_provider.a_client(is_public=True)
    browser = lasting_provider.signed_in()
    location = lasting_provider.authorize(browser, service).location
    code = answer_of(lasting_provider.consent(browser, location))["code"]
    tokens = lasting_provider.redeem(service, code).json

    lasting_provider.redeem(service, code, code_verifier=OTHER_VERIFIER)

    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.rule("OID-2", "OID-3")
@pytest.mark.spec("OIDC Core", "3.1.3.3", "MUST")
def test_code_gives_tokens_that_no_cache_keeps(lasting_provider: Provider) -> None:
    """The answer has what RFC 6749 section 5.1 and OIDC Core 3.1.3.3 name, and nothing else."""
    service = lasting_provider.a_client()
    code = lasting_provider.code(lasting_provider.signed_in(), service, nonce='é"<>{}' + "n" * 2000)

    answer = lasting_provider.redeem(service, code)

    claims = claims_of(lasting_provider, answer.json)
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 300)
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert (claims["iss"], claims["aud"]) == (ISSUER, service.client_id)
    assert claims["nonce"] == 'é"<>{}' + "n" * 2000
    assert claims["exp"] == claims["iat"] + 300


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "3.1.3.7", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_id_token_is_signed_as_the_service_registered(lasting_provider: Provider, alg: str) -> None:
    """Each client has its algorithm, and the header names the key."""
    service = lasting_provider.a_client(id_token_signed_response_alg=alg)

    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service)

    header = jwt.unverified_header(tokens["id_token"])
    assert header["alg"] == alg
    assert header["kid"] in {key.kid for key in lasting_provider.context.keys.keyring().keys}
    assert claims_of(lasting_provider, tokens)


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "5.5", "MUST")
def test_claims_parameter_puts_claims_into_the_id_token(lasting_provider: Provider) -> None:
    """What was asked for the ID token stands there; what was not stands at UserInfo only."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    claims = '{"id_token": {"given_name": {"essential": true}, "birthdate": null}}'

    tokens = lasting_provider.tokens(browser, service, scope="openid email", claims=claims)

    found = claims_of(lasting_provider, tokens)
    assert found["given_name"] == "Zoé"
    assert "email" not in found
    assert "birthdate" not in found
    assert lasting_provider.userinfo(tokens["access_token"]).json.keys() == {"sub", "email", "email_verified"}


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Core", "11", "MUST")
@pytest.mark.parametrize(
    "grants,scope,given",
    [
        ({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}, OFFLINE, True),
        ({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}, "openid", False),
        ({GrantType.AUTHORIZATION_CODE}, OFFLINE, False),
    ],
    ids=["asked and allowed", "not asked", "not allowed"],
)
def test_refresh_token_is_given_when_asked_and_allowed(
    lasting_provider: Provider, grants: set[GrantType], scope: str, *, given: bool
) -> None:
    """Only a service that may, and asked for offline_access, gets one."""
    service = lasting_provider.a_client(grant_types=frozenset(grants))

    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=scope)

    assert ("refresh_token" in tokens) is given
    assert ("offline_access" in tokens["scope"].split()) is given


class TestConfidentialRefresh:
    """A service that proves itself keeps its refresh token (D-07)."""

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("OIDC Core", "12.2", "MUST")
    def test_refreshed_id_token_says_the_same_of_the_login(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """Same iss, sub, aud and auth_time, new iat, no nonce."""
        service = provider.a_client()
        tokens = provider.tokens(provider.signed_in(), service, scope=OFFLINE)
        clock.advance(hours=1)

        again = provider.refresh(service, tokens["refresh_token"]).json

        before, after = claims_of(provider, tokens), claims_of(provider, again)
        assert again["refresh_token"] == tokens["refresh_token"]
        assert again["access_token"] != tokens["access_token"]
        same = ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid")
        assert [after[name] for name in same] == [before[name] for name in same]
        assert after["iat"] == before["iat"] + 3600
        assert "nonce" not in after

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 6749", "6", "MUST NOT")
    def test_scope_can_be_narrowed_for_once_and_never_widened(self, lasting_provider: Provider) -> None:
        """A narrower scope is for that access token; the next refresh has everything again."""
        service = lasting_provider.a_client()
        tokens = lasting_provider.tokens(
            lasting_provider.signed_in(), service, scope="openid email offline_access"
        )
        refresh_token = tokens["refresh_token"]

        narrow = lasting_provider.refresh(service, refresh_token, scope="openid").json
        whole = lasting_provider.refresh(service, refresh_token).json
        wide = lasting_provider.refresh(service, refresh_token, scope="openid profile")
        odd = lasting_provider.refresh(service, refresh_token, scope='openid "')
        without = lasting_provider.refresh(service, refresh_token, scope="email").json

        assert narrow["scope"] == "openid"
        assert whole["scope"] == "email offline_access openid"
        assert error_of(wide) == "invalid_scope"
        assert error_of(odd) == "invalid_scope"
        assert "id_token" not in without

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
    def test_refresh_token_of_another_service_gives_nothing(self, lasting_provider: Provider) -> None:
        """A refresh token is bound to its client, and a stranger's try does not end it."""
        service, other = lasting_provider.a_client(), lasting_provider.a_client(is_public=True)
        tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

        stolen = lasting_provider.refresh(other, tokens["refresh_token"])

        assert error_of(stolen) == "invalid_grant"
        assert lasting_provider.refresh(service, tokens["refresh_token"]).status_code == 200

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "SHOULD")
    def test_refresh_token_ends_when_idle_and_in_any_case(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """Fourteen days unused, or ninety days altogether."""
        service = provider.a_client()
        idle, used = (
            provider.tokens(provider.signed_in(), service, scope=OFFLINE)["refresh_token"] for _ in range(2)
        )

        for _ in range(6):
            clock.advance(days=13)
            assert provider.refresh(service, used).status_code == 200
        clock.advance(days=11, hours=23)
        last = provider.refresh(service, used)
        clock.advance(hours=1)

        assert error_of(provider.refresh(service, idle)) == "invalid_grant"
        assert last.status_code == 200
        assert error_of(provider.refresh(service, used)) == "invalid_grant"


class TestPublicRefresh:
    """A client without a secret gets a new refresh token each time; an old one betrays a theft."""

    @pytest.fixture
    def service(self, provider: Provider) -> Any:
        """A native app."""
        return provider.a_client(is_public=True)

    @pytest.fixture
    def refresh_token(self, provider: Provider, service: Any) -> str:
        """Its first refresh token."""
        token: str = provider.tokens(provider.signed_in(), service, scope=OFFLINE)["refresh_token"]
        return token

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
    def test_refresh_gives_the_next_token(self, provider: Provider, service: Any, refresh_token: str) -> None:
        """Each use gives another, and the chain goes on."""
        seen = {refresh_token}
        for _ in range(3):
            refresh_token = provider.refresh(service, refresh_token).json["refresh_token"]
            seen.add(refresh_token)

        assert len(seen) == 4

    @pytest.mark.rule("OID-2")
    def test_retry_within_ten_seconds_gets_the_same_answer(
        self, provider: Provider, clock: SettableClock, service: Any, refresh_token: str
    ) -> None:
        """A lost answer is no theft: the same successor, and both access tokens live."""
        first = provider.refresh(service, refresh_token).json
        clock.advance(seconds=9)

        second = provider.refresh(service, refresh_token).json

        assert second["refresh_token"] == first["refresh_token"]
        assert second["access_token"] != first["access_token"]
        assert provider.userinfo(first["access_token"]).status_code == 200
        assert provider.refresh(service, second["refresh_token"]).status_code == 200

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
    def test_reuse_after_ten_seconds_ends_the_family(
        self, provider: Provider, clock: SettableClock, service: Any, refresh_token: str
    ) -> None:
        """Later it is a theft: nobody goes on, the thief or the owner."""
        tokens = provider.refresh(service, refresh_token).json
        clock.advance(seconds=10)

        answer = provider.refresh(service, refresh_token)

        assert error_of(answer) == "invalid_grant"
        assert provider.userinfo(tokens["access_token"]).status_code == 401
        assert error_of(provider.refresh(service, tokens["refresh_token"])) == "invalid_grant"

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
    def test_reuse_of_an_older_token_ends_the_family_at_once(
        self, provider: Provider, service: Any, refresh_token: str
    ) -> None:
        """Once its successor was used, a token is no retry whatever the time."""
        second = provider.refresh(service, refresh_token).json["refresh_token"]
        third = provider.refresh(service, second).json["refresh_token"]

        answer = provider.refresh(service, refresh_token)

        assert error_of(answer) == "invalid_grant"
        assert error_of(provider.refresh(service, third)) == "invalid_grant"

    @pytest.mark.rule("OID-2")
    @pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
    def test_rotation_does_not_prolong_the_absolute_life(
        self, provider: Provider, clock: SettableClock, service: Any, refresh_token: str
    ) -> None:
        """The ninetieth day is counted from the login, whatever the rotations."""
        for _ in range(8):
            clock.advance(days=11)
            refresh_token = provider.refresh(service, refresh_token).json["refresh_token"]
        clock.advance(days=2)

        assert error_of(provider.refresh(service, refresh_token)) == "invalid_grant"

    @pytest.mark.rule("OID-2")
    def test_wrong_scope_uses_nothing_up(self, provider: Provider, service: Any, refresh_token: str) -> None:
        """A request that was wrong leaves the token as it was."""
        wrong = provider.refresh(service, refresh_token, scope="openid phone")

        assert error_of(wrong) == "invalid_scope"
        assert provider.refresh(service, refresh_token).json["refresh_token"] != refresh_token


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 6749", "4.4", "MUST")
class TestClientCredentials:
    """A token for the service itself."""

    def test_token_of_a_service_speaks_of_nobody(self, lasting_provider: Provider) -> None:
        """No refresh token, no ID token, and UserInfo refuses it."""
        service = lasting_provider.a_client()

        answer = lasting_provider.post("/token", service, grant_type="client_credentials")

        about = lasting_provider.introspect(service, answer.json["access_token"])
        refused = lasting_provider.userinfo(answer.json["access_token"])
        assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
        assert answer.json["scope"] == "api"
        assert (about["active"], about["client_id"]) == (True, service.client_id)
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("scope", ["openid", "email api", "offline_access", "other", '"', "é"])
    def test_scope_that_is_not_its_own_is_refused(self, lasting_provider: Provider, scope: str) -> None:
        """A scope about a person needs a person."""
        service = lasting_provider.a_client()

        answer = lasting_provider.post("/token", service, grant_type="client_credentials", scope=scope)

        assert error_of(answer) == "invalid_scope"

    def test_client_without_a_secret_is_refused(self, lasting_provider: Provider) -> None:
        """Nothing proves who asks."""
        service = lasting_provider.a_client(is_public=True)

        answer = lasting_provider.post("/token", service, grant_type="client_credentials")

        assert error_of(answer) == "unauthorized_client"


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 6749", "5.2", "MUST")
@pytest.mark.parametrize("grant", [grant for grant in GrantType if grant is not GrantType.IMPLICIT])
def test_grant_that_the_service_may_not_use_is_refused(lasting_provider: Provider, grant: GrantType) -> None:
    """Each client has its list of grants."""
    service = lasting_provider.a_client(grant_types=frozenset(GrantType) - {grant})

    answer = lasting_provider.post("/token", service, grant_type=grant, code="x", refresh_token="x")

    assert error_of(answer) == "unauthorized_client"


@pytest.mark.rule("CON-1")
def test_service_that_is_disabled_gets_nothing_at_once(provider: Provider, clock: SettableClock) -> None:
    """Its secret opens nothing any more, at any endpoint, and its tokens are dead."""
    service = provider.a_client()
    browser = provider.signed_in()
    tokens = provider.tokens(browser, service, scope=OFFLINE)
    code = provider.code(browser, service)

    provider.change(service, disabled_at=clock())

    assert provider.redeem(service, code).status_code == 401
    assert provider.refresh(service, tokens["refresh_token"]).status_code == 401
    assert provider.userinfo(tokens["access_token"]).status_code == 401
    assert provider.post("/introspect", service, token=tokens["access_token"]).status_code == 401


def test_verifier_of_another_request_of_the_same_person_is_refused(lasting_provider: Provider) -> None:
    """A code put into another flow of the same service fails on its challenge (RFC 9700 section 4.5)."""
    service = lasting_provider.a_client()
    code = lasting_provider.code(
        lasting_provider.signed_in(), service, code_challenge=challenge_of(OTHER_VERIFIER)
    )

    answer = lasting_provider.redeem(service, code)

    assert error_of(answer) == "invalid_grant"


def test_back_channel_needs_no_cookie_and_sets_none(lasting_provider: Provider) -> None:
    """Programs have no browser."""
    service = lasting_provider.a_client()

    answer = lasting_provider.back_channel.post(
        "/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic(service.client_id, service.secret), "Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
