"""`python -m idp.cli` does what `idp` does."""

from __future__ import annotations

from idp.cli import main

main()
