"""The terms of use from Markdown to HTML: headings, paragraphs, lists, emphasis, links; no HTML of the author's."""

from __future__ import annotations

from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup

_SCHEMES = frozenset({"http", "https", "mailto"})


class _Terms(MarkdownIt):
    """CommonMark without raw HTML and images, whose links lead to the web or to a mailbox."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False})
        self.disable("image")

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        """Take addresses of the web, of a mailbox, and paths of ours."""
        scheme = urlsplit(url).scheme.lower()
        return scheme in _SCHEMES or (not scheme and url.startswith("/") and not url.startswith("//"))


_renderer = _Terms()


def to_html(body: str) -> Markup:
    """Write a text as HTML; the title of the page is its only h1, so that headings begin at h2."""
    tokens = _renderer.parse(body)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"} and token.tag == "h1":
            token.tag = "h2"
    # Nothing of the author's comes through unescaped: raw HTML is off, and addresses are checked above.
    return Markup(_renderer.renderer.render(tokens, _renderer.options, {}))  # noqa: S704 - see the line above
