"""/requests: the page "Mes demandes": what services say of the person's requests (PRO-6)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from idp.services.account import service_requests
from idp.services.account.service_requests import address_of
from idp.web.http import form, redirect_to, url
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import page, service_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from idp.domain.client import Client
    from idp.domain.service_request import ServiceRequest

    Listed = tuple[Client, ServiceRequest]

blueprint = Blueprint("requests", __name__)

#: Which requests each view shows; the first is what the page opens with.
VIEWS: Final[dict[str, Callable[[ServiceRequest], bool]]] = {
    "current": lambda one: not one.update.status.is_final or one.is_unread,
    "to_do": lambda one: one.update.status.awaits_person,
    "unread": lambda one: one.is_unread,
    "over": lambda one: one.update.status.is_final,
    "all": lambda _: True,
}
_LONGEST_SEARCH: Final = 100
_ALL_VIEW: Final = "all"


@blueprint.get("/requests")
@sign_in_needed
def show() -> str:
    """List the person's requests: those of a view, of a service, with some words."""
    listed = service_requests.of_account(context(), present_person().account.account_id)
    view, searched, service = _asked()
    found = [row for row in _of_service(listed, service) if _holds(row, searched)]
    # What awaits the person first; the latest first among equals, as they came.
    found.sort(key=lambda row: not row[1].update.status.awaits_person)
    return page(
        "space/requests.html",
        requests=[described(*row) for row in found if VIEWS[view](row[1])],
        counts={name: sum(map(shows, (one for _, one in found))) for name, shows in VIEWS.items()},
        total=len(listed),
        unread=sum(one.is_unread for _, one in listed),
        view=view,
        searched=searched,
        service=service,
        services=sorted({(client.name, client.client_id) for client, _ in listed}),
    )


@blueprint.post("/requests/read")
@sign_in_needed
def mark_read() -> Response:
    """Put one request away as read, or all of them; what is read already stays so."""
    request_id = form().get("request_id")
    service_requests.mark_read(context(), present_person().account.account_id, request_id)
    return _back("read" if request_id else "all_read")


@blueprint.post("/requests/unread")
@sign_in_needed
def mark_unread() -> Response:
    """Let a request stand out again."""
    service_requests.mark_unread(context(), present_person().account.account_id, form().get("request_id", ""))
    return _back("unread")


def described(client: Client, one: ServiceRequest) -> dict[str, Any]:
    """Describe a request for a page."""
    said = one.update
    return {
        "request_id": one.request_id,
        "service": service_of(client),
        "title": said.title,
        "status": said.status.value,
        "status_text": said.status_text,
        "awaits_person": said.status.awaits_person,
        "lines": (said.message or "").splitlines(),
        "url": address_of(client, one),
        "due_at": None if said.status.is_final else said.due_at,
        "step": said.step,
        "steps": said.steps,
        "reference": one.reference,
        "changed_at": one.changed_at,
        "unread": one.is_unread,
    }


def _asked() -> tuple[str, str, str]:
    """Read what the address asks; what it does not know is everything."""
    view = request.args.get("view", "current")
    searched = request.args.get("search", "")[:_LONGEST_SEARCH].strip()
    return view if view in VIEWS else _ALL_VIEW, searched, request.args.get("service", "")


def _back(notice: str) -> Response:
    """Return to the list as it was."""
    fields = form()
    kept = {name: fields.get(name) or None for name in ("view", "search", "service")}
    return redirect_to(url("requests.show", notice=notice, **kept))


def _of_service(listed: list[Listed], client_id: str) -> list[Listed]:
    chosen = [row for row in listed if row[0].client_id == client_id]
    # A service of another person's, or none: nothing is filtered away.
    return chosen or listed


def _holds(row: Listed, searched: str) -> bool:
    """Tell whether every word of a search stands somewhere in a request, accents and case aside."""
    client, one = row
    said = one.update
    parts = (said.title, said.status_text, said.message, one.reference, client.name)
    text = _plain(" ".join(part for part in parts if part))
    return all(word in text for word in _plain(searched).split())


def _plain(text: str) -> str:
    parted = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in parted if not unicodedata.combining(letter)).casefold()
