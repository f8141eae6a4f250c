"""Tells people on Mon Paris what becomes of their requests: a service that writes to the page "Mes demandes".

With a token of its own (RFC 6749 section 4.4); what Mon Paris does not take is logged, and keeps nobody waiting: the
service's own pages say the same.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from idp.demo.outcomes import RelyingPartyError
from idp.demo.relying_party import RelyingParty

_LOG = logging.getLogger(__name__)

SCOPE = "requests"
_IN_THE_ADDRESS = frozenset({"kind", "reference"})


@dataclass(frozen=True)
class Notice:
    """What a service says of one request.

    Attributes:
        kind: The service's code of its type.
        reference: The service's identifier of it.
        title: What it is.
        status: "ongoing", "to_complete", "to_pay", "paid", "closed" or "canceled".
        updated_at: When this became true.
        status_text: The same in the service's own words.
        message: What the person should know.
        url: Where they go on.
        due_at: Until when they have to act.
        step: Of how many steps it has reached.
        steps: How many there are.
    """

    kind: str
    reference: str
    title: str
    status: str
    updated_at: datetime
    status_text: str | None = None
    message: str | None = None
    url: str | None = None
    due_at: datetime | None = None
    step: int | None = None
    steps: int | None = None


class Notices:
    """Writes notices.

    Args:
        relying_party: Speaks with Mon Paris.
    """

    def __init__(self, relying_party: RelyingParty) -> None:
        self._relying_party = relying_party

    def tell(self, subject: str, notices: list[Notice]) -> bool:
        """Say what is true of some requests of a person; False when Mon Paris took not all of it."""
        try:
            token = self._relying_party.own_token(SCOPE)
            # A list: one that is not taken keeps none of the others back.
            taken = [self._put(token, subject, notice) for notice in notices]
        except RelyingPartyError as error:
            _LOG.warning("Mon Paris was not told: %s", error)
            return False
        return all(taken)

    def _put(self, token: str, subject: str, notice: Notice) -> bool:
        path = f"/api/subjects/{quote(subject, safe='')}/requests/{notice.kind}/{notice.reference}"
        body = {
            name: _written(value) for name, value in asdict(notice).items() if name not in _IN_THE_ADDRESS
        }
        status = self._relying_party.put(path, token, json.dumps(body).encode())
        if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            _LOG.warning("Mon Paris answered %d to a notice", status)
            return False
        return True


def _written(value: str | int | datetime | None) -> str | int | None:
    return value.isoformat() if isinstance(value, datetime) else value
