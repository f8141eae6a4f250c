"""Sixteen presses at once, from one page or from many devices: one of them counts (LOG-6)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.authentication import Authentication
from idp.services.account import self_securing
from idp.services.account.self_securing import AlreadySecured, Secured
from idp.services.sign_in import sessions
from idp.services.sign_in.sessions import open_session
from idp.storage.models import audit_events
from tests.support.builders import mails
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.storage.repositories.sessions import SignedIn
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("LOG-6")
ROUNDS = 4


def device(provider: Provider, account: Account) -> SignedIn:
    """Sign somebody in on another device."""
    context = provider.context
    with context.database.write() as connection:
        authentication = Authentication.by_password(context.clock())
        opened = open_session(context, connection, account.account_id, authentication, browser="Firefox")
    found = sessions.find(context, opened.cookie)
    assert found is not None
    return found


@pytest.mark.parametrize("devices", [1, 8], ids=["one page", "many devices"])
def test_presses_at_once_count_once(crowded_provider: Provider, devices: int) -> None:
    """One mail, one line in the trail, whatever comes at the same instant."""
    context = crowded_provider.context
    for number in range(1, ROUNDS + 1):
        account = crowded_provider.an_account()
        here = [device(crowded_provider, account) for _ in range(devices)]
        presses = [partial(self_securing.secure, context, one) for one in here]

        outcomes = race(*presses * (RACERS // devices))

        assert Counter(map(type, outcomes)) == {Secured: 1, AlreadySecured: RACERS - 1}
        assert [mail.event for mail in mails(context) if mail.to == account.email] == ["account_secured"]
        with context.database.read() as connection:
            lines = select(func.count()).where(audit_events.c.name == "account.secured")
            assert connection.scalar(lines) == number
