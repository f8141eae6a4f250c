"""Our side of FranceConnect's wire: each check of each answer, and what is sent (FC-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from idp.crypto.opaque import digest
from idp.domain.civil_identity import Gender
from idp.federation.upstream import (
    UpstreamCallback,
    UpstreamMisbehaved,
    UpstreamRefused,
    UpstreamUnavailable,
)
from idp.outbound.http import Answer, Failure, Unreachable
from idp.protocol.tokens.id_token import half_hash
from tests.support.franceconnect import (
    CLIENT_ID,
    CLIENT_SECRET,
    LOGOUT_URI,
    NONCE,
    REDIRECT_URI,
    STATE,
    SUBJECT,
    an_ec_key,
    an_rsa_key,
    as_json,
    nobody,
    published,
    published_rsa,
    running_simulator,
)

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.franceconnect import ForgedFranceConnect, RunningSimulator

pytestmark = pytest.mark.rule("FC-1")

#: Each line of FranceConnect's list that we use, and no other (franceconnect.md 2).
SENT = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"}
HALF_A_MINUTE = 30


def a_stranger() -> ec.EllipticCurvePrivateKey:
    """Make a key that nobody publishes."""
    return ec.generate_private_key(ec.SECP256R1())


# What goes out


def test_authorization_url_has_exactly_the_parameters_that_franceconnect_takes(
    forged: ForgedFranceConnect,
) -> None:
    """No PKCE, no response_mode, no login_hint: any other parameter is answered 400 (franceconnect.md 0.1)."""
    url = forged.client().authorization_url(state=STATE, nonce=NONCE)

    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["openid identite_pivot preferred_username email idp_birthdate"],
        "state": [STATE],
        "nonce": [NONCE],
        "acr_values": ["eidas1"],
    }


def test_authorization_url_without_discovery_uses_the_fixed_paths(forged: ForgedFranceConnect) -> None:
    """Discovery is optional at FranceConnect: its paths are known (decision 0010)."""
    url = forged.client().authorization_url(state=STATE, nonce=NONCE)

    assert url.startswith("https://fc.example/api/v2/authorize?")


def test_code_is_sent_with_the_secret_in_the_body(forged: ForgedFranceConnect) -> None:
    """client_secret_post is what FranceConnect documents (franceconnect.md 3)."""
    forged.identify()

    headers, body = next((headers, body) for place, headers, body in forged.sent if place == "POST /token")
    assert "Authorization" not in headers
    assert parse_qs((body or b"").decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["a-code"],
        "redirect_uri": [REDIRECT_URI],
        "client_id": [CLIENT_ID],
        "client_secret": [CLIENT_SECRET],
    }


def test_logout_url_has_exactly_the_three_parameters(forged: ForgedFranceConnect) -> None:
    """FranceConnect refuses every other parameter at its logout (franceconnect.md 5)."""
    url = forged.client().logout_url("the.raw.token", state=STATE)

    assert url.startswith("https://fc.example/api/v2/session/end?")
    assert parse_qs(urlsplit(url).query) == {
        "id_token_hint": ["the.raw.token"],
        "state": [STATE],
        "post_logout_redirect_uri": [LOGOUT_URI],
    }


# What comes back as it should


def test_faithful_answer_gives_the_identity(forged: ForgedFranceConnect) -> None:
    """Who passes every check is known by subject, level and the six certified attributes."""
    identity = forged.identify()

    civil = identity.civil_identity
    assert (identity.subject, identity.level) == (SUBJECT, "eidas1")
    assert civil.given_names == ("Angela", "Claire", "Louise")
    assert (civil.birth_name, civil.birthdate, civil.gender) == ("DUBOIS", "1962-08-24", Gender.FEMALE)
    assert (civil.birthplace, civil.birthcountry) == ("75107", "99100")
    assert identity.email == "wossewodda-3728@yopmail.com"
    assert identity.preferred_username is None


def test_identity_never_shows_in_its_representation(forged: ForgedFranceConnect) -> None:
    """Neither the person nor the raw token can reach a log by accident (S-58, PRI-3)."""
    identity = forged.identify()

    assert "DUBOIS" not in repr(identity)
    assert identity.id_token not in repr(identity)


def test_right_at_hash_is_accepted(forged: ForgedFranceConnect) -> None:
    """FranceConnect does not send one; another provider may."""
    forged.id_token["at_hash"] = half_hash("an-access-token", "ES256")

    assert forged.identify().subject == SUBJECT


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("acr", ["eidas1", "eidas2", "eidas3"])
def test_level_is_the_one_that_the_id_token_says(forged: ForgedFranceConnect, acr: str) -> None:
    """Never higher, and no lower, than what the portal answered (S-34)."""
    forged.id_token["acr"] = acr

    assert forged.identify().level == acr


def test_clock_of_the_other_side_may_differ_a_little(forged: ForgedFranceConnect) -> None:
    """A token issued half a minute in our future is taken (franceconnect.md 9, skew)."""
    now = int(forged.clock().timestamp())
    forged.id_token |= {"iat": now + HALF_A_MINUTE, "exp": now + 90}

    assert forged.identify().subject == SUBJECT


def test_rs256_is_accepted_when_it_is_the_registered_algorithm(forged: ForgedFranceConnect) -> None:
    """The algorithm is the one of the registration, ES256 or RS256."""
    forged.keys = [published_rsa("k1", an_rsa_key())]
    headers = {"kid": "k1", "typ": None}
    tokens = forged.token_members()
    tokens["id_token"] = jwt.encode(forged.id_token_claims(), an_rsa_key(), "RS256", headers=headers)
    claims = jwt.decode(forged.userinfo_token(), options={"verify_signature": False})
    userinfo = jwt.encode(claims, an_rsa_key(), "RS256", headers=headers)
    forged.answers["/token"] = as_json(tokens)
    forged.answers["/userinfo"] = Answer(200, {"content-type": "application/jwt"}, userinfo.encode())

    identity = forged.identify(forged.client(signing_algorithm="RS256"))

    assert identity.subject == SUBJECT


# The callback


@pytest.mark.parametrize(
    "callback,what",
    [
        (UpstreamCallback("a-code", None, None), "callback.iss"),
        (UpstreamCallback("a-code", None, "https://autre.example"), "callback.iss"),
        (UpstreamCallback("a-code", None, "https://fc.example/api/v2/"), "callback.iss"),
        (UpstreamCallback(None, "access_denied", "https://autre.example"), "callback.iss"),
        (UpstreamCallback(None, None, "https://fc.example/api/v2"), "callback.code"),
        (UpstreamCallback("", None, "https://fc.example/api/v2"), "callback.code"),
        (UpstreamCallback("c" * 3000, None, "https://fc.example/api/v2"), "callback.code"),
    ],
    ids=["no issuer", "other issuer", "slash", "error of another issuer", "nothing", "empty", "too long"],
)
@pytest.mark.spec("RFC 9207", "2.4", "MUST")
def test_malformed_callback_is_refused_before_anything_is_asked(
    forged: ForgedFranceConnect, callback: UpstreamCallback, what: str
) -> None:
    """A callback of another provider, or without a code, never reaches the token endpoint (S-61)."""
    with pytest.raises(UpstreamMisbehaved, match=what):
        forged.client().identify(callback, nonce_hash=digest(NONCE), now=forged.clock())

    assert forged.asked == []


@pytest.mark.parametrize(
    "error,code",
    [
        ("access_denied", "access_denied"),
        ("server_error", "server_error"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("invalid_scope", "invalid_scope"),
        ("invalid_acr", "invalid_acr"),
        ("Y010004", "Y010004"),
        ("<script>", "unknown"),
        ("", "unknown"),
        ("x" * 500, "unknown"),
    ],
)
def test_error_of_the_callback_is_a_refusal_with_its_code(
    forged: ForgedFranceConnect, error: str, code: str
) -> None:
    """Each error of franceconnect.md 2.1 is told apart; what is no code is kept out of logs."""
    with pytest.raises(UpstreamRefused) as refused:
        forged.client().identify(
            UpstreamCallback(None, error, None), nonce_hash=digest(NONCE), now=forged.clock()
        )

    assert refused.value.code == code


# The ID token


@pytest.mark.parametrize(
    "claims,what",
    [
        ({"iss": "https://autre.example"}, "id_token.iss"),
        ({"iss": None}, "id_token.iss"),
        ({"aud": "un-autre"}, "id_token.aud"),
        ({"aud": None}, "id_token.aud"),
        ({"aud": [CLIENT_ID, "un-autre"]}, "id_token.aud"),
        ({"azp": "un-autre"}, "id_token.azp"),
        ({"exp": None}, "id_token.exp"),
        ({"exp": "demain"}, "id_token.exp"),
        ({"exp": True}, "id_token.exp"),
        ({"iat": None}, "id_token.iat"),
        ({"nbf": 2**39}, "id_token.nbf"),
        ({"nonce": None}, "id_token.nonce"),
        ({"nonce": "0" * 64}, "id_token.nonce"),
        ({"nonce": 7}, "id_token.nonce"),
        ({"acr": None}, "id_token.acr"),
        ({"acr": "eidas0"}, "id_token.acr"),
        ({"acr": ["eidas1"]}, "id_token.acr"),
        ({"sub": None}, "id_token.sub"),
        ({"sub": ""}, "id_token.sub"),
        ({"sub": 12}, "id_token.sub"),
        ({"sub": "s" * 256}, "id_token.sub"),
        ({"at_hash": "autre"}, "id_token.at_hash"),
    ],
    ids=lambda value: (
        "-".join(map(str, value)) + str(next(iter(value.values())))[:20] if isinstance(value, dict) else ""
    ),
)
@pytest.mark.spec("OIDC Core", "3.1.3.7", "MUST")
def test_id_token_with_a_wrong_claim_is_refused(
    forged: ForgedFranceConnect, claims: dict[str, Any], what: str
) -> None:
    """Each member of the ID token is checked, whatever its signature says (S-82, S-85)."""
    forged.id_token |= claims

    with pytest.raises(UpstreamMisbehaved, match=what):
        forged.identify()

    assert "/userinfo" not in forged.asked


def test_expired_id_token_is_refused(forged: ForgedFranceConnect) -> None:
    """Half a minute of skew is tolerated, and no more."""
    now = int(forged.clock().timestamp())
    forged.id_token |= {"exp": now - HALF_A_MINUTE, "iat": now - 90}

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.exp"):
        forged.identify()


def test_id_token_of_the_future_is_refused(forged: ForgedFranceConnect) -> None:
    """A clock that is a minute ahead is wrong."""
    now = int(forged.clock().timestamp())
    forged.id_token |= {"iat": now + 61, "exp": now + 120}

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.iat"):
        forged.identify()


def test_lower_level_than_asked_is_refused(forged: ForgedFranceConnect) -> None:
    """Who asks for eidas2 does not take eidas1 (S-34)."""
    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.acr"):
        forged.identify(forged.client(acr_values="eidas2"))


def test_id_token_signed_by_another_key_is_refused(forged: ForgedFranceConnect) -> None:
    """Our key's name does not make a stranger's signature ours (S-33)."""
    token = jwt.encode(forged.id_token_claims(), a_stranger(), "ES256", headers={"kid": "k1"})
    forged.token["id_token"] = token

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.signature"):
        forged.identify()


def test_altered_id_token_is_refused(forged: ForgedFranceConnect) -> None:
    """One changed letter breaks the signature."""
    head, body, signature = forged.signed(forged.id_token_claims()).split(".")
    forged.token["id_token"] = ".".join([head, body, signature[:-4] + "AAAA"])

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.signature"):
        forged.identify()


def test_unsigned_id_token_is_refused(forged: ForgedFranceConnect) -> None:
    """`alg: none` is refused before any key is looked for."""
    forged.token["id_token"] = jwt.encode(forged.id_token_claims(), None, "none")

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.alg"):
        forged.identify()


def test_id_token_signed_with_the_client_secret_is_refused(forged: ForgedFranceConnect) -> None:
    """HS256 stands in FranceConnect's discovery document, and is not what was registered."""
    forged.token["id_token"] = jwt.encode(forged.id_token_claims(), CLIENT_SECRET, "HS256")

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.alg"):
        forged.identify()


