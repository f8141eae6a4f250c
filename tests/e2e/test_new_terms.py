"""New terms of use in the middle of parking's login, in real browsers (CGU-1, CGU-2, CGU-3).

In a demonstration of their own: what is published asks everybody.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from idp.storage.models import accounts, ledger_entries
from tests.support.browser import PATIENCE_MILLISECONDS, open_page
from tests.support.demonstration import run_demonstration
from tests.support.marks import ROOT
from tests.support.screens import Inspector, as_lines
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.demonstration import Demonstration

FILES = ROOT / "templates" / "terms"
GONE, CAME = "prévenez la Ville sans attendre", "prévenez aussitôt la Ville"
SUMMARY = "Vous prévenez aussitôt la Ville d’une perte."


@pytest.fixture(scope="module")
def own_demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """A demonstration whose terms these tests change."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with run_demonstration(tmp_path_factory.mktemp("new-terms")) as running:
        yield running


def publish(demo: Demonstration, folder: Path, version: str, *options: str, french: str = "") -> None:
    """Publish a version in both languages, as an administrator does, whose French text says something else."""
    for language in ("fr", "en"):
        text = (FILES / f"2026-11-01.{language}.md").read_text(encoding="utf-8")
        file = folder / f"{version}.{language}.md"
        file.write_text(text.replace(GONE, french or GONE), encoding="utf-8")
        summary = SUMMARY if language == "fr" else "You tell the City of a loss at once."
        said = ("--version", version, "--language", language, "--summary", summary, "--json")
        demo.idp("terms", "publish", str(file), *said, *(options if language == "fr" else ()))


def accepted_by(demo: Demonstration, email: str) -> list[str]:
    """Read which versions the ledger says that somebody accepted."""
    statement = (
        select(ledger_entries.c.document)
        .join(accounts, accounts.c.account_id == ledger_entries.c.account_id)
        .where(accounts.c.email == email, ledger_entries.c.matter == "terms")
    )
    with demo.database.read() as connection:
        return [document["version"] for document in connection.scalars(statement)]


@pytest.mark.rule("CGU-1", "CGU-2", "CGU-3", "UX-1", "UX-2")
def test_new_terms_are_announced_then_accepted_in_the_middle_of_parkings_login(
    browser: Browser, own_demonstration: Demonstration, tmp_path: Path
) -> None:
    """A minor change stops nobody; a major one is asked for on the way, after which parking goes on as before."""
    demo = own_demonstration
    email = demo.new_account()
    with open_page(browser) as page, open_page(browser) as other:
        visitor, returning = Visitor(page, demo), Visitor(other, demo)
        inspector = Inspector(page, demo.origins, "fr")
        visitor.goes_to_parking()
        visitor.signs_in(email)
        visitor.allows()
        visitor.is_in_parking()

        publish(demo, tmp_path, "2026-11-02", "--minor", french=CAME)
        coming = datetime.now(UTC) + timedelta(days=30)  # noqa: TID251 - the demonstration has no other clock
        publish(demo, tmp_path, "coming", "--effective-at", f"{coming:%Y-%m-%d}")
        visitor.opens("/")
        inspector.look("home_terms_announced")
        visitor.sees(SUMMARY)
        visitor.presses("Ne plus afficher")
        expect(page.get_by_role("button", name="Ne plus afficher")).to_have_count(0)
        visitor.follows("Lire les nouvelles conditions")
        inspector.look("terms_coming")
        visitor.follows("Voir ce qui change par rapport à la version précédente")
        inspector.look("terms_changes")
        expect(page.locator("ins").first).to_be_visible()

        publish(demo, tmp_path, "major-again", french=GONE + ", jour et nuit")
        returning.goes_to_parking()
        returning.signs_in(email)
        returning.sees_title("Les conditions d’utilisation ont changé")
        inspector_on_the_way = Inspector(other, demo.origins, "fr")
        inspector_on_the_way.look("accept_terms_changes")
        returning.sees(SUMMARY)
        expect(returning.field("terms")).not_to_be_checked()
        returning.presses("Accepter et continuer")
        returning.sees_error("terms", "Cochez la case pour accepter les nouvelles conditions")
        returning.ticks("terms")
        returning.presses("Accepter et continuer")
        returning.is_in_parking()

        assert accepted_by(demo, email) == ["major-again"]
        assert not inspector.faults + inspector_on_the_way.faults, as_lines(
            inspector.faults + inspector_on_the_way.faults
        )


@pytest.mark.rule("CGU-2", "UX-2")
def test_who_does_not_accept_is_back_at_the_service_and_keeps_the_account(
    browser: Browser, own_demonstration: Demonstration
) -> None:
    """Parking hears that it is denied; the person may come back another day."""
    demo = own_demonstration
    email = demo.new_account(terms_version="2020-01-01")
    with open_page(browser, java_script_enabled=False) as page:
        visitor = Visitor(page, demo)
        visitor.goes_to_parking()
        visitor.signs_in(email)

        visitor.presses("Pas maintenant, revenir au service")

        page.wait_for_url(f"{demo.parking}/**")
        assert accepted_by(demo, email) == []
        visitor.opens("/account")
        visitor.sees_title("Profil et préférences")
