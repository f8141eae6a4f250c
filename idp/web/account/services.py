"""/account/services: "Mes services", what each may receive, and the way to end it (CON-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from werkzeug.exceptions import NotFound

from idp.services.authorization import consents
from idp.services.authorization.consents import Shown
from idp.web.http import form, redirect_to, url
from idp.web.language import language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.services import listed_service, worded
from idp.web.templating import page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.client import Client
    from idp.storage.repositories.consents import ListedConsent

blueprint = Blueprint("services", __name__)


@blueprint.get("/account/services")
@sign_in_needed
def show() -> str:
    """List the services that may read something."""
    listed = consents.list_consents(context(), present_person().account.account_id)
    return page("account/services.html", services=[_row(client, one) for client, one in listed])


@blueprint.post("/account/services/withdraw")
@sign_in_needed
def withdraw() -> str | Response:
    """Withdraw a consent, once the person has confirmed; it acts before the answer is sent.

    Raises:
        NotFound: The person allows this service nothing.
    """
    fields = form()
    account_id, client_id = present_person().account.account_id, fields.get("client_id", "")
    if fields.get("confirmed") == "yes":
        client = _service(account_id, client_id)
        if client is not None:
            consents.withdraw(context(), account_id, client_id, _shown(client))
        return redirect_to(url("services.show", notice="withdrawn"))
    client = _service(account_id, client_id)
    if client is None:
        raise NotFound
    return _confirmation(client)


def _service(account_id: str, client_id: str) -> Client | None:
    listed = consents.list_consents(context(), account_id)
    return next((client for client, _ in listed if client.client_id == client_id), None)


def _shown(client: Client) -> Shown:
    """Give the words of the confirmation, as the ledger keeps them."""
    words = (
        sentence("withdraw_title", name=client.name),
        sentence("withdraw_message"),
        sentence("withdraw_kept"),
    )
    return Shown("\n".join(words), language())


def _confirmation(client: Client) -> str:
    title, message, *details = _shown(client).words.split("\n")
    return page(
        "account/confirm.html",
        title=title,
        message=message,
        details=details,
        action=url("services.withdraw"),
        fields={"client_id": client.client_id},
        confirm_label=sentence("withdraw_confirm"),
        cancel_url=url("services.show"),
        dangerous=True,
    )


def _row(client: Client, listed: ListedConsent) -> dict[str, Any]:
    return listed_service(client) | {
        "claims": sorted(listed.consent.claims),
        "since": listed.since,
        "last_access_at": listed.last_access_at,
        "retention": worded(client.retention) or None,
    }
