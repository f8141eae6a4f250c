"""Purposes that need a yes or no of their own (CON-3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

#: The wire name of a purpose.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a service asks a yes or no for, beside the data that it needs.

    Attributes:
        name: Its wire name, such as "mobile_providers".
        version: Raised when the wording changes what is agreed to: the answer to another version is asked anew.
        title: A few words, by language code.
        yes: The sentence that a yes agrees to, by language code; with what follows from it.
        no: The sentence of a no, the same way.
        recipients: To whom the data go.
    """

    name: str
    version: str
    title: dict[str, str]
    yes: dict[str, str]
    no: dict[str, str]
    recipients: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person answered to a purpose.

    Attributes:
        name: Of the purpose.
        version: Of the wording that was answered.
        is_allowed: Yes or no.
        changed_at: When.
    """

    name: str
    version: str
    is_allowed: bool
    changed_at: datetime

    def answers(self, purpose: Purpose) -> bool:
        """Tell whether this answers the purpose as it is worded today."""
        return self.name == purpose.name and self.version == purpose.version


def unanswered(purposes: tuple[Purpose, ...], choices: tuple[Choice, ...]) -> tuple[Purpose, ...]:
    """List the purposes that were not answered in their present wording."""
    return tuple(one for one in purposes if not any(choice.answers(one) for choice in choices))
