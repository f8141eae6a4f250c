"""Makes request objects, good and bad, without the code under test (RFC 9101)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.client_keys import ClientKey
    from tests.support.provider import Provider, Service


def claims_of(provider: Provider, service: Service, **changes: Any) -> dict[str, Any]:
    """Give the claims of an object that passes everywhere, with changes.

    Args:
        provider: Whose clock and address count.
        service: Who asks.
        changes: Claims that differ; None takes one away.
    """
    now = int(provider.clock().timestamp())
    usual: dict[str, Any] = {
        **provider.parameters(service),
        "iss": service.client_id,
        "aud": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def request_object(
    provider: Provider,
    service: Service,
    *,
    key: ClientKey | None = None,
    alg: str | None = None,
    header: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Sign an object that passes, with changes.

    Args:
        provider: Whose clock and address count.
        service: Who asks.
        key: Another key than the service's own.
        alg: Another algorithm than the key's own.
        header: Members of the header, beside or instead of the usual ones.
        changes: Claims that differ; None takes one away.
    """
    signer = key or service.key
    assert signer is not None
    members = {"typ": "oauth-authz-req+jwt"} | dict(header or {})
    return signer.sign(claims_of(provider, service, **changes), alg, **members)


def unsigned(claims: Mapping[str, Any], *, alg: str = "none") -> str:
    """Write an object without a signature (RFC 7518 section 3.6)."""
    return f"{_encoded({'alg': alg})}.{_encoded(claims)}."


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
