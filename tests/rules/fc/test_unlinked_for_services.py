"""What services see of a person whose link to FranceConnect was ended at their request (FC-5, FC-6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from idp.services.operations import unlinking as manager
from idp.services.operations.unlinking import Approved
from tests.support.certified import ANGELA, CONTRACT, a_certified_account, asked_in, verified
from tests.support.unlinking import OPERATOR, a_request

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-5", "FC-6")


def unlink(provider: Provider, account: Account) -> None:
    """Have a request of the person approved."""
    outcome = manager.approve(provider.context, a_request(provider, account).request_id, by=OPERATOR)
    assert isinstance(outcome, Approved)


def test_userinfo_says_declared_at_the_next_call(provider: Provider) -> None:
    """The same access token: the values stay, their level is 100 from now on."""
    account = a_certified_account(provider)
    service = provider.a_client(claims=CONTRACT)
    claims = json.dumps({"userinfo": {"certification": None, "family_name": None, "birthdate": None}})
    token = provider.tokens(provider.signed_in(account), service, claims=claims)["access_token"]
    before = provider.userinfo(token).json

    unlink(provider, account)

    after = provider.userinfo(token).json
    assert before is not None
    assert after is not None
    assert after["family_name"] == before["family_name"] == ANGELA["family_name"]
    assert before["certification"]["family_name"]["level"] == 600
    assert {one["level"] for one in after["certification"].values()} == {100}
    assert {one["source"] for one in after["certification"].values()} == {"declared"}


def test_verified_claims_are_gone_at_the_next_call(provider: Provider) -> None:
    """Nobody vouches for them any more: the element is left out, not lowered (OpenID Identity Assurance)."""
    account = a_certified_account(provider)
    service = provider.a_client(claims=CONTRACT)
    claims = asked_in("userinfo", verified("family_name"))
    token = provider.tokens(provider.signed_in(account), service, claims=claims)["access_token"]
    assert "verified_claims" in (provider.userinfo(token).json or {})

    unlink(provider, account)

    assert "verified_claims" not in (provider.userinfo(token).json or {})