def test_id_token_signed_with_the_public_key_as_a_secret_is_refused(forged: ForgedFranceConnect) -> None:
    """The oldest confusion of algorithms does not work (RFC 8725 section 2.1)."""
    # The coordinate of the public key: PyJWT itself refuses to sign with a whole JWK or PEM.
    secret = published("k1", an_ec_key())["x"]
    forged.token["id_token"] = jwt.encode(forged.id_token_claims(), secret, "HS256", headers={"kid": "k1"})

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.alg"):
        forged.identify()


def test_id_token_of_the_other_algorithm_is_refused(forged: ForgedFranceConnect) -> None:
    """A published RSA key does not help where ES256 was registered."""
    forged.keys.append(published_rsa("k2", an_rsa_key()))
    token = jwt.encode(forged.id_token_claims(), an_rsa_key(), "RS256", headers={"kid": "k2"})
    forged.token["id_token"] = token

    with pytest.raises(UpstreamMisbehaved, match=r"id_token\.alg"):
        forged.identify()


@pytest.mark.parametrize("token", ["", "a.b.c", "é", "x" * 20_000, 12, None, ["a"]])
def test_what_is_no_id_token_is_refused(forged: ForgedFranceConnect, token: object) -> None:
    """Whatever stands in the place of the ID token, nothing breaks."""
    forged.answers["/token"] = as_json(forged.token_members() | {"id_token": token})

    with pytest.raises(UpstreamMisbehaved):
        forged.identify()


