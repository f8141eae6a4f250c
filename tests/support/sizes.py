"""Prints the ten longest files and functions of `idp/` and `tests/`: an invitation to read, not a fence."""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.marks import ROOT

SHOWN = 10


def functions(path: Path) -> Iterator[tuple[int, str]]:
    """List the functions of a file.

    Args:
        path: Of the file.

    Yields:
        Lines of the body, docstring aside, and where the function is.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            yield lines, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def show(title: str, sizes: list[tuple[int, str]]) -> None:
    """Print the longest.

    Args:
        title: Of the list.
        sizes: Lines and names.
    """
    median = statistics.median(lines for lines, _ in sizes)
    sys.stdout.write(f"{title}: {len(sizes)}, median {median:g} lines\n")
    for lines, name in sorted(sizes, reverse=True)[:SHOWN]:
        sys.stdout.write(f"{lines:6} {name}\n")


def main() -> None:
    """Print both lists for the program, then for the tests."""
    for folder in ("idp", "tests"):
        paths = sorted((ROOT / folder).rglob("*.py"))
        files = [(len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT)))
                 for path in paths]  # fmt: skip
        show(f"{folder}/: files", files)
        show(f"{folder}/: functions", [size for path in paths for size in functions(path)])


if __name__ == "__main__":
    main()
