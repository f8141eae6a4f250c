"""Draws tables; apart, for rich takes longer to import than most commands to run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 10_000


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], alarming: Collection[int] = ()) -> None:
    """Print a table, some of its rows in red; piped into a file it keeps every character of its cells."""
    console = Console(highlight=False)
    drawn = Table(*columns, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for place, row in enumerate(rows):
        # Text, not str: square brackets in a name are no markup.
        cells = (Text(text, overflow="fold") for text in row)
        drawn.add_row(*cells, style="bold red" if place in alarming else None)
    if not console.is_terminal:
        # As wide as it wants: at the 80 columns of no terminal, a name would be broken, or shrink to nothing.
        console.width = _WIDEST
        console.width = console.measure(drawn).maximum
    console.print(drawn, crop=False)
