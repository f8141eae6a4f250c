"""The rules that code, templates and documents cite exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.marks import ROOT, RULES, read_rules, rule_table

FAMILIES = ("ACC", "PWD", "LOG", "CGU", "FC", "PRO", "CON", "OID", "LIF", "PRI", "ADM", "OPS", "UX")
CITED = re.compile(rf"\b(?:{'|'.join(FAMILIES)})-\d+\b")
FOLDERS = ("idp", "templates", "migrations", "docs", "changelog.d", "keys")
SUFFIXES = frozenset({".py", ".html", ".txt", ".js", ".css", ".md", ".toml"})


def citations() -> Iterator[tuple[str, Path]]:
    """List the rules that the program, its pages and its documents cite.

    Yields:
        Id and file.
    """
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SUFFIXES:
                for rule in CITED.findall(path.read_text(encoding="utf-8")):
                    yield rule, path.relative_to(ROOT)


def test_every_rule_that_is_cited_exists() -> None:
    """Who follows an id to docs/rules.md finds the rule there."""
    rules = read_rules()

    unknown = {(rule, path.as_posix()) for rule, path in citations() if rule not in rules}

    assert unknown == set()


def test_rules_are_of_the_known_families() -> None:
    """A new family of rules is also looked for in citations."""
    assert {rule.partition("-")[0] for rule in read_rules()} == set(FAMILIES)


def test_each_rule_has_one_row() -> None:
    """No id stands for two rules."""
    rows = re.findall(r"^\| ([A-Z]{2,3}-\d+) \|", RULES.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(rows) == sorted(read_rules())


@pytest.mark.parametrize("family", FAMILIES)
def test_rules_of_a_family_are_numbered_without_a_gap(family: str) -> None:
    """A rule that disappeared would leave a hole."""
    numbers = sorted(int(rule.partition("-")[2]) for rule in read_rules() if rule.startswith(f"{family}-"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_rule_without_a_test_is_named_as_such() -> None:
    """The table of proofs shows what is not proven."""
    table = rule_table({"PWD-1": "…"}, {})

    assert "## PWD-1\n\n**no test**" in table
    assert "0 of 1 rules" in table
