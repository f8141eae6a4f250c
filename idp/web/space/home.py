"""GET /: what Mon Paris is, or what is there for the person (ACC-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint

from idp.services.account import overview, service_requests
from idp.web.sessions import signed_in
from idp.web.site import context
from idp.web.space.requests import described
from idp.web.space.services import listed_service
from idp.web.space.terms import announced
from idp.web.templating import page, seen_of

if TYPE_CHECKING:
    from idp.services.sign_in.sessions import SignedIn

blueprint = Blueprint("home", __name__)
#: How many requests the summary names.
_SHOWN_REQUESTS: Final = 3


@blueprint.get("/")
def show() -> str:
    """Show the home page."""
    present = signed_in()
    services = [listed_service(client) for client in overview.open_services(context())]
    return page(
        "space/home.html",
        services=services,
        **_of_person(present),
    )


def _of_person(present: SignedIn | None) -> dict[str, Any]:
    if present is None:
        return {
            "identity_state": "empty",
            "to_complete": None,
            "last_sign_in": None,
            "terms_notice": None,
            "requests": None,
        }
    seen = seen_of(present)
    return {
        "identity_state": seen.identity_state,
        "to_complete": overview.to_complete(context(), present, seen),
        # The latest is the one that opened this page: what a person compares with their memory is the one before.
        "last_sign_in": present.account.previous_sign_in_at,
        "terms_notice": announced(present.account),
        "requests": _requests(present.account.account_id),
    }


def _requests(account_id: str) -> dict[str, Any]:
    """Sum up what services say of the person's requests (PRO-6)."""
    listed = service_requests.of_account(context(), account_id)
    going_on = [row for row in listed if not row[1].update.status.is_final]
    # What awaits the person first; the latest first among equals, as they came.
    going_on.sort(key=lambda row: not row[1].update.status.awaits_person)
    return {
        "latest": [described(*row) for row in going_on[:_SHOWN_REQUESTS]],
        "to_do": sum(one.update.status.awaits_person for _, one in going_on),
        "unread": sum(one.is_unread for _, one in listed),
        "going_on": len(going_on),
    }
