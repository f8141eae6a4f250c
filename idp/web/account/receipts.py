"""/account/receipts: what the person agreed to, in which words, when; each with a signed receipt (CON-5, S-437)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, jsonify
from werkzeug.exceptions import NotFound

from idp.services import receipts
from idp.web.http import query
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from idp.services.receipts import Listed, Receipt

blueprint = Blueprint("receipts", __name__)
#: Acts of one page.
_PAGE: Final = 50
_LONGEST_NUMBER: Final = 5


@blueprint.get("/account/receipts")
@sign_in_needed
def index() -> str:
    """List the acts of the person, the latest first; of one service, where the address names it."""
    asked = query()
    client_id = asked.get("service")
    found = receipts.of_account(context(), _account_id(), client_id=client_id)
    text = asked.get("page", "1")
    number = int(text) if text.isdecimal() and text.isascii() and len(text) <= _LONGEST_NUMBER else 1
    first = (max(1, number) - 1) * _PAGE
    return page(
        "account/receipts.html",
        acts=[_row(one) for one in found[first : first + _PAGE]],
        service_name=_name(found[0]) if client_id is not None and found else None,
        service_id=client_id,
        number=number,
        has_more=len(found) > first + _PAGE,
    )


@blueprint.get("/account/receipts/<entry_id>")
@sign_in_needed
def show(entry_id: str) -> str:
    """Show one receipt, ready to be printed."""
    made = _receipt(entry_id)
    return page("account/receipt.html", receipt=made.members, at=made.act.at, service_name=_name(made))


@blueprint.get("/account/receipts/<entry_id>/download")
@sign_in_needed
def download(entry_id: str) -> Response:
    """Give a receipt as a file: its fields for whoever reads, the same signed for whoever checks."""
    made = _receipt(entry_id)
    document = receipts.signed(context(), made)
    answer: Response = jsonify({"receipt": receipts.payload_of(context(), document), "jws": document})
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="mon-paris-receipt-{made.act.entry_id}.json"'
    )
    return answer


def _receipt(entry_id: str) -> Receipt:
    made = receipts.receipt(context(), _account_id(), entry_id)
    if made is None:
        raise NotFound
    return made


def _account_id() -> str:
    return present_person().account.account_id


def _row(one: Listed) -> dict[str, Any]:
    act = one.act
    return {
        "entry_id": act.entry_id,
        "at": act.at,
        "matter": act.matter.value,
        "act": act.act.value,
        "service_name": _name(one),
        "version": act.document.get("version"),
    }


def _name(one: Listed | Receipt) -> str | None:
    return one.act.client_id if one.client is None else one.client.name
