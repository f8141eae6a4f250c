"""The identity page, "Informations d'identité": edit, lock, link (PRO-3, FC-2, FC-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from flask import Blueprint, g, make_response

from idp.domain.civil_identity import PIVOT_ORDER, USAGE_NAME
from idp.domain.declared_identity import FIELDS, PLACES
from idp.domain.minimum_age import latest_birth
from idp.services.account import profile, unlinking
from idp.services.account.profile import Faulty, KnownIdentity, Locked, Outdated, Saved
from idp.web import portal_button
from idp.web.account import needed
from idp.web.http import form, redirect_to, url
from idp.web.interaction.flow import go_on, pending
from idp.web.provenance import identity_rows, shown_value
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context, site
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from idp.domain.civil_identity import Attribute
    from idp.domain.client import Client
    from idp.domain.declared_identity import IdentityFault
    from idp.domain.pending_authorization import PendingAuthorization

blueprint = Blueprint("identity", __name__)


@blueprint.get("/account/identity")
@sign_in_needed
def show() -> str:
    """Show what is known: to be edited where it is declared, locked where it is certified."""
    waiting = pending()
    known = _known()
    return page("account/identity.html", values=_values(known), **_variables(known, waiting))


@blueprint.post("/account/identity")
@sign_in_needed
def submit() -> Response:
    """Save what may be changed; the lock is the use case's, whatever the form sends (FC-2)."""
    waiting, sent = pending(), form()
    typed = {name: value for name, value in sent.items() if name in (*FIELDS, *PLACES)}
    account_id, seen = present_person().account.account_id, sent.get("edition", "")
    if _age_needed(_known()) is not None and "birthdate" in typed and not typed["birthdate"].strip():
        return _again(waiting, typed, {"birthdate": [sentence("birthdate_needed")]}, edition=seen)
    blank = needed.errors(needed.claims(waiting), typed)
    if blank:
        return _again(waiting, typed, blank, edition=seen)
    outcome = profile.declare(context(), account_id, _in_codes(typed), edition=seen)
    match outcome:
        case Saved():
            if waiting is not None:
                return go_on(waiting)
            return redirect_to(url("identity.show", notice="saved"))
        case Faulty(faults):
            return _again(
                waiting, typed, {name: [_sentence(fault)] for name, fault in faults.items()}, edition=seen
            )
        case Locked(_):
            # The page has no field of that name any more: the sentence stands in the summary alone.
            return _again(waiting, typed, {}, form_error=sentence("identity_certified"), edition=seen)
        case Outdated():
            return _again(waiting, typed, {}, form_error=sentence("identity_outdated"), is_outdated=True)
        case _:
            assert_never(outcome)


def _again(
    waiting: PendingAuthorization | None,
    typed: dict[str, str],
    errors: dict[str, list[str]],
    **more: Any,  # noqa: ANN401 - of the template
) -> Response:
    """Show the form once more; its edition stays that of the page until the person is told what else was saved."""
    known = _known()
    variables = _variables(known, waiting) | more
    return make_response(
        *form_page("account/identity.html", errors, {**_values(known), **typed}, **variables)
    )


def _in_codes(typed: dict[str, str]) -> dict[str, str]:
    """Give a place that was sent back as the page names it the code that it has: it did not change."""
    known = _known()
    shown = _values(known)
    same = (name for name in known.declared_places if typed.get(name) == shown[name])
    return typed | {name: known.attributes[name].value for name in same}


def _sentence(fault: IdentityFault) -> str:
    return sentence(fault, max_length=256)


def _known() -> KnownIdentity:
    return profile.known_identity(context(), present_person().account.account_id)


def _values(known: KnownIdentity) -> dict[str, str]:
    places = {name: shown_value(name, _value(known.attributes, name)) for name in known.declared_places}
    return {name: _value(known.attributes, name) for name in FIELDS} | places


def _value(attributes: Mapping[str, Attribute], name: str) -> str:
    return attributes[name].value if name in attributes else ""


def _age_needed(known: KnownIdentity) -> int | None:
    """Give the age that the service of this request demands while nobody can tell the person's (CON-7)."""
    client: Client | None = g.get("pending_client")
    if client is None or latest_birth(_value(known.attributes, "birthdate")) is not None:
        return None
    return client.minimum_age


def _variables(known: KnownIdentity, waiting: PendingAuthorization | None) -> dict[str, Any]:
    first = next((known.attributes[name] for name in PIVOT_ORDER if name in known.attributes), None)
    identity = identity_rows(known.attributes)
    claims = needed.claims(waiting)
    editable = (USAGE_NAME,) if known.is_certified else (*FIELDS, *known.declared_places)
    return {
        "edition": known.edition,
        "is_outdated": False,
        "present": [row for row in identity if row["name"] in editable],
        "identity": [row for row in identity if row["name"] != USAGE_NAME],
        "origins": {row["name"]: row for row in identity},
        "modifications": profile.modifications(context(), present_person().account.account_id),
        # A date whose day nobody knows fits no calendar.
        "birthdate_is_partial": "-00" in _value(known.attributes, "birthdate"),
        "certified": known.is_certified,
        "certified_at": first.recorded_at if first is not None and known.is_certified else None,
        **portal_button.offered(),
        "contact_url": site().city.contact_url,
        "places": known.declared_places,
        "age_needed": _age_needed(known),
        "needed": claims,
        "needed_fields": needed.fields(claims),
        "unlinking": unlinking.standing(context(), present_person().account.account_id),
    }
