"""A page as a tree: what stands where, and what each control is called to who does not see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

#: HTML, 13.1.2: elements without an end.
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
#: HTML, 13.1.2.4: what opens on of the same kind closes it.
_CLOSED_BY_THEMSELVES: Final = frozenset({"li", "dt", "dd", "option", "tr", "td", "th"})
_CONTROLS: Final = frozenset({"input", "select", "textarea"})


@dataclass(eq=False)
class Element:
    """A node of the page.

    Attributes:
        tag: Its name.
        attributes: By name; one without a value has "".
        parent: None for the root.
        children: Elements and texts, in order.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: Element | None = field(default=None, repr=False)
    children: list[Element | str] = field(default_factory=list, repr=False)

    def __getitem__(self, name: str) -> str:
        """Read an attribute; "" when there is none."""
        return self.attributes.get(name, "")

    def walk(self) -> Iterator[Element]:
        """Give every element below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, *tags: str, **attributes: str) -> list[Element]:
        """List the elements below this one with one of the tags, and with the attributes."""
        return [
            one
            for one in self.walk()
            if one.tag in tags and all(one[name] == value for name, value in attributes.items())
        ]

    def above(self, tag: str) -> Element | None:
        """Find what this element stands in."""
        parent = self.parent
        while parent is not None and parent.tag != tag:
            parent = parent.parent
        return parent

    def by_id(self, name: str) -> Element | None:
        """Find an element by its id."""
        return next((one for one in self.walk() if one["id"] == name), None)

    @property
    def text(self) -> str:
        """What is read aloud of it: without what is hidden from everybody, or from those who don't see."""
        parts = (_spoken(child) if isinstance(child, Element) else child for child in self.children)
        return " ".join("".join(parts).split())

    @property
    def controls(self) -> list[Element]:
        """The fields below this one that a person can use."""
        return [
            one
            for one in self.walk()
            if one.tag in _CONTROLS and one["type"] != "hidden" and "hidden" not in one.attributes
        ]


class _Builder(HTMLParser):
    """Builds the tree, and keeps what does not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("#root")
        self.faults: list[str] = []
        self._here = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag in _CLOSED_BY_THEMSELVES and self._here.tag == tag:
            self._here = self._here.parent or self.root
        names = [name for name, _ in attrs]
        self.faults += [f"{tag}: {name} twice" for name in set(names) if names.count(name) > 1]
        opened = Element(tag, {name: value or "" for name, value in attrs}, self._here)
        self._here.children.append(opened)
        if tag not in _VOID:
            self._here = opened

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element of a drawing, which closes itself."""
        here = self._here
        self.handle_starttag(tag, attrs)
        self._here = here

    def handle_endtag(self, tag: str) -> None:
        """Close an element; one that closes across others is a fault."""
        if self._here.tag in _CLOSED_BY_THEMSELVES and self._here.tag != tag:
            self._here = self._here.parent or self.root
        if self._here.tag != tag:
            self.faults.append(f"</{tag}> closes <{self._here.tag}>")
            return
        self._here = self._here.parent or self.root

    def handle_data(self, data: str) -> None:
        """Take a text."""
        self._here.children.append(data)


def read(html: str) -> Element:
    """Read a page.

    Raises:
        AssertionError: Its elements do not nest, or one has an attribute twice.
    """
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.faults == []
    assert builder._here is builder.root, builder._here.tag  # noqa: SLF001 - of this module
    return builder.root


def name_of(page: Element, control: Element) -> str:
    """Give the accessible name of a link, a button or a field (accname 1.2, as far as our pages need it)."""
    if control["aria-labelledby"]:
        parts = (page.by_id(one) for one in control["aria-labelledby"].split())
        return " ".join(part.text for part in parts if part is not None)
    if control["aria-label"]:
        return control["aria-label"]
    if control.tag in _CONTROLS:
        labels = [one for one in page.all("label") if one["for"] == control["id"] and control["id"]]
        return " ".join(label.text for label in labels)
    return control.text


def description_of(page: Element, control: Element) -> str:
    """Give what is read after the name: hints and errors.

    Raises:
        LookupError: It names an element that is not there.
    """
    parts = {one: page.by_id(one) for one in control["aria-describedby"].split()}
    gone = [one for one, part in parts.items() if part is None]
    if gone:
        raise LookupError(f"{control.tag} {control['name']}: described by {gone}, which is not there")
    return " ".join(part.text for part in parts.values() if part is not None)


def _spoken(element: Element) -> str:
    if element["aria-hidden"] == "true" or "hidden" in element.attributes:
        return ""
    if element.tag in {"script", "style"}:
        return ""
    if element.tag == "img":
        return element["alt"]
    inside = "".join(_spoken(child) if isinstance(child, Element) else child for child in element.children)
    return inside if element.tag in {"a", "abbr", "b", "em", "i", "span", "strong"} else f" {inside} "
