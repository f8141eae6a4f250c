"""What a service sends and takes over a real network is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from idp.demo import provider_documents
from idp.demo.outcomes import ProviderUnavailable
from idp.demo.provider_documents import RelyingPartySettings
from idp.demo.relying_party import RelyingParty
from idp.demo.serve import serve
from idp.demo.wire import MAX_ANSWER_BYTES, WireError, sender


@pytest.fixture
def origin() -> Iterator[str]:
    """The address of a server that answers in many ways."""
    app = Flask("answers")
    leave = Event()

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> ResponseReturnValue:
        return {"method": request.method, "form": request.form.to_dict()}

    @app.get("/redirect")
    def redirect() -> ResponseReturnValue:
        return Response(status=302, headers={"Location": "/echo"})

    @app.get("/long")
    def long() -> ResponseReturnValue:
        return "x" * (MAX_ANSWER_BYTES + 1)

    @app.get("/bytes")
    def raw() -> ResponseReturnValue:
        return b"\xff\xfe"

    @app.get("/slow")
    def slow() -> ResponseReturnValue:
        leave.wait(timeout=5)
        return ""

    server = serve(app, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.port}"
    leave.set()
    server.shutdown()


def test_form_is_posted(origin: str) -> None:
    """A form arrives as it was sent."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = sender(5)("POST", f"{origin}/echo", headers, b"a=1&b=%C3%A9")

    assert answer.status_code == 200
    assert answer.media_type == "application/json"
    assert answer.json() == {"method": "POST", "form": {"a": "1", "b": "é"}}


def test_redirect_is_not_followed(origin: str) -> None:
    """A provider's endpoints are where discovery says."""
    assert sender(5)("GET", f"{origin}/redirect", {}, None).status_code == 302


@pytest.mark.parametrize("path", ["/long", "/bytes", "/slow"])
def test_answer_that_will_not_do_is_an_error(origin: str, path: str) -> None:
    """Too long, not text, too slow: none of them is used."""
    with pytest.raises(WireError):
        sender(0.2)("GET", origin + path, {}, None)


def test_nobody_listening_is_an_outage(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """A provider that is not there is told apart from one that refuses."""
    monkeypatch.setattr(provider_documents, "DISCOVERY_PAUSE_SECONDS", 0)
    party = RelyingParty(RelyingPartySettings(f"{origin}/nowhere", "service", "http://x.test/cb"))

    with pytest.raises(ProviderUnavailable):
        party.begin()
