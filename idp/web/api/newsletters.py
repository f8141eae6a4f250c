"""GET /api/newsletters/<name>/subscribers: who confirmed a list of the service's own, and where to write (PRO-7).

By the service's own token with the scope `newsletters`. Read before each mailing: who left is not there any more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flask import g

from idp.domain.newsletters import MOST_OF_A_PAGE
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.scope import NEWSLETTERS
from idp.services.account import newsletters
from idp.services.tokens.opening import check_own, find_own
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.bearer import presented_token
from idp.web.http import query
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

    from idp.domain.client import Client
    from idp.services.account.newsletters import Told

#: A place in a list: a hash.
_PLACE: Final = re.compile(r"[0-9a-f]{64}")
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}")
#: What RFC 8058 section 3.1 wants in the header of each letter, word for word.
_ONE_CLICK: Final = "List-Unsubscribe=One-Click"


@blueprint.get("/newsletters/<name>/subscribers")
def list_subscribers(name: str) -> Response:
    """List a page of subscribers.

    Raises:
        EndpointError: invalid_request; unknown_newsletter, for any that is not the client's own.
    """
    client = _caller()
    after, limit = _asked()
    found = newsletters.subscribers(context(), client, name, after=after, limit=limit)
    if found is None:
        raise EndpointError(ErrorCode.UNKNOWN_NEWSLETTER, reason="no list of this client")
    return json_answer(
        {
            "subscribers": [_written(one) for one in found.subscribers],
            "next": None if found.next is None else found.next.hex(),
        }
    )


def _caller() -> Client:
    """Authenticate the service by its own token.

    Raises:
        BearerError: No such token, or one without the scope.
    """
    presented = presented_token()
    with context().database.read() as connection:
        own = find_own(context(), connection, presented, scope=NEWSLETTERS)
    check_own(context(), presented, own)
    g.client = own.client
    return own.client


def _asked() -> tuple[bytes, int]:
    """Read where the page begins and how long it is.

    Raises:
        EndpointError: invalid_request.
    """
    given = query()
    after, limit = given.get("after", ""), given.get("limit", str(MOST_OF_A_PAGE))
    if after and not _PLACE.fullmatch(after):
        raise _unreadable("after must be the next of another page", "malformed place")
    if not _LIMIT.fullmatch(limit) or int(limit) > MOST_OF_A_PAGE:
        raise _unreadable(f"limit must be 1 to {MOST_OF_A_PAGE}", "malformed limit")
    return bytes.fromhex(after), int(limit)


def _unreadable(description: str, reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_REQUEST, description, reason=reason)


def _written(one: Told) -> dict[str, Any]:
    return {
        "sub": one.subject,
        "email": one.email,
        "language": one.language,
        "subscribed_at": one.subscribed_at.isoformat(),
        # As they stand in the header of each letter (RFC 8058 section 3.1; RFC 2369 section 3.2).
        "list_unsubscribe": f"<{one.unsubscribe_url}>",
        "list_unsubscribe_post": _ONE_CLICK,
    }
