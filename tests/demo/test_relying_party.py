"""The demonstrations' relying party refuses whatever OpenID Connect tells a client to refuse."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from joserfc.jwk import ECKey

from idp.demo import provider_documents as module
from idp.demo.outcomes import (
    AnswerRejected,
    LoginRefused,
    LoginRequest,
    ProviderUnavailable,
    Tokens,
    TokensRefused,
)
from idp.demo.provider_documents import RelyingPartySettings
from idp.demo.relying_party import RelyingParty, answer_parameters
from tests.demo.provider import (
    ABSENT,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    FakeProvider,
    parameters,
)

CALLBACK = "http://service.test/callback"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """A provider that behaves, with no pause between tries of discovery."""
    monkeypatch.setattr(module, "DISCOVERY_PAUSE_SECONDS", 0)
    return FakeProvider()


@pytest.fixture
def party(provider: FakeProvider) -> RelyingParty:
    """A relying party registered there."""
    return make_party(provider)


def make_party(provider: FakeProvider, **changes: Any) -> RelyingParty:
    """Make a relying party; its clock is the provider's."""
    settings: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": "http://service.test/deconnecte",
        "scope": "openid profile",
        "client_secret": CLIENT_SECRET,
        "clock": lambda: provider.now,
        "send": provider.send,
        **changes,
    }
    return RelyingParty(RelyingPartySettings(**settings))


def login(party: RelyingParty, provider: FakeProvider, **asked: str) -> Tokens:
    """Go through a whole login."""
    begun = party.begin(**asked)
    return party.finish(answer_parameters(provider.go(begun.url)), begun)


# The request


def test_request_has_pkce_state_nonce_and_what_is_asked(party: RelyingParty) -> None:
    """The authorization request has the standard parameters, S256 included."""
    begun = party.begin(ui_locales="fr")

    sent = parameters(begun.url)
    digest = urlsafe_b64decode(sent["code_challenge"] + "=")
    assert digest == sha256(begun.code_verifier.encode()).digest()
    assert sent == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": sent["code_challenge"],
        "code_challenge_method": "S256",
        "ui_locales": "fr",
    }


def test_requests_share_no_secret(party: RelyingParty) -> None:
    """Each login has its own state, nonce and verifier."""
    one, other = party.begin(), party.begin()

    assert {one.state, one.nonce, one.code_verifier}.isdisjoint(
        {other.state, other.nonce, other.code_verifier},
    )


# The answer at the callback


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": ABSENT},
        {"iss": "http://evil.test"},
        {"iss": ABSENT},
        {"code": ABSENT},
        {"code": ""},
    ],
    ids=["state", "no state", "issuer", "no issuer", "no code", "empty code"],
)
@pytest.mark.spec("RFC 9207", "2.4", "MUST")
def test_answer_of_somebody_else_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    changes: dict[str, Any],
) -> None:
    """State and issuer must be those of the request; nothing is sent to the token endpoint."""
    provider.answer_changes = changes

    with pytest.raises(AnswerRejected):
        login(party, provider)

    assert provider.token_requests == []


def test_answer_with_a_repeated_parameter_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """A parameter that comes twice is not guessed at."""
    begun = party.begin()
    answer = provider.go(begun.url) + "&code=another"

    with pytest.raises(AnswerRejected, match="repeated"):
        party.finish(answer_parameters(answer), begun)


