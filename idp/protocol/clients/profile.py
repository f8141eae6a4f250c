"""What a security profile demands of a registration (FAPI 2.0 Security Profile 5.3; FAPI 2.0 Message Signing 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from idp.domain.client import ApplicationType, Client, ClientAuthenticationMethod, GrantType
from idp.protocol.clients.uris import is_local, parsable
from idp.protocol.signature_algorithms import FAPI_ALGORITHMS

#: FAPI 2.0 Security Profile 5.3.2.1: mutual TLS, or private_key_jwt.
METHODS: Final = (
    ClientAuthenticationMethod.PRIVATE_KEY_JWT,
    ClientAuthenticationMethod.TLS,
    ClientAuthenticationMethod.SELF_SIGNED_TLS,
)
_GRANTS: Final = frozenset(
    {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS}
)


def profile_faults(client: Client) -> Iterator[tuple[str, str]]:
    """Say what keeps a client from the profile that it is marked with; nothing without a profile."""
    if client.is_fapi2:
        yield from _security_faults(client)
        yield from _algorithm_faults(client)
    if client.signs_messages:
        yield from _message_signing_faults(client)


def _security_faults(client: Client) -> Iterator[tuple[str, str]]:
    if client.authentication_method not in METHODS:
        yield "token_endpoint_auth_method", f"must be one of {' '.join(METHODS)} for this profile"
    if client.accepts_endpoint_audience:
        yield "accepts_endpoint_audience", "must be off for this profile: the audience is the issuer"
    if not client.grant_types <= _GRANTS:
        yield "grant_types", f"must be some of {' '.join(sorted(_GRANTS))} for this profile"
    if not client.response_types <= {"code"}:
        yield "response_types", "must be code for this profile"
    if client.application_type is not ApplicationType.NATIVE and any(
        map(is_local, parsable(client.redirect_uris))
    ):
        # FAPI 2.0 Security Profile 5.3.2.2: https, but for the loopback of native applications.
        yield "redirect_uris", "must use https for this profile"
    if not client.require_pkce:
        yield "require_pkce", "can't be off for this profile"
    if not (client.dpop_bound_access_tokens or client.tls_bound_access_tokens):
        # FAPI 2.0 Security Profile 5.3.2.1: "shall only issue sender-constrained access tokens".
        yield "dpop_bound_access_tokens", "or tls_client_certificate_bound_access_tokens must be on"


def _algorithm_faults(client: Client) -> Iterator[tuple[str, str]]:
    chosen = {
        "token_endpoint_auth_signing_alg": client.authentication_signing_alg,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "userinfo_signed_response_alg": client.userinfo_signed_response_alg,
        "request_object_signing_alg": client.request_object_signing_alg,
        "authorization_signed_response_alg": client.authorization_signed_response_alg,
        "introspection_signed_response_alg": client.introspection_signed_response_alg,
    }
    for field, alg in chosen.items():
        if alg is not None and alg not in FAPI_ALGORITHMS:
            yield field, f"must be one of {' '.join(FAPI_ALGORITHMS)} for this profile"


def _message_signing_faults(client: Client) -> Iterator[tuple[str, str]]:
    if client.request_object_signing_alg is None:
        yield "request_object_signing_alg", "is needed for this profile: requests are signed"
    if client.jwks is None and client.jwks_uri is None:
        yield "jwks", "is needed for this profile: requests are signed"
    if not any(mode.endswith("jwt") for mode in client.response_modes):
        yield "response_modes", "must have a signed one for this profile: query.jwt or another"
    if client.authorization_signed_response_alg is None:
        yield "authorization_signed_response_alg", "is needed for this profile: answers are signed"
