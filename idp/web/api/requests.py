"""/api/subjects/<subject>/requests/<type>/<reference>: what a service says of a person's request (PRO-6).

By the service's own token with the scope `requests`. The same word said twice is kept once, an older one is refused.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import Response

from idp.domain.faults import Fault, Problem
from idp.domain.service_request import REFERENCE, SUBJECT, TYPE
from idp.protocol.errors import EndpointError, ErrorCode, FaultyRequest
from idp.protocol.scope import REQUESTS
from idp.services.account import service_requests
from idp.services.account.service_requests import Faulty, Key, Refused, Written
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.api.callers import own_caller
from idp.web.json_body import interface_body
from idp.web.site import context

if TYPE_CHECKING:
    from idp.domain.service_request import ServiceRequest

_ADDRESS: Final = "/subjects/<subject>/requests/<kind>/<reference>"
#: A message of a thousand characters, an address of two thousand, each escaped.
_MOST_BYTES: Final = 32 * 1024
_REFUSALS: Final = {
    Refused.UNKNOWN_SUBJECT: ErrorCode.UNKNOWN_SUBJECT,
    Refused.OUTDATED: ErrorCode.OUTDATED_UPDATE,
    Refused.TOO_MANY: ErrorCode.TOO_MANY_REQUESTS,
}


@blueprint.put(_ADDRESS)
def put_request(subject: str, kind: str, reference: str) -> Response:
    """Keep what the service says; 201 the first time, 200 afterwards.

    Raises:
        EndpointError: invalid_request, unknown_subject, outdated_update or too_many_requests.
    """
    client = own_caller(REQUESTS)
    key = _key(subject, kind, reference)
    outcome = service_requests.put(context(), client, key, interface_body(_MOST_BYTES))
    match outcome:
        case Written(request, is_new):
            return json_answer(_written(request), HTTPStatus.CREATED if is_new else HTTPStatus.OK)
        case Faulty(faults):
            raise FaultyRequest(faults)
        case Refused():
            raise EndpointError(_REFUSALS[outcome], reason=f"request not kept: {outcome}")


@blueprint.get(_ADDRESS)
def get_request(subject: str, kind: str, reference: str) -> Response:
    """Read back what the service said.

    Raises:
        EndpointError: unknown_request.
    """
    found = service_requests.find(context(), own_caller(REQUESTS), _key(subject, kind, reference))
    if found is None:
        raise _unknown()
    return json_answer(_written(found))


@blueprint.delete(_ADDRESS)
def delete_request(subject: str, kind: str, reference: str) -> Response:
    """Take back what was said by mistake.

    Raises:
        EndpointError: unknown_request.
    """
    if not service_requests.remove(context(), own_caller(REQUESTS), _key(subject, kind, reference)):
        raise _unknown()
    return Response(status=HTTPStatus.NO_CONTENT)


def _key(subject: str, kind: str, reference: str) -> Key:
    """Read the address.

    Raises:
        FaultyRequest: A part of it has a form that none has.
    """
    given = {"subject": (SUBJECT, subject), "kind": (TYPE, kind), "reference": (REFERENCE, reference)}
    malformed = [name for name, (form, value) in given.items() if not form.fullmatch(value)]
    if malformed:
        raise FaultyRequest([Fault(name, Problem.MALFORMED) for name in malformed])
    return Key(subject, kind, reference)


def _unknown() -> EndpointError:
    return EndpointError(ErrorCode.UNKNOWN_REQUEST, reason="no such request of this client")


def _written(request: ServiceRequest) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(request.update)
    return {
        "type": request.type,
        "reference": request.reference,
        **{name: value for name, value in said.items() if value is not None},
    }
