"""/receipts: the keys and the schema of receipts, and where anyone checks one (CON-5, S-437)."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import Blueprint, Response, current_app, make_response, request

from idp.services import receipts
from idp.services.receipts import CHECK_PATH, SCHEMA_PATH, NotOurs
from idp.services.signed_documents import KEYS_PATH, LONGEST, published_keys
from idp.web.answers import json_answer
from idp.web.http import client_address, posted_text
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from idp.services.receipts import Genuine

blueprint = Blueprint("receipt_checks", __name__)
#: A key is added when it first signs: whoever meets an unknown one asks again.
_CACHE: Final = "public, max-age=300"
_FOR_ALL: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_TEMPLATE: Final = "space/receipt_check.html"
_FIELD: Final = "receipt"
#: What was pasted is shown again up to here, to be corrected.
_SHOWN_AGAIN: Final = 20_000


@blueprint.get(KEYS_PATH)
def keys() -> AnyResponse:
    """Publish every key that ever signed a receipt or a certificate, to scripts of any origin too."""
    answer = Response(
        msgspec.json.encode(published_keys(context())),
        content_type="application/jwk-set+json",
        headers={"Cache-Control": _CACHE, **_FOR_ALL},
    )
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.get(SCHEMA_PATH)
def schema() -> AnyResponse:
    """Publish the schema of a receipt's fields."""
    file = Path(current_app.static_folder or "") / "receipt.schema.json"
    answer = Response(
        file.read_bytes(),
        content_type="application/schema+json",
        headers={"Cache-Control": _CACHE, **_FOR_ALL},
    )
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.get(CHECK_PATH)
def ask() -> str:
    """Ask anybody for a receipt."""
    return page(_TEMPLATE, checked=None)


@blueprint.post(CHECK_PATH)
def check() -> AnyResponse:
    """Check a receipt and show what it says; nothing of it is kept."""
    uploaded = request.files.get("file")
    text = uploaded.read().decode(errors="replace") if uploaded else ""
    text = text or posted_text(_FIELD, longest=LONGEST)
    if not text.strip():
        return _refused("receipt_missing", "")
    found = receipts.check(context(), text, address=str(client_address() or ""))
    if isinstance(found, NotOurs):
        return _refused("receipt_refused", text if len(text) < _SHOWN_AGAIN else "")
    return make_response(page(_TEMPLATE, checked=_shown(found)))


@blueprint.post(f"{CHECK_PATH}.json")
def check_by_program() -> Response:
    """Check a receipt for a program: the JWS or the file as the body; says whether it is ours and still stands."""
    text = request.get_data(cache=False, as_text=False).decode(errors="replace")
    found = receipts.check(context(), text, address=str(client_address() or ""))
    if isinstance(found, NotOurs):
        return json_answer({"valid": False}, HTTPStatus.OK, _FOR_ALL)
    body = {
        "valid": True,
        "issuer": context().issuer,
        "signed_at": found.signed_at,
        "kid": found.kid,
        "record_id": found.members.get("record_id"),
        "ledger": found.standing.value,
    }
    return json_answer(body, HTTPStatus.OK, _FOR_ALL)


def _refused(code: str, text: str) -> Response:
    content, status = form_page(_TEMPLATE, {_FIELD: [sentence(code)]}, {_FIELD: text}, checked=None)
    return make_response(content, status)


def _shown(found: Genuine) -> dict[str, Any]:
    return {
        "receipt": found.members,
        "at": datetime.fromisoformat(found.members["event"]["event_time"]),
        "signed_at": found.signed_at,
        "kid": found.kid,
        "standing": found.standing.value,
        "service_name": _service(found.members),
    }


def _service(members: dict[str, Any]) -> str | None:
    """Name the service, of an act towards one."""
    has_service = len(members["party_identification"]) > 1
    return members["pii_processing"]["purposes"][0]["services"][0] if has_service else None
