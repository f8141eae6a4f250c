"""GET /api/purposes and PUT /api/purposes/<name>: answers on a service's own page (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import g

from idp.domain.faults import Fault, Problem
from idp.protocol.claims.purposes import answer_member
from idp.protocol.errors import EndpointError, ErrorCode, FaultyRequest
from idp.services.authorization import own_purposes
from idp.services.authorization.own_purposes import NewAnswer, NotKept, Why
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.bearer import presented_token
from idp.web.json_body import interface_body
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

    from idp.services.authorization.purposes import AnsweredPurpose

#: An answer is a few words.
_MOST_BYTES: Final = 4 * 1024
_TYPES: Final[dict[str, type]] = {"answer": bool, "version": str, "language": str}
_DEFAULTS: Final = {"language": "fr"}


@blueprint.get("/purposes")
def list_purposes() -> Response:
    """List what the client asks, word for word, with the person's answers."""
    found = own_purposes.read(context(), presented_token())
    g.client = found.client
    return json_answer({"purposes": [_written(one) for one in found.answered]})


@blueprint.put("/purposes/<name>")
def answer_purpose(name: str) -> Response:
    """Keep an answer, at once.

    Raises:
        EndpointError: invalid_request; unknown_purpose, for any that is not the client's own;
            purpose_version_mismatch, when the words that were shown are no longer those of the purpose.
    """
    presented = presented_token()
    outcome = own_purposes.answer(context(), presented, _read(name, interface_body(_MOST_BYTES)))
    g.client = outcome.client
    if isinstance(outcome, NotKept):
        raise _refusal(outcome.why)
    return json_answer(_written(outcome.answered))


def _read(name: str, sent: dict[str, Any]) -> NewAnswer:
    """Read the answer that a client brings.

    Raises:
        FaultyRequest: Members are missing, unknown or of another type.
    """
    given = _DEFAULTS | sent
    faults = [Fault(member, Problem.UNKNOWN) for member in sorted(given.keys() - set(_TYPES))]
    faults += [Fault(member, Problem.MISSING) for member in _TYPES if member not in given]
    wrong = [member for member, type_ in _TYPES.items() if not isinstance(given.get(member, type_()), type_)]
    faults += [Fault(member, Problem.WRONG_TYPE) for member in wrong]
    if faults:
        raise FaultyRequest(faults)
    return NewAnswer(name, given["version"], given["language"], is_allowed=given["answer"])


def _refusal(why: Why) -> EndpointError:
    match why:
        case Why.UNKNOWN:
            return EndpointError(ErrorCode.UNKNOWN_PURPOSE, reason="no purpose of this client")
        case Why.REWORDED:
            return EndpointError(ErrorCode.PURPOSE_VERSION_MISMATCH, reason="another version of the purpose")
        case Why.NOT_IN_LANGUAGE:
            return FaultyRequest([Fault("language", Problem.NOT_ONE_OF)])


def _written(one: AnsweredPurpose) -> dict[str, Any]:
    purpose, choice = one.purpose, one.choice
    answer = {"answer": None, "updated_at": None} if choice is None else answer_member(choice)
    return {
        "name": purpose.name,
        "title": purpose.title,
        "yes": purpose.yes,
        "no": purpose.no,
        "recipients": purpose.recipients,
        **answer,
        "version": purpose.version,
    }
