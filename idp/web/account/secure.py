"""/account/secure: "Sécuriser mon compte", one button after a loss, a theft or a misuse (LOG-6).

The address is named by mails and stays. It asks for no fresh login: a thief who presses only throws themselves out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from flask import Blueprint

from idp.services.account import self_securing as use_case
from idp.services.account.password import LINK_LIFETIME
from idp.web.http import form, query, redirect_to, url
from idp.web.interaction.flow import browser_hash
from idp.web.sessions import forget, signed_in
from idp.web.sign_out import leave
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("secure", __name__)
_LINK_MINUTES: Final = int(LINK_LIFETIME.total_seconds() // 60)


@blueprint.get("/account/secure")
def show() -> str:
    """Say what the button ends; to who is signed in nowhere, what to do instead."""
    present = signed_in()
    if present is None:
        return page("account/secure_signed_out.html")
    return page(
        "account/secure.html",
        foreseen=use_case.foresee(context(), present.account),
        ticket=use_case.ticket(context(), present.account.account_id, browser_hash()),
        link_minutes=_LINK_MINUTES,
    )


@blueprint.post("/account/secure")
def submit() -> Response:
    """End everything; the second of two clicks finds it done, and the same page."""
    ticket = form().get("ticket")
    present = signed_in()
    if present is None:
        return _after(ticket)
    ticket = use_case.ticket(context(), present.account.account_id, browser_hash())
    outcome = use_case.secure(context(), present)
    forget()
    match outcome:
        case use_case.Secured(ended, is_mailed):
            notice = None if is_mailed else "not_mailed"
            return leave(ended, url("secure.done", account=ticket, notice=notice), after_form=True)
        case use_case.AlreadySecured() | use_case.SessionOver():
            return _after(ticket)
        case _:
            assert_never(outcome)


@blueprint.get("/account/secured")
def done() -> Response | str:
    """Say that it is done and where the link went, as long as that link lives."""
    email = use_case.where_mailed(context(), query().get("account"), browser_hash())
    if email is None or signed_in() is not None:
        return redirect_to(url("secure.show"))
    return page("account/secured.html", email=email, link_minutes=_LINK_MINUTES)


def _after(ticket: str | None) -> Response:
    """Show what the first click did; a page that was open for long finds out that nobody is signed in."""
    is_done = use_case.where_mailed(context(), ticket, browser_hash()) is not None
    return redirect_to(url("secure.done", account=ticket) if is_done else url("secure.show"))