def test_answer_without_iss_is_accepted_when_the_provider_announces_none(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """RFC 9207 is required only of providers that announce it."""
    provider.metadata_changes = {"authorization_response_iss_parameter_supported": ABSENT}
    provider.answer_changes = {"iss": ABSENT}

    assert login(party, provider).subject == provider.subject


def test_error_answer_names_the_error(party: RelyingParty, provider: FakeProvider) -> None:
    """An error at the callback is told to the caller."""
    provider.answer_changes = {"code": ABSENT, "error": "access_denied"}

    with pytest.raises(LoginRefused) as refused:
        login(party, provider)

    assert refused.value.error == "access_denied"


def test_error_answer_with_a_wrong_state_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """Not even an error is believed from somebody else."""
    provider.answer_changes = {"code": ABSENT, "error": "access_denied", "state": "another"}

    with pytest.raises(AnswerRejected):
        login(party, provider)


def test_code_verifier_of_another_login_is_refused(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """A code can't be redeemed with the verifier of another request."""
    begun = party.begin()
    answer = answer_parameters(provider.go(begun.url))
    other = LoginRequest(begun.url, begun.state, begun.nonce, "v" * 43)

    with pytest.raises(LoginRefused, match="invalid_grant"):
        party.finish(answer, other)


# The ID token


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://evil.test"},
        {"iss": ABSENT},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": ABSENT},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": ABSENT},
        {"exp": 1},
        {"exp": ABSENT},
        {"exp": "soon"},
        {"exp": True},
        {"iat": 99999999999},
        {"iat": ABSENT},
        {"sub": ABSENT},
        {"sub": ""},
        {"sub": 5},
        {"at_hash": "another"},
    ],
    ids=lambda changes: " ".join(f"{k} {'absent' if v is ABSENT else v}" for k, v in changes.items()),
)
@pytest.mark.spec("OIDC Core", "3.1.3.7", "MUST")
def test_id_token_with_a_wrong_member_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    changes: dict[str, Any],
) -> None:
    """Each member of the ID token is checked."""
    provider.id_token_changes = changes

    with pytest.raises(AnswerRejected):
        login(party, provider)


def test_id_token_without_at_hash_is_accepted(party: RelyingParty, provider: FakeProvider) -> None:
    """at_hash is optional in the code flow."""
    provider.id_token_changes = {"at_hash": ABSENT}

    assert login(party, provider).subject == provider.subject


def test_id_token_with_a_list_of_one_audience_is_accepted(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """The audience may be a list that names us alone."""
    provider.id_token_changes = {"aud": [CLIENT_ID]}

    assert login(party, provider).subject == provider.subject


@pytest.mark.parametrize("alg", ["none", "HS256"])
@pytest.mark.spec("RFC 8725", "3.1", "MUST")
def test_id_token_of_another_algorithm_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    alg: str,
) -> None:
    """Neither an unsigned token nor one signed with our own secret is taken."""
    provider.header_changes = {"alg": alg}

    with pytest.raises(AnswerRejected, match="algorithm"):
        login(party, provider)


def test_id_token_of_an_algorithm_left_out_of_the_list_is_rejected(provider: FakeProvider) -> None:
    """The list of accepted algorithms can be narrowed."""
    party = make_party(provider, algorithms=("RS256",))

    with pytest.raises(AnswerRejected, match="algorithm"):
        login(party, provider)


def test_id_token_of_an_unpublished_key_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """The signature is verified with the published key."""
    provider.sign_with_wrong_key = True

    with pytest.raises(AnswerRejected):
        login(party, provider)


def test_id_token_of_an_unknown_key_is_rejected_and_asks_for_keys_once(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """An unknown kid makes us read the key set again, but not at each attempt."""
    provider.header_changes = {"kid": "unknown"}

    for _ in range(3):
        with pytest.raises(AnswerRejected, match="unknown key"):
            login(party, provider)

    assert provider.requests.count("/jwks.json") == 1


def test_id_token_of_a_new_key_is_accepted(party: RelyingParty, provider: FakeProvider) -> None:
    """A rotation of keys is followed at once."""
    login(party, provider)
    provider.rotate()

    assert login(party, provider).subject == provider.subject
    assert provider.requests.count("/jwks.json") == 2


def test_id_token_older_than_max_age_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """auth_time is checked when max_age was asked."""
    old = int(provider.now.timestamp()) - 1000
    provider.id_token_changes = {"auth_time": old}

    with pytest.raises(AnswerRejected, match="too long ago"):
        login(party, provider, max_age="60")


# The token response


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": ABSENT},
        {"access_token": ""},
        {"token_type": "mac"},
        {"token_type": ABSENT},
        {"id_token": ABSENT},
        {"id_token": "not.a.jwt"},
        {"id_token": 5},
    ],
    ids=(
        "no access token",
        "empty access token",
        "another token type",
        "no token type",
        "no id token",
        "id token that is no JWT",
        "id token that is no text",
    ),
)
def test_token_response_that_lacks_something_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    changes: dict[str, Any],
) -> None:
    """A token response has a bearer access token and an ID token."""
    provider.token_changes = changes

    with pytest.raises(AnswerRejected):
        login(party, provider)


