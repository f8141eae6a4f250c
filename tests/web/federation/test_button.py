"""The button, by the State's rules: words, place, size, distance, colours, themes, same tab (franceconnect.md 6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.franceconnect_pages import Pages

pytestmark = pytest.mark.rule("FC-1", "UX-2")

PLACES = ("/sign-in", "/sign-up")
WORDS = {
    "fr": (
        "S’identifier avec FranceConnect",
        "Qu’est-ce que FranceConnect\N{NO-BREAK SPACE}?",
        "(nouvelle fenêtre)",
        "ou",
    ),
    "en": ("Sign in with FranceConnect", "What is FranceConnect?", "(new window)", "or"),
}
SENTENCE = (
    "FranceConnect est la solution proposée par l’État pour sécuriser et simplifier la connexion à vos services "
    "en ligne."
)
#: Ground and ink of the State's button, at rest; the ground under a pointer.
COLOURS = {
    "light": ("rgb(0, 0, 145)", "rgb(255, 255, 255)", "rgb(18, 18, 255)"),
    "dark": ("rgb(133, 133, 246)", "rgb(0, 0, 145)", "rgb(177, 177, 249)"),
}
WIDTH, HEIGHT, DISTANCE = 245, 56, 12
LEAST_CONTRAST = 4.5
SHOWN = "element => { const one = getComputedStyle(element); return [one.backgroundColor, one.color] }"


@pytest.fixture
def origin(pages: Pages) -> Iterator[str]:
    """Our application, where a browser can go."""
    with served(pages.provider.app) as address:
        yield address


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("place", PLACES)
def test_button_stands_above_the_form_with_its_words(pages: Pages, place: str, language: str) -> None:
    """On sign-in and on sign-up; « ou » between; a link under it that says that a window opens."""
    button, what, window, other = WORDS[language]

    text = pages.browser().get(f"{place}?lang={language}").text

    found = re.search(r'<a class="franceconnect" href="([^"]+)">(.*?)</a>', text)
    assert found is not None
    assert found[1].startswith("/franceconnect/login")
    assert re.sub("<[^>]+>", "", found[2]) == button
    assert what in text
    assert window in text
    separator = re.search(rf'<p class="or"><span>{other}</span></p>', text)
    assert separator is not None
    assert (
        found.start()
        < text.index(what)
        < separator.start()
        < text.index('<form method="post" action="/sign-')
    )


@pytest.mark.parametrize("place", PLACES)
def test_page_says_what_franceconnect_is(pages: Pages, place: str) -> None:
    """The State's own sentence."""
    assert SENTENCE in pages.browser().get(place).text


@pytest.mark.parametrize("place", PLACES)
def test_button_opens_in_the_same_tab_and_the_link_does_not(pages: Pages, place: str) -> None:
    """No frame, no window: the person comes back where they were."""
    text = pages.browser().get(place).text

    (button,) = re.findall(r'<a class="franceconnect"[^>]*>', text)
    (what,) = re.findall(r'<a href="https://franceconnect.gouv.fr/"[^>]*>', text)
    assert "target" not in button
    assert 'target="_blank"' in what
    assert "noopener" in what
    assert "<iframe" not in text


@pytest.mark.parametrize("place", PLACES)
def test_name_is_one_word_with_two_capitals(pages: Pages, place: str) -> None:
    """Never France Connect, nor Franceconnect."""
    text = re.sub("<[^>]+>", " ", pages.browser().get(place).text)

    assert set(re.findall(r"(?i)france\s?connect", text)) == {"FranceConnect"}


@pytest.mark.parametrize("theme", COLOURS)
@pytest.mark.parametrize("width", [320, 1280])
def test_button_looks_as_the_state_says(page: Page, origin: str, theme: str, width: int) -> None:
    """Large enough, its link twelve pixels below, its own colours at rest and under a pointer, readable in both."""
    ground, ink, hovered = COLOURS[theme]
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{origin}/sign-in")
    button = page.locator("a.franceconnect")

    box, below = button.bounding_box(), page.locator(".franceconnect-group p").bounding_box()

    assert box is not None
    assert below is not None
    assert box["width"] >= WIDTH
    assert box["height"] >= HEIGHT
    assert below["y"] - box["y"] - box["height"] == pytest.approx(DISTANCE, abs=1)
    assert button.evaluate(SHOWN) == [ground, ink]
    button.hover()
    expect(button).to_have_css("background-color", hovered)
    assert contrast(ground, ink) >= LEAST_CONTRAST
    assert contrast(hovered, ink) >= LEAST_CONTRAST


def test_keyboard_sees_where_it_is_before_the_form(page: Page, origin: str) -> None:
    """The button comes before the fields, with a visible focus."""
    page.goto(f"{origin}/sign-in")
    button = page.locator("a.franceconnect")
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
        assert page.evaluate("document.activeElement.tagName") != "INPUT"

    expect(button).to_be_focused()
    outline, shadow = button.evaluate(
        "element => { const one = getComputedStyle(element); return [one.outlineStyle, one.boxShadow] }"
    )
    assert outline != "none" or shadow != "none"


def test_mark_is_a_picture_of_ours(page: Page, origin: str) -> None:
    """Nothing is asked of another site; who sees no pictures reads the words."""
    page.goto(f"{origin}/sign-in")
    address = page.locator("a.franceconnect").evaluate("element => getComputedStyle(element).backgroundImage")

    found = re.fullmatch(r'url\("([^"]+franceconnect[^"]*\.svg)"\)', address)

    assert found is not None, address
    assert found[1].startswith(f"{origin}/")
    answer = page.request.get(found[1])
    assert answer.headers["content-type"].startswith("image/svg+xml")


def contrast(one: str, other: str) -> float:
    """Compare two colours (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
