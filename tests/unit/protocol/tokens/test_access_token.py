"""The claims of a JWT access token, and the APIs it is for."""

from __future__ import annotations

import pytest

from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.access_token import stored_name, targets

A, B, C = "https://a.example", "https://b.example", "https://c.example"


@pytest.mark.spec("RFC 8707", "2.2", "MUST")
@pytest.mark.parametrize("asked", [(C,), (A, C), ("",), (A + "/",)], ids=str)
def test_api_that_was_not_granted_is_refused(asked: tuple[str, ...]) -> None:
    """Compared as it stands: an address that looks like another one is another one."""
    with pytest.raises(EndpointError) as refused:
        targets(asked, (A, B))

    assert refused.value.code is ErrorCode.INVALID_TARGET


@pytest.mark.parametrize(
    "asked, given", [((), (A, B)), ((B,), (B,)), ((B, A, B), (B, A))], ids=["none", "one", "twice"]
)
def test_apis_are_those_asked_for_or_all_that_were_granted(
    asked: tuple[str, ...], given: tuple[str, ...]
) -> None:
    """In the order asked, once each."""
    assert targets(asked, (A, B)) == given


def test_name_in_storage_is_no_opaque_token() -> None:
    """What a JWT tells, its `jti`, must open nothing."""
    assert " " in stored_name("jti")
