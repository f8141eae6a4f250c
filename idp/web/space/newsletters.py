"""/newsletters: "Newsletters et alertes": subscribe, confirm by the link of a mail, leave by one click (PRO-7).

A GET changes nothing: programs that read mail follow links. The links need no login: the mailbox is the proof.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, make_response
from werkzeug.exceptions import BadRequest

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.services.account import newsletters
from idp.services.authorization.consents import Shown
from idp.web import cookies, mailed_link
from idp.web.http import form, query, redirect_to, url
from idp.web.language import DEFAULT, language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import page, sentence, service_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from idp.domain.newsletters import Newsletter
    from idp.services.account.newsletters import Linked, Listed

blueprint = Blueprint("newsletters", __name__)
_LINK_TEMPLATE: Final = "space/newsletter_link.html"
#: RFC 8058 section 3.1: what the program of a mailbox posts when its owner presses its button.
_FIELD: Final = "List-Unsubscribe"
_ONE_CLICK: Final = "One-Click"


@blueprint.get("/newsletters")
@sign_in_needed
def show() -> str:
    """List the lists of every service, and what the person subscribed to."""
    listed = newsletters.of_account(context(), present_person().account.account_id)
    groups = groupby(listed, key=lambda one: one.client.client_id)
    rows = [[_row(one) for one in group] for _, group in groups]
    return page(
        "space/newsletters.html",
        services=rows,
        email=newsletters.address_of(context(), present_person().account),
    )


@blueprint.post("/newsletters/subscribe")
@sign_in_needed
def subscribe() -> AnyResponse:
    """Mail the link that confirms."""
    fields = form()
    outcome = newsletters.subscribe(
        context(),
        present_person().account,
        fields.get("client_id", ""),
        fields.get("name", ""),
    )
    return redirect_to(url("newsletters.show", notice=outcome.value))


@blueprint.post("/newsletters/leave")
@sign_in_needed
def leave() -> AnyResponse:
    """End a subscription at once; what has ended already stays so."""
    fields = form()
    shown = Shown(sentence("newsletter_leave"), language(), "account")
    newsletters.unsubscribe(
        context(),
        present_person().account.account_id,
        fields.get("client_id", ""),
        fields.get("name", ""),
        shown,
    )
    return redirect_to(url("newsletters.show", notice="left"))


@blueprint.get("/newsletters/confirm")
def ask_confirmation() -> AnyResponse:
    """Say what the button does; the token leaves the address before a page is shown (S-271)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "newsletters.ask_confirmation")
    found = newsletters.of_confirmation(context(), cookies.read(cookies.LINK))
    if found is None:
        return _link_page("confirm", "dead")
    return _link_page("confirm", "done" if found.subscription.is_confirmed else "ask", found)


@blueprint.post("/newsletters/confirm")
def confirm() -> AnyResponse:
    """Let the subscription count; when the words have changed since they were read, they are shown anew."""
    token = cookies.read(cookies.LINK)
    found = newsletters.of_confirmation(context(), token)
    if found is None:
        return _link_page("confirm", "dead")
    words = _agreed(found)
    if form().get("edition") != _edition(words) and not found.subscription.is_confirmed:
        return _link_page("confirm", "ask", found)
    done = newsletters.confirm(context(), token, Shown("\n".join(words), language(), "mail"))
    return _link_page("confirm", "dead") if done is None else redirect_to(url("newsletters.ask_confirmation"))


@blueprint.get("/newsletters/unsubscribe")
def ask_unsubscription() -> AnyResponse:
    """Say what the button does, to whoever opens the link of a letter by hand."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "newsletters.ask_unsubscription")
    found = newsletters.of_letter(context(), cookies.read(cookies.LINK))
    return _link_page("leave", "done" if found is None else "ask", found)


@blueprint.post("/newsletters/unsubscribe")
def one_click() -> Response:
    """End a subscription for the program of a mailbox: no cookie, no login, no page, no redirect (RFC 8058, 3.1).

    Raises:
        BadRequest: It is not the request of the standard: a link was followed, or a form of another site.
    """
    token = query().get("token", "")
    if form().get(_FIELD) != _ONE_CLICK or not is_well_formed(SecretKind.LINK, token):
        raise BadRequest("no one-click request")
    # The same answer to whoever asks twice, and to whoever tries.
    newsletters.unsubscribe_by_letter(context(), token, Shown(f"{_FIELD}={_ONE_CLICK}", DEFAULT, "mail"))
    return Response("ok\n", HTTPStatus.OK, mimetype="text/plain")


@blueprint.post("/newsletters/unsubscribe/confirm")
def unsubscribe() -> AnyResponse:
    """End a subscription by the button of our page."""
    shown = Shown(sentence("newsletter_leave"), language(), "mail")
    newsletters.unsubscribe_by_letter(context(), cookies.read(cookies.LINK), shown)
    return redirect_to(url("newsletters.ask_unsubscription"))


def _link_page(act: str, state: str, found: Linked | None = None) -> Response:
    """Show the page of a link: one button, or what became of it."""
    is_dead = state == "dead"
    if is_dead:
        cookies.write(cookies.LINK, None)
    words = () if found is None else _agreed(found)
    content = page(
        _LINK_TEMPLATE,
        act=act,
        state=state,
        title=words[0] if words else None,
        words=words[1:],
        edition=_edition(words),
        owner=None if found is None else service_of(found.client),
    )
    return make_response(content, HTTPStatus.GONE if is_dead else HTTPStatus.OK)


def _agreed(found: Linked) -> tuple[str, ...]:
    """Give the lines that a person agrees to: title, description, frequency, and what the service gets."""
    words = _words(found.newsletter, found.subscription.name)
    return (*(text for text in words if text), sentence("newsletter_yes", name=found.client.name))


def _words(newsletter: Newsletter | None, name: str) -> tuple[str, str, str]:
    return (name, "", "") if newsletter is None else newsletter.words(language())


def _edition(words: tuple[str, ...]) -> str:
    return digest("\n".join(words)).hex()


def _row(one: Listed) -> dict[str, Any]:
    title, description, frequency = _words(one.newsletter, one.name)
    since = None if one.subscription is None else one.subscription.confirmed_at
    state = "subscribed" if since is not None else "waiting" if one.is_waiting else "none"
    return {
        "service": service_of(one.client),
        "client_id": one.client.client_id,
        "name": one.name,
        "title": title,
        "description": description,
        "frequency": frequency,
        "state": state,
        "since": since,
        "until": None if one.subscription is None else one.subscription.expires_at,
        "is_offered": one.newsletter is not None,
    }
