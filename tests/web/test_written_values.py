"""Dates, numbers and telephone numbers in the person's language, wherever they stand (UX-1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from idp.services.account import export, export_page
from tests.support.marks import ROOT
from tests.support.pages import send
from tests.support.provider import form_of

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("UX-1")
TEMPLATES = ROOT / "templates"
#: A moment, a day or a count by its name; what follows it is a filter, or it is written as computers do.
MOMENT = re.compile(
    r"(?:{{|=)\s*((?:\w+\.)*(?:at|until|since|deadline|day|\w+_at|\w+_until|\w+_day))\s*(?=}}|,|%})"
)
#: Texts by the same names: a day that the view has written, the mark of a badge, which writes it itself.
WRITTEN = {"day", "day.day", "date", "row.certified_at"}


def unwritten(template: str) -> set[str]:
    """List what a template shows of time without a filter."""
    return set(MOMENT.findall(template)) - WRITTEN


def test_rule_finds_what_is_written_as_computers_do() -> None:
    """The check below would see a slip."""
    assert unwritten("<p>{{ link.expires_at }}</p>{% trans since=row.since %}") == {
        "link.expires_at",
        "row.since",
    }
    assert unwritten("<p>{{ at|moment }}</p>{% trans since=row.since|day, n=1 %}") == set()


@pytest.mark.parametrize("ending", ["html", "txt"])
def test_templates_write_each_moment_by_a_filter(ending: str) -> None:
    """No page and no mail shows 2026-03-01T09:00:00."""
    slips = {
        str(path.relative_to(TEMPLATES)): found
        for path in TEMPLATES.rglob(f"*.{ending}")
        if (found := unwritten(path.read_text(encoding="utf-8")))
    }

    assert slips == {}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "stored, shown",
    [
        ("+33142764040", "+33 1 42 76 40 40"),
        ("+3221234567", "+32 2 123 45 67"),
        ("+14155552671", "+1 415-555-2671"),
    ],
    ids=["Paris", "Brussels", "San Francisco"],
)
def test_telephone_number_stands_in_groups_that_no_line_breaks(
    provider: Provider, language: str, stored: str, shown: str
) -> None:
    """On the page of the account; in the field it has the spaces that people type."""
    browser = provider.signed_in(provider.an_account(phone_number=stored, language=language))

    page = browser.get("/account").text
    assert shown.replace(" ", "\N{NO-BREAK SPACE}") in page
    assert stored not in page
    assert f'value="{shown}"' in browser.get("/account/contact-details").text


def test_grouped_number_is_saved_as_it_was(provider: Provider) -> None:
    """Whoever sends the form back, or copies the number from the page, changes nothing."""
    browser = provider.signed_in(provider.an_account(phone_number="+33142764040"))

    send(
        browser,
        "/account/contact-details",
        {"phone_number": "+33\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}42 76 40 40"},
    )

    assert form_of(browser.get("/account/contact-details"))
    assert "+33 1 42 76 40 40" in browser.get("/account/contact-details").text


@pytest.mark.parametrize(
    "language, birthdates",
    [
        (
            "fr",
            {
                "1990-01-01": "1er janvier 1990",
                "1962-03-00": "mars 1962",
                "1955-00-00": "1955",
                "x-00": "x-00",
            },
        ),
        (
            "en",
            {
                "1990-01-01": "1 January 1990",
                "1962-03-00": "March 1962",
                "1955-00-00": "1955",
                "x-00": "x-00",
            },
        ),
    ],
    ids=["French", "English"],
)
def test_readable_export_writes_values_in_words(
    provider: Provider, language: str, birthdates: dict[str, str]
) -> None:
    """A date of birth, also one of which nobody knows the day, and a telephone number; what is neither, as it is."""
    for stored, shown in birthdates.items():
        person = provider.an_account(birthdate=stored, phone_number="+33612345678")
        known = export.document(provider.context, person.account_id, provider.clock())
        assert known is not None

        page = export_page.written(known, language)

        assert f"<td>{shown}</td>" in page
        assert "<td>+33 6 12 34 56 78</td>".replace(" ", "\N{NO-BREAK SPACE}") in page
