"""Draws tables; apart, for rich takes longer to import than most commands to run."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; piped into a file it keeps every character of its cells."""
    console = Console(highlight=False)
    drawn = Table(*columns, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for row in rows:
        # Text, not str: square brackets in a name are no markup.
        drawn.add_row(*(Text(text, overflow="fold") for text in row))
    width = None if console.is_terminal else max(console.measure(drawn).maximum, 80)
    console.print(drawn, width=width, crop=False)
