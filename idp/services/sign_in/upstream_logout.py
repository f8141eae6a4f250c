"""Ends the session that a person has at a portal of the State, after ours has ended (LOG-7; franceconnect.md 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from idp.crypto.opaque import digest, new_hex_secret
from idp.federation.upstream import UpstreamError
from idp.services.sign_in import portals
from idp.services.sign_in.journeys import JOURNEY_LIFETIME, Way, sealed_for
from idp.storage.repositories import franceconnect
from idp.storage.repositories.franceconnect import Journey, Purpose

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.services.sign_in.journeys import OpenSession


def begin_logout(
    context: Context, left_open: OpenSession, *, browser_hash: bytes, continue_to: str | None
) -> str | None:
    """Remember a logout that goes through a portal; our own session has ended before (franceconnect.md 5).

    Args:
        context: The parts.
        left_open: The session there, by the raw ID token of the one that ended here.
        browser_hash: This browser.
        continue_to: Where the person goes in the end; checked by the caller, and kept here, not sent along.

    Returns:
        The state; None when the portal is off by now.
    """
    if left_open.provider not in portals.portals(context):
        return None
    state, now = new_hex_secret(), context.clock()
    journey = Journey(digest(state), Purpose.LOGOUT, None, None, None, continue_to, None, left_open.provider)
    sealed = context.sealer.seal(left_open.id_token.encode(), bound_to=sealed_for(journey))
    with context.database.write() as connection:
        franceconnect.begin_journey(
            connection,
            replace(journey, identity=sealed),
            browser_hash=browser_hash,
            now=now,
            expires_at=now + JOURNEY_LIFETIME,
        )
    return state


def logout_departure(context: Context, state: str, *, browser_hash: bytes) -> str | None:
    """Say where to send the browser so that its session at the portal ends; None when there is nothing to end."""
    with context.database.read() as connection:
        journey = franceconnect.find_journey(
            connection, digest(state), browser_hash=browser_hash, now=context.clock()
        )
    if journey is None or journey.purpose != Purpose.LOGOUT or journey.identity is None:
        return None
    upstream = portals.portals(context).get(journey.provider)
    if upstream is None:
        return None
    id_token = context.sealer.unseal(journey.identity, bound_to=sealed_for(journey)).decode()
    try:
        return upstream.logout_url(id_token, state=state)
    except UpstreamError:
        # The session there ends by itself within half an hour; ours has ended.
        return None


def end_logout(context: Context, state: str, *, browser_hash: bytes) -> Way | None:
    """Take the person back from a portal's logout; None when the state is not this browser's."""
    now = context.clock()
    with context.database.write() as connection:
        journey = franceconnect.find_journey(connection, digest(state), browser_hash=browser_hash, now=now)
        if journey is None or journey.purpose != Purpose.LOGOUT:
            return None
        used = franceconnect.use_journey(
            connection, digest(state), browser_hash=browser_hash, provider=journey.provider, now=now
        )
        if used is None:
            return None
        franceconnect.release_identity(connection, journey.state_hash)
    return Way(None, journey.continue_to)
