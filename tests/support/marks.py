"""Ties tests to what they prove: checks the marks, and writes the tables of proofs.

`@pytest.mark.rule("PWD-2")` names a rule of docs/rules.md, `@pytest.mark.spec("RFC 7636", "4.6", "MUST")` a
section of a specification.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "rules.md"
RULE_LINE = re.compile(r"\| (?P<id>[A-Z]{2,3}-\d+) \| (?P<text>.+) \|")
LEVELS = ("MUST", "MUST NOT", "SHALL", "SHALL NOT", "REQUIRED", "SHOULD", "SHOULD NOT", "RECOMMENDED", "MAY",
          "OPTIONAL")  # fmt: skip
# A test in one of these folders proves something that has a name.
MARKED_FOLDERS = {"conformance": "spec", "rules": "rule"}
NOTICE = "<!-- Written by `make docs` from the marks of the tests; do not edit. -->"


@dataclass(frozen=True, order=True)
class Proof:
    """One test, whatever its parameters."""

    path: str
    name: str

    def __str__(self) -> str:
        """Write it as a link from docs/."""
        return f"[`{self.name}`](../{self.path})"


@cache
def read_rules(path: Path = RULES) -> dict[str, str]:
    """Read the rules.

    Args:
        path: Of the table, one rule a line.

    Returns:
        Each id with its text, in the order of the document.
    """
    found = map(RULE_LINE.fullmatch, path.read_text(encoding="utf-8").splitlines())
    return {match["id"]: match["text"] for match in found if match}


def faults(item: pytest.Item, rules: dict[str, str]) -> Iterator[str]:
    """Name what is wrong with the marks of a test.

    Args:
        item: The test.
        rules: Every rule there is.

    Yields:
        One sentence per fault.
    """
    for mark in item.iter_markers("rule"):
        if not mark.args:
            yield "a rule mark names no rule"
        yield from (f"unknown rule {name!r}" for name in mark.args if name not in rules)
    for mark in item.iter_markers("spec"):
        if not (len(mark.args) == 3 and mark.args[2] in LEVELS):
            yield f"a spec mark is (document, section, level), not {mark.args}"
    parts = item.path.relative_to(ROOT / "tests").parts
    needed = MARKED_FOLDERS.get(parts[0])
    if needed is not None and item.get_closest_marker(needed) is None:
        yield f"a test below tests/{parts[0]}/ needs a {needed} mark"


def check_marks(items: Iterable[pytest.Item]) -> None:
    """Refuse to run while a mark is wrong.

    Args:
        items: The collected tests.

    Raises:
        pytest.UsageError: Naming every fault, once a test.
    """
    rules = read_rules()
    messages = {
        f"{item.nodeid.partition('[')[0]}: {fault}" for item in items for fault in faults(item, rules)
    }
    if messages:
        raise pytest.UsageError("\n".join(sorted(messages)))


def write_proofs(items: Iterable[pytest.Item], folder: Path) -> None:
    """Write which tests prove which rule and which section.

    Args:
        items: Every collected test.
        folder: Where proofs.md and conformance.md go.
    """
    by_rule: dict[str, set[Proof]] = defaultdict(set)
    by_section: dict[tuple[str, str, str], set[Proof]] = defaultdict(set)
    for item in items:
        proof = proof_of(item)
        for mark in item.iter_markers("rule"):
            for name in mark.args:
                by_rule[name].add(proof)
        for mark in item.iter_markers("spec"):
            document, section, level = mark.args
            by_section[document, section, level].add(proof)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proofs.md").write_text(rule_table(read_rules(), by_rule), encoding="utf-8")
    (folder / "conformance.md").write_text(section_table(by_section), encoding="utf-8")


def proof_of(item: pytest.Item) -> Proof:
    """Name the test function of an item.

    Args:
        item: A collected test, perhaps one of many parameters.

    Returns:
        Its file and its name, with the class when it is a method.
    """
    name = item.nodeid.partition("::")[2].partition("[")[0].replace("::", ".")
    return Proof(item.path.relative_to(ROOT).as_posix(), name)


def rule_table(rules: dict[str, str], by_rule: dict[str, set[Proof]]) -> str:
    """Write docs/proofs.md.

    Args:
        rules: Every rule.
        by_rule: The tests of those that have some.

    Returns:
        The document.
    """
    proven = sum(1 for rule in rules if by_rule.get(rule))
    lines = [
        "# Which test proves which rule",
        "",
        NOTICE,
        "",
        f"{proven} of {len(rules)} rules of [rules.md](rules.md) are proven by at least one test.",
    ]
    for rule in rules:
        tests = sorted(by_rule.get(rule, ()))
        lines += ["", f"## {rule}", "", *([f"- {test}" for test in tests] or ["**no test**"])]
    return "\n".join(lines) + "\n"


def section_table(by_section: dict[tuple[str, str, str], set[Proof]]) -> str:
    """Write docs/conformance.md.

    Args:
        by_section: The tests of each document, section and level.

    Returns:
        The document.
    """
    lines = ["# Which test proves which section of a specification", "", NOTICE]
    document = ""
    for key in sorted(by_section, key=in_reading_order):
        if key[0] != document:
            document = key[0]
            lines += ["", f"## {document}", "", "| section | level | test |", "| --- | --- | --- |"]
        lines += [f"| {key[1]} | {key[2]} | {test} |" for test in sorted(by_section[key])]
    return "\n".join(lines) + "\n"


def in_reading_order(key: tuple[str, str, str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]], str]:
    """Order sections as a reader meets them: 4.2 before 4.10.

    Args:
        key: Document, section, level.

    Returns:
        What to sort by.
    """
    document, section, level = key
    return numbers_as_numbers(document), numbers_as_numbers(section), level


def numbers_as_numbers(text: str) -> list[tuple[int, str]]:
    """Cut a text into words and numbers, for sorting.

    Args:
        text: Such as `RFC 6749` or `4.1.2`.

    Returns:
        Pairs that compare numbers by value and words by letters.
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", text)]
