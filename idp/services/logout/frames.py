"""Frames that tell services through the person's browser (Front-Channel Logout 3): best effort.

A browser that keeps cookies from frames of other sites makes such a service deaf: the back channel is the sure one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol.logout.frontchannel import frame_address
from idp.services.sign_in.wire_session import wire_session_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idp.services.context import Context
    from idp.services.sign_in.endings import Member


def frames_of(context: Context, members: Iterable[Member]) -> tuple[str, ...]:
    """Give the addresses to open in frames when a session has ended, each once."""
    now = context.clock()
    addresses = (
        frame_address(
            member.client,
            issuer=context.issuer,
            sid=wire_session_id(context, member.session_id, member.client.client_id),
        )
        for member in members
        if member.client.is_enabled(now)
    )
    return tuple(dict.fromkeys(address for address in addresses if address is not None))
