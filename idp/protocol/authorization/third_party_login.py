"""Logins that begin here (OIDC Core 4)."""

from __future__ import annotations

from idp.domain.client import Client
from idp.protocol.addresses import with_query


def initiation(client: Client, *, issuer: str) -> str | None:
    """Give the address at which a service begins a login with us; None when it registered none.

    OIDC Core 4: `iss` says with whom, `target_link_uri` what the person wants to see; no `login_hint`, which would
    tell the service of the person before they agreed.
    """
    if client.initiate_login_uri is None:
        return None
    target = {} if client.service_uri is None else {"target_link_uri": client.service_uri}
    return with_query(client.initiate_login_uri, {"iss": issuer, **target})
