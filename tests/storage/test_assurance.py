"""At which level a person's identity was last certified."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.storage.repositories import assurance, franceconnect
from idp.storage.repositories.franceconnect import Link
from tests.support.certified import a_certified_account

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


def level_of(provider: Provider, account_id: str) -> str | None:
    """Read it."""
    with provider.context.database.read() as connection:
        return assurance.level_of_account(connection, account_id)


@pytest.mark.rule("FC-6")
def test_latest_login_says_the_level(provider: Provider, clock: SettableClock) -> None:
    """Higher or lower, at whichever portal: it wrote the values."""
    account = a_certified_account(provider)
    link = Link("link-plus", account.account_id, "subject-plus", bytes(32), "franceconnect_plus")
    later = clock() + timedelta(days=1)
    with provider.context.database.write() as connection:
        assert franceconnect.create_link(connection, link, later, level="eidas2")
    after_plus = level_of(provider, account.account_id)
    with provider.context.database.write() as connection:
        ordinary = franceconnect.link_of_account(connection, account.account_id, "franceconnect")
        assert ordinary is not None
        assert franceconnect.touch_link(connection, ordinary.link_id, "eidas1", later + timedelta(days=1))

    assert (after_plus, level_of(provider, account.account_id)) == ("eidas2", "eidas1")


@pytest.mark.rule("FC-5", "FC-6")
def test_link_that_ended_says_nothing(provider: Provider, clock: SettableClock) -> None:
    """Nor does an account that was never linked."""
    linked, other = a_certified_account(provider), provider.an_account()
    with provider.context.database.write() as connection:
        link = franceconnect.link_of_account(connection, linked.account_id, "franceconnect")
        assert link is not None
        assert franceconnect.end_link(connection, link.link_id, "unlinked", clock())

    assert level_of(provider, linked.account_id) is None
    assert level_of(provider, other.account_id) is None