# The token endpoint


@pytest.mark.parametrize(
    "answer,what",
    [
        (Answer(200, {}, b'{"oups": '), "token"),
        (Answer(200, {}, b"[]"), "token"),
        (Answer(200, {}, b"\xff\xfe"), "token"),
        (Answer(302, {"location": "https://autre.example"}, b""), "token"),
        (as_json({}), "token"),
        (as_json({"error": "invalid_client"}, 401), "token.error"),
        (as_json({"error": "invalid_client", "error_description": "é"}, 401), "token"),
        (as_json({"error": 12}, 400), "token"),
        (as_json({"access_token": "x", "id_token": "y", "token_type": "Bearer"}, 400), "token.status"),
    ],
    ids=["bad JSON", "a list", "bytes", "redirect", "empty", "client", "accent", "number", "status"],
)
def test_nonsense_of_the_token_endpoint_is_misbehaviour(
    forged: ForgedFranceConnect, answer: Answer, what: str
) -> None:
    """Nothing that the token endpoint says can break us."""
    forged.answers["/token"] = answer

    with pytest.raises(UpstreamMisbehaved, match=what):
        forged.identify()


@pytest.mark.parametrize("member,value", [("token_type", "mac"), ("access_token", None), ("id_token", None)])
def test_token_answer_that_lacks_a_member_is_refused(
    forged: ForgedFranceConnect, member: str, value: str | None
) -> None:
    """The five members of franceconnect.md 3 are not taken for granted."""
    forged.token[member] = value

    with pytest.raises(UpstreamMisbehaved, match=f"token.{member}"):
        forged.identify()


