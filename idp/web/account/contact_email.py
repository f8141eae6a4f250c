"""/account/contact-email: where services write, proven by a mailed link; never the identifier (PRO-2).

The page "Coordonnées" says where it stands; here it is given, changed, proven and removed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, make_response

from idp.domain import email_address
from idp.services.account import contact_email as use_case
from idp.services.account.contact_email import Asked, Outcome
from idp.web import cookies, mailed_link
from idp.web.http import form, query, redirect_to, url
from idp.web.sessions import present_person, recent_sign_in_needed, recent_sign_in_needed_or, sign_in_needed
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.services.account.contact_email import KnownContactEmail

blueprint = Blueprint("contact_email", __name__)
_ASK: Final = "account/contact_email.html"
_LINK_TEMPLATE: Final = "account/contact_email_link.html"


@blueprint.get("/account/contact-email")
@recent_sign_in_needed
def show() -> str:
    """Ask for the address."""
    return page(_ASK, known=_known())


@blueprint.post("/account/contact-email")
@recent_sign_in_needed_or("contact_email.show")
def submit() -> Response:
    """Mail the link; the answer is the same whoever the address belongs to."""
    typed = form()
    address = typed.get("email", "").strip()
    parsed = email_address.parse(address)
    if parsed is None:
        return _again(typed.to_dict(), email_address.fault(address))
    match use_case.begin(context(), present_person().account, parsed):
        case Asked.LOGIN_ADDRESS:
            is_used = _known().proven is None
            return _again(
                typed.to_dict(), "contact_email_login" if is_used else "contact_email_login_instead"
            )
        case Asked.SAME:
            return _again(typed.to_dict(), "contact_email_same")
        case Asked.WAIT:
            return _again(typed.to_dict(), "mail_throttled")
        case Asked.MAILED | Asked.GONE:
            return _details("contact_email_mailed")


@blueprint.post("/account/contact-email/resend")
@sign_in_needed
def resend() -> Response:
    """Mail another link to the address that waits."""
    form()
    outcome = use_case.resend(context(), present_person().account)
    # Nothing waits any more, as after the first of two clicks: the page says how it stands.
    notices = {Asked.MAILED: "contact_email_mailed", Asked.WAIT: "contact_email_wait"}
    return _details(notices.get(outcome))


@blueprint.post("/account/contact-email/give-up")
@sign_in_needed
def give_up() -> Response:
    """End what waits."""
    form()
    use_case.give_up(context(), present_person().account.account_id)
    return _details("contact_email_given_up")


@blueprint.get("/account/contact-email/remove")
@recent_sign_in_needed
def ask_removal() -> Response | str:
    """Ask before the address is removed."""
    if _known().proven is None:
        return _details(None)
    return page(
        "account/confirm.html",
        title=sentence("contact_email_remove_title"),
        message=sentence("contact_email_remove_message", name=present_person().account.email),
        details=[],
        action=url("contact_email.remove"),
        fields={},
        confirm_label=sentence("contact_email_remove"),
        cancel_url=url("contact_details.show"),
        dangerous=False,
    )


@blueprint.post("/account/contact-email/remove")
@recent_sign_in_needed_or("contact_email.ask_removal")
def remove() -> Response:
    """Remove the address; what was removed already stays so."""
    form()
    use_case.remove(context(), present_person().account)
    return _details("contact_email_removed")


@blueprint.get("/account/contact-email/link")
def follow_link() -> Response | str:
    """Show a button: a GET proves nothing, for programs that read mail follow links (S-50, S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "contact_email.follow_link")
    return _link_page()


@blueprint.post("/account/contact-email/link")
@sign_in_needed
def prove() -> Response:
    """Prove the address, in whatever browser the same account is signed in."""
    token = form().get("token") or cookies.read(cookies.LINK)
    outcome = use_case.prove(context(), present_person().account, token)
    cookies.write(cookies.LINK, None)
    return _dead_link() if outcome is Outcome.GONE else _details("contact_email_proven")


@sign_in_needed
def _link_page() -> Response | str:
    token = cookies.read(cookies.LINK)
    email = use_case.address_of_link(context(), present_person().account.account_id, token)
    if email is None:
        return _dead_link()
    return page(_LINK_TEMPLATE, state="asked", email=email, token=token, known=_known())


def _dead_link() -> Response:
    return make_response(page(_LINK_TEMPLATE, state="gone"), HTTPStatus.GONE)


def _again(typed: dict[str, str], error: str) -> Response:
    return make_response(*form_page(_ASK, {"email": [sentence(error)]}, typed, known=_known()))


def _details(notice: str | None) -> Response:
    return redirect_to(url("contact_details.show", notice=notice))


def _known() -> KnownContactEmail:
    return use_case.known(context(), present_person().account.account_id)
