"""The layers and the homes of libraries, as import-linter checks them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.marks import ROOT

LINTER = Path(sys.executable).parent / "lint-imports"


def test_imports_of_every_module_keep_the_contracts() -> None:
    """No module imports what stands above it, nor a library that has its home elsewhere."""
    result = subprocess.run([str(LINTER), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