def test_late_code_is_a_refusal(forged: ForgedFranceConnect) -> None:
    """A code lives 30 seconds: who comes back late is sent again, nobody is alerted."""
    forged.answers["/token"] = as_json({"error": "invalid_grant", "error_description": "x"}, 400)

    with pytest.raises(UpstreamRefused, match="invalid_grant"):
        forged.identify()


# Userinfo


@pytest.mark.parametrize(
    "claims,what",
    [
        ({"iss": "https://autre.example"}, "userinfo.iss"),
        ({"aud": "un-autre"}, "userinfo.aud"),
        ({"aud": None}, "userinfo.aud"),
        ({"exp": 1}, "userinfo.exp"),
        ({"exp": None}, "userinfo.exp"),
        ({"sub": "d" * 64 + "v1"}, "userinfo.sub"),
        ({"sub": None}, "userinfo.sub"),
    ],
    ids=["iss", "aud", "no aud", "exp", "no exp", "other sub", "no sub"],
)
@pytest.mark.spec("OIDC Core", "5.3.2", "MUST")
def test_userinfo_with_a_wrong_claim_is_refused(
    forged: ForgedFranceConnect, claims: dict[str, Any], what: str
) -> None:
    """Signed userinfo must be FranceConnect's, for us, of now, about the same person."""
    forged.userinfo |= claims

    with pytest.raises(UpstreamMisbehaved, match=what):
        forged.identify()


