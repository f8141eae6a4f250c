"""POST /register, and GET, PUT, DELETE /register/<client_id> (RFC 7591, RFC 7592; OIDC Registration 3, 4; OID-7)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, assert_never

from flask import Response, request
from werkzeug.exceptions import NotFound

from idp.domain.client import RegistrationMode
from idp.domain.errors import ThrottledUntil
from idp.protocol.clients.registration import written
from idp.protocol.errors import BearerError, EndpointError, ErrorCode
from idp.protocol.metadata import REGISTRATION_ENDPOINT
from idp.services.clients import registration
from idp.services.clients.registration import ChangedMeanwhile, NotAllowed, Rejected, SelfRegistered
from idp.services.clients.secrets import needs_secret
from idp.web.answers import json_answer
from idp.web.http import absolute, client_address
from idp.web.json_body import json_body
from idp.web.oidc import blueprint
from idp.web.site import context

_MOST_BYTES = 64 * 1024
_PATH = f"{REGISTRATION_ENDPOINT}/<client_id>"


@blueprint.post(REGISTRATION_ENDPOINT)
def register() -> Response:
    """Register a client (RFC 7591 section 3.1).

    Raises:
        BearerError: invalid_token, without an initial access token that opens anything, where one is needed.
        ThrottledUntil: Too many came from one network.
        EndpointError: As RFC 7591 section 3.2.2 names it.
    """
    _require_registration()
    token = _bearer_token()
    refusal = registration.admit(context(), token, str(client_address() or ""))
    if isinstance(refusal, ThrottledUntil):
        raise refusal
    if isinstance(refusal, NotAllowed):
        raise _refusal(token)
    outcome = registration.register(context(), _members(), token)
    match outcome:
        case SelfRegistered():
            return json_answer(_described(outcome), HTTPStatus.CREATED)
        case Rejected():
            raise _rejection(outcome)
        case NotAllowed():
            raise _refusal(token)
        case _:
            assert_never(outcome)


@blueprint.get(_PATH)
def read_registration(client_id: str) -> Response:
    """Show a client what it registered (RFC 7592 section 2.1)."""
    return json_answer(_described(_managed(client_id)))


@blueprint.put(_PATH)
def replace_registration(client_id: str) -> Response:
    """Replace everything that a client registered (RFC 7592 section 2.2).

    Raises:
        EndpointError: As RFC 7591 section 3.2.2 names it; temporarily_unavailable, when somebody else changed
            the client at the same moment.
    """
    outcome = registration.change(context(), _managed(client_id), _members())
    match outcome:
        case SelfRegistered():
            return json_answer(_described(outcome))
        case Rejected():
            raise _rejection(outcome)
        case ChangedMeanwhile():
            raise EndpointError(ErrorCode.TEMPORARILY_UNAVAILABLE, reason="client changed meanwhile")
        case _:
            assert_never(outcome)


@blueprint.delete(_PATH)
def delete_registration(client_id: str) -> Response:
    """Erase a client at its own wish (RFC 7592 section 2.3)."""
    registration.remove(context(), _managed(client_id))
    return Response(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


def _require_registration() -> None:
    if context().registration.mode is RegistrationMode.OFF:
        raise NotFound


def _managed(client_id: str) -> SelfRegistered:
    """Give the client that the token of the request manages.

    Raises:
        BearerError: invalid_token, whether the client is unknown, gone, or another's.
    """
    _require_registration()
    token = _bearer_token()
    found = registration.find(context(), client_id, token)
    if isinstance(found, NotAllowed):
        raise _refusal(token)
    return found


def _bearer_token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _refusal(token: str | None) -> BearerError:
    if token is None:
        return BearerError.without_token()
    return BearerError(ErrorCode.INVALID_TOKEN, reason="registration token opens nothing")


def _members() -> dict[str, Any]:
    """Read the body.

    Raises:
        EndpointError: invalid_client_metadata, when it is no JSON object.
        RequestEntityTooLarge: It is longer than any registration.
    """
    return json_body(_MOST_BYTES, code=ErrorCode.INVALID_CLIENT_METADATA)


def _rejection(rejected: Rejected) -> EndpointError:
    fields = sorted({problem.field for problem in rejected.problems})
    return EndpointError(rejected.code, str(rejected), reason=f"metadata refused: {' '.join(fields)}")


def _described(found: SelfRegistered) -> dict[str, Any]:
    """Write the answer: what is registered, and where and by what it is managed (RFC 7592 section 3)."""
    client = found.client
    answer = written(client) | {
        "registration_access_token": found.token,
        "registration_client_uri": absolute(f"{REGISTRATION_ENDPOINT}/{client.client_id}"),
    }
    if client.logo_uri is not None:
        answer["logo_uri"] = absolute(client.logo_uri)
    if found.secret is not None:
        answer["client_secret"] = found.secret
    if needs_secret(client):
        # RFC 7591 section 3.2.1: 0 "if it will not expire".
        answer["client_secret_expires_at"] = 0
    return answer
