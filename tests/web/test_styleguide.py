"""The pages about the look (UX-3): off by default; they show every component and measure every colour."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from idp.web.space.styleguide import _FRAMES, COLOURS, MEASURES, PARTS
from idp.web.space.stylesheet import MODES, contrast, properties
from tests.support.clock import SettableClock
from tests.support.provider import a_provider, the_seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from idp.storage.engine import Database
    from tests.support.databases import Databases
    from tests.support.provider import Provider

ROOT = Path(__file__).resolve().parents[2]
STYLE = (ROOT / "idp/web/static/style.css").read_text(encoding="utf-8")
ADDRESSES = ["/styleguide", *(f"/styleguide/{part}" for part in PARTS[1:])]


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[Database]:
    """One for all: no page of the guide asks it anything."""
    with databases.new("sqlite") as url:
        opened = open_database(url, seal=the_seal)
        yield opened
        opened.dispose()


@pytest.fixture(scope="module")
def guide(database: Database) -> FlaskClient:
    """A browser at a provider that serves the guide."""
    return a_provider(database, SettableClock(), city={"styleguide": True}).app.test_client()


@cache
def macros() -> frozenset[str]:
    """Name what a page can call of components.html."""
    text = (ROOT / "templates/components.html").read_text(encoding="utf-8")
    return frozenset(re.findall(r"{%-? macro (\w+)\(", text))


@pytest.mark.rule("UX-3")
def test_guide_is_not_there_unless_asked_for(lasting_provider: Provider) -> None:
    """Residents have no use for it."""
    browser = lasting_provider.app.test_client()

    assert {browser.get(path).status_code for path in [*ADDRESSES, "/styleguide/frame/visitor"]} == {404}


@pytest.mark.rule("UX-3")
@pytest.mark.parametrize("path", ["/styleguide/colours", "/styleguide/nothing", "/styleguide/frame/nobody"])
def test_guide_has_no_other_page(guide: FlaskClient, path: str) -> None:
    """Each part has one address."""
    assert guide.get(path).status_code == 404


@pytest.mark.rule("UX-1", "UX-3")
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_part_of_the_guide_is_shown_in_both_languages(guide: FlaskClient, path: str, language: str) -> None:
    """Each part renders, says where one is, and sends nothing anywhere else."""
    page = guide.get(f"{path}?lang={language}")

    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert f'<a href="{path}" aria-current="page">' in page.text
    assert set(re.findall(r'<form method="post" action="([^"]+)"', page.text)) <= {"/styleguide"}
    assert " style=" not in page.text


@pytest.mark.rule("UX-3")
@pytest.mark.parametrize("state", _FRAMES)
def test_frame_is_shown_for_each_person(guide: FlaskClient, state: str) -> None:
    """Header and footer are those of the layout, for somebody made up."""
    page = guide.get(f"/styleguide/frame/{state}")

    assert page.status_code == 200
    assert ("Zoé Œuvrard" in page.text) == (state != "visitor")
    assert ("favourite-links" in page.text) == (state == "favourites")
    assert ("service-band" in page.text) == (state == "service")


@pytest.mark.rule("UX-3")
def test_form_of_the_guide_changes_nothing(guide: FlaskClient) -> None:
    """A sample can be sent: it leads back."""
    page = guide.get("/styleguide/actions").text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]

    answer = guide.post("/styleguide", data={"csrf_token": token, "decision": "allow"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/styleguide")


@pytest.mark.rule("UX-3")
def test_guide_shows_every_macro_of_the_components(guide: FlaskClient) -> None:
    """Who adds a component shows it: its name stands over a sample."""
    pages = "".join(guide.get(path).text for path in ADDRESSES)
    shown = {name for names in re.findall(r'data-macros="([^"]+)"', pages) for name in names.split()}

    assert sorted(macros() ^ shown) == []


@pytest.mark.rule("UX-3")
def test_guide_documents_every_custom_property(guide: FlaskClient) -> None:
    """Each property that the stylesheet gives the whole page has its line, and no other has one."""
    pages = "".join(guide.get(path).text for path in ADDRESSES[:2])
    documented = {colour.name for colour in COLOURS} | set(MEASURES)

    assert {f"--{name}" for name in documented} == set(properties([STYLE], "light"))
    assert [name for name in documented if f"<code>--{name}</code>" not in pages] == []


@pytest.mark.rule("UX-2", "UX-3")
@pytest.mark.parametrize("mode", MODES)
def test_colours_have_the_contrast_that_they_promise(mode: str) -> None:
    """4.5 for text and 3 for what is no text; for who asks for more contrast, 7 and 4.5."""
    known = properties([STYLE], mode)
    wished = {4.5: 7.0, 3.0: 4.5} if mode.endswith("more") else {}

    faults = [
        f"{colour.name} on {ground}: {ratio:.2f}"
        for colour in COLOURS
        if not (mode.endswith("more") and colour.name.startswith("franceconnect"))
        for ground in colour.grounds
        for ratio in [contrast(known[f"--{colour.name}"], known[f"--{ground}"]) or 0]
        if ratio < wished.get(colour.least, colour.least)
    ]

    assert faults == []


@pytest.mark.rule("UX-3")
def test_guide_measures_the_colours_of_the_operator(database: Database, tmp_path: Path) -> None:
    """A theme that nobody can read says so where it is looked at."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "theme.css").write_text(":root { --muted: #cccccc; }", encoding="utf-8")
    provider = a_provider(database, SettableClock(), city={"styleguide": True, "templates": str(tmp_path)})

    page = provider.app.test_client().get("/styleguide").text

    assert "#cccccc<br>1,5" in page
    assert page.count('class="too-low"') == 1


@pytest.mark.parametrize(
    "one, other, ratio",
    [
        ("#000000", "#ffffff", 21.0),
        ("#fff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("red", "#fff", None),
    ],
)
def test_contrast_is_that_of_the_standard(one: str, other: str, ratio: float | None) -> None:
    """The formula of WCAG 2.2; a colour that is written otherwise is not measured."""
    measured = contrast(one, other)

    assert measured == (None if ratio is None else pytest.approx(ratio, abs=0.01))


def test_properties_are_those_that_a_browser_would_take() -> None:
    """The last block that holds counts; a comment, paper and forced colours don't; a reference is followed."""
    text = """:root { --a: 1; --b: var(--a); /* --a: 9; */ }
    @media screen and (prefers-color-scheme: dark) { :root { --a: 2; } }
    @media print { :root { --a: 3; } } @media (forced-colors: active) { :root { --a: 4; } }"""

    assert properties([text], "light") == {"--a": "1", "--b": "1"}
    assert properties([text], "dark") == {"--a": "2", "--b": "2"}
    assert properties([text, ":root { --a: 5; }"], "dark") == {"--a": "5", "--b": "5"}
