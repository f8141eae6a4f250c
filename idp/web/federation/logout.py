"""Through a portal's logout, and back (LOG-7; franceconnect.md 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.services.sign_in import upstream_logout
from idp.web.federation import blueprint
from idp.web.http import absolute, query, redirect_to, url
from idp.web.interaction.flow import browser_hash
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.services.sign_in.journeys import OpenSession


def logout_address(left_open: OpenSession, *, continue_to: str | None) -> str | None:
    """Give the address to go on to when a session that came from a portal has ended here (LOG-7).

    A page of ours that redirects: the ID token stands in no page, only in the portal's own address (S-58).

    Args:
        left_open: The session there.
        continue_to: A checked address of a service or a path of ours, where the person goes in the end.
    """
    state = upstream_logout.begin_logout(
        context(), left_open, browser_hash=browser_hash(), continue_to=continue_to
    )
    return None if state is None else absolute(url("franceconnect.logout", state=state))


@blueprint.get("/franceconnect/logout")
def logout() -> Response:
    """Send the browser to the portal's logout; when there is none to go to, go on without it."""
    state = query().get("state", "")
    departure = upstream_logout.logout_departure(context(), state, browser_hash=browser_hash())
    return _after_logout(state, is_over=False) if departure is None else redirect_to(departure)


@blueprint.get("/franceconnect/logout/callback")
@blueprint.get("/franceconnect-plus/logout/callback", endpoint="plus_logout_callback")
def logout_callback() -> Response:
    """Take the person back; a state that does not match shows the signed-out page too (franceconnect.md 5)."""
    return _after_logout(query().get("state", ""), is_over=True)


def _after_logout(state: str, *, is_over: bool) -> Response:
    way = upstream_logout.end_logout(context(), state, browser_hash=browser_hash())
    if way is None or way.continue_to is None:
        # A state that we did not give proves nothing about the portal's session.
        also = "1" if is_over and way is not None else None
        return redirect_to(url("sign_out.show", franceconnect=also))
    return redirect_to(way.continue_to)
