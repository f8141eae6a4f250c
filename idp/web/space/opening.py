"""GET /services/<client_id>/open: to a service, already signed in (OIDC Core 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from werkzeug.exceptions import NotFound

from idp.protocol.authorization.third_party_login import initiation
from idp.web.http import redirect_to
from idp.web.sessions import sign_in_needed
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("opening", __name__)


@blueprint.get("/services/<client_id>/open")
@sign_in_needed
def show(client_id: str) -> Response:
    """Have a service begin a login, which the session here makes a matter of two redirects.

    Raises:
        NotFound: There is no such service, it is off, or it begins no login by itself.
    """
    with context().database.read() as connection:
        client = context().clients.find(connection, client_id)
    if client is None or not client.is_enabled(context().clock()):
        raise NotFound
    address = initiation(client, issuer=context().issuer)
    if address is None:
        raise NotFound
    return redirect_to(address)
