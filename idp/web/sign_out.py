"""POST /sign-out: one click on every page (LOG-3); and the end of a session for whoever asks it (LOG-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, make_response

from idp.services.logout.frames import frames_of
from idp.services.sign_in import sessions as use_case
from idp.services.sign_in.journeys import OpenSession
from idp.services.sign_in.portals import FRANCECONNECT
from idp.services.sign_in.sessions import Ended
from idp.web.federation.logout import logout_address
from idp.web.http import query, redirect_to
from idp.web.security_headers import allow_frames
from idp.web.sessions import forget, signed_in
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("sign_out", __name__)


@blueprint.post("/sign-out")
def submit() -> Response:
    """End the session of this browser."""
    return end_here(None, after_form=True)


@blueprint.get("/signed-out")
def show() -> str:
    """Say that the session is over."""
    also = query().get("franceconnect") == "1"
    return page("signed_out.html", service_url=None, franceconnect_session=also)


def end_here(destination: str | None, *, after_form: bool) -> Response:
    """End the session of this browser, its services', FranceConnect's when the login came from there; then go on.

    Ours ends first: whatever the others answer, or do not, nobody stays signed in here. Services that want a frame
    get one on a page that goes on by itself, before FranceConnect (Front-Channel Logout 3).

    Args:
        destination: A checked address of a service; None to stay with us.
        after_form: It answers a form of ours (see `answers.respond`).
    """
    present = signed_in()
    ended = Ended()
    if present is not None:
        ended = use_case.end(context(), present.account.account_id, present.session.session_id)
        forget()
    return leave(ended, destination, after_form=after_form)


def leave(ended: Ended, destination: str | None, *, after_form: bool) -> Response:
    """Go on from a session that has ended, by its services' frames and FranceConnect's logout.

    Args:
        ended: That session.
        destination: A checked address of a service, or a path of ours; None for the page that says it is over.
        after_form: It answers a form of ours.
    """
    if ended.upstream_id_token is not None:
        left_open = OpenSession(ended.upstream or FRANCECONNECT, ended.upstream_id_token)
        address = logout_address(left_open, continue_to=destination)
        destination = address or destination
    frames = frames_of(context(), ended.members)
    if frames:
        allow_frames(frames)
        return make_response(page("logout_frames.html", frames=frames, continue_url=destination))
    if destination is None:
        return redirect_to("/signed-out")
    # A page of ours may answer a form; anything else is gone on to by a page, for the policy of forms (S-475).
    if after_form and not destination.startswith("/"):
        return make_response(page("interaction/continue.html", continue_url=destination))
    return redirect_to(destination)
