"""A purpose is answered on its own, changed at any time, at once, with proof (CON-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.purposes import UnknownPurpose
from idp.services.authorization import purposes
from idp.storage.models import audit_events, event_deliveries
from idp.storage.repositories import accounts, shown_texts
from tests.support.children import a_child
from tests.support.purposes import EVENTS, MOBILE, SURVEYS, events_waiting, proofs

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("CON-3")


@pytest.fixture
def parking(provider: Provider) -> Service:
    """A service that asks two questions and wants to be told."""
    return provider.a_client(purposes=(MOBILE, SURVEYS), events_uri=EVENTS)


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody who has answered nothing."""
    return provider.an_account()


def choose(
    provider: Provider, person: Account, service: Service, *, language: str = "fr", **choices: bool
) -> None:
    """Answer on our own page."""
    purposes.choose(
        provider.context,
        person.account_id,
        service.client_id,
        choices,
        versions={one.name: one.version for one in service.client.purposes},
        language=language,
        channel="account",
    )


def answers(provider: Provider, person: Account, service: Service) -> list[bool | None]:
    """Give the present answers, in the order of the questions."""
    listed = purposes.of_service(provider.context, person.account_id, service.client)
    return [None if one.choice is None else one.choice.is_allowed for one in listed]


def withdraw_all(provider: Provider, person: Account, service: Service) -> None:
    """End every answer, as the end of the consent does."""
    with provider.context.database.write() as connection:
        purposes.withdraw_all_within(
            provider.context,
            connection,
            person.account_id,
            service.client,
            language="fr",
            channel="account",
            now=provider.clock(),
        )


def test_unknown_purpose_is_refused_and_keeps_nothing(
    provider: Provider, person: Account, parking: Service
) -> None:
    """A question that the service does not ask can't be answered, and what came with it is not kept either."""
    with pytest.raises(UnknownPurpose) as refused:
        choose(provider, person, parking, mobile_providers=True, advertising=True)

    assert refused.value.name == "advertising"
    assert answers(provider, person, parking) == [None, None]
    assert proofs(provider.context) == []


def test_purpose_of_another_service_is_refused(provider: Provider, person: Account, parking: Service) -> None:
    """Each service has questions of its own."""
    other = provider.a_client()

    with pytest.raises(UnknownPurpose):
        choose(provider, person, other, mobile_providers=True)

    assert answers(provider, person, parking) == [None, None]


def test_answer_for_a_service_that_is_gone_is_refused(provider: Provider, person: Account) -> None:
    """There is nobody to tell."""
    with pytest.raises(UnknownPurpose):
        purposes.choose(
            provider.context,
            person.account_id,
            "gone",
            {"mobile_providers": True},
            versions={"mobile_providers": "1"},
            language="fr",
            channel="account",
        )


def test_answer_of_an_erased_account_keeps_nothing(
    provider: Provider, person: Account, parking: Service
) -> None:
    """A page that was open when the account went writes nothing back."""
    with provider.context.database.write() as connection:
        accounts.remove(connection, person.account_id)

    choose(provider, person, parking, mobile_providers=True)
    withdraw_all(provider, person, parking)

    assert proofs(provider.context) == []
    assert events_waiting(provider.context) == []


def test_answer_is_kept_with_its_date_and_leaves_other_questions_open(
    provider: Provider, person: Account, parking: Service
) -> None:
    """Neither yes nor no is ever taken for granted."""
    choose(provider, person, parking, mobile_providers=False)

    mobile, surveys = purposes.of_service(provider.context, person.account_id, parking.client)
    assert mobile.choice is not None
    assert (mobile.choice.is_allowed, mobile.choice.changed_at) == (False, provider.clock())
    assert surveys.choice is None


@pytest.mark.parametrize(
    "given, acts",
    [
        ([True], ["given"]),
        ([False], ["refused"]),
        ([True, False], ["given", "withdrawn"]),
        ([False, True, False], ["refused", "given", "withdrawn"]),
    ],
    ids=["yes", "no", "yes-then-no", "no-yes-no"],
)
def test_ledger_names_each_act(
    provider: Provider, person: Account, parking: Service, given: list[bool], acts: list[str]
) -> None:
    """A no after a yes takes it back; a first no refuses."""
    for answer in given:
        choose(provider, person, parking, mobile_providers=answer)

    assert [entry.act for entry in proofs(provider.context)] == acts


@pytest.mark.rule("CON-5")
def test_ledger_has_the_exact_words_of_the_page(
    provider: Provider, person: Account, parking: Service
) -> None:
    """Title and both sentences, in the language they were read in, with who gets the data."""
    choose(provider, person, parking, language="en", mobile_providers=True)

    (entry,) = proofs(provider.context)
    with provider.context.database.read() as connection:
        words = shown_texts.find(connection, bytes(entry.text_hash))
    assert words == "Pay with an app\nI allow the transmission.\nI do not allow the transmission."
    assert (entry.language, entry.channel, entry.at) == ("en", "account", provider.clock())
    assert entry.document == {"name": "mobile_providers", "version": "1", "reference": None}
    assert entry.details == {"answer": "yes", "recipients": ["PayByPhone", "EasyPark"]}
    assert (entry.account_id, entry.client_id) == (person.account_id, parking.client_id)


