"""GET /account: "Profil et préférences"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from idp.domain.civil_identity import CONTACT_EMAIL
from idp.protocol.claims.values import claim_values
from idp.services.account import my_services
from idp.services.sign_in.sessions import list_sessions
from idp.web.provenance import identity_row, identity_rows
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.terms import announced
from idp.web.templating import page, seen_of

if TYPE_CHECKING:
    from idp.storage.repositories.attributes import StoredAttribute

blueprint = Blueprint("account", __name__)
#: What the first page shows of the identity; the rest is one click away.
_SUMMARY = ("given_name", "family_name", "birthdate")
_CONTACT = (CONTACT_EMAIL, "phone_number", "address")


@blueprint.get("/account")
@sign_in_needed
def show() -> str:
    """Show the sections of the account."""
    present = present_person()
    account, seen = present.account, seen_of(present)
    known = seen.known
    return page(
        "account/index.html",
        identity=identity_rows(known, [name for name in _SUMMARY if name in known]),
        contact_details=[_contact_row(name, seen.known) for name in _CONTACT],
        certified=seen.identity_state == "certified",
        password_generated=account.password_is_generated,
        account_language=account.language,
        sessions_count=len(list_sessions(context(), account.account_id)),
        terms_notice=announced(account),
        services_count=my_services.count_present(context(), account.account_id),
    )


def _contact_row(name: str, known: dict[str, StoredAttribute]) -> dict[str, Any]:
    if name not in known:
        return identity_row(name, None, None, None)
    value = claim_values({name: known[name].value}, (name,))[name]
    return identity_row(name, value, known[name].level, known[name].recorded_at)
