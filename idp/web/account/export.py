"""/account/export: everything that is kept about the person, as one file, at once (PRI-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from flask import Blueprint, Response

from idp.domain.errors import ThrottledUntil
from idp.services.account import export
from idp.services.account.export import Export
from idp.web.language import language
from idp.web.sessions import present_person, recent_sign_in_needed, recent_sign_in_needed_or
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

blueprint = Blueprint("export", __name__)


@blueprint.get("/account/export")
@recent_sign_in_needed
def show() -> str:
    """Say what is in the file, and offer it."""
    return page("account/export.html")


@blueprint.post("/account/export")
@recent_sign_in_needed_or("export.show")
def download() -> AnyResponse:
    """Send the file; it is made in memory and kept nowhere.

    Raises:
        ThrottledUntil: Asked for again and again.
    """
    outcome = export.give(context(), present_person().account.account_id, language=language())
    match outcome:
        case ThrottledUntil():
            raise outcome
        case Export(file_name, content):
            disposition = f'attachment; filename="{file_name}"'
            return Response(
                content, content_type="application/zip", headers={"Content-Disposition": disposition}
            )
        case _:
            assert_never(outcome)
