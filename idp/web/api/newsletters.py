"""GET /api/newsletters/<name>/subscribers: who confirmed a list of the service's own, and where to write (PRO-7).

By the service's own token with the scope `newsletters`. Read before each mailing: who left is not there any more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flask import request

from idp.domain.faults import Fault, Problem
from idp.domain.newsletters import MOST_OF_A_PAGE
from idp.protocol.errors import EndpointError, ErrorCode, FaultyRequest
from idp.protocol.scope import NEWSLETTERS
from idp.services.account import newsletters
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.api.callers import own_caller
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

    from idp.services.account.newsletters import Told

#: A place in a list: a hash.
_PLACE: Final = re.compile(r"[0-9a-f]{64}")
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}")
_ASKED: Final = ("after", "limit")
#: What RFC 8058 section 3.1 wants in the header of each letter, word for word.
_ONE_CLICK: Final = "List-Unsubscribe=One-Click"


@blueprint.get("/newsletters/<name>/subscribers")
def list_subscribers(name: str) -> Response:
    """List a page of subscribers.

    Raises:
        EndpointError: invalid_request; unknown_newsletter, for any that is not the client's own.
    """
    client = own_caller(NEWSLETTERS)
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


def _asked() -> tuple[bytes, int]:
    """Read where the page begins and how long it is.

    Raises:
        FaultyRequest: There is no such page.
    """
    given = request.args
    after, limit = given.get("after"), given.get("limit", str(MOST_OF_A_PAGE))
    faults = [Fault(name, Problem.REPEATED) for name in _ASKED if len(given.getlist(name)) > 1]
    faults += [Fault(name, Problem.UNKNOWN) for name in sorted(given.keys() - set(_ASKED))]
    if after is not None and not _PLACE.fullmatch(after):
        faults.append(Fault("after", Problem.MALFORMED))
    if not _LIMIT.fullmatch(limit) or int(limit) > MOST_OF_A_PAGE:
        faults.append(Fault("limit", Problem.OUT_OF_RANGE))
    if faults:
        raise FaultyRequest(faults)
    return bytes.fromhex(after or ""), int(limit)


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