def test_client_secret_basic_sends_no_secret_in_the_body(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """The secret travels in the Authorization header."""
    login(party, provider)

    sent = provider.token_requests[0]
    assert (sent["basic_client_id"], sent["basic_client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    assert "client_secret" not in sent


def test_client_secret_post_sends_it_in_the_body(provider: FakeProvider) -> None:
    """The secret travels in the form."""
    party = make_party(provider, token_endpoint_auth_method="client_secret_post")

    login(party, provider)

    sent = provider.token_requests[0]
    assert (sent["client_id"], sent["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)


# Userinfo


@pytest.mark.parametrize("signed", [False, True], ids=["JSON", "JWT"])
def test_userinfo_of_the_same_subject_is_returned(
    party: RelyingParty,
    provider: FakeProvider,
    signed: bool,  # noqa: FBT001
) -> None:
    """Userinfo is read in both forms."""
    provider.signed_userinfo = signed
    provider.person = {"given_name": "Zoé"}

    claims = party.userinfo(login(party, provider))

    assert claims["given_name"] == "Zoé"


@pytest.mark.parametrize("signed", [False, True], ids=["JSON", "JWT"])
@pytest.mark.parametrize("changes", [{"sub": "another"}, {"sub": ABSENT}], ids=["other", "none"])
@pytest.mark.spec("OIDC Core", "5.3.2", "MUST")
def test_userinfo_of_another_subject_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    signed: bool,  # noqa: FBT001
    changes: dict[str, Any],
) -> None:
    """Userinfo that speaks of somebody else is not used."""
    provider.signed_userinfo = signed
    provider.userinfo_changes = changes

    with pytest.raises(AnswerRejected):
        party.userinfo(login(party, provider))


@pytest.mark.parametrize(
    "changes",
    [{"iss": "http://evil.test"}, {"aud": "another"}, {"iss": ABSENT}, {"aud": ABSENT}],
    ids=["issuer", "audience", "no issuer", "no audience"],
)
def test_signed_userinfo_of_somebody_else_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
    changes: dict[str, Any],
) -> None:
    """Signed userinfo names its issuer and its audience."""
    provider.signed_userinfo = True
    provider.userinfo_changes = changes

    with pytest.raises(AnswerRejected):
        party.userinfo(login(party, provider))


def test_signed_userinfo_of_an_unpublished_key_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """The signature of userinfo is verified."""
    tokens = login(party, provider)
    provider.signed_userinfo = provider.sign_with_wrong_key = True

    with pytest.raises(AnswerRejected):
        party.userinfo(tokens)


def test_userinfo_after_withdrawal_says_that_tokens_are_refused(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """A 401 is told apart from an outage."""
    tokens = login(party, provider)
    provider.withdrawn = True

    with pytest.raises(TokensRefused):
        party.userinfo(tokens)


# Refreshing


def test_refresh_gives_a_new_access_token(party: RelyingParty, provider: FakeProvider) -> None:
    """A refreshed login keeps its subject and gets new tokens."""
    tokens = login(party, provider)
    provider.now += timedelta(minutes=10)
    assert tokens.expired(provider.now)

    refreshed = party.refresh(tokens)

    assert refreshed.subject == tokens.subject
    assert refreshed.access_token != tokens.access_token
    assert refreshed.refresh_token != tokens.refresh_token
    assert not refreshed.expired(provider.now)
    # The scope is left out: asking again for what the person refused would be an error.
    assert "scope" not in provider.token_requests[-1]


def test_refresh_of_another_subject_is_rejected(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """A refreshed ID token must speak of the same person (OIDC Core 12.2)."""
    tokens = login(party, provider)
    provider.subject = "another"

    with pytest.raises(AnswerRejected):
        party.refresh(tokens)


def test_refresh_without_a_refresh_token_is_refused(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """Without a refresh token, only a new login helps."""
    provider.gives_refresh_token = False

    with pytest.raises(TokensRefused):
        party.refresh(login(party, provider))


def test_refresh_after_withdrawal_is_refused(party: RelyingParty, provider: FakeProvider) -> None:
    """invalid_grant means that the consent is gone, whatever the alphabet of its description."""
    tokens = login(party, provider)
    provider.withdrawn = True

    with pytest.raises(TokensRefused, match="invalid_grant"):
        party.refresh(tokens)


def test_revoked_refresh_token_is_dead(party: RelyingParty, provider: FakeProvider) -> None:
    """Revocation tells the provider."""
    tokens = login(party, provider)

    party.revoke(tokens)

    with pytest.raises(TokensRefused):
        party.refresh(tokens)


# The provider's documents


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ISSUER + "/"},
        {"issuer": ABSENT},
        {"token_endpoint": ABSENT},
        {"jwks_uri": "ftp://provider.test/jwks"},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": ABSENT},
    ],
    ids=["issuer", "no issuer", "no token endpoint", "scheme", "plain only", "no PKCE"],
)
def test_discovery_document_that_will_not_do_is_refused(
    party: RelyingParty,
    provider: FakeProvider,
    changes: dict[str, Any],
) -> None:
    """The discovery document must be this issuer's and offer what a safe login needs."""
    provider.metadata_changes = changes

    with pytest.raises(ProviderUnavailable):
        party.begin()


def test_provider_that_is_not_up_yet_is_tried_again(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """A provider that is down is tried a few times, and again at the next login."""
    provider.down = True
    with pytest.raises(ProviderUnavailable):
        party.begin()
    assert len(provider.requests) == 3

    provider.down = False

    assert party.begin().url.startswith(ISSUER)


def test_discovery_is_read_once_in_ten_minutes(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """Discovery is lazy and kept."""
    assert provider.requests == []
    party.begin()
    party.begin()
    assert len(provider.requests) == 1

    provider.now += timedelta(minutes=10)
    party.begin()

    assert len(provider.requests) == 2


# Logout and other ways of authenticating


def test_logout_url_has_the_hint_the_return_address_and_the_state(
    party: RelyingParty,
    provider: FakeProvider,
) -> None:
    """The logout address follows RP-Initiated Logout 2."""
    tokens = login(party, provider)

    url = party.logout_url(tokens, "abc")

    assert url.startswith(f"{ISSUER}/logout?")
    assert parameters(url) == {
        "id_token_hint": tokens.id_token,
        "post_logout_redirect_uri": "http://service.test/deconnecte",
        "state": "abc",
    }


def test_private_key_jwt_sends_an_assertion_each_time_anew(provider: FakeProvider) -> None:
    """The assertion is ours, short, for the issuer and nobody else, and never sent twice."""
    key = ECKey.generate_key("P-256", auto_kid=True)
    party = make_party(
        provider,
        client_secret=None,
        private_key=key,
        token_endpoint_auth_method="private_key_jwt",
    )

    login(party, provider)
    login(party, provider)

    one, other = (_assertion(sent, key) for sent in provider.token_requests)
    assert one["iss"] == one["sub"] == CLIENT_ID
    assert one["aud"] == ISSUER
    assert one["exp"] - provider.now.timestamp() == 60
    assert one["jti"] != other["jti"]
    assert "client_secret" not in provider.token_requests[0]


def _assertion(sent: dict[str, str], key: ECKey) -> dict[str, Any]:
    """Verify a client assertion."""
    from joserfc import jwt

    assert sent["client_assertion_type"].endswith(":jwt-bearer")
    token = jwt.decode(sent["client_assertion"], key, algorithms=["ES256"])
    assert token.header["kid"] == key.kid
    return dict(token.claims)
