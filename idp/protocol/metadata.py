"""The provider metadata document (OIDC Discovery 3, RFC 8414; OID-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from idp.domain.authentication import ACR_VALUES
from idp.domain.client import ClientAuthenticationMethod, GrantType, SubjectType
from idp.protocol.authorization import pkce
from idp.protocol.authorization.request import DISPLAYS, RESPONSE_TYPES, Prompt
from idp.protocol.authorization.response_mode import ResponseMode
from idp.protocol.claims.standard import PERSON_CLAIMS, PROTOCOL_CLAIMS
from idp.protocol.scope import SUPPORTED_SCOPES

#: Where each endpoint stands, from the issuer.
ENDPOINTS: Final = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks.json",
    "introspection_endpoint": "/introspect",
    "revocation_endpoint": "/revoke",
    "end_session_endpoint": "/logout",
    "device_authorization_endpoint": "/device_authorization",
    "pushed_authorization_request_endpoint": "/par",
}
#: What client assertions may be signed with: no shared secret, no `none`.
ASSERTION_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What differs from one installation to another.

    Attributes:
        issuer: Us, as a URL, without a slash at its end.
        signing_algs: What we have keys for, preferred first.
        ui_locales: Languages of the pages.
        acr_values: Levels that a person can reach here.
        policy_uri: What clients must know of how data may be used.
        tos_uri: The terms of use.
        service_documentation: For developers.
    """

    issuer: str
    signing_algs: tuple[str, ...]
    ui_locales: tuple[str, ...] = ("fr", "en")
    acr_values: tuple[str, ...] = ACR_VALUES
    policy_uri: str | None = None
    tos_uri: str | None = None
    service_documentation: str | None = None


def provider_metadata(facts: ProviderFacts) -> dict[str, Any]:
    """Describe the provider; made once, served as bytes."""
    methods = [method.value for method in ClientAuthenticationMethod]
    # No client without a secret has any business at introspection: it would be an oracle.
    confidential = [method for method in methods if method != ClientAuthenticationMethod.NONE]
    return {
        "issuer": facts.issuer,
        **{name: facts.issuer + path for name, path in ENDPOINTS.items()},
        "scopes_supported": list(SUPPORTED_SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": [grant.value for grant in GrantType],
        "acr_values_supported": list(facts.acr_values),
        "subject_types_supported": [kind.value for kind in SubjectType],
        "id_token_signing_alg_values_supported": list(facts.signing_algs),
        "userinfo_signing_alg_values_supported": list(facts.signing_algs),
        "display_values_supported": list(DISPLAYS),
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "claim_types_supported": ["normal"],
        "claims_supported": [*PROTOCOL_CLAIMS, *PERSON_CLAIMS],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        # Absent would mean true (OIDC Discovery 3).
        "request_uri_parameter_supported": False,
        "ui_locales_supported": list(facts.ui_locales),
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
        **_authentication("token", methods),
        **_authentication("revocation", methods),
        **_authentication("introspection", confidential),
        **_documents(facts),
    }


def _authentication(endpoint: str, methods: list[str]) -> dict[str, list[str]]:
    return {
        f"{endpoint}_endpoint_auth_methods_supported": methods,
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
    }


def _documents(facts: ProviderFacts) -> dict[str, str]:
    documents = {
        "op_policy_uri": facts.policy_uri,
        "op_tos_uri": facts.tos_uri,
        "service_documentation": facts.service_documentation,
    }
    return {name: uri for name, uri in documents.items() if uri is not None}
