"""The stylesheet against the templates and scripts that use it (UX-3, UX-4)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "idp/web/static"
#: With it, the longest page has 16 kB for its words and its script (UX-4).
MOST_BYTES = 34_000
CLASS = re.compile(r"\.([a-z][a-z0-9-]*)")
JINJA = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
#: The class of <main>, which pages choose by a block.
BLOCK = re.compile(r"{% block width %}([a-z]+){%")


@cache
def sheet(name: str) -> str:
    """Read a stylesheet, without its comments."""
    return re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.DOTALL)


def classes_of(name: str) -> set[str]:
    """Name the classes that a stylesheet dresses."""
    return set(CLASS.findall(re.sub(r"{[^{}]*}", ";", sheet(name))))


@cache
def attributes() -> tuple[str, ...]:
    """Give each `class` of the templates, as it is written; mails have no stylesheet."""
    templates = (file for file in (ROOT / "templates").rglob("*.html") if "mail" not in file.parts)
    found: list[str] = []
    for file in templates:
        text = file.read_text(encoding="utf-8")
        found += re.findall(r'class="((?:{%.*?%}|{{.*?}}|[^"])*)"', text)
        found += BLOCK.findall(text)
    return tuple(found)


def written() -> set[str]:
    """Name the classes that templates use, those inside of conditions too, without what a variable completes."""
    plain = " ".join(JINJA.sub(" ", attribute.replace("-{{", "-%{{")) for attribute in attributes())
    return {word for word in plain.split() if re.fullmatch(r"[a-z][a-z0-9-]*", word)}


def completed() -> tuple[str, ...]:
    """Give the beginnings that a variable completes: `badge-{{ kind }}`."""
    return tuple({found for attribute in attributes() for found in re.findall(r"([a-z-]+-){{", attribute)})


def quoted() -> set[str]:
    """Name what stands in quotation marks in scripts and in code of templates: classes among others."""
    scripts = [file.read_text(encoding="utf-8") for file in STATIC.glob("*.js")]
    code = [found for attribute in attributes() for found in JINJA.findall(attribute)]
    return set(re.findall(r'"([a-z][a-z0-9-]*)"', " ".join([*scripts, *code])))


@pytest.mark.rule("UX-4")
def test_stylesheet_has_no_class_that_nothing_uses() -> None:
    """A rule whose class is gone would be loaded by every phone for nothing."""
    dressed = classes_of("style.css")
    used = written() | quoted()

    dead = {name for name in dressed - used if not name.startswith(completed())}

    assert sorted(dead) == []


@pytest.mark.rule("UX-3")
def test_templates_use_no_class_that_the_stylesheet_does_not_know() -> None:
    """A class that dresses nothing is a slip, or a hook that belongs in a data attribute."""
    known = classes_of("style.css") | classes_of("styleguide.css")

    assert sorted(written() - known) == []


@pytest.mark.rule("UX-3")
@pytest.mark.parametrize("name", ["style.css", "styleguide.css"])
def test_stylesheet_names_colours_in_its_properties_alone(name: str) -> None:
    """Whoever sets the custom properties has changed every colour."""
    rules = re.sub(r"--[a-z-]+:[^;]+;", "", sheet(name))

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)", rules) == []


@pytest.mark.rule("UX-3")
@pytest.mark.parametrize("name", ["style.css", "styleguide.css"])
def test_stylesheet_uses_no_property_that_is_not_set(name: str) -> None:
    """A property that nobody sets would leave an element without its colour."""
    used = set(re.findall(r"var\((--[a-z-]+)\)", sheet(name)))

    assert sorted(used - set(re.findall(r"(--[a-z-]+):", sheet("style.css")))) == []


@pytest.mark.rule("UX-3")
def test_stylesheet_sets_no_property_that_nothing_uses() -> None:
    """A property that changes nothing would mislead who themes."""
    used = set(re.findall(r"var\((--[a-z-]+)", sheet("style.css")))

    assert sorted(set(re.findall(r"(--[a-z-]+):", sheet("style.css"))) - used) == []


@pytest.mark.rule("UX-4")
def test_stylesheet_leaves_room_for_the_page() -> None:
    """All of a page is below 50 kB, its stylesheet included."""
    assert (STATIC / "style.css").stat().st_size <= MOST_BYTES
