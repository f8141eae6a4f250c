"""Names the state of a browser for those who watch whether it changes (Session Management 4.2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from idp.crypto.opaque import keyed_digest, new_salt
from idp.protocol.logout.session_state import session_state, web_origin

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context


def browser_state(context: Context, session_id: str) -> str:
    """Give the value of the cookie that our frame compares: one for each session, and tells nothing of it.

    Derived with a key, so that no column keeps it: neither the session nor its `sid` of any client follows.
    """
    raw = keyed_digest(context.derived.browser_state, session_id)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def session_state_for(context: Context, client: Client, redirect_uri: str, session_id: str) -> str | None:
    """Give the `session_state` of an answer to a client; None when no page of its own could watch it.

    Args:
        context: The parts.
        client: Who is answered.
        redirect_uri: Where the answer goes; registered.
        session_id: Of the session that the answer speaks of.
    """
    origin = web_origin(redirect_uri)
    if origin is None:
        return None
    return session_state(client.client_id, origin, browser_state(context, session_id), new_salt())
