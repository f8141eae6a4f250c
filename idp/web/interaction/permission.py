"""/permission: a parent answers the link of a mail, and takes the answer back by the same one (CON-7)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response
from werkzeug.exceptions import BadRequest

from idp.services.authorization import parental_permission
from idp.services.authorization.consents import Shown
from idp.services.authorization.parental_permission import LinkState
from idp.web import cookies, mailed_link
from idp.web.http import form, query, redirect_to, url
from idp.web.interaction.permission_words import notice_of, words
from idp.web.language import language
from idp.web.site import context
from idp.web.space.services import worded
from idp.web.templating import page, service_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.client import Client
    from idp.domain.minimum_age import Permission
    from idp.services.authorization.parental_permission import ParentsView

blueprint = Blueprint("permission", __name__)
_TEMPLATE = "interaction/permission.html"
_DECISIONS = frozenset({"yes", "no"})


@blueprint.get("/permission")
def show() -> Response | str:
    """Show the question, or what was answered; a GET answers nothing (S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "permission.show")
    view = parental_permission.of_link(context(), cookies.read(cookies.LINK))
    return _dead_link() if view is None else page(_TEMPLATE, **_variables(view))


@blueprint.post("/permission")
def submit() -> Response:
    """Take the yes or the no, once; whatever came before it is shown instead.

    Raises:
        BadRequest: Neither: nothing is taken for a yes.
    """
    decision = form().get("decision")
    if decision not in _DECISIONS:
        raise BadRequest("no decision")
    token, view = _link()
    if view is None:
        return _dead_link()
    # When it comes too late, the page says what stands instead.
    shown = Shown(words(view.client, "question"), language(), channel="mail")
    parental_permission.answer(context(), token, is_given=decision == "yes", shown=shown)
    return redirect_to(url("permission.show"))


@blueprint.post("/permission/withdraw")
def withdraw() -> Response:
    """Ask to confirm, then take a permission back."""
    typed = form()
    token, view = _link()
    if view is None:
        return _dead_link()
    chosen = _chosen(view, typed.get("permission_id"))
    if chosen is None:
        return redirect_to(url("permission.show"))
    permission, client = chosen
    if typed.get("confirmed") != "yes":
        variables = _variables(view) | {
            "notice_of": notice_of(client),
            "permission_id": permission.permission_id,
        }
        return make_response(page("interaction/permission_withdraw.html", **variables))
    shown = Shown(words(client, "withdrawal"), language(), channel="mail")
    done = parental_permission.withdraw_by_link(context(), token, permission.permission_id, shown=shown)
    return redirect_to(url("permission.show", notice="withdrawn" if done else None))


def _link() -> tuple[str, ParentsView | None]:
    token = cookies.read(cookies.LINK) or ""
    return token, parental_permission.of_link(context(), token)


def _chosen(view: ParentsView, permission_id: str | None) -> tuple[Permission, Client] | None:
    theirs = [(view.permission, view.client)] if view.state is LinkState.GIVEN else []
    every = [*theirs, *view.others]
    return next((one for one in every if one[0].permission_id == permission_id), None)


def _dead_link() -> Response:
    cookies.write(cookies.LINK, None)
    return make_response(page(_TEMPLATE, state="unknown"), HTTPStatus.GONE)


def _variables(view: ParentsView) -> dict[str, Any]:
    permission = view.permission
    return {
        "state": view.state.value,
        "child": view.child,
        "notice_of": notice_of(view.client),
        "shown_service": service_of(view.client),
        "permission_id": permission.permission_id,
        "asked_at": permission.asked_at,
        "until": permission.expires_at,
        "answered_at": permission.answered_at,
        "others": [
            {
                "permission_id": other.permission_id,
                "name": client.name,
                "description": worded(client.description),
                "since": other.answered_at,
            }
            for other, client in view.others
        ],
    }
