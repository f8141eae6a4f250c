"""Reads the address of a sector: it must name every redirect URI (OIDC Registration 5; OIDC Core 8.1; CON-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from idp.outbound.http import Unreachable
from idp.protocol.clients.metadata import MetadataProblem

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.tools import Tools

_FIELD: Final = "sector_identifier_uri"
_OK: Final = 200


def sector_problems(tools: Tools, client: Client) -> tuple[MetadataProblem, ...]:
    """Ask the sector whether the client is one of its own; never inside of a transaction.

    Args:
        tools: Their client sends the request; it refuses private addresses and redirects.
        client: Its metadata are checked already.

    Returns:
        What is wrong: nothing for a client without such an address.
    """
    if client.sector_identifier_uri is None:
        return ()
    try:
        answer = tools.http.request(
            "GET", client.sector_identifier_uri, headers={"Accept": "application/json"}
        )
    except Unreachable:
        return (MetadataProblem(_FIELD, "can't be read"),)
    if answer.status != _OK:
        return (MetadataProblem(_FIELD, "must be answered with status 200"),)
    try:
        listed = msgspec.json.decode(answer.body, type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (MetadataProblem(_FIELD, "must be a JSON array of strings"),)
    if not set(client.redirect_uris) <= set(listed):
        # OIDC Registration 5: "the values of the redirect_uris [...] MUST be included in the elements of the
        # array, or registration MUST fail".
        return (MetadataProblem(_FIELD, "must list every redirect URI"),)
    return ()
