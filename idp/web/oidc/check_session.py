"""GET /check-session: the frame that tells a service whether the person's session has changed.

Session Management 3.3. The page and its script are the same for everybody; what they compare is a cookie of the
browser, so that a cache may keep both and no statement runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response

from idp.web import assets, cookies
from idp.web.oidc import blueprint
from idp.web.security_headers import allow_framing
from idp.web.templating import site_templates

if TYPE_CHECKING:
    from flask import Response

_SCRIPT = "check-session.js"
_HOUR = 3600


@blueprint.get("/check-session")
def check_session() -> Response:
    """Serve the frame."""
    allow_framing()
    cookie = cookies.cookie_name(cookies.BROWSER_STATE)
    answer = make_response(
        site_templates()
        .get_template("check_session.html")
        .render(script=assets.address(_SCRIPT), cookie=cookie)
    )
    answer.headers["Cache-Control"] = f"public, max-age={_HOUR}"
    return answer
