"""GET and POST /authorize (OIDC Core 3.1.2; OID-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from idp.services.authorization.requests import begin
from idp.web import cookies
from idp.web.http import same_site_get
from idp.web.interaction.flow import browser_hash, next_step
from idp.web.oidc import blueprint
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Answer a request for authorization, or ask the person what is missing."""
    if request.method == "POST":
        return same_site_get("/authorize")
    outcome = begin(
        context(),
        request.args.items(multi=True),
        session_cookie=cookies.read(cookies.SESSION),
        browser_hash=browser_hash,
    )
    return next_step(outcome, after_form=False)
