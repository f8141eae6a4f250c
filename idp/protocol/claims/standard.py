"""Claims of each scope (OIDC Core 5.1, 5.4)."""

from __future__ import annotations

from collections.abc import Iterable

#: The claims of each scope that we hold. `preferred_username` is the name in use ("nom d'usage"),
#: as FranceConnect has it, never a login name.
SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "preferred_username",
        "gender",
        "birthdate",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
#: What a person gives on the page of contact details; everything else is of their identity.
CONTACT_CLAIMS = frozenset(SCOPE_CLAIMS["address"] + SCOPE_CLAIMS["phone"])
#: Asked one by one, by the `claims` parameter only: no standard scope has them.
SINGLE_CLAIMS = ("given_name_array", "birthplace", "birthcountry")
#: What says how sure a claim is goes wherever that claim goes; nobody consents to it apart.
COMPANIONS = {"email_verified": "email", "phone_number_verified": "phone_number"}
#: Says of each other claim in the same place how sure it is, and since when (FC-6): for services that don't speak
#: `verified_claims`. Asked for by the `claims` parameter; nobody consents to it apart.
CERTIFICATION = "certification"
#: What the person answered to the purposes that the client declares (CON-3): at UserInfo always, in the ID Token by
#: the `claims` parameter; nobody consents to it apart, for it is addressed to that very client.
PURPOSES = "purposes"
#: Every claim about the person that a client can be given, in the order of the discovery document.
PERSON_CLAIMS = (
    *(name for names in SCOPE_CLAIMS.values() for name in names),
    *SINGLE_CLAIMS,
)
#: Claims that speak of the login or of the token; no contract is needed for them.
PROTOCOL_CLAIMS = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "c_hash",
    "s_hash",
)


def claims_of(scopes: Iterable[str]) -> frozenset[str]:
    """Name the claims that the scopes ask for (OIDC Core 5.4)."""
    return frozenset(name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ()))