def test_question_that_is_not_worded_in_a_language_is_proven_in_french(
    provider: Provider, person: Account, parking: Service
) -> None:
    """The language of the proof is that of the words, not of the page around them."""
    choose(provider, person, parking, language="en", surveys=True)

    (entry,) = proofs(provider.context)
    assert entry.language == "fr"


def test_same_answer_again_changes_nothing(
    provider: Provider, person: Account, parking: Service, clock: SettableClock
) -> None:
    """The date is that of the last change, not of the last click."""
    choose(provider, person, parking, mobile_providers=True)
    first = clock()
    clock.advance(timedelta(days=1))
    choose(provider, person, parking, mobile_providers=True)

    mobile, _ = purposes.of_service(provider.context, person.account_id, parking.client)
    assert mobile.choice is not None
    assert mobile.choice.changed_at == first
    assert len(proofs(provider.context)) == 1
    assert len(events_waiting(provider.context)) == 1


def test_answer_to_words_that_are_no_longer_asked_is_not_kept(
    provider: Provider, person: Account, parking: Service
) -> None:
    """Whoever read version 1 while the service published version 2 is asked again; nothing is proven."""
    reworded = provider.change(parking, purposes=(replace(MOBILE, version="2"), SURVEYS))

    with pytest.raises(UnknownPurpose):
        choose(provider, person, parking, mobile_providers=True)

    assert answers(provider, person, reworded) == [None, None]
    assert proofs(provider.context) == []


def test_new_wording_is_answered_anew(provider: Provider, person: Account, parking: Service) -> None:
    """A yes to other words is neither yes nor no; the same answer to new words is another proof."""
    choose(provider, person, parking, mobile_providers=True)
    reworded = provider.change(parking, purposes=(replace(MOBILE, version="2"), SURVEYS))

    assert answers(provider, person, reworded) == [None, None]
    choose(provider, person, reworded, mobile_providers=True)

    assert answers(provider, person, reworded) == [True, None]
    assert [entry.document["version"] for entry in proofs(provider.context)] == ["1", "2"]


def test_change_is_told_to_the_service(provider: Provider, person: Account, parking: Service) -> None:
    """The event names the person as the service knows them, the answer and its moment; the trail has it too."""
    choose(provider, person, parking, mobile_providers=True)

    (notice,) = events_waiting(provider.context)
    at = int(provider.clock().timestamp())
    assert notice.client_id == parking.client_id
    assert notice.event == f"{provider.context.issuer}/events/purpose-changed"
    assert notice.payload == {
        "purpose": "mobile_providers",
        "version": "1",
        "answer": True,
        "updated_at": at,
    }
    assert notice.subject == proofs(provider.context)[0].subject
    with provider.context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(event_deliveries)) == 1
        statement = select(audit_events.c.details).where(audit_events.c.name == "purpose.answered")
        details = connection.scalar(statement)
    assert details == {"purpose": "mobile_providers", "version": "1", "answer": "yes"}


def test_service_without_an_address_for_events_is_told_nothing(provider: Provider, person: Account) -> None:
    """It reads the answer when it needs it."""
    quiet = provider.a_client(purposes=(MOBILE,))

    choose(provider, person, quiet, mobile_providers=True)

    assert events_waiting(provider.context) == []
    assert len(proofs(provider.context)) == 1


def test_end_of_the_consent_takes_every_answer_away(
    provider: Provider, person: Account, parking: Service
) -> None:
    """Each yes is withdrawn, with its proof, and told as a no; a no needs neither."""
    choose(provider, person, parking, mobile_providers=True, surveys=False)
    withdraw_all(provider, person, parking)

    assert answers(provider, person, parking) == [None, None]
    *_, last = proofs(provider.context)
    assert (last.act, last.document["name"], len(proofs(provider.context))) == (
        "withdrawn",
        "mobile_providers",
        3,
    )
    told = [notice.payload["answer"] for notice in events_waiting(provider.context)]
    assert sorted(told) == [False, False, True]


def test_answer_to_words_that_are_gone_is_withdrawn_by_name(
    provider: Provider, person: Account, parking: Service
) -> None:
    """The entry of the answer has the words; no others are put in their place."""
    choose(provider, person, parking, mobile_providers=True)
    withdraw_all(provider, person, provider.change(parking, purposes=()))

    *_, last = proofs(provider.context)
    with provider.context.database.read() as connection:
        assert shown_texts.find(connection, bytes(last.text_hash)) == "mobile_providers"
    assert (last.act, last.document["version"]) == ("withdrawn", "1")


@pytest.mark.rule("CON-7")
def test_parent_who_takes_the_permission_back_ends_every_yes(provider: Provider) -> None:
    """What the child had allowed a partner to get ends with the rest, on the parent's account in the trail."""
    child = a_child(provider, consent_required=False)
    child.asks()
    child.parent_says("yes")
    asking = provider.change(child.service, purposes=(MOBILE,), events_uri=EVENTS)
    choose(provider, child.account, asking, mobile_providers=True)

    child.parent_withdraws()

    assert answers(provider, child.account, asking) == [None]
    assert [(entry.act, entry.channel) for entry in proofs(provider.context)] == [
        ("given", "account"),
        ("withdrawn", "mail"),
    ]
    assert sorted(notice.payload["answer"] for notice in events_waiting(provider.context)) == [False, True]
    with provider.context.database.read() as connection:
        statement = select(audit_events.c.actor).where(audit_events.c.name == "purpose.answered")
        actors = list(connection.scalars(statement.order_by(audit_events.c.sequence)))
    assert actors == ["person", "parent"]
