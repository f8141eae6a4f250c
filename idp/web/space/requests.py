"""/requests: the page "Mes demandes": what services say of the person's requests (PRO-6)."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from idp.domain.written_dates import PARIS
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
    from idp.domain.service_request import ServiceRequest, Status

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
#: How a page parts them: each stands in the first that it belongs to.
GROUPS: Final[dict[str, Callable[[Status], bool]]] = {
    "to_do": lambda status: status.awaits_person,
    "going_on": lambda status: not status.is_final,
    "over": lambda _: True,
}
#: A page stays below 50 kB whatever the services write (UX-4).
_A_PAGE: Final = 20
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")
_LAST_MINUTE: Final = (23, 59)
_KEPT: Final = ("view", "search", "service")
_LONGEST_SEARCH: Final = 100
_ALL_VIEW: Final = "all"


@blueprint.get("/requests")
@sign_in_needed
def show() -> str:
    """List the person's requests: those of a view, of a service, with some words, a page of them."""
    listed = service_requests.of_account(context(), present_person().account.account_id)
    view, searched, service = asked = _asked()
    found = [row for row in _of_service(listed, service) if _holds(row, searched)]
    # What awaits the person first, what is over last; the latest first among equals, as they came.
    shown = sorted(
        (row for row in found if VIEWS[view](row[1])), key=lambda row: list(GROUPS).index(_group(row))
    )
    number = _page_number(len(shown))
    part = shown[(number - 1) * _A_PAGE : number * _A_PAGE]
    return page(
        "space/requests.html",
        groups=[(name, [described(*row) for row in rows]) for name, rows in groupby(part, key=_group)],
        counts={name: sum(map(shows, (one for _, one in found))) for name, shows in VIEWS.items()},
        total=len(listed),
        unread=sum(one.is_unread for _, one in listed),
        # What comes while the person reads stays unread, whatever they put away.
        seen_at=max((one.changed_at for _, one in listed), default=context().clock()).isoformat(),
        view=view,
        searched=searched,
        service=service,
        asked=dict(zip(_KEPT, asked, strict=True)),
        services=sorted({(client.name, client.client_id) for client, _ in listed}),
        earlier=_address(asked, page=number - 1) if number > 1 else None,
        later=_address(asked, page=number + 1) if number * _A_PAGE < len(shown) else None,
        # What is looked for stands in another list.
        elsewhere=_address((_ALL_VIEW, *asked[1:])) if found and (searched or service) else None,
    )


@blueprint.post("/requests/read")
@sign_in_needed
def mark_read() -> Response:
    """Put one request away as read, or all of them, as they stood on the page; what is read already stays so."""
    request_id = form().get("request_id")
    account_id = present_person().account.account_id
    service_requests.mark_read(context(), account_id, request_id, seen_at=_seen_at())
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
        "is_over": said.status.is_final,
        "lines": (said.message or "").splitlines(),
        "url": address_of(client, one),
        "due": None if said.status.is_final or said.due_at is None else _due(said.due_at),
        "step": said.step,
        "steps": said.steps,
        "reference": one.reference,
        "changed_at": one.changed_at,
        "unread": one.is_unread,
    }


def _due(at: datetime) -> dict[str, Any]:
    """Say how far away a moment is, by the calendar of the city; a day's last minute is the day."""
    local, now = at.astimezone(PARIS), context().clock()
    return {
        "at": at,
        "is_past": at < now,
        "days": (local.date() - now.astimezone(PARIS).date()).days,
        "is_whole_day": (local.hour, local.minute) == _LAST_MINUTE,
    }


def _group(row: Listed) -> str:
    return next(name for name, holds in GROUPS.items() if holds(row[1].update.status))


def _page_number(found: int) -> int:
    """Read which page is asked for; one that there is not is the nearest."""
    given = request.args.get("page", "")
    last = max(1, -(-found // _A_PAGE))
    return min(int(given), last) if _NUMBER.fullmatch(given) else 1


def _address(asked: tuple[str, str, str], page: int | None = None) -> str:
    kept = {name: value or None for name, value in zip(_KEPT, asked, strict=True)}
    return url("requests.show", **kept, page=None if page is None else str(page))


def _seen_at() -> datetime:
    """Read when the page was as the person saw it; a form that does not say so means now."""
    now = context().clock()
    try:
        return min(datetime.fromisoformat(form().get("seen_at", "")), now)
    except (ValueError, TypeError):
        return now


def _asked() -> tuple[str, str, str]:
    """Read what the address asks; what it does not know is everything."""
    view = request.args.get("view", "current")
    searched = request.args.get("search", "")[:_LONGEST_SEARCH].strip()
    return view if view in VIEWS else _ALL_VIEW, searched, request.args.get("service", "")


def _back(notice: str) -> Response:
    """Return to the list as it was."""
    fields = form()
    kept = {name: fields.get(name) or None for name in _KEPT}
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
