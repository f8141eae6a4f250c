"""The discovery document, as FranceConnect v2 and FranceConnect+ publish it, traps included.

`code_challenge_methods_supported` and `response_modes_supported` announce what /authorize then
refuses, as in the original.
"""

from __future__ import annotations

from idp.demo.franceconnect.claims import claims_of, known_scopes
from idp.demo.franceconnect.portal import CONTENT_ENCRYPTION, Portal

PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
    "end_session_endpoint": "/session/end",
    "revocation_endpoint": "/token/revocation",
}


def document(issuer: str, portal: Portal) -> dict[str, object]:
    """Write the provider metadata."""
    scopes = known_scopes(portal)
    # FranceConnect announces HS256 too, which no service can be registered for.
    signing = ["ES256"] if portal.encryption_algorithms else ["HS256", "ES256", "RS256"]
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in PATHS.items()},
        "acr_values_supported": list(portal.levels),
        "authorization_response_iss_parameter_supported": True,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "claims_supported": sorted(claims_of(scopes) | {"sub", "acr", "sid", "auth_time", "iss"}),
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code"],
        "id_token_signing_alg_values_supported": signing,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "response_modes_supported": ["form_post", "fragment", "query"],
        "response_types_supported": ["code"],
        "scopes_supported": sorted(scopes),
        "subject_types_supported": ["pairwise"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256"],
        "userinfo_signing_alg_values_supported": signing,
        **_encryption(portal),
    }


def _encryption(portal: Portal) -> dict[str, object]:
    """Announce encryption where there is one; FranceConnect has none of these members."""
    members: dict[str, object] = {}
    for token in ("id_token", "userinfo"):
        if portal.encryption_algorithms:
            members[f"{token}_encryption_alg_values_supported"] = sorted(portal.encryption_algorithms)
            members[f"{token}_encryption_enc_values_supported"] = [CONTENT_ENCRYPTION]
    return members
