"""The page "Coordonnées": contact address, telephone number and postal address (PRO-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from flask import Blueprint, make_response

from idp.domain.contact_details import FIELDS, HOME_COUNTRY
from idp.services.account import contact_details, contact_email
from idp.services.account.contact_details import (
    Faulty,
    KnownContactDetails,
    grouped_phone_number,
    shown_phone_number,
)
from idp.services.account.profile import Locked, Outdated, Saved
from idp.web.account import needed
from idp.web.http import form, redirect_to, url
from idp.web.interaction.flow import go_on, pending
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization

blueprint = Blueprint("contact_details", __name__)
_TEMPLATE: Final = "account/contact_details.html"


@blueprint.get("/account/contact-details")
@sign_in_needed
def show() -> str:
    """Show what is known, to be edited."""
    waiting = pending()
    known = _known()
    return page(_TEMPLATE, values=_values(known), **_variables(known, waiting))


@blueprint.post("/account/contact-details")
@sign_in_needed
def submit() -> Response:
    """Save what was typed, unless other details were saved since the page was shown."""
    waiting = pending()
    sent = form()
    typed = {name: sent.get(name, "") for name in FIELDS}
    account_id, seen = present_person().account.account_id, sent.get("edition", "")
    blank = needed.errors(needed.claims(waiting), typed)
    if blank:
        return _again(waiting, typed, blank, edition=seen)
    outcome = contact_details.declare(context(), account_id, typed, edition=seen)
    match outcome:
        case Saved():
            if waiting is not None:
                return go_on(waiting)
            return redirect_to(url("contact_details.show", notice="saved"))
        case Faulty(faults):
            errors = {name: [sentence(fault)] for name, fault in faults.items()}
            return _again(waiting, typed, errors, edition=seen)
        case Locked(_):
            return _again(waiting, typed, {"phone_number": [sentence("phone_proven")]}, edition=seen)
        case Outdated():
            return _again(
                waiting, typed, {}, form_error=sentence("contact_details_outdated"), is_outdated=True
            )
        case _:
            assert_never(outcome)


def _again(
    waiting: PendingAuthorization | None,
    typed: dict[str, str],
    errors: dict[str, list[str]],
    **more: Any,  # noqa: ANN401 - of the template
) -> Response:
    """Show the form once more; its edition stays that of the page until the person is told what else was saved."""
    variables = _variables(_known(), waiting) | more
    return make_response(*form_page(_TEMPLATE, errors, typed, **variables))


def _known() -> KnownContactDetails:
    return contact_details.known_contact_details(context(), present_person().account.account_id)


def _values(known: KnownContactDetails) -> dict[str, str]:
    address = known.address
    phone_number = grouped_phone_number(known.phone_number)
    if address is None:
        return {"phone_number": phone_number, "country": HOME_COUNTRY}
    return {
        "phone_number": phone_number,
        "street": address.street,
        "complement": address.complement,
        "postal_code": address.postal_code,
        "locality": address.locality,
        "country": address.country,
    }


def _variables(known: KnownContactDetails, waiting: PendingAuthorization | None) -> dict[str, Any]:
    claims = needed.claims(waiting)
    return {
        "edition": known.edition,
        "needed": claims,
        "needed_fields": needed.fields(claims),
        "contact_email": contact_email.known(context(), present_person().account.account_id),
        "is_outdated": False,
        "known_phone_number": shown_phone_number(known.phone_number),
        "known_lines": known.address.lines if known.address is not None else (),
    }
