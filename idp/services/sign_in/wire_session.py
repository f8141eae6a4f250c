"""`sid`: the name of a session that one client sees (Front-Channel Logout 3; CON-6)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from idp.crypto.opaque import keyed_digest

if TYPE_CHECKING:
    from idp.services.context import Context


def wire_session_id(context: Context, session_id: str, client_id: str) -> str:
    """Give the `sid` that one client sees of a session: two clients can't join theirs (CON-6)."""
    raw = keyed_digest(context.derived.pairwise, "sid", session_id, client_id)
    return base64.urlsafe_b64encode(raw[:18]).decode()