def test_unsigned_json_userinfo_is_refused(forged: ForgedFranceConnect) -> None:
    """Without a signature anybody in between could write the identity (franceconnect.md 0.4)."""
    claims = jwt.decode(forged.userinfo_token(), options={"verify_signature": False})
    forged.answers["/userinfo"] = as_json(claims)

    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.unsigned"):
        forged.identify()


def test_json_userinfo_that_calls_itself_a_jwt_is_refused(forged: ForgedFranceConnect) -> None:
    """The media type alone proves nothing."""
    forged.answers["/userinfo"] = Answer(200, {"content-type": "application/jwt"}, b'{"sub": "x"}')

    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.signature"):
        forged.identify()


def test_userinfo_signed_by_another_key_is_refused(forged: ForgedFranceConnect) -> None:
    """The signature of userinfo is verified as that of the ID token is."""
    claims = jwt.decode(forged.userinfo_token(), options={"verify_signature": False})
    token = jwt.encode(claims, a_stranger(), "ES256", headers={"kid": "k1"})
    forged.answers["/userinfo"] = Answer(200, {"content-type": "application/jwt"}, token.encode())

    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.signature"):
        forged.identify()


def test_refused_access_token_is_misbehaviour(forged: ForgedFranceConnect) -> None:
    """A fresh access token that userinfo does not take is nothing a person can help."""
    forged.answers["/userinfo"] = as_json({"error": "invalid_token"}, 401)

    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.status"):
        forged.identify()


# Keys


def test_unknown_kid_fetches_the_keys_again(forged: ForgedFranceConnect) -> None:
    """FranceConnect rotates its keys: the next login finds the new one (franceconnect.md 0.4)."""
    client = forged.client()
    forged.identify(client)
    forged.keys, forged.kid = [published("k2", an_ec_key())], "k2"
    forged.clock.advance(seconds=11)

    identity = forged.identify(client)

    assert identity.subject == SUBJECT
    assert forged.asked.count("/jwks") == 2


def test_unknown_kids_fetch_the_keys_no_more_often_than_the_floor(forged: ForgedFranceConnect) -> None:
    """Forged tokens with invented kids must not make us hammer FranceConnect (franceconnect.md 6.4)."""
    client = forged.client()
    forged.identify(client)
    forged.kid = "invented"

    for _ in range(5):
        with pytest.raises(UpstreamMisbehaved, match="signature"):
            forged.identify(client)

    assert forged.asked.count("/jwks") == 1


def test_known_keys_are_fetched_once(forged: ForgedFranceConnect) -> None:
    """Two logins within the keys' lifetime cost one request for them."""
    client = forged.client()

    forged.identify(client)
    forged.identify(client)

    assert forged.asked.count("/jwks") == 1


def test_old_keys_serve_on_while_the_key_set_is_down(forged: ForgedFranceConnect) -> None:
    """The age of the keys is no reason to turn people away."""
    client = forged.client()
    forged.identify(client)
    forged.answers["/jwks"] = nobody()
    forged.clock.advance(minutes=11)

    assert forged.identify(client).subject == SUBJECT


@pytest.mark.parametrize(
    "jwks", [b"{", b"[]", b"{}", b'{"keys": 12}', b'{"keys": [12, {"kty": "EC"}, {}, {"kid": []}]}'], ids=str
)
def test_nonsense_key_set_is_refused(forged: ForgedFranceConnect, jwks: bytes) -> None:
    """A key set that can't be read leaves nobody signed in, and nothing broken."""
    forged.answers["/jwks"] = Answer(200, {}, jwks)

    with pytest.raises(UpstreamMisbehaved):
        forged.identify()


# Discovery


def discovery_of(forged: ForgedFranceConnect, **changes: object) -> Answer:
    """Write a discovery document with other paths than FranceConnect's."""
    document = {
        "issuer": forged.issuer,
        "authorization_endpoint": "https://fc.example/auth",
        "token_endpoint": forged.issuer + "/token",
        "userinfo_endpoint": forged.issuer + "/userinfo",
        "jwks_uri": forged.issuer + "/jwks",
        "end_session_endpoint": "https://fc.example/fin",
    }
    return as_json({name: value for name, value in (document | changes).items() if value is not None})


