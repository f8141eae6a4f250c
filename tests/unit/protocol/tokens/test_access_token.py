"""The claims of a JWT access token, and the APIs it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idp.domain.tokens import GrantedClaims, TokenFamily
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.access_token import authentication_claims, stored_name, targets
from tests.support.authorization_requests import NOW

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


def test_login_is_told_as_far_as_it_is_known() -> None:
    """A level or a method that is not known is left out; a client that speaks for itself did not sign in."""
    family = TokenFamily(
        family_id="family-1",
        client_id="parking",
        account_id="account-1",
        consent_id=None,
        session_id=None,
        subject="sub-1",
        scopes=frozenset({"openid"}),
        claims=GrantedClaims(),
        nonce=None,
        auth_time=1_700_000_000,
        acr=None,
        amr=(),
        created_at=NOW,
        expires_at=NOW,
    )

    assert authentication_claims(family) == {"auth_time": 1_700_000_000}
    assert authentication_claims(replace(family, acr="eidas1", amr=("fc",))) == {
        "auth_time": 1_700_000_000,
        "acr": "eidas1",
        "amr": ["fc"],
    }
    assert authentication_claims(replace(family, account_id=None, acr="eidas1")) == {}
