"""Logout frames (Front-Channel Logout 2, 3)."""

from __future__ import annotations

from idp.domain.client import Client
from idp.protocol.addresses import with_query


def frame_address(client: Client, *, issuer: str, sid: str) -> str | None:
    """Give the address that ends a client's session when a frame opens it; None when it registered none.

    Front-Channel Logout 3: `iss` and `sid` go together, to those who registered that they want them; the query
    that was registered stays.
    """
    registered = client.frontchannel_logout_uri
    if registered is None or not client.frontchannel_logout_session_required:
        return registered
    return with_query(registered, {"iss": issuer, "sid": sid})
