"""GET /api/openapi.json: what services may call, in OpenAPI 3.1."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

_FILE: Final = Path(__file__).with_name("openapi.json")


@blueprint.get("/openapi.json")
def describe() -> Response:
    """Describe the interfaces, at the address where they are."""
    return json_answer(_document() | {"servers": [{"url": context().issuer}]})


@cache
def _document() -> dict[str, Any]:
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, Any])
