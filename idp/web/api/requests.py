"""/api/subjects/<subject>/requests/<type>/<reference>: what a service says of a person's request (PRO-6).

By the service's own token with the scope `requests`. The same word said twice is kept once, an older one is refused.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import Response, g

from idp.domain.service_request import REFERENCE, TYPE
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.scope import REQUESTS
from idp.services.account import service_requests
from idp.services.account.service_requests import Faulty, Key, Refused, Written
from idp.services.tokens.opening import check_own, find_own
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.bearer import presented_token
from idp.web.json_body import json_body
from idp.web.site import context

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.domain.service_request import Fault, ServiceRequest

_ADDRESS: Final = "/subjects/<subject>/requests/<kind>/<reference>"
#: A message of a thousand characters, an address of two thousand, each escaped.
_MOST_BYTES: Final = 32 * 1024
_LONGEST_SUBJECT: Final = 255
_REFUSALS: Final = {
    Refused.UNKNOWN_SUBJECT: ErrorCode.UNKNOWN_SUBJECT,
    Refused.OUTDATED: ErrorCode.OUTDATED_UPDATE,
    Refused.TOO_MANY: ErrorCode.TOO_MANY_REQUESTS,
}


@blueprint.put(_ADDRESS)
def put_request(subject: str, kind: str, reference: str) -> Response:
    """Keep what the service says; 201 the first time, 200 afterwards.

    Raises:
        EndpointError: invalid_request; unknown_subject; outdated_update; too_many_requests.
    """
    client = _caller()
    outcome = service_requests.put(
        context(), client, _key(subject, kind, reference), json_body(dict[str, Any], _MOST_BYTES)
    )
    match outcome:
        case Written(request, is_new):
            return json_answer(_written(request), HTTPStatus.CREATED if is_new else HTTPStatus.OK)
        case Faulty(faults):
            return json_answer(_faulty(faults), HTTPStatus.BAD_REQUEST)
        case Refused():
            raise EndpointError(_REFUSALS[outcome], reason=f"request not kept: {outcome}")


@blueprint.get(_ADDRESS)
def get_request(subject: str, kind: str, reference: str) -> Response:
    """Read back what the service said.

    Raises:
        EndpointError: unknown_request.
    """
    found = service_requests.find(context(), _caller(), _key(subject, kind, reference))
    if found is None:
        raise _unknown()
    return json_answer(_written(found))


@blueprint.delete(_ADDRESS)
def delete_request(subject: str, kind: str, reference: str) -> Response:
    """Take back what was said by mistake.

    Raises:
        EndpointError: unknown_request.
    """
    if not service_requests.remove(context(), _caller(), _key(subject, kind, reference)):
        raise _unknown()
    return Response(status=HTTPStatus.NO_CONTENT)


def _caller() -> Client:
    """Authenticate the service by its own token.

    Raises:
        BearerError: No such token, or one without the scope.
    """
    presented = presented_token()
    with context().database.read() as connection:
        own = find_own(context(), connection, presented, scope=REQUESTS)
    check_own(context(), presented, own)
    g.client = own.client
    return own.client


def _key(subject: str, kind: str, reference: str) -> Key:
    """Read the address.

    Raises:
        EndpointError: invalid_request, for a type or an identifier that no request has.
    """
    if not TYPE.fullmatch(kind) or not REFERENCE.fullmatch(reference) or len(subject) > _LONGEST_SUBJECT:
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "The type is 1 to 50 of a-z, 0-9, hyphen and underscore; the identifier 1 to 100 of A-Z, a-z, 0-9, "
            "dot, hyphen and underscore.",
            reason="malformed address of a request",
        )
    return Key(subject, kind, reference)


def _unknown() -> EndpointError:
    return EndpointError(ErrorCode.UNKNOWN_REQUEST, reason="no such request of this client")


def _faulty(faults: tuple[Fault, ...]) -> dict[str, Any]:
    return {
        "error": ErrorCode.INVALID_REQUEST,
        "error_description": "Some members are wrong; `faults` names each of them.",
        "faults": [{"member": fault.member, "problem": fault.problem} for fault in faults],
    }


def _written(request: ServiceRequest) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(request.update)
    return {
        "type": request.type,
        "reference": request.reference,
        **{name: value for name, value in said.items() if value is not None},
    }
