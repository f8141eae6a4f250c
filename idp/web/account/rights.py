"""GET /account/rights: what a person does themselves, whom to ask for the rest, what became of it (PRI-4, S-453)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from idp.services.account.rights import requests_of
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context, site
from idp.web.templating import page

if TYPE_CHECKING:
    from idp.domain.data_request import DataRequest

blueprint = Blueprint("rights", __name__)


@blueprint.get("/account/rights")
@sign_in_needed
def show() -> str:
    """Show the rights of the RGPD, and the person's requests."""
    account = present_person().account
    return page(
        "account/rights.html",
        requests=[_shown(request) for request in requests_of(context(), account.account_id)],
        support_email=site().city.support_email,
        limited_at=account.limited_at,
    )


def _shown(request: DataRequest) -> dict[str, Any]:
    return {
        "id": request.request_id,
        "kind": request.kind.value,
        "state": "late" if request.is_overdue(context().clock()) else request.state.value,
        "received_at": request.received_at,
        "last_day": request.last_day,
        "is_extended": request.extended_at is not None,
        "is_of_guardian": request.is_of_guardian,
        "closed_at": request.closed_at,
        "outcome": request.outcome,
    }
