"""The provider metadata document (OIDC Discovery 3, RFC 8414; OID-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from idp.domain.authentication import ACR_PASSWORD, ACR_VALUES
from idp.domain.client import CERTIFICATE_METHODS, ClientAuthenticationMethod, GrantType, SubjectType
from idp.domain.tokens import PROOF_ALGORITHMS
from idp.protocol.authorization import pkce
from idp.protocol.authorization.request import DISPLAYS, Prompt
from idp.protocol.authorization.response_mode import RESPONSE_MODES
from idp.protocol.authorization.response_type import RESPONSE_TYPES
from idp.protocol.claims.standard import CERTIFICATION, PERSON_CLAIMS, PROTOCOL_CLAIMS, PURPOSES
from idp.protocol.claims.verified import EVIDENCE_TYPE, RECORD_TYPE, TRUST_FRAMEWORK, VERIFIABLE_CLAIMS
from idp.protocol.clients.metadata import SECRET_ALGORITHM
from idp.protocol.clients.public_keys import (
    CONTENT_ENCRYPTIONS,
    ENCRYPTION_ALGORITHMS,
)
from idp.protocol.scope import SUPPORTED_SCOPES
from idp.protocol.signature_algorithms import SIGNING_ALGORITHMS

#: Where each endpoint stands, from the issuer.
ENDPOINTS: Final = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks.json",
    "introspection_endpoint": "/introspect",
    "revocation_endpoint": "/revoke",
    "end_session_endpoint": "/logout",
    "check_session_iframe": "/check-session",
    "device_authorization_endpoint": "/device_authorization",
    "pushed_authorization_request_endpoint": "/par",
}
#: Where clients register themselves; an endpoint only where an administrator lets them.
REGISTRATION_ENDPOINT: Final = "/register"
#: What client assertions may be signed with: by a key, or with the client's secret; never `none`.
ASSERTION_ALGORITHMS: Final = (*SIGNING_ALGORITHMS, SECRET_ALGORITHM)
#: Endpoints where a client may show its certificate (RFC 8705 section 5).
_WITH_CERTIFICATE: Final = (
    "token_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
)


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What differs from one installation to another.

    Attributes:
        issuer: Us, as a URL, without a slash at its end.
        signing_algs: What we have keys to sign with, preferred first.
        decryption_algs: What we have keys to decrypt with.
        ui_locales: Languages of the pages.
        acr_values: Levels that a person can reach here.
        policy_uri: What clients must know of how data may be used.
        tos_uri: The terms of use.
        service_documentation: For developers.
        takes_registrations: Clients may register themselves.
        takes_certificates: Mutual TLS is on.
        certificate_origin: Where the endpoints are that ask for a certificate; empty when that is the issuer.
    """

    issuer: str
    signing_algs: tuple[str, ...]
    decryption_algs: tuple[str, ...] = ()
    ui_locales: tuple[str, ...] = ("fr", "en")
    acr_values: tuple[str, ...] = ACR_VALUES
    policy_uri: str | None = None
    tos_uri: str | None = None
    service_documentation: str | None = None
    takes_registrations: bool = False
    takes_certificates: bool = False
    certificate_origin: str = ""


def provider_metadata(facts: ProviderFacts) -> dict[str, Any]:
    """Describe the provider; made once, served as bytes."""
    methods = [
        method.value
        for method in ClientAuthenticationMethod
        if facts.takes_certificates or method not in CERTIFICATE_METHODS
    ]
    # No client without a secret has any business at introspection: it would be an oracle.
    confidential = [method for method in methods if method != ClientAuthenticationMethod.NONE]
    return {
        "issuer": facts.issuer,
        **{name: facts.issuer + path for name, path in ENDPOINTS.items()},
        **_registration(facts),
        **_mutual_tls(facts),
        "scopes_supported": list(SUPPORTED_SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": [grant.value for grant in GrantType],
        "acr_values_supported": list(facts.acr_values),
        "subject_types_supported": [kind.value for kind in SubjectType],
        **_answers("id_token", facts),
        **_answers("userinfo", facts),
        **_answers("authorization", facts),
        **_answers("introspection", facts),
        **_request_objects(facts),
        "display_values_supported": list(DISPLAYS),
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "claim_types_supported": ["normal"],
        "claims_supported": [*PROTOCOL_CLAIMS, *PERSON_CLAIMS, CERTIFICATION, PURPOSES],
        "claims_parameter_supported": True,
        **_verified_claims(facts),
        "ui_locales_supported": list(facts.ui_locales),
        "code_challenge_methods_supported": [pkce.METHOD],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        **_authentication("token", methods),
        **_authentication("revocation", methods),
        **_authentication("introspection", confidential),
        **_documents(facts),
    }


def _registration(facts: ProviderFacts) -> dict[str, str]:
    if not facts.takes_registrations:
        return {}
    return {"registration_endpoint": facts.issuer + REGISTRATION_ENDPOINT}


def _mutual_tls(facts: ProviderFacts) -> dict[str, Any]:
    if not facts.takes_certificates:
        return {}
    origin = facts.certificate_origin
    aliases = {name: origin + ENDPOINTS[name] for name in _WITH_CERTIFICATE} if origin else {}
    return {
        "tls_client_certificate_bound_access_tokens": True,
        **({"mtls_endpoint_aliases": aliases} if aliases else {}),
    }


def _answers(kind: str, facts: ProviderFacts) -> dict[str, list[str]]:
    """List how what we say can be signed and encrypted."""
    return {
        f"{kind}_signing_alg_values_supported": list(facts.signing_algs),
        f"{kind}_encryption_alg_values_supported": list(ENCRYPTION_ALGORITHMS),
        f"{kind}_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
    }


def _request_objects(facts: ProviderFacts) -> dict[str, Any]:
    signed: dict[str, Any] = {
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
    }
    if not facts.decryption_algs:
        return signed
    return signed | {
        "request_object_encryption_alg_values_supported": list(facts.decryption_algs),
        "request_object_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
    }


def _authentication(endpoint: str, methods: list[str]) -> dict[str, list[str]]:
    return {
        f"{endpoint}_endpoint_auth_methods_supported": methods,
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
    }


def _verified_claims(facts: ProviderFacts) -> dict[str, Any]:
    """Say what can be verified, and on what evidence (OIDC IDA 8), where FranceConnect is on.

    `verified_claims_supported` was in the drafts; some clients and tests look for it still.
    """
    if set(facts.acr_values) <= {ACR_PASSWORD}:
        return {}
    return {
        "verified_claims_supported": True,
        "trust_frameworks_supported": [TRUST_FRAMEWORK],
        "evidence_supported": [EVIDENCE_TYPE],
        "electronic_records_supported": [RECORD_TYPE],
        "claims_in_verified_claims_supported": list(VERIFIABLE_CLAIMS),
    }


def _documents(facts: ProviderFacts) -> dict[str, str]:
    documents = {
        "op_policy_uri": facts.policy_uri,
        "op_tos_uri": facts.tos_uri,
        "service_documentation": facts.service_documentation,
    }
    return {name: uri for name, uri in documents.items() if uri is not None}
