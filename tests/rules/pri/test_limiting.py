"""A limited account tells services nothing, and loses nothing (PRI-4; RGPD article 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.operations import limiting
from idp.services.operations.limiting import Limiting
from tests.support.builders import mails
from tests.support.provider import a_provider, answer_of
from tests.support.unlinking import events_of

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

SAID = {"by": "claire.martin", "reason": "Dossier 12"}


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The whole provider."""
    return a_provider(database, clock)


def limit(provider: Provider, person: Account) -> None:
    """Limit an account, as an administrator does."""
    assert limiting.limit(provider.context, person.account_id, **SAID) is Limiting.DONE


@pytest.mark.rule("PRI-4")
def test_unknown_account_is_not_limited(provider: Provider) -> None:
    """There is nothing to limit, and nothing to end."""
    assert limiting.limit(provider.context, "nobody@example.org", **SAID) is Limiting.UNKNOWN
    assert limiting.unlimit(provider.context, "nothing", **SAID) is Limiting.UNKNOWN


@pytest.mark.rule("PRI-4")
def test_second_limit_changes_nothing(provider: Provider) -> None:
    """The date of the first one stands; nobody is mailed twice."""
    person = provider.an_account()
    limit(provider, person)

    assert limiting.limit(provider.context, person.account_id, **SAID) is Limiting.ALREADY
    assert limiting.unlimit(provider.context, person.email, **SAID) is Limiting.DONE
    assert limiting.unlimit(provider.context, person.email, **SAID) is Limiting.ALREADY
    assert [mail.event for mail in mails(provider.context)] == ["processing_limited", "processing_unlimited"]


@pytest.mark.rule("PRI-4")
def test_every_token_of_a_limited_account_is_refused(provider: Provider) -> None:
    """At UserInfo, at the token endpoint, at introspection: what was granted before tells nothing."""
    person, service = provider.an_account(), provider.a_client()
    browser = provider.signed_in(person)
    tokens = provider.tokens(browser, service, scope="openid email offline_access", prompt="consent")
    code = provider.code(browser, service)

    limit(provider, person)

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert provider.back_channel.get("/userinfo", headers=bearer).status_code == 401
    assert provider.refresh(service, tokens["refresh_token"]).status_code == 400
    assert provider.redeem(service, code).status_code == 400
    introspected = provider.post("/introspect", service, token=tokens["access_token"])
    assert introspected.json == {"active": False}


@pytest.mark.rule("PRI-4")
def test_limited_person_comes_in_and_services_are_refused(provider: Provider) -> None:
    """The sessions end; a new one opens the person's own space, and no service."""
    person, service = provider.an_account(), provider.a_client()
    before = provider.signed_in(person)

    limit(provider, person)

    assert before.get("/account").status_code == 303
    after = provider.signed_in(person)
    assert "usage de vos données est limité" in after.get("/account").text
    for prompt in (None, "none", "consent"):
        assert answer_of(provider.authorize(after, service, prompt=prompt))["error"] == "access_denied"


@pytest.mark.rule("PRI-4")
def test_end_of_the_limit_gives_everything_back(provider: Provider) -> None:
    """Nothing was deleted: the person goes on where they were; what died stays dead."""
    person, service = provider.an_account(given_name="Zoé"), provider.a_client(consent_required=True)
    tokens = provider.tokens(provider.signed_in(person), service, scope="openid profile")
    limit(provider, person)

    assert limiting.unlimit(provider.context, person.account_id, **SAID) is Limiting.DONE

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert provider.back_channel.get("/userinfo", headers=bearer).status_code == 401
    browser = provider.signed_in(person)
    assert "usage de vos données est limité" not in browser.get("/account").text
    # The consent stands: nothing is asked again.
    assert "code" in answer_of(provider.authorize(browser, service, scope="openid profile", prompt="none"))


@pytest.mark.rule("PRI-4", "ADM-3")
def test_limit_and_its_end_are_in_the_trail(provider: Provider) -> None:
    """By whom, and why."""
    person = provider.an_account()
    provider.signed_in(person)
    limit(provider, person)
    limiting.unlimit(provider.context, person.account_id, **SAID)

    for name in ("processing.limited", "processing.unlimited"):
        (event,) = events_of(provider, name)
        assert (event.actor, event.account_id) == ("administrator", person.account_id)
        assert event.details == SAID
    assert [event.details for event in events_of(provider, "session.ended")] == [{"reason": "limited"}]
