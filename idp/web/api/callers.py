"""Who calls with a token of its own: a service, to an interface that an administrator opened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g

from idp.services.clients import calls
from idp.services.tokens.opening import check_own, find_own
from idp.web.bearer import presented_token
from idp.web.site import context

if TYPE_CHECKING:
    from idp.domain.client import Client


def own_caller(scope: str) -> Client:
    """Authenticate a service by its own token, and count the call.

    Args:
        scope: That opens the interface.

    Raises:
        BearerError: No such token, or one without the scope.
        ThrottledUntil: It calls too often.
    """
    presented = presented_token()
    with context().database.read() as connection:
        own = find_own(context(), connection, presented, scope=scope)
    check_own(context(), presented, own)
    calls.count(context(), own.client.client_id)
    g.client = own.client
    return own.client
