"""GET and POST /logout (RP-Initiated Logout 2; LOG-7), and the answer to its question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import BadRequest

from idp.protocol.authorization.response_mode import location
from idp.protocol.logout.end_session import KNOWN_PARAMETERS
from idp.services.logout import end_session as use_case
from idp.web import language, sign_out
from idp.web.http import redirect_to, same_site_get
from idp.web.oidc import blueprint
from idp.web.sessions import signed_in
from idp.web.site import context
from idp.web.templating import page, speak_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.protocol.logout.end_session import EndSessionRequest


@blueprint.route("/logout", methods=["GET", "POST"])
def end_session() -> str | Response:
    """End the session, after a question when nothing proves that the person's own service asks."""
    if request.method == "POST":
        return same_site_get("/logout")
    question = use_case.read(context(), request.args.items(multi=True), signed_in())
    language.prefer(question.request.ui_locales)
    if question.request.client is not None:
        speak_for(question.request.client, None)
    if not question.needs_confirmation:
        return sign_out.end_here(_destination(question.request), after_form=False)
    fields = {name: value for name, value in request.args.items() if name in KNOWN_PARAMETERS}
    return page("logout_confirm.html", fields=fields)


@blueprint.post("/logout/confirm")
def confirm() -> Response:
    """Take the person's answer.

    Raises:
        BadRequest: Neither yes nor no.
    """
    decision = request.form.get("decision")
    pairs = [(name, value) for name, value in request.form.items(multi=True) if name in KNOWN_PARAMETERS]
    checked = use_case.read(context(), pairs, signed_in()).request
    if decision == "stay":
        return redirect_to("/")
    if decision != "sign_out":
        raise BadRequest("no decision")
    if checked.client is not None:
        speak_for(checked.client, None)
    return sign_out.end_here(_destination(checked), after_form=True)


def _destination(checked: EndSessionRequest) -> str | None:
    if checked.target is None:
        return None
    state = {} if checked.state is None else {"state": checked.state}
    return location(checked.target, state) if state else checked.target.uri
