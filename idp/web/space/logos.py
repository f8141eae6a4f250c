"""GET /services/<client_id>/logo: the image that an administrator uploaded (CON-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from idp.protocol.clients.metadata import LOGO_PATH
from idp.services.clients import logos
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

blueprint = Blueprint("logos", __name__)
#: The address changes with the image.
_CACHE = "public, max-age=86400"


@blueprint.get(LOGO_PATH.format(client_id="<client_id>"))
def show(client_id: str) -> AnyResponse:
    """Show the logo of a service; what a browser gets is an image, whatever it takes it for.

    Raises:
        NotFound: The service has none, or there is no such service.
    """
    logo = logos.find(context(), client_id)
    if logo is None:
        raise NotFound
    answer = Response(logo.content, content_type=logo.media_type, headers={"Cache-Control": _CACHE})
    answer.set_etag(logo.digest)
    return answer.make_conditional(request)
