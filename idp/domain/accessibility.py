"""What may be said of the accessibility of the pages: only what a recent audit found (UX-2, S-422, S-425)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

#: Décret 2019-768 article 6: a statement is renewed when it is three years old.
_VALID_FOR_YEARS: Final = 3
_ALL: Final = 100
#: Half of the criteria make "partiellement conforme".
_HALF: Final = 50


class Conformity(StrEnum):
    """The state of conformity, in the words that the law imposes."""

    TOTAL = "totalement conforme"
    PARTIAL = "partiellement conforme"
    NONE = "non conforme"


@dataclass(frozen=True, slots=True)
class AccessibilityStatement:
    """What the city states, as configured.

    Attributes:
        conformity: What the audit found.
        audited_on: Day of the audit; None when there was none.
        auditor: Who made it.
        rate: Percentage of the criteria that are met.
        failures: Content that is not accessible, and should be.
        exemptions: Content whose mending would be a disproportionate burden.
        plan_url: Where the plan for several years is published; empty for none.
    """

    conformity: Conformity = Conformity.NONE
    audited_on: date | None = None
    auditor: str = ""
    rate: int = 0
    failures: tuple[str, ...] = ()
    exemptions: tuple[str, ...] = ()
    plan_url: str = ""

    @property
    def ends_on(self) -> date | None:
        """The day from which the audit counts no more; None without one."""
        if self.audited_on is None:
            return None
        day = self.audited_on
        year = day.year + _VALID_FOR_YEARS
        # 29 February has no anniversary three years later.
        return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)

    def has_expired(self, today: date) -> bool:
        """Tell whether the audit is too old to say anything by (S-425)."""
        return self.ends_on is not None and today >= self.ends_on

    def conformity_on(self, today: date) -> Conformity:
        """Say what the pages show: without a valid audit, "non conforme" whatever is configured (S-422)."""
        if self.audited_on is None or self.has_expired(today):
            return Conformity.NONE
        return self.conformity

    def is_contradictory(self) -> bool:
        """Tell whether the state says more, or less, than the percentage of the audit allows."""
        return self.audited_on is not None and self.conformity is not conformity_of(self.rate)


def conformity_of(rate: int) -> Conformity:
    """Give the state that a percentage of met criteria makes (RGAA: every criterion, half of them, fewer)."""
    if rate >= _ALL:
        return Conformity.TOTAL
    return Conformity.PARTIAL if rate >= _HALF else Conformity.NONE
