"""GET /account: "Profil et préférences"."""

from __future__ import annotations

from flask import Blueprint

from idp.services.account import overview
from idp.services.authorization.consents import list_consents
from idp.services.sign_in.sessions import list_sessions
from idp.web.provenance import identity_row
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import page

blueprint = Blueprint("account", __name__)
#: What the first page shows of the identity; the rest is one click away.
_SUMMARY = ("given_name", "family_name", "birthdate")


@blueprint.get("/account")
@sign_in_needed
def show() -> str:
    """Show the sections of the account."""
    account = present_person().account
    seen = overview.of_account(context(), account)
    known = seen.known
    return page(
        "account/index.html",
        identity=[
            identity_row(name, known[name].value, known[name].level, known[name].recorded_at)
            for name in _SUMMARY
            if name in known
        ],
        certified=seen.identity_state == "certified",
        password_generated=account.password_is_generated,
        sessions_count=len(list_sessions(context(), account.account_id)),
        services_count=len(list_consents(context(), account.account_id)),
    )
