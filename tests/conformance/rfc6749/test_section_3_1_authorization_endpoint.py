"""RFC 6749 section 3.1: how parameters are read."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import ErrorCode
from idp.protocol.parameters import single_values
from tests.support.authorization_requests import parameters, read

KNOWN = frozenset({"state"})


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "3.1", "MUST NOT")
@pytest.mark.parametrize("name", sorted(parameters().keys() - {"client_id", "redirect_uri", "state"}))
def test_request_with_repeated_parameter_is_refused(name: str) -> None:
    """Request parameters must not be included more than once, not even with one value."""
    with pytest.raises(RedirectedError) as caught:
        read(extra=((name, parameters()[name]),))

    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert name in caught.value.reason


@pytest.mark.spec("RFC 6749", "3.1", "MUST")
def test_parameter_without_a_value_is_treated_as_omitted() -> None:
    """An empty parameter is none."""
    found = single_values([("state", "")], KNOWN)

    assert found.values == {}
    assert not found.is_broken("state")


@pytest.mark.spec("RFC 6749", "3.1", "MUST")
def test_unrecognized_parameter_is_ignored() -> None:
    """What the endpoint does not define is not looked at, not even when repeated or broken."""
    pairs = [("state", "s"), ("foo", "1"), ("foo", "2"), ("bar", "\x00" * 100_000)]

    found = single_values(pairs, KNOWN)

    assert found.values == {"state": "s"}
    assert not found.repeated
    assert not found.malformed
