"""/account/delete: the person erases their account; and the certificate of it (PRO-9, LIF-4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, jsonify, make_response
from werkzeug.exceptions import NotFound

from idp.domain.deletion import Told
from idp.services.account import deletion
from idp.services.signed_documents import CERTIFICATE, Verified, verify_document
from idp.web import cookies
from idp.web.http import form, query, redirect_to, url
from idp.web.interaction.flow import browser_hash
from idp.web.sessions import forget, present_person, recent_sign_in_needed, signed_in
from idp.web.sign_out import leave
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("deletion", __name__)
_ASK: Final = "account/delete.html"
_READ: Final = "account/deletion_certificate.html"
#: RFC 6265 section 6.1: browsers take cookies of 4096 bytes, name and attributes included. A longer certificate is
#: in the mail alone.
_LONGEST_COOKIE: Final = 3800
#: Of the browser that leaves; the one that names it for forms stays, and names nobody.
_COOKIES_OF_PERSON: Final = (cookies.DEVICE, cookies.SIGNUP, cookies.LINK)


@blueprint.get("/account/delete")
@recent_sign_in_needed
def show() -> str:
    """Say what is erased, who is told, and that it can't be undone."""
    return page(_ASK, **_foreseen())


@blueprint.post("/account/delete")
def submit() -> Response:
    """Erase the account at once; the second of two clicks finds nobody signed in, and the same page."""
    present = signed_in()
    if present is None:
        return redirect_to(url("deletion.done"))
    if not present.session.is_recent(context().clock(), context().session_lifetimes):
        return redirect_to(url("login.show", next=url("deletion.show"), confirm="1"))
    typed = form()
    if typed.get("understood") != "yes":
        # Nothing typed is shown again: the box is never ticked by us.
        errors = {"understood": [sentence("deletion_not_understood")]}
        return make_response(*form_page(_ASK, errors, {}, **_foreseen()))
    done = deletion.delete_own(context(), present.session, browser_hash=browser_hash())
    forget()
    for cookie in _COOKIES_OF_PERSON:
        cookies.write(cookie, None)
    if done is None:
        return redirect_to(url("deletion.done"))
    fits = len(done.document) <= _LONGEST_COOKIE
    cookies.write(cookies.CERTIFICATE, done.document if fits else None)
    return leave(done.ended, url("deletion.done"), after_form=True)


@blueprint.get("/account-deleted")
def done() -> str:
    """Say that it is done, with the certificate that this browser carries."""
    verified = _carried()
    return page(
        "account/deleted.html",
        certificate=None if verified is None else shown(verified),
        signed_out=signed_in() is None,
    )


@blueprint.get("/account-deleted/certificate")
def download() -> Response:
    """Give the certificate as a file: as it is signed, or readable by programs.

    Raises:
        NotFound: This browser carries none any more.
    """
    verified, document = _carried(), cookies.read(cookies.CERTIFICATE)
    if verified is None or document is None:
        raise NotFound
    number = verified.payload["jti"]
    if query().get("form") == "json":
        answer: Response = jsonify({"certificate": verified.payload, "jws": document})
        ending = "json"
    else:
        answer = make_response(document)
        # RFC 7515 section 9.2.1: a JWS in compact form.
        answer.headers["Content-Type"] = "application/jose"
        ending = "jws"
    answer.headers["Content-Disposition"] = f'attachment; filename="certificate-{number}.{ending}"'
    return answer


@blueprint.get("/deletion-certificate")
def ask() -> str:
    """Ask anybody for a certificate to read."""
    return page(_READ, certificate=None)


@blueprint.post("/deletion-certificate")
def read() -> Response:
    """Check a certificate and show what it says; nothing is kept."""
    # Mail programs fold long lines.
    document = "".join(form().get("document", "").split())
    verified = verify_document(context(), document, typ=CERTIFICATE) if document else None
    if verified is not None:
        return make_response(page(_READ, certificate=shown(verified)))
    code = "certificate_refused" if document else "certificate_missing"
    content, status = form_page(_READ, {"document": [sentence(code)]}, form(), certificate=None)
    return make_response(content, status)


def shown(verified: Verified) -> dict[str, Any]:
    """Give what a certificate says as the page shows it."""
    payload = verified.payload
    services = [(one["name"], one["told_by"]) for one in payload["services"]]
    return {
        "number": payload["jti"],
        "at": datetime.fromtimestamp(payload["deleted_at"], UTC),
        "way": payload["requested_by"],
        "controller": payload["controller"],
        "erased": payload["erased"],
        "told": [name for name, told_by in services if told_by != Told.NOT_TOLD],
        "not_told": [name for name, told_by in services if told_by == Told.NOT_TOLD],
        "keys_url": payload["keys"],
        "kid": verified.kid,
    }


def _carried() -> Verified | None:
    document = cookies.read(cookies.CERTIFICATE)
    return None if document is None else verify_document(context(), document, typ=CERTIFICATE)


def _foreseen() -> dict[str, Any]:
    services = deletion.foreseen(context(), present_person().account.account_id)
    return {
        "told": [one.name for one in services if one.told is not Told.NOT_TOLD],
        "not_told": [one.name for one in services if one.told is Told.NOT_TOLD],
    }