def test_discovered_endpoints_are_preferred(forged: ForgedFranceConnect) -> None:
    """A FranceConnect made by others may have other paths (decision 0010)."""
    forged.answers["/.well-known/openid-configuration"] = discovery_of(forged)
    client = forged.client()

    assert client.authorization_url(state=STATE, nonce=NONCE).startswith("https://fc.example/auth?")
    assert client.logout_url("t", state=STATE).startswith("https://fc.example/fin?")


@pytest.mark.parametrize(
    "changes,what",
    [
        ({"issuer": "https://autre.example"}, "discovery.issuer"),
        ({"issuer": None}, "discovery.issuer"),
        ({"token_endpoint": None}, "discovery.token_endpoint"),
        ({"token_endpoint": "http://fc.example/token"}, "discovery.token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "discovery.authorization_endpoint"),
    ],
    ids=["other issuer", "no issuer", "no token endpoint", "plain http", "script"],
)
def test_discovery_of_another_issuer_stops_everything(
    forged: ForgedFranceConnect, changes: dict[str, str | None], what: str
) -> None:
    """Metadata must be of exactly the configured issuer (S-84)."""
    forged.answers["/.well-known/openid-configuration"] = discovery_of(forged, **changes)

    with pytest.raises(UpstreamMisbehaved, match=what):
        forged.client().authorization_url(state=STATE, nonce=NONCE)


# Outage


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/jwks"])
@pytest.mark.parametrize(
    "answer",
    [
        nobody(),
        Unreachable(Failure.TIMED_OUT),
        Unreachable(Failure.TLS),
        Answer(503, {}, b""),
        Answer(500, {}, b""),
    ],
    ids=["down", "slow", "certificate", "503", "500"],
)
def test_outage_of_any_endpoint_is_told_as_such(
    forged: ForgedFranceConnect, path: str, answer: Answer | Unreachable
) -> None:
    """Down, slow, broken: the person is told to come back, or to use a password."""
    forged.answers[path] = answer

    with pytest.raises(UpstreamUnavailable):
        forged.identify()


@pytest.mark.rule("FC-7")
def test_dead_franceconnect_is_noticed_before_the_person_is_sent_there(forged: ForgedFranceConnect) -> None:
    """Who would find nobody there is told here."""
    forged.answers["/jwks"] = nobody()

    with pytest.raises(UpstreamUnavailable):
        forged.client().authorization_url(state=STATE, nonce=NONCE)


@pytest.mark.rule("FC-7")
def test_repeated_failures_open_the_breaker(forged: ForgedFranceConnect) -> None:
    """After three failures nobody waits for a dead FranceConnect; after the pause, one call probes (S-366)."""
    client = forged.client()
    forged.answers["/jwks"] = Unreachable(Failure.TIMED_OUT)
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            client.authorization_url(state=STATE, nonce=NONCE)
    asked = len(forged.asked)

    with pytest.raises(UpstreamUnavailable, match="circuit_open"):
        client.authorization_url(state=STATE, nonce=NONCE)

    assert len(forged.asked) == asked
    del forged.answers["/jwks"]
    forged.clock.advance(seconds=31)
    assert client.authorization_url(state=STATE, nonce=NONCE)
    assert forged.identify(client).subject == SUBJECT


@pytest.mark.rule("FC-7")
def test_failed_probe_opens_the_breaker_again(forged: ForgedFranceConnect) -> None:
    """A probe that fails costs one waiting person, not all of them."""
    client = forged.client()
    forged.answers["/jwks"] = nobody()
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            client.authorization_url(state=STATE, nonce=NONCE)
    forged.clock.advance(seconds=31)

    with pytest.raises(UpstreamUnavailable, match="not_connected"):
        client.authorization_url(state=STATE, nonce=NONCE)
    with pytest.raises(UpstreamUnavailable, match="circuit_open"):
        client.authorization_url(state=STATE, nonce=NONCE)


# The simulator, which knows nothing of our client


def test_simulator_is_passed_over_real_http(simulator: RunningSimulator, clock: SettableClock) -> None:
    """What we send is what FranceConnect's strict parameter list takes, end to end."""
    client = simulator.client(clock)
    back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE))

    identity = client.identify(
        UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
    )

    assert back["state"] == STATE
    assert identity.civil_identity.birth_name == "DUBOIS"
    assert set(parse_qs(urlsplit(client.authorization_url(state=STATE, nonce=NONCE)).query)) == SENT


