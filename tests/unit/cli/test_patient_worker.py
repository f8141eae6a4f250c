"""When a request is complete: what decides whether a thread is given to it."""

from __future__ import annotations

import pytest

from idp.cli.server.patient_worker import is_complete

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
FORM = b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
CHUNKS = b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "collected",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GET[:-1], id="head without its end"),
        pytest.param(FORM + b"a=", id="body shorter than its length"),
        pytest.param(CHUNKS, id="no chunk"),
        pytest.param(CHUNKS + b"3\r\na=b\r\n", id="no last chunk"),
        pytest.param(CHUNKS + b"5\r\n0\r\n\r\n\r\n", id="the last chunk's bytes inside another"),
        pytest.param(CHUNKS + b"0\r\n", id="last chunk without the empty line"),
        pytest.param(CHUNKS + b"0\r\nX: y\r\n", id="trailers without their end"),
    ],
)
def test_request_that_is_not_all_there_waits(collected: bytes) -> None:
    """No thread is spent on a client that still sends."""
    assert not is_complete(collected)


@pytest.mark.parametrize(
    "collected",
    [
        pytest.param(GET, id="head without body"),
        pytest.param(GET + GET, id="two requests"),
        pytest.param(FORM + b"a=b", id="body of its length"),
        pytest.param(CHUNKS + b"3\r\na=b\r\n0\r\n\r\n", id="chunks"),
        pytest.param(CHUNKS + b"3;x=y\r\na=b\r\n0\r\nX: y\r\n\r\n", id="chunks with extension and trailer"),
        pytest.param(CHUNKS + b"zz\r\n", id="malformed chunks, for the parser to refuse"),
        pytest.param(b"A" * 70_000, id="head without end, for the parser to refuse"),
        pytest.param(
            FORM.replace(b": 3", b": 900000000"), id="announced too large, for the application to refuse"
        ),
        pytest.param(FORM.replace(b": 3", b": abc"), id="no length, for the parser to refuse"),
    ],
)
def test_request_that_can_be_answered_gets_a_thread(collected: bytes) -> None:
    """Complete, or wrong in a way that waiting doesn't mend."""
    assert is_complete(collected)
