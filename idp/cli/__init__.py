"""The `idp` command line, for administrators (ADM-1, ADM-2)."""
