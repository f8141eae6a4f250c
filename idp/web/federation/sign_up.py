"""/sign-up/franceconnect: an account for a certified identity; the address is proven first (ACC-2, ACC-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from flask import make_response

from idp.domain import email_address
from idp.domain.errors import ThrottledUntil
from idp.services.account import franceconnect_link, signup
from idp.services.authorization import terms
from idp.services.sign_in import federated
from idp.services.sign_in.arrival import Arrived
from idp.services.sign_in.journeys import Reason, Refused
from idp.web import cookies
from idp.web.federation import blueprint
from idp.web.federation.answers import let_in, refused, shown, visit_of, way_of, with_held_identity
from idp.web.http import client_address, form, redirect_to
from idp.web.interaction.flow import browser_hash, id_of, link
from idp.web.language import language
from idp.web.site import context
from idp.web.templating import form_page, page, sentence, service_name

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.email_address import EmailAddress
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.sign_in.held_identity import HeldIdentity

_FORM = "account/signup_franceconnect.html"


@blueprint.get("/sign-up/franceconnect")
@with_held_identity
def sign_up(_: PendingAuthorization | None, held: HeldIdentity) -> Response:
    """Show the certified identity, and ask for an address and the terms (ACC-2, ACC-3)."""
    return make_response(
        page(
            _FORM,
            identity=shown(held),
            terms=terms.in_force(context(), language()),
            # FranceConnect's address only saves typing: nobody has verified it (franceconnect.md 0.8).
            values={"email": held.email or ""},
        )
    )


@blueprint.post("/sign-up/franceconnect")
@with_held_identity
def submit_sign_up(waiting: PendingAuthorization | None, held: HeldIdentity) -> Response:
    """Send a code to the address; the account comes once it is proven."""
    typed = form()
    current = terms.in_force(context(), language())
    address = typed.get("email", "").strip()
    parsed = email_address.parse(address)
    errors = _errors(address, parsed, accepts=typed.get("terms") == "yes")
    if errors or parsed is None:
        content, status = form_page(_FORM, errors, typed, identity=shown(held), terms=current)
        return make_response(content, status)
    outcome = franceconnect_link.begin_signup(
        context(),
        parsed,
        current,
        browser_hash=browser_hash(),
        address=str(client_address() or ""),
        language=language(),
        pending_id=id_of(waiting),
        service_name=service_name(),
    )
    match outcome:
        case signup.Begun(handle):
            cookies.write(cookies.SIGNUP, handle)
            return redirect_to(link("signup.code", waiting))
        case signup.Throttled(until):
            raise ThrottledUntil(until)
        case signup.Gone():
            return refused(Refused(Reason.EXPIRED, way_of(waiting)))
        case _:
            assert_never(outcome)


def finish_sign_up(handle: str | None, waiting: PendingAuthorization | None) -> Response:
    """Open the account of a sign-up through a portal whose address has just been proven (ACC-2).

    Args:
        handle: Of the sign-up, as the browser sent it.
        waiting: The request that the page belongs to.
    """
    outcome = franceconnect_link.finish_signup(context(), handle, browser_hash(), visit=visit_of(waiting))
    match outcome:
        case Arrived():
            cookies.write(cookies.SIGNUP, None)
            return let_in(federated.SignedIn(outcome, way_of(waiting)))
        case signup.AddressTaken():
            # They hold the address, and FranceConnect vouches for them: what is missing is the link.
            return redirect_to(link("franceconnect.link_account", waiting))
        case Refused():
            return refused(outcome)
        case signup.Gone():
            return refused(Refused(Reason.EXPIRED, way_of(waiting)))
        case _:
            assert_never(outcome)


def _errors(address: str, parsed: EmailAddress | None, *, accepts: bool) -> dict[str, list[str]]:
    errors = {}
    if parsed is None:
        errors["email"] = [sentence(email_address.fault(address))]
    if not accepts:
        errors["terms"] = [sentence("terms_required")]
    return errors
