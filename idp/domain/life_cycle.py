"""Inactivity, warnings, deletion dates (LIF-1, LIF-2, LIF-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class LifeCyclePolicy:
    """When an account counts as abandoned, and how its owner is told.

    Attributes:
        inactivity_months: Months without a login or a reactivation, after which it is deleted.
        warnings: How long before the deletion each mail goes out, the earliest first.
    """

    inactivity_months: int = 37
    warnings: tuple[timedelta, ...] = (timedelta(days=60), timedelta(days=30), timedelta(days=7))
