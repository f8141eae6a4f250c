"""Who accepted which text, when and how, can be shown years later (CGU-3), and a change touches no past one (CGU-2)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.email_address import EmailAddress
from idp.services.account import signup
from idp.services.account.signup import Begun, Details
from idp.services.authorization import terms
from idp.services.sign_in.arrival import Arrived, Visit
from idp.storage.models import ledger_entries
from tests.support.builders import HOME, PASSWORD, TERMS_VERSION, last_mail, some_terms

if TYPE_CHECKING:
    from idp.services.context import Context
    from tests.support.clock import SettableClock

BROWSER = bytes(32)


def open_account(context: Context, email: str, version: str, language: str) -> Arrived:
    """Open an account by hand."""
    begun = signup.begin(
        context, EmailAddress(email, email), browser_hash=BROWSER, address=HOME, language=language
    )
    assert isinstance(begun, Begun)
    signup.prove_by_code(context, begun.handle, BROWSER, str(last_mail(context, email).variables["code"]))
    details = Details(
        password=PASSWORD,
        identity={"given_name": "Anne", "family_name": "Martin"},
        accepts_terms=True,
        terms_version=version,
    )
    visit = Visit("Firefox (Windows)")
    arrived = signup.complete(context, begun.handle, BROWSER, details, language=language, visit=visit)
    assert isinstance(arrived, Arrived)
    return arrived


@pytest.mark.rule("CGU-3", "CGU-1")
def test_proof_of_an_acceptance_names_the_very_text(context: Context, clock: SettableClock) -> None:
    """The hash kept with it is that of the text as anybody can read it."""
    arrived = open_account(context, "zoe@example.fr", TERMS_VERSION, "en")

    with context.database.read() as connection:
        proof = connection.execute(select(ledger_entries)).one()
    read = terms.find(context, proof.document["version"], proof.language)

    assert read is not None
    assert bytes(proof.text_hash) == hashlib.sha256(f"{read.title}\n{read.body}".encode()).digest()
    assert (proof.account_id, proof.channel, proof.at) == (
        arrived.account.account_id,
        "sign_up",
        clock(),
    )


@pytest.mark.rule("CGU-2", "CGU-3")
def test_new_version_changes_no_past_acceptance(context: Context, clock: SettableClock) -> None:
    """Who accepted the first version still has; who comes later accepts the later one."""
    first = open_account(context, "zoe@example.fr", TERMS_VERSION, "fr")
    some_terms(context, "2026-04-01", effective_at=datetime(2026, 4, 1, tzinfo=UTC))
    clock.set(datetime(2026, 4, 1, tzinfo=UTC))

    later = open_account(context, "max@example.fr", "2026-04-01", "fr")

    with context.database.read() as connection:
        rows = connection.execute(select(ledger_entries)).all()
    assert {(row.account_id, row.document["version"]) for row in rows} == {
        (first.account.account_id, TERMS_VERSION),
        (later.account.account_id, "2026-04-01"),
    }
