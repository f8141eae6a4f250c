"""/account/sessions: signed-in browsers; any can be ended (LOG-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from idp.services.sign_in import sessions as use_case
from idp.web.http import form, redirect_to, url
from idp.web.sessions import forget, present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.services.sign_in.sessions import ListedSession

blueprint = Blueprint("devices", __name__)


@blueprint.get("/account/sessions")
@sign_in_needed
def show() -> str:
    """List the browsers in which the account is open."""
    present = present_person()
    listed = use_case.list_sessions(context(), present.account.account_id)
    return page("account/sessions.html", sessions=[_row(one, present.session.session_id) for one in listed])


@blueprint.post("/account/sessions/end")
@sign_in_needed
def end() -> Response:
    """End one session; one that has ended, or another person's, changes nothing."""
    present = present_person()
    session_id = form().get("session_id", "")
    use_case.end(context(), present.account.account_id, session_id, reason="ended_by_person")
    if session_id == present.session.session_id:
        forget()
        return redirect_to("/signed-out")
    return redirect_to(url("devices.show", notice="ended"))


@blueprint.post("/account/sessions/end-others")
@sign_in_needed
def end_others() -> Response:
    """End every session but this one."""
    present = present_person()
    use_case.end_others(context(), present.account.account_id, but=present.session.session_id)
    return redirect_to(url("devices.show", notice="others_ended"))


def _row(listed: ListedSession, current: str) -> dict[str, Any]:
    session = listed.session
    return {
        "session_id": session.session_id,
        "device": listed.browser,
        "current": session.session_id == current,
        "signed_in_at": session.authentication.at,
        "last_seen_at": session.last_seen_at,
        "method": session.upstream or "password",
    }
