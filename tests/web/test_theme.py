"""What an operator makes their own: colours, mark, pictures, scripts (UX-3); and files that are loaded once (UX-4)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from idp.web.assets import compact
from tests.support.clock import SettableClock
from tests.support.provider import a_provider, the_seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.databases import Databases
    from tests.support.provider import Provider

STATIC = Path(__file__).resolve().parents[2] / "idp/web/static"
COLOURS = ":root { --action: #7a1f5c; }"
MARK = '<img class="mark" src="{{ asset("arms.svg") }}" alt="" width="40" height="40">'
ARMS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@pytest.fixture(scope="module")
def themed(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider whose operator has a folder with colours, a mark and an icon of their own."""
    tmp_path = tmp_path_factory.mktemp("theme")
    static = tmp_path / "static"
    static.mkdir()
    (static / "theme.css").write_text(COLOURS, encoding="utf-8")
    (static / "arms.svg").write_text(ARMS, encoding="utf-8")
    (static / "favicon.svg").write_text(ARMS, encoding="utf-8")
    (tmp_path / "mark.html").write_text(MARK, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("not served", encoding="utf-8")
    with databases.new("sqlite") as url:
        opened = open_database(url, seal=the_seal)
        yield a_provider(opened, SettableClock(), city={"templates": str(tmp_path)})
        opened.dispose()


def addresses(page: str) -> dict[str, str]:
    """Give the addresses that a page loads, by the name of the file."""
    found = re.findall(r'(?:href|src)="(/static/([^"?]+)\?v=[0-9a-f]+)"', page)
    return {name: address for address, name in found}


def loaded(browser: FlaskClient, address: str) -> str:
    """Load a file."""
    with browser.get(address) as answer:
        assert answer.status_code == 200
        return answer.get_data(as_text=True)


@pytest.mark.rule("UX-3")
@pytest.mark.parametrize("name", ["nothing.css", "../secret.txt", "..%2Fsecret.txt", "../mark.html", ".", ""])
def test_file_that_is_not_in_the_folder_is_not_served(themed: Provider, name: str) -> None:
    """Only what lay in the folder of files at start has an address."""
    with themed.app.test_client().get(f"/static/{name}") as answer:
        assert answer.status_code == 404
        assert "not served" not in answer.get_data(as_text=True)


@pytest.mark.rule("UX-3")
def test_operator_s_colours_come_after_ours(themed: Provider) -> None:
    """A page loads both stylesheets, theirs last, so that theirs count."""
    browser = themed.app.test_client()
    page = browser.get("/contact").text

    found = addresses(page)
    assert page.index(found["style.css"]) < page.index(found["theme.css"])
    assert loaded(browser, found["theme.css"]) == COLOURS


@pytest.mark.rule("UX-3")
def test_operator_s_mark_and_icon_replace_ours(themed: Provider) -> None:
    """The mark is a part of a template, the icon a file; the mark may use files of its own."""
    browser = themed.app.test_client()
    page = browser.get("/contact").text

    found = addresses(page)
    assert 'class="mark" viewBox' not in page
    assert loaded(browser, found["arms.svg"]) == ARMS
    assert loaded(browser, found["favicon.svg"]) == ARMS


@pytest.mark.rule("UX-3")
def test_page_without_a_theme_loads_our_stylesheet_alone(lasting_provider: Provider) -> None:
    """Who does not theme is not asked for a second file."""
    found = addresses(lasting_provider.app.test_client().get("/contact").text)

    assert [name for name in found if name.endswith(".css")] == ["style.css"]


@pytest.mark.rule("UX-4")
@pytest.mark.parametrize("name", ["style.css", "styleguide.css"])
def test_stylesheet_is_sent_without_what_is_for_its_readers(lasting_provider: Provider, name: str) -> None:
    """Comments and spaces stay here, nothing else does."""
    written = (STATIC / name).read_text(encoding="utf-8")

    sent = loaded(lasting_provider.app.test_client(), f"/static/{name}")

    assert "/*" not in sent
    assert len(sent) < 0.92 * len(written)
    assert _without_spaces(sent) == _without_spaces(re.sub(r"/\*.*?\*/", "", written, flags=re.DOTALL))


def _without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text).replace(";}", "}")


@pytest.mark.parametrize(
    "written, sent",
    [
        ("a :hover { b: c; }", "a :hover{b:c}"),
        (".a > .b + .c, .d { e: calc(1px + 2rem) / 3; }", ".a > .b + .c,.d{e:calc(1px + 2rem) / 3}"),
        (':is(.a, .b) ::before { content: " (" attr(href) ")"; }', ':is(.a,.b) ::before{content:" (" attr(href) ")"}'),
        ("@media screen and (a: b) {\n  /* why */\n  c { d: e; }\n}\n", "@media screen and (a:b){c{d:e}}"),
    ],
)  # fmt: skip
def test_space_that_parts_something_stays(written: str, sent: str) -> None:
    """Between selectors, in sums and in strings."""
    assert compact(written) == sent


@pytest.mark.rule("UX-4")
def test_file_whose_address_has_its_hash_is_loaded_once(lasting_provider: Provider) -> None:
    """A phone keeps what can't change, and asks again for an address that names another content, or none."""
    browser = lasting_provider.app.test_client()
    address = addresses(browser.get("/contact").text)["style.css"]

    with browser.get(address) as exact, browser.get("/static/style.css?v=older") as other:
        assert exact.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert other.headers["Cache-Control"] == "no-cache"
        assert other.status_code == 200
