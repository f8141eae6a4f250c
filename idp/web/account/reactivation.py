"""/keep-account: the link of a warning, one button, and the account lives on (LIF-2).

A GET changes nothing: programs that read mail follow links. No login: the mailbox is proof enough to keep an account.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, make_response

from idp.services.account import reactivation
from idp.services.account.reactivation import Expired, InUse, Kept, Unknown, Waiting
from idp.web import cookies, mailed_link
from idp.web.http import query
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.services.account.reactivation import State

blueprint = Blueprint("reactivation", __name__)
_NAMES: Final = {Waiting: "waiting", InUse: "in_use", Kept: "kept", Expired: "expired", Unknown: "unknown"}


@blueprint.get("/keep-account")
def show() -> Response:
    """Say what the button does; the token leaves the address before a page is shown (S-271)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "reactivation.show")
    return _answer(reactivation.look(context(), cookies.read(cookies.LINK)))


@blueprint.post("/keep-account")
def submit() -> Response:
    """Keep the account."""
    return _answer(reactivation.keep(context(), cookies.read(cookies.LINK)))


def _answer(state: State | Kept) -> Response:
    is_dead = isinstance(state, Expired | Unknown)
    if is_dead:
        cookies.write(cookies.LINK, None)
    content = page("account/keep_account.html", state=_NAMES[type(state)], link=state)
    return make_response(content, HTTPStatus.GONE if is_dead else HTTPStatus.OK)
