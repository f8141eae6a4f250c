"""The discovery document, as FranceConnect v2 publishes it, traps included.

`code_challenge_methods_supported` and `response_modes_supported` announce what /authorize then
refuses, as in the original. One liberty: only the authentication methods that this simulator
implements are announced (FranceConnect also has private_key_jwt).
"""

from __future__ import annotations

from idp.demo.franceconnect.claims import KNOWN_SCOPES, SCOPE_CLAIMS

PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
    "end_session_endpoint": "/session/end",
    "revocation_endpoint": "/token/revocation",
}


def document(issuer: str) -> dict[str, object]:
    """Write the provider metadata."""
    claims = {claim for names in SCOPE_CLAIMS.values() for claim in names}
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in PATHS.items()},
        "acr_values_supported": ["eidas1"],
        "authorization_response_iss_parameter_supported": True,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "claims_supported": sorted(claims | {"sub", "acr", "sid", "auth_time", "iss"}),
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code"],
        "id_token_signing_alg_values_supported": ["HS256", "ES256", "RS256"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "response_modes_supported": ["form_post", "fragment", "query"],
        "response_types_supported": ["code"],
        "scopes_supported": sorted(KNOWN_SCOPES),
        "subject_types_supported": ["pairwise"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "userinfo_signing_alg_values_supported": ["HS256", "ES256", "RS256"],
    }
