"""Publishing terms, saying which version holds, proving who accepted it (CGU-1, CGU-2, CGU-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.errors import RuleRefused
from idp.services.authorization import terms
from idp.services.authorization.terms import NoTermsInForceError, TermsText
from idp.storage.models import accounts, ledger_entries
from tests.support.builders import TERMS_VERSION, a_context, an_account, some_terms

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

NEXT = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.rule("CGU-1")
def test_nothing_holds_before_the_first_publication(database: Database, clock: SettableClock) -> None:
    """Where there is nothing to accept, nobody is taken to have accepted."""
    with pytest.raises(NoTermsInForceError):
        terms.in_force(a_context(database, clock), "fr")


@pytest.mark.rule("CGU-2")
def test_version_of_the_past_is_refused(context: Context, clock: SettableClock) -> None:
    """A change is never retroactive."""
    late = TermsText("2026-02-01", "fr", "Titre", "Texte.", clock() - timedelta(seconds=1))

    with pytest.raises(RuleRefused) as refused:
        terms.publish(context, late)

    assert refused.value.rule == "CGU-2"


@pytest.mark.rule("CGU-1")
@pytest.mark.parametrize(
    "change",
    [
        {"body": "Un autre texte."},
        {"title": "Un autre titre"},
        {"effective_at": datetime(2026, 1, 2, tzinfo=UTC)},
    ],
    ids=["another text", "another title", "another date"],
)
def test_published_version_never_changes(context: Context, change: dict[str, object]) -> None:
    """What people accepted stays what they accepted."""
    same: dict[str, object] = {
        "version": TERMS_VERSION,
        "language": "fr",
        "title": "Conditions d’utilisation",
        "body": f"Texte {TERMS_VERSION}.",
        "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
    }

    with pytest.raises(RuleRefused) as refused:
        terms.publish(context, TermsText(**(same | change)))  # type: ignore[arg-type] # a table of cases

    assert refused.value.rule == "CGU-1"
    assert not terms.publish(context, TermsText(**same))  # type: ignore[arg-type] # the same


@pytest.mark.rule("CGU-1")
def test_new_version_holds_from_its_date_on(context: Context, clock: SettableClock) -> None:
    """Until that moment the older one does, and stays readable afterwards."""
    some_terms(context, "2026-04-01", effective_at=NEXT)
    before = terms.in_force(context, "fr").version

    clock.set(NEXT)

    assert before == TERMS_VERSION
    assert terms.in_force(context, "fr").version == "2026-04-01"
    assert [one.version for one in terms.list_versions(context, "fr")] == ["2026-04-01", TERMS_VERSION]
    older = terms.find(context, TERMS_VERSION, "en")
    assert older is not None
    assert older.title == "Terms of use"


@pytest.mark.rule("CGU-1")
def test_missing_translation_falls_back_to_french(context: Context, clock: SettableClock) -> None:
    """A version without an English text is read in French, by everyone."""
    terms.publish(context, TermsText("2026-04-01", "fr", "Titre", "Texte.", NEXT))
    clock.set(NEXT)

    assert terms.in_force(context, "en").language == "fr"
    assert [one.language for one in terms.list_versions(context, "en")] == ["fr", "en"]


@pytest.mark.rule("CGU-1")
def test_unknown_version_is_not_found(context: Context) -> None:
    """There is no page for what was never published."""
    assert terms.find(context, "1999-01-01", "fr") is None


@pytest.mark.rule("CGU-3")
def test_acceptance_keeps_who_what_how_and_when(context: Context, clock: SettableClock) -> None:
    """The proof names the text by its hash; a later one is added beside it."""
    account = an_account(context, terms_version="none")
    accepted = terms.accept(context, account.account_id, TERMS_VERSION, "fr", channel="sign_in")
    some_terms(context, "2026-04-01", effective_at=NEXT)
    clock.set(NEXT)
    again = terms.accept(context, account.account_id, "2026-04-01", "en", channel="sign_in")
    assert accepted is not None
    assert again is not None

    with context.database.read() as connection:
        rows = connection.execute(select(ledger_entries).order_by(ledger_entries.c.at)).all()
        current = connection.scalar(select(accounts.c.terms_version))

    assert [(row.account_id, row.document["version"], row.language, row.channel) for row in rows] == [
        (account.account_id, TERMS_VERSION, "fr", "sign_in"),
        (account.account_id, "2026-04-01", "en", "sign_in"),
    ]
    assert [bytes(row.text_hash) for row in rows] == [accepted.text_hash, again.text_hash]
    assert current == "2026-04-01"


@pytest.mark.rule("CGU-2")
def test_acceptance_of_a_version_that_no_longer_holds_is_not_recorded(
    context: Context, clock: SettableClock
) -> None:
    """A page left open over midnight is shown again, with the text that holds."""
    account = an_account(context)
    some_terms(context, "2026-04-01", effective_at=NEXT)
    clock.set(NEXT)

    assert terms.accept(context, account.account_id, TERMS_VERSION, "fr", channel="sign_in") is None

    with context.database.read() as connection:
        assert connection.execute(select(ledger_entries)).all() == []


@pytest.mark.rule("CGU-2")
def test_accepted_version_is_compared_with_the_one_in_force(context: Context, clock: SettableClock) -> None:
    """Whoever accepted the version that holds is asked nothing."""
    some_terms(context, "2026-04-01", effective_at=NEXT)

    with context.database.read() as connection:
        before = terms.are_accepted(connection, TERMS_VERSION, clock())
        after = terms.are_accepted(connection, TERMS_VERSION, NEXT)

    assert before
    assert not after
