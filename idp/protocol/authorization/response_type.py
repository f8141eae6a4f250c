"""Response types: what the answer holds, and where it goes by default (OAuth 2.0 Multiple Response Types 3 and 5)."""

from __future__ import annotations

from typing import Final

from idp.domain.client import Client, GrantType
from idp.protocol.authorization.response_mode import ResponseMode

CODE: Final = "code"
ID_TOKEN: Final = "id_token"
TOKEN: Final = "token"
#: Every response type that is served, its words in order, with the mode its answers take by default. All but the
#: first are for clients that an administrator allowed them to (RFC 9700 section 2.1.2).
RESPONSE_TYPES: Final = {
    "code": ResponseMode.QUERY,
    "id_token": ResponseMode.FRAGMENT,
    "id_token token": ResponseMode.FRAGMENT,
    "code id_token": ResponseMode.FRAGMENT,
    "code token": ResponseMode.FRAGMENT,
    "code id_token token": ResponseMode.FRAGMENT,
}


def canonical(raw: str) -> str:
    """Put the words of a response type in order (RFC 6749 section 3.1.1: "the order of values does not matter")."""
    return " ".join(sorted(raw.split(" ")))


def is_in_front(raw: str) -> bool:
    """Tell whether the answer itself would hold tokens, whether we serve that or not."""
    return not {ID_TOKEN, TOKEN}.isdisjoint(raw.split())


def default_mode(raw: str) -> ResponseMode:
    """Give the mode of an answer, or of an error about the response type itself."""
    return ResponseMode.FRAGMENT if is_in_front(raw) else ResponseMode.QUERY


def is_allowed(client: Client, response_type: str) -> bool:
    """Tell whether a client may ask for a response type: one of `RESPONSE_TYPES`."""
    words = response_type.split()
    if response_type not in client.response_types or (client.is_fapi2 and response_type != CODE):
        return False
    if CODE in words and GrantType.AUTHORIZATION_CODE not in client.grant_types:
        return False
    # A token in the answer can be bound to no key.
    return not (TOKEN in words and (client.dpop_bound_access_tokens or client.tls_bound_access_tokens))
