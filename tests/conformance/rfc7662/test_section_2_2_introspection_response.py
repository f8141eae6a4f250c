"""RFC 7662 section 2.2: what is said of a token."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.tokens import Confirmation, ConfirmationMethod, GrantedClaims, TokenFamily
from idp.protocol.tokens.introspection import LiveToken, answer
from tests.support.authorization_requests import ISSUER, NOW

SECONDS = int(NOW.timestamp())
FAMILY = TokenFamily(
    family_id="family-1",
    client_id="parking",
    account_id="account-1",
    consent_id="consent-1",
    session_id="session-1",
    subject="sub-1",
    scopes=frozenset({"openid", "email", "profile"}),
    claims=GrantedClaims(),
    nonce="n-1",
    auth_time=SECONDS - 60,
    acr="eidas1",
    amr=("fc",),
    created_at=NOW,
    expires_at=NOW + timedelta(days=90),
)
TOKEN = LiveToken(FAMILY, frozenset({"openid", "email"}), NOW, NOW + timedelta(minutes=5), "Bearer")


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7662", "2.2", "SHOULD NOT")
def test_answer_on_dead_token_is_only_that_it_is_not_active() -> None:
    """Why it is dead, or that it ever lived, is nobody's business."""
    assert answer(None, issuer=ISSUER) == {"active": False}


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7662", "2.2", "REQUIRED")
def test_answer_on_access_token_tells_whose_and_for_what() -> None:
    """Scopes of this very token; the subject as the client knows it; no internal name."""
    found = answer(TOKEN, issuer=ISSUER)

    assert found == {
        "active": True,
        "iss": ISSUER,
        "client_id": "parking",
        "sub": "sub-1",
        "scope": "email openid",
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "token_type": "Bearer",
        "auth_time": SECONDS - 60,
        "acr": "eidas1",
        "amr": ["fc"],
    }


@pytest.mark.spec("RFC 7662", "2.2", "OPTIONAL")
def test_answer_on_refresh_token_has_no_type() -> None:
    """A refresh token is presented to nobody but us."""
    assert "token_type" not in answer(replace(TOKEN, token_type=None), issuer=ISSUER)


@pytest.mark.spec("RFC 7662", "2.2", "OPTIONAL")
def test_answer_on_token_without_person_tells_no_login() -> None:
    """A service that speaks for itself did not sign in; a login without a level has no acr."""
    service = replace(FAMILY, account_id=None, acr=None, subject="parking")
    no_level = replace(FAMILY, acr=None)

    assert not {"auth_time", "acr"} & answer(replace(TOKEN, family=service), issuer=ISSUER).keys()
    assert "acr" not in answer(replace(TOKEN, family=no_level), issuer=ISSUER)


@pytest.mark.spec("RFC 7662", "2.2", "OPTIONAL")
@pytest.mark.parametrize(
    "audience, told",
    [(("https://a.example",), "https://a.example"), (("https://a.example", "https://b.example"), None)],
    ids=["one", "two"],
)
def test_answer_on_bound_token_tells_its_apis_and_its_key(
    audience: tuple[str, ...], told: str | None
) -> None:
    """One API is named by a text, several by a list; the key by its thumbprint (RFC 9449 section 6.2)."""
    bound = replace(
        TOKEN,
        token_type="DPoP",
        audience=audience,
        confirmation=Confirmation(ConfirmationMethod.DPOP, "thumbprint"),
    )

    found = answer(bound, issuer=ISSUER)

    assert found["aud"] == (told or list(audience))
    assert found["token_type"] == "DPoP"
    assert found["cnf"] == {"jkt": "thumbprint"}
