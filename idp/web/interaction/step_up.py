"""GET and POST /step-up: a service wants a surer identity than a password gives (FC-6, LOG-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from werkzeug.exceptions import BadRequest

from idp.protocol.authorization.interaction import PASSABLE, Ask, Step
from idp.protocol.errors import ErrorCode
from idp.services.authorization import grants, requests
from idp.web import cookies, portal_button
from idp.web.http import form
from idp.web.interaction.flow import PendingGone, go_on, pending
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.protocol.authorization.interaction import Reason
    from idp.services.authorization.situation import Situation

blueprint = Blueprint("step_up", __name__)


@blueprint.get("/step-up")
def show() -> str | Response:
    """Explain why FranceConnect is asked for; whoever is not at this step goes to theirs."""
    present, _, reason = _asked()
    if reason is None:
        return go_on(present)
    return page("interaction/step_up.html", is_optional=reason in PASSABLE, **portal_button.offered(present))


@blueprint.post("/step-up")
def submit() -> Response:
    """Go on without it, where the service can do without; or go back to the service with a no.

    Raises:
        BadRequest: Neither.
        RedirectedError: access_denied, for the service.
    """
    choice = form().get("choice")
    if choice not in {"without", "refuse"}:
        raise BadRequest("unknown choice")
    present, situation, reason = _asked()
    if reason is None:
        return go_on(present)
    if choice == "without" and reason in PASSABLE:
        requests.mark(context(), present, "step_up_declined_at")
        return go_on(present)
    grants.use_up(context(), situation.request)
    raise situation.request.refusal(ErrorCode.ACCESS_DENIED, reason="the person declined the step-up")


def _asked() -> tuple[PendingAuthorization, Situation, Reason | None]:
    present = pending()
    if present is None:
        raise PendingGone
    situation = requests.situation_of(context(), present, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    is_here = isinstance(decision, Ask) and decision.step is Step.STEP_UP
    return present, situation, decision.reason if is_here and isinstance(decision, Ask) else None
