"""/healthz, /readyz, /metrics (OPS-3, S-379): for machines; no host, address or version in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from flask import Blueprint, abort, current_app, jsonify, make_response

from idp.outbound import metrics as prometheus
from idp.outbound.logs import get_logger
from idp.services.operations import readiness
from idp.web.http import client_address
from idp.web.site import context, site

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from idp.outbound.metrics import Metrics

blueprint = Blueprint("health", __name__)
_EXTENSION: Final = "idp.health"
_LOG: Final = get_logger("idp.health")


@dataclass(frozen=True, slots=True)
class Health:
    """What these endpoints need beside the parts of the site.

    Attributes:
        metrics: What /metrics shows.
        is_stopping: Tells whether the server has been asked to stop: not ready first, closed later (S-375).
    """

    metrics: Metrics
    is_stopping: Callable[[], bool]


def initialise(app: Flask, health: Health) -> None:
    """Keep the parts for the endpoints."""
    app.extensions[_EXTENSION] = health


@blueprint.get("/healthz")
def alive() -> Response:
    """Say that this process answers; whatever else is broken, restarting it would not help."""
    return _uncached(make_response("ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}))


@blueprint.get("/readyz")
def ready() -> Response:
    """Say whether requests may be sent here, and which check says no."""
    failures = {"server": "stopping"} if _health().is_stopping() else readiness.failures(context())
    if failures:
        _LOG.warning("not_ready", **failures)
    answer = jsonify(ready=not failures, failures=failures)
    answer.status_code = 503 if failures else 200
    if failures:
        answer.headers["Retry-After"] = "5"
    return _uncached(answer)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Show the counts, to the networks that the configuration names; to others there is no such page."""
    allowed, address = site().metrics_networks, client_address()
    if allowed is None or address is None or not any(address in network for network in allowed):
        abort(404)
    shown = _health().metrics.exposition(readiness.gauges(context()))
    return _uncached(make_response(shown, 200, {"Content-Type": prometheus.CONTENT_TYPE}))


def _health() -> Health:
    return cast("Health", current_app.extensions[_EXTENSION])


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
