"""/account/favourites and /account/rubriques: what a person wants at hand (PRO-4, PRO-5); /rubriques/<name>."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, request
from werkzeug.exceptions import BadRequest, NotFound

from idp.domain.favourites import IN_THE_MENU, Direction
from idp.services.account import overview, service_requests, space
from idp.web.http import form, redirect_to, url
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.requests import described
from idp.web.space.services import listed_service
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.client import Client

blueprint = Blueprint("favourites", __name__)


@blueprint.app_context_processor
def _for_menus() -> dict[str, Any]:
    return {"at_hand": at_hand}


def at_hand() -> dict[str, Any]:
    """Give what the menus of a page show, read when a template asks and once: favourites, and chosen rubriques."""
    if "at_hand" not in g:
        account_id = _account_id()
        chosen = space.rubriques_of(context(), account_id)
        g.at_hand = {
            "favourites": [
                listed_service(client) for client in space.favourites_of(context(), account_id)[:IN_THE_MENU]
            ],
            "rubriques": sorted(chosen & set(space.rubriques(context()))) if chosen else [],
        }
    found: dict[str, Any] = g.at_hand
    return found


@blueprint.get("/account/favourites")
@sign_in_needed
def show() -> str:
    """List the favourites in their order, and what else there is."""
    chosen = space.favourites_of(context(), _account_id())
    at_hand = {client.client_id for client in chosen}
    others = [client for client in overview.open_services(context()) if client.client_id not in at_hand]
    return page(
        "space/favourites.html",
        favourites=[listed_service(client) for client in chosen],
        catalogue=_by_rubrique(others),
    )


@blueprint.post("/account/favourites/add")
@sign_in_needed
def add() -> Response:
    """Put a service at hand."""
    added = space.add(context(), _account_id(), form().get("client_id", ""))
    return redirect_to(url("favourites.show", notice="added" if added else "not_added"))


@blueprint.post("/account/favourites/remove")
@sign_in_needed
def remove() -> Response:
    """Take a service away."""
    space.remove(context(), _account_id(), form().get("client_id", ""))
    return redirect_to(url("favourites.show", notice="removed"))


@blueprint.post("/account/favourites/move")
@sign_in_needed
def move() -> Response:
    """Move a service by one place: the way by keyboard, and without a script.

    Raises:
        BadRequest: Neither up nor down.
    """
    fields = form()
    try:
        direction = Direction(fields.get("direction", ""))
    except ValueError as error:
        raise BadRequest("no direction") from error
    space.move(context(), _account_id(), fields.get("client_id", ""), direction)
    return redirect_to(url("favourites.show", notice="moved"))


@blueprint.post("/account/favourites/order")
@sign_in_needed
def order() -> Response:
    """Take the order that was dragged together."""
    space.reorder(context(), _account_id(), request.form.getlist("order"))
    return redirect_to(url("favourites.show", notice="moved"))


@blueprint.get("/account/rubriques")
@sign_in_needed
def rubriques() -> str:
    """Ask which rubriques stand in the menu."""
    return page(
        "space/rubriques.html",
        rubriques=space.rubriques(context()),
        chosen=space.rubriques_of(context(), _account_id()),
    )


@blueprint.post("/account/rubriques")
@sign_in_needed
def choose_rubriques() -> Response:
    """Keep the choice; none is one too."""
    chosen, shown = request.form.getlist("rubriques"), request.form.getlist("shown")
    space.choose_rubriques(context(), _account_id(), chosen, shown=shown)
    return redirect_to(url("favourites.rubriques", notice="saved"))


@blueprint.get("/rubriques/<name>")
@sign_in_needed
def rubrique(name: str) -> str:
    """Show what belongs to a rubrique: requests, favourites, services. A filter of what stands elsewhere too.

    Raises:
        NotFound: There is no such rubrique.
    """
    if name not in space.rubriques(context()):
        raise NotFound
    account_id = _account_id()
    listed = service_requests.of_account(context(), account_id)
    return page(
        "space/rubrique.html",
        rubrique=name,
        requests=[described(*row) for row in listed if row[0].rubrique == name],
        favourites=_in(name, space.favourites_of(context(), account_id)),
        services=_in(name, overview.open_services(context())),
    )


def _account_id() -> str:
    return present_person().account.account_id


def _in(name: str, clients: list[Client]) -> list[dict[str, Any]]:
    return [listed_service(client) for client in clients if client.rubrique == name]


def _by_rubrique(clients: list[Client]) -> list[dict[str, Any]]:
    """Group services by their rubrique; those without one come last."""
    ordered = sorted(clients, key=lambda one: (not one.rubrique, one.rubrique or "", one.name.casefold()))
    return [
        {"name": name, "services": [listed_service(client) for client in group]}
        for name, group in groupby(ordered, key=lambda one: one.rubrique or "")
    ]
