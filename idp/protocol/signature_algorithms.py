"""What is signed with what: by us, and by clients with their private keys (RFC 7518 section 3; RFC 8725 3.1)."""

from __future__ import annotations

from typing import Final

from idp.domain.client import Client

#: What a client may sign with, preferred first; the keyring says which of them we sign with.
SIGNING_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "EdDSA")
#: FAPI 2.0 Security Profile 5.4.1: PS256, ES256 or EdDSA; preferred first.
FAPI_ALGORITHMS: Final = ("ES256", "PS256", "EdDSA")


def algorithms_of(client: Client, registered: str | None) -> tuple[str, ...]:
    """Name the algorithms by which a client may sign with its private key.

    Args:
        client: Whose profile decides what there is to choose from.
        registered: The one that it registered for what it signs, which is a promise; None for any.
    """
    allowed = FAPI_ALGORITHMS if client.is_fapi2 else SIGNING_ALGORITHMS
    return tuple(alg for alg in allowed if registered in {None, alg})
