"""From each exception class to its response; the only such place (OID-9)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from idp.crypto.keyring import KeyringError
from idp.crypto.opaque import new_id
from idp.crypto.passwords import HashingBusy
from idp.domain.errors import ThrottledUntil
from idp.outbound.key_sets import KeySetUnavailable
from idp.outbound.logs import get_logger
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import BearerError, DirectError, EndpointError, ErrorCode
from idp.protocol.metadata import ENDPOINTS, REGISTRATION_ENDPOINT
from idp.services.authorization.responses import bring_error
from idp.services.authorization.terms import NoTermsInForceError
from idp.storage.engine import DATABASE_AWAY, points_at_nothing
from idp.web.answers import bearer_answer, endpoint_answer, respond
from idp.web.http import redirect_to, url
from idp.web.interaction.flow import PendingGone
from idp.web.security_headers import CSRFRefused
from idp.web.sessions import forget
from idp.web.site import context
from idp.web.templating import page, sentence, service_of

if TYPE_CHECKING:
    from flask import Flask, Response
    from werkzeug.wrappers import Response as AnyResponse

_log = get_logger("idp.web")
#: A database that restarts is back within seconds.
_RETRY_SECONDS = 5
#: The terms of use are published by hand.
_PUBLISH_SECONDS = 300
#: Where programs call: errors are JSON there, a wrong method included, which belongs to no endpoint.
_JSON_PATHS = frozenset(
    ENDPOINTS[name]
    for name in (
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "device_authorization_endpoint",
        "pushed_authorization_request_endpoint",
    )
)
#: Where services call with the token of a person; every path below it.
_INTERFACES = "api"


def initialise(app: Flask) -> None:
    """Register the table."""
    # An address with a slash too many is none of ours: said as such, and not by a page of the library that redirects.
    app.url_map.merge_slashes = False
    app.register_error_handler(EndpointError, _endpoint_error)
    app.register_error_handler(BearerError, _bearer_error)
    app.register_error_handler(DirectError, _direct_error)
    app.register_error_handler(RedirectedError, _redirected_error)
    app.register_error_handler(PendingGone, _pending_gone)
    app.register_error_handler(CSRFRefused, _csrf_refused)
    app.register_error_handler(HashingBusy, _busy)
    app.register_error_handler(ThrottledUntil, _throttled)
    for away in DATABASE_AWAY:
        app.register_error_handler(away, _database_away)
    app.register_error_handler(KeyringError, _keys_away)
    app.register_error_handler(KeySetUnavailable, _client_keys_away)
    app.register_error_handler(NoTermsInForceError, _no_terms)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _endpoint_error(error: EndpointError) -> Response:
    _log.info("request_refused", code=error.code, reason=error.reason, endpoint=request.endpoint)
    return endpoint_answer(error)


def _bearer_error(error: BearerError) -> Response:
    return bearer_answer(error)


def _direct_error(error: DirectError) -> Response:
    _log.info("request_refused", code=error.code, reason=error.reason, endpoint=request.endpoint)
    client = error.client
    if client is not None:
        g.service = service_of(client)
    answer = page(
        "error_oidc.html",
        problem=error.problem.value,
        error=error.code.value,
        description=error.description,
        client_id=None if client is None else client.client_id,
        incident=None,
        service_url=None if client is None else client.service_uri,
    )
    return make_response(answer, error.status)


def _redirected_error(error: RedirectedError) -> AnyResponse:
    _log.info("request_refused", code=error.code, reason=error.reason, endpoint=request.endpoint)
    # Only forms of ours reach this by POST: /authorize has turned its own into a GET.
    return respond(bring_error(context(), error), after_form=request.method == "POST")


def _pending_gone(error: PendingGone) -> Response:
    client = error.client
    if client is not None:
        g.service = service_of(client)
    service_url = None if client is None else client.service_uri
    return make_response(page("interaction/expired.html", service_url=service_url), 410)


def _csrf_refused(error: CSRFRefused) -> Response:
    _log.warning("form_refused", reason=str(error.description), endpoint=request.endpoint)
    return _error_page(400, title="form_expired_title", message="form_expired")


def _busy(error: HashingBusy) -> Response:
    return _unavailable(int(error.retry_after.total_seconds()) + 1, "hashing_busy")


def _throttled(error: ThrottledUntil) -> Response:
    seconds = max(1, int((error.when - context().clock()).total_seconds()) + 1)
    if _is_for_programs():
        too_many = EndpointError(ErrorCode.TEMPORARILY_UNAVAILABLE, reason="throttled")
        answer = endpoint_answer(too_many)
        answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
    else:
        answer = make_response(page("throttled.html", throttled_until=error.when), 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _database_away(error: Exception) -> Response:
    incident = _incident("database_away", error)
    return _unavailable(_RETRY_SECONDS, incident)


def _keys_away(error: KeyringError) -> Response:
    return _unavailable(_RETRY_SECONDS, _incident("keys_away", error))


def _client_keys_away(error: KeySetUnavailable) -> Response:
    """What a client wants encrypted is never sent in clear; its keys may be back soon."""
    return _unavailable(_RETRY_SECONDS, _incident("client_keys_away", error))


def _no_terms(error: NoTermsInForceError) -> Response:
    """Nobody can accept what is not there; the administrator reads in the log that it must be published."""
    return _unavailable(_PUBLISH_SECONDS, _incident("no_terms_in_force", error))


def _unavailable(seconds: int, incident: str) -> Response:
    if _is_for_programs():
        answer = endpoint_answer(EndpointError(ErrorCode.TEMPORARILY_UNAVAILABLE, reason=incident))
    else:
        g.signed_in = None
        answer = make_response(page("unavailable.html", incident=incident), 503)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if _is_for_programs():
        answer = jsonify(
            error=ErrorCode.INVALID_REQUEST.value, error_description=_JSON_DESCRIPTIONS.get(status, "")
        )
        answer.status_code = status
    elif isinstance(error, NotFound):
        answer = make_response(page("not_found.html"), 404)
    else:
        worded = status if status in _WORDED else 400
        answer = _error_page(status, title=f"error_title_{worded}", message=f"error_{worded}")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestEntityTooLarge):
        answer.headers["Connection"] = "close"
    return answer


#: Statuses that `messages.html` has words for; any other is told as a request that can't be read.
_WORDED = frozenset({400, 403, 405, 410, 413, 500})
_JSON_DESCRIPTIONS = {
    400: "The request can't be read.",
    404: "There is nothing at this address.",
    405: "The method is not allowed here.",
    413: "The request is too large.",
    415: "The content type is not supported.",
}


def _unexpected(error: Exception) -> AnyResponse:
    if points_at_nothing(error):
        return _account_gone()
    incident = _incident("unexpected_error", error)
    if _is_for_programs():
        return endpoint_answer(EndpointError(ErrorCode.SERVER_ERROR, reason=incident))
    # Whatever failed may be what the header of the page reads: say who is signed in no more.
    g.signed_in = None
    return _error_page(500, title="error_title_500", message="error_500", incident=incident)


def _account_gone() -> AnyResponse:
    """The account was erased while the request was under way: nobody is there any more (LIF-4)."""
    _log.info("account_gone", endpoint=request.endpoint)
    if _is_for_programs():
        return endpoint_answer(
            EndpointError(ErrorCode.INVALID_GRANT, reason="the account was erased meanwhile")
        )
    forget()
    return redirect_to(url("login.show"))


def _is_for_programs() -> bool:
    head, _, _ = request.path[1:].partition("/")
    return request.path in _JSON_PATHS or head == _INTERFACES or f"/{head}" == REGISTRATION_ENDPOINT


def _error_page(status: int, *, title: str, message: str, incident: str | None = None) -> Response:
    return make_response(
        page(
            "error.html",
            title=sentence(title),
            message=sentence(message),
            advice=None,
            incident=incident,
            service_url=None,
        ),
        status,
    )


def _incident(event: str, error: Exception) -> str:
    """Log an exception under a number that the page shows; its text may hold values, so only its trace is kept."""
    incident = new_id(context().clock())
    _log.error(
        event, incident=incident, error=type(error).__name__, trace=_trace(error), endpoint=request.endpoint
    )
    return incident


def _trace(error: Exception) -> list[str]:
    lines = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return lines