@pytest.mark.parametrize(
    "fault,what",
    [
        ({"fault": "wrong_key", "on": "id_token"}, "id_token.signature"),
        ({"fault": "wrong_key", "on": "userinfo"}, "userinfo.signature"),
        ({"fault": "wrong_issuer", "on": "id_token"}, "id_token.iss"),
        ({"fault": "wrong_issuer", "on": "userinfo"}, "userinfo.iss"),
        ({"fault": "wrong_issuer", "on": "callback"}, "callback.iss"),
        ({"fault": "wrong_audience", "on": "id_token"}, "id_token.aud"),
        ({"fault": "wrong_audience", "on": "userinfo"}, "userinfo.aud"),
        ({"fault": "wrong_nonce"}, "id_token.nonce"),
        ({"fault": "wrong_subject"}, "userinfo.sub"),
        ({"fault": "lower_acr"}, "id_token.acr"),
        ({"fault": "expired", "on": "id_token"}, "id_token.exp"),
        ({"fault": "expired", "on": "userinfo"}, "userinfo.exp"),
        ({"fault": "unsigned_id_token"}, "id_token.alg"),
        ({"fault": "unsigned_userinfo"}, "userinfo.unsigned"),
        ({"fault": "bad_json", "on": "token"}, "token"),
        ({"fault": "bad_json", "on": "userinfo"}, "userinfo"),
        ({"fault": "missing_claim", "on": "id_token", "claim": "nonce"}, "id_token.nonce"),
        ({"fault": "missing_claim", "on": "userinfo", "claim": "family_name"}, "userinfo.family_name"),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_each_fault_of_the_simulator_is_caught(
    simulator: RunningSimulator, clock: SettableClock, fault: dict[str, str], what: str
) -> None:
    """Independent code that lies in one place is caught by the check for that place."""
    client = simulator.client(clock)
    url = client.authorization_url(state=STATE, nonce=NONCE)
    simulator.misbehave(**fault)
    back = simulator.person_goes(url)

    with pytest.raises(UpstreamMisbehaved, match=what):
        client.identify(
            UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
        )


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize("place", ["token", "userinfo"])
def test_slow_simulator_is_given_up(simulator: RunningSimulator, clock: SettableClock, place: str) -> None:
    """All requests of one login together take no longer than one time-out."""
    client = simulator.client(clock, timeout=timedelta(seconds=3))
    back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE))
    simulator.misbehave(fault="slow", on=place, seconds=6)

    with pytest.raises(UpstreamUnavailable, match="timed_out"):
        client.identify(
            UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
        )


def test_rotated_keys_of_the_simulator_are_found(clock: SettableClock) -> None:
    """A rotation between two logins is not noticed by anybody."""
    with running_simulator(clock, own_keys=True) as simulator:
        client = simulator.client(clock)
        client.authorization_url(state=STATE, nonce=NONCE)
        simulator.misbehave(fault="rotate_keys")
        clock.advance(seconds=11)
        back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE))

        identity = client.identify(
            UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
        )

    assert identity.civil_identity.birth_name == "DUBOIS"


def test_code_used_twice_is_a_refusal(simulator: RunningSimulator, clock: SettableClock) -> None:
    """FranceConnect takes a code once."""
    client = simulator.client(clock)
    back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE))
    callback = UpstreamCallback(back["code"], None, back["iss"])
    client.identify(callback, nonce_hash=digest(NONCE), now=clock())

    with pytest.raises(UpstreamRefused, match="invalid_grant"):
        client.identify(callback, nonce_hash=digest(NONCE), now=clock())


def test_logout_is_accepted_by_the_simulator(simulator: RunningSimulator, clock: SettableClock) -> None:
    """The person comes back to the registered address with our state (franceconnect.md 5)."""
    client = simulator.client(clock)
    back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE))
    identity = client.identify(
        UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
    )

    left = simulator.person_signs_out(client.logout_url(identity.id_token, state=STATE))

    assert left == f"{LOGOUT_URI}?state={STATE}"
