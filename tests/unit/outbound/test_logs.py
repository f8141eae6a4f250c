"""A line of the log is one JSON object and quotes nobody (PRI-3, S-142)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from idp.outbound import logs

pytestmark = pytest.mark.rule("PRI-3")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where this process's logs go during the test."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    logs.configure("info", "json", written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """Read what was written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_has_its_fields_and_a_moment_in_utc(stream: io.StringIO) -> None:
    """When, how serious, which part, what, and the fields that were given."""
    logs.get_logger("idp.test").info("something", count=3, name=None)

    written = lines(stream)[0]
    assert str(written.pop("at")).endswith("Z")
    assert written == {"level": "info", "logger": "idp.test", "event": "something", "count": 3, "name": None}


def test_line_break_in_a_value_stays_one_record(stream: io.StringIO) -> None:
    """A value can't forge a line."""
    logs.get_logger("idp.test").info("refused", reason='a\nlevel=ERROR fake"}\r\n{"event":"fake"}')

    assert len(stream.getvalue().splitlines()) == 1


def test_exception_is_its_class_and_places_and_never_its_text(stream: io.StringIO) -> None:
    """A database error quotes its row: the text of an exception is not written, nor that of its cause."""

    def fail() -> None:
        try:
            int("zoe@example.org")
        except ValueError as error:
            raise RuntimeError("mpa_secret") from error

    try:
        fail()
    except RuntimeError:
        logs.get_logger("idp.test").exception("failed")

    assert "zoe@example.org" not in stream.getvalue()
    assert "mpa_secret" not in stream.getvalue()
    assert lines(stream)[0]["error"] == "builtins.RuntimeError < builtins.ValueError"
    assert "fail" in str(lines(stream)[0]["trace"])


def test_exception_of_a_library_is_written_in_the_same_way(stream: io.StringIO) -> None:
    """Whoever logs it, the text of an exception stays out."""
    try:
        {}["zoe@example.org"]
    except KeyError:
        logging.getLogger("library").exception("it failed")

    assert "zoe@example.org" not in stream.getvalue()
    assert lines(stream)[0]["error"] == "builtins.KeyError"


@pytest.mark.parametrize("library", ["authlib.oauth2", "urllib3.connectionpool", "sqlalchemy.engine"])
def test_talkative_library_says_nothing_of_values_even_at_debug(library: str) -> None:
    """At DEBUG these write tokens, queries and rows: they are held at INFO or above."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    logs.configure("debug", "json", stream)
    try:
        logging.getLogger(library).debug("Issue token %s", "mpa_secret")
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    assert stream.getvalue() == ""


def test_request_id_is_on_every_line_of_a_request(stream: io.StringIO) -> None:
    """What a request causes is found by its id."""
    bound = logs.request_id.set("abc12345")
    logging.getLogger("library").warning("something")
    logs.request_id.reset(bound)
    logging.getLogger("library").warning("something else")

    assert [line.get("request_id") for line in lines(stream)] == ["abc12345", None]
