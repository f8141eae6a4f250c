"""GET /api/purposes and PUT /api/purposes/<name>: answers on a service's own page (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import g

from idp.protocol.claims.purposes import answer_member
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.authorization import own_purposes
from idp.services.authorization.own_purposes import NewAnswer, NotKept, Why
from idp.web.answers import json_answer
from idp.web.api import blueprint
from idp.web.bearer import presented_token
from idp.web.json_body import json_body
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

    from idp.services.authorization.purposes import AnsweredPurpose

_WANTED: Final = "The body must be a JSON object: answer (true or false), version, and optionally language."
#: An answer is a few words.
_MOST_BYTES: Final = 4 * 1024


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends.

    Attributes:
        answer: Yes or no.
        version: Of the words that the person has just read.
        language: Of those words.
    """

    answer: bool
    version: str
    language: str = "fr"


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
    body = json_body(_Body, _MOST_BYTES, description=_WANTED)
    outcome = own_purposes.answer(
        context(), presented, NewAnswer(name, body.version, body.language, is_allowed=body.answer)
    )
    g.client = outcome.client
    if isinstance(outcome, NotKept):
        raise _refusal(outcome.why)
    return json_answer(_written(outcome.answered))


def _refusal(why: Why) -> EndpointError:
    match why:
        case Why.UNKNOWN:
            return EndpointError(ErrorCode.UNKNOWN_PURPOSE, reason="no purpose of this client")
        case Why.REWORDED:
            return EndpointError(ErrorCode.PURPOSE_VERSION_MISMATCH, reason="another version of the purpose")
        case Why.NOT_IN_LANGUAGE:
            return _unreadable("The purpose is not worded in this language.", "language of no wording")


def _unreadable(description: str, reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_REQUEST, description, reason=reason)


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
