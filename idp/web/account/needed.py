"""What the service of a waiting request needs of a profile: said on the page, and asked for by the field (CON-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.services.authorization import requests
from idp.web import cookies
from idp.web.site import context
from idp.web.templating import claim_words, sentence, service_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.pending_authorization import PendingAuthorization

#: Claims that no field has the name of, with the fields one of which is enough.
_MADE_OF: Final = {"name": ("given_name", "family_name"), "address": ("street",)}


def claims(waiting: PendingAuthorization | None) -> tuple[str, ...]:
    """Name the claims that are needed and missing; none outside a request."""
    if waiting is None:
        return ()
    return requests.missing_claims(context(), waiting, session_cookie=cookies.read(cookies.SESSION))


def fields(needed: tuple[str, ...]) -> frozenset[str]:
    """Name the fields that are not optional for who wants to go on; where one of several is enough, none is."""
    made_of = (_MADE_OF.get(claim, (claim,)) for claim in needed)
    return frozenset(names[0] for names in made_of if len(names) == 1)


def errors(needed: tuple[str, ...], typed: Mapping[str, str]) -> dict[str, list[str]]:
    """Say by the field what was left blank; a field that the page does not have is not asked for.

    Args:
        needed: As `claims` names them.
        typed: Of the form, by field.
    """
    found: dict[str, list[str]] = {}
    for claim in needed:
        present = [name for name in _MADE_OF.get(claim, (claim,)) if name in typed]
        if present and not any(typed[name].strip() for name in present):
            found[present[0]] = [sentence("claim_needed", datum=claim_words(claim), name=service_name())]
    return found
