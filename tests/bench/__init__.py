"""Measures what each operation costs, on SQLite and on PostgreSQL (docs/performance.md)."""

from __future__ import annotations
