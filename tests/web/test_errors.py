"""What nobody expected: an incident number, and nothing else, for people and for programs (OID-9, PRI-3)."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

import pytest

from idp.outbound import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.provider import Provider

CANARY = "canari@ville.example"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the server logs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def break_down() -> str:
    """Fail as a library would, with a value of the person in the text."""
    raise RuntimeError(f"duplicate key: {CANARY}")


@pytest.mark.rule("OID-9", "PRI-3")
@pytest.mark.parametrize(
    "endpoint,method,path",
    [
        ("oidc.token", "POST", "/token"),
        ("oidc.userinfo", "GET", "/userinfo"),
        ("oidc.authorize", "GET", "/authorize"),
    ],
)
def test_unexpected_failure_tells_its_number_and_nothing_else(
    provider: Provider, lines: io.StringIO, endpoint: str, method: str, path: str
) -> None:
    """Programs get server_error, people a page whose number stands in the log; the exception's text nowhere."""
    provider.app.view_functions[endpoint] = break_down

    answer = provider.back_channel.open(path, method=method)

    logged = lines.getvalue()
    incident = re.search(r'"incident":"([0-9a-z]{26})"', logged)
    assert answer.status_code == 500
    assert incident is not None
    assert "break_down" in logged
    for text in (answer.text, logged):
        assert CANARY not in text
        assert "Traceback" not in text
    if path == "/authorize":
        assert incident[1] in answer.text
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    else:
        assert answer.json["error"] == "server_error"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.rule("OPS-5")
def test_keys_that_can_not_be_used_say_to_come_back(provider: Provider) -> None:
    """A service whose algorithm has no key hears 503, not a stack."""
    service = provider.a_client(id_token_signed_response_alg="PS256")
    code = provider.code(provider.signed_in(), service)

    answer = provider.redeem(service, code)

    assert answer.status_code == 503
    assert answer.json["error"] == "temporarily_unavailable"
    assert answer.headers["Retry-After"] == "5"
