"""/account/rights: what a person may do, ask for, and what became of it (PRI-4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.domain.data_request import DataRequest, RequestChannel, RequestKind
from idp.services.operations import data_requests, limiting
from idp.services.operations.data_requests import Received

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRI-4")


def asked(provider: Provider, person: Account, kind: str, *, is_of_guardian: bool = False) -> DataRequest:
    """Write a request of a person down, as an administrator does."""
    received = Received(
        RequestKind(kind),
        RequestChannel.FORM,
        person.account_id,
        is_of_guardian=is_of_guardian,
        note="Vu au guichet.",
    )
    added = data_requests.add(provider.context, received, by="claire")
    assert isinstance(added, DataRequest)
    return added


def test_stranger_is_asked_to_sign_in(provider: Provider) -> None:
    """Whose requests these are is nobody else's business."""
    assert provider.client().get("/account/rights").status_code == 303


def test_page_names_what_a_person_may_do_and_whom_to_write_to(provider: Provider) -> None:
    """Each act of one's own by its link; the city's form where there is no mailbox."""
    shown = provider.signed_in().get("/account/rights").text

    for page in ("/account/export", "/account/identity", "/account/services", "/account/delete"):
        assert f'href="{page}"' in shown
    assert "https://www.paris.fr/contact" in shown
    assert "aucune demande" in shown


def test_requests_of_a_person_are_shown_with_their_deadline(provider: Provider, clock: SettableClock) -> None:
    """The state of each, its answer; never the administrator's note, nor somebody else's request."""
    person = provider.an_account()
    first = asked(provider, person, "objection")
    asked(provider, person, "erasure", is_of_guardian=True)
    asked(provider, provider.an_account(), "portability")
    data_requests.close(provider.context, first.request_id, by="claire", outcome="Fondée & faite.")
    browser = provider.signed_in(person)

    shown = browser.get("/account/rights").text
    assert "opposer à l’usage" in shown
    assert "Fondée &amp; faite." in shown
    assert "votre représentant légal" in shown
    assert "Vu au guichet." not in shown
    assert "format réutilisable" not in shown
    clock.set(clock() + timedelta(days=40))
    assert "la Ville vous doit une réponse" in provider.signed_in(person).get("/account/rights").text


def test_limited_person_reads_since_when(provider: Provider) -> None:
    """On the page of their rights, and on top of every page."""
    person = provider.an_account()
    limiting.limit(provider.context, person.account_id, by="claire", reason="Dossier 12")

    shown = provider.signed_in(person).get("/account/rights").text

    assert "limité depuis le" in shown
    assert "les services ne reçoivent plus rien" in shown
