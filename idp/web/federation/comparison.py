"""/account/franceconnect: ours beside FranceConnect's, and what would be replaced, before it is confirmed (FC-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from flask import make_response
from werkzeug.exceptions import BadRequest

from idp.services.account import franceconnect_link
from idp.services.sign_in import federated
from idp.services.sign_in.journeys import Reason, Refused, Way
from idp.storage.repositories.franceconnect import Purpose
from idp.web.federation import blueprint
from idp.web.federation.answers import leave, let_in, refused, visit_of, way_of
from idp.web.http import form, url
from idp.web.interaction.flow import browser_hash, go_on, id_of, link, pending
from idp.web.provenance import shown_value
from idp.web.sessions import present_person, recent_sign_in_needed
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization


@blueprint.get("/account/franceconnect")
@recent_sign_in_needed
def compare() -> Response:
    """Show ours beside FranceConnect's, and what would be replaced (FC-4)."""
    waiting = pending()
    rows = franceconnect_link.comparison(
        context(),
        present_person().account.account_id,
        id_of(waiting),
        browser_hash(),
    )
    if rows is None:
        return refused(Refused(Reason.EXPIRED, way_of(waiting)))
    shown = [
        {
            "name": row.name,
            "ours": shown_value(row.name, row.ours),
            "theirs": shown_value(row.name, row.theirs),
            "changes": row.changes,
        }
        for row in rows
    ]
    return make_response(page("account/franceconnect_compare.html", rows=shown))


@blueprint.post("/account/franceconnect")
@recent_sign_in_needed
def submit_comparison() -> Response:
    """Link, or drop what came back."""
    waiting = pending()
    pending_id = id_of(waiting)
    decision = form().get("decision")
    if decision == "cancel":
        return _cancelled(waiting)
    if decision != "confirm":
        raise BadRequest("unknown decision")
    outcome = franceconnect_link.confirm_link(
        context(), present_person().account, pending_id, browser_hash(), visit=visit_of(waiting)
    )
    match outcome:
        case federated.SignedIn(arrived, way):
            linked = url("identity.show", notice="linked")
            return let_in(federated.SignedIn(arrived, Way(way.pending_id, linked)))
        case Refused():
            return refused(outcome)
        case _:
            assert_never(outcome)


def _cancelled(waiting: PendingAuthorization | None) -> Response:
    """Go back to what the person was doing, by way of the portal's logout: the identity may be somebody else's."""
    pending_id = id_of(waiting)
    left_open = franceconnect_link.cancel(context(), Purpose.LINK, pending_id, browser_hash())
    back = url("identity.show", notice="link_cancelled")
    if left_open is None:
        return go_on(waiting, back)
    # The page of the step goes on by itself, when the request needs none any more.
    return leave(left_open, back if waiting is None else link("step_up.show", waiting))
