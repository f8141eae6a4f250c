"""Receipts: the keys that verify them (CON-5, S-437)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from flask import Blueprint, Response, request

from idp.services.signed_documents import KEYS_PATH, published_keys
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

blueprint = Blueprint("receipts", __name__)
#: A key is added when it first signs: whoever meets an unknown one asks again.
_CACHE: Final = "public, max-age=300"


@blueprint.get(KEYS_PATH)
def keys() -> AnyResponse:
    """Publish every key that ever signed a receipt or a certificate, to scripts of any origin too."""
    answer = Response(
        msgspec.json.encode(published_keys(context())),
        content_type="application/jwk-set+json",
        headers={
            "Cache-Control": _CACHE,
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
    answer.add_etag()
    return answer.make_conditional(request)
