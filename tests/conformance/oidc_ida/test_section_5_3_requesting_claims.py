"""OIDC IDA 5.3 and 7: verified claims are asked for by the `claims` parameter, one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import read
from tests.support.certified import CONTRACT, a_certified_account, asked_in, verified

if TYPE_CHECKING:
    from tests.support.provider import Provider


def answered(provider: Provider, element: object) -> Any:
    """Ask for verified claims at UserInfo as a certified person."""
    service = provider.a_client(claims=CONTRACT)
    browser = provider.signed_in(a_certified_account(provider))
    tokens = provider.tokens(browser, service, claims=asked_in("userinfo", element))
    return (provider.userinfo(tokens["access_token"]).json or {}).get("verified_claims")


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.3", "REQUIRED")
@pytest.mark.parametrize(
    "element",
    [
        {"claims": {"given_name": None}},
        {"verification": {"trust_framework": None}},
        {"verification": {}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None}, "claims": {}},
    ],
    ids=json.dumps,
)
def test_request_without_its_required_members_is_refused(element: object) -> None:
    """invalid_request, to the client."""
    with pytest.raises(RedirectedError) as caught:
        read(claims=asked_in("userinfo", element))

    assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.3", "OPTIONAL")
@pytest.mark.parametrize("asked", [None, {}, {"essential": False}, {"essential": True}], ids=json.dumps)
def test_claim_is_asked_for_by_null_or_by_an_object(lasting_provider: Provider, asked: object) -> None:
    """Each of these asks for it."""
    found = answered(lasting_provider, verified() | {"claims": {"family_name": asked}})

    assert found["claims"] == {"family_name": "DUBOIS"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.3", "OPTIONAL")
@pytest.mark.parametrize("length", [2, 301])
def test_purpose_that_is_too_short_or_too_long_is_refused(length: int) -> None:
    """As the drafts of the standard have it; the final text names the member and no length."""
    element = verified() | {"claims": {"given_name": {"purpose": "p" * length}}}

    with pytest.raises(RedirectedError) as caught:
        read(claims=asked_in("userinfo", element))

    assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "7", "SHALL NOT")
def test_nothing_is_told_that_was_not_asked_for(lasting_provider: Provider) -> None:
    """Neither another claim, nor another member of the verification."""
    assert answered(lasting_provider, verified("gender")) == {
        "verification": {"trust_framework": "eidas"},
        "claims": {"gender": "female"},
    }
