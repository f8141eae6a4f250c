"""The contact page (PRO-8), and pages that an operator replaces by their own (UX-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pages import words_of
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from pathlib import Path

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

PHONE = "3975"
FORM = "https://www.example.org/contact"


@pytest.mark.rule("PRO-8")
def test_contact_page_names_the_city_s_ways(database: Database, clock: SettableClock) -> None:
    """The number, the form, and what to choose there; without signing in."""
    provider = a_provider(database, clock, city={"phone": PHONE, "contact_uri": FORM})

    answer = provider.app.test_client().get("/contact")

    words = words_of(answer)
    assert f'href="tel:{PHONE}"' in answer.text
    assert f'href="{FORM}"' in answer.text
    for text in (
        "Accéder au formulaire de contact de la Ville",
        "Autre",
        "Difficultés avec le compte Mon Paris",
    ):
        assert text in words


@pytest.mark.rule("PRO-8", "LOG-6")
@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/terms", "/nowhere"])
def test_every_page_names_the_number_and_the_contact_page(lasting_provider: Provider, path: str) -> None:
    """Who is lost, or was robbed, finds somebody from wherever they are."""
    page = lasting_provider.app.test_client().get(path).text

    assert PHONE in page
    assert 'href="/contact"' in page


@pytest.mark.rule("UX-3")
def test_template_of_the_operator_replaces_ours(
    database: Database, clock: SettableClock, tmp_path: Path
) -> None:
    """One page is replaced; it may build on ours, and all others stay."""
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "contact.html").write_text(
        '{% extends "layout.html" %}{% block title %}Nous joindre{% endblock %}'
        "{% block content %}<h1>Nous joindre autrement</h1>{% endblock %}",
        encoding="utf-8",
    )
    provider = a_provider(database, clock, city={"templates": str(tmp_path)})

    assert "<h1>Nous joindre autrement</h1>" in provider.app.test_client().get("/contact").text
    assert "Nous joindre autrement" not in provider.app.test_client().get("/privacy").text
