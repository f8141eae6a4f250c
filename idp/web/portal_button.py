"""Which portal a page offers: the ordinary one, unless the level that a service asks for needs the other (FC-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.services.authorization import requests
from idp.services.sign_in import portals
from idp.services.sign_in.portals import Choice, choice_for
from idp.web.site import context

if TYPE_CHECKING:
    from idp.domain.pending_authorization import PendingAuthorization


def is_on() -> bool:
    """Tell whether a portal of the State is on."""
    return bool(portals.portals(context()))


def choice(waiting: PendingAuthorization | None, name: str | None = None) -> Choice:
    """Choose the portal for a request that waits, and what to ask it for.

    Args:
        waiting: The request; None for none.
        name: A portal that is on, to keep to; None to choose.
    """
    wanted = () if waiting is None else requests.levels_wanted(context(), waiting)
    return choice_for(context(), wanted, name=name)


def offered(waiting: PendingAuthorization | None = None) -> dict[str, object]:
    """Give what a page with the button says of it."""
    if not is_on():
        return {"franceconnect_enabled": False}
    return {"franceconnect_enabled": True, "franceconnect_portal": choice(waiting).name}
