"""OIDC Core 5.4: the claims that a scope asks for."""

from __future__ import annotations

import pytest

from idp.protocol.claims.standard import SCOPE_CLAIMS, claims_of

#: The table of OIDC Core 5.4.
STANDARD = {
    "profile": {
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    },
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "5.4", "OPTIONAL")
@pytest.mark.parametrize("scope", STANDARD)
def test_scope_asks_for_no_claim_beyond_the_standard(scope: str) -> None:
    """A service that asks for a scope knows what it asks for."""
    assert set(SCOPE_CLAIMS[scope]) <= STANDARD[scope]


@pytest.mark.spec("OIDC Core", "5.4", "OPTIONAL")
def test_scopes_together_ask_for_the_claims_of_each() -> None:
    """Several scopes add up."""
    assert claims_of(["email", "phone"]) == STANDARD["email"] | STANDARD["phone"]
