"""Every mail as people see it: on a phone and on a screen, light and dark, in both languages (UX-2, S-418).

The pictures are kept in tests/pictures/, for people to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.mails import every_mail
from tests.support.screens import FIND_WHAT_OVERFLOWS, LOOK_WITH_AXE, PICTURES, as_lines, axe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from idp.outbound.mail import WrittenMail

#: Of a phone, and of a mail program's pane.
WIDTHS: Final = (320, 640)
#: A mail is no page: it has no landmarks of its own within the program that shows it.
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Which theme axe looks at: both languages have the same colours.
THEMES: Final = {"fr": "light", "en": "dark"}
READ: Final = """() => {
    const preview = document.body.firstElementChild;
    const links = [...document.querySelectorAll("a")];
    return {
        language: document.documentElement.lang,
        title: document.title,
        preview: preview.textContent.trim(),
        preview_is_seen: preview.getClientRects().length > 0,
        words: document.querySelector("[role=article]").innerText,
        heavy: document.querySelectorAll("img, picture, svg, video, script, link, iframe, object, form").length,
        labels: links.map((link) => link.innerText.trim()),
        buttons: links.filter((link) => link.classList.contains("main")).length,
    };
}"""


def faults_of(seen: dict[str, Any], mail: WrittenMail, language: str) -> Iterator[str]:
    """Name what is wrong with what a mail says."""
    if (seen["language"], seen["title"]) != (language, mail.subject):
        yield f"calls itself {seen['language']}, {seen['title']}"
    # Without one, a list of mails shows "Mon Paris" and the subject once more. The first line is the greeting.
    _, body, *_ = filter(None, seen["words"].partition(mail.subject)[2].splitlines())
    if not seen["preview"] or seen["preview"] == mail.subject or body.startswith(seen["preview"]):
        yield f"preview says nothing new: {seen['preview']!r}"
    if seen["preview_is_seen"]:
        yield "preview is seen in the mail itself"
    if seen["heavy"]:
        yield "asks for images, scripts, styles or forms"
    if seen["buttons"] > 1:
        yield "has more than one button"
    if any(not label or label.startswith("http") for label in seen["labels"]):
        yield f"has a link without words: {seen['labels']}"
    if len(set(seen["labels"])) != len(seen["labels"]):
        yield f"has two links of one name: {seen['labels']}"


def looked_at(page: Page, name: str, language: str) -> Iterator[str]:
    """Look at the mail that is open at both widths, in one theme each; keep a picture of each."""
    other = "dark" if THEMES[language] == "light" else "light"
    for width, theme in zip(WIDTHS, (THEMES[language], other), strict=True):
        page.set_viewport_size({"width": width, "height": 640})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        yield from page.evaluate(FIND_WHAT_OVERFLOWS)
        page.screenshot(path=PICTURES / f"mail.{name}.{language}.{width}.png", full_page=True)
    page.emulate_media(color_scheme="dark" if THEMES[language] == "dark" else "light")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe())
    yield from page.evaluate(LOOK_WITH_AXE, RULES)


@pytest.mark.rule("UX-1", "UX-2")
def test_mails_are_read_by_everybody_and_ask_nothing_elsewhere(page: Page) -> None:
    """Nothing is found by axe, nothing overflows or is fetched; each link, preview and button says what it is for."""
    faults: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    PICTURES.mkdir(exist_ok=True)

    for event, language, mail in every_mail():
        page.set_content(mail.html)
        found = [*faults_of(page.evaluate(READ), mail, language), *looked_at(page, event, language)]
        faults += [f"{event}.{language}: {fault}" for fault in found]

    assert not faults, as_lines(faults)
    assert asked == []
