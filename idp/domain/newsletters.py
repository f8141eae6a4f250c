"""Letters and alerts that services send, and who subscribed to them (PRO-7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

#: The wire name of a list.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
#: How long a person may confirm.
CONFIRMATION_LIFETIME: Final = timedelta(days=7)
#: Subscribers of one answer.
MOST_OF_A_PAGE: Final = 500
#: The language that every list is worded in.
_SOURCE_LANGUAGE: Final = "fr"


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A list that a service owns.

    Attributes:
        name: Its wire name, such as "actualites".
        title: A few words, by language code.
        description: What is sent, the same way.
        frequency: How often, the same way; empty when the service does not say.
    """

    name: str
    title: dict[str, str]
    description: dict[str, str]
    frequency: dict[str, str] = field(default_factory=dict)

    def words(self, language: str) -> tuple[str, str, str]:
        """Give title, description and frequency, in the language or, without it, in French."""
        texts = (self.title, self.description, self.frequency)
        title, description, frequency = (
            text.get(language) or text.get(_SOURCE_LANGUAGE, "") for text in texts
        )
        return title, description, frequency


@dataclass(frozen=True, slots=True)
class Subscription:
    """That a person asked for a list, and may have confirmed it.

    Attributes:
        account_id: Who.
        client_id: Whose list.
        name: Of the list.
        asked_at: When.
        expires_at: Until when it may be confirmed; None once it was.
        confirmed_at: Since when it counts; None while the mail waits for an answer.
    """

    account_id: str
    client_id: str
    name: str
    asked_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None

    @property
    def is_confirmed(self) -> bool:
        """Tell whether it counts."""
        return self.confirmed_at is not None

    def awaits_confirmation(self, now: datetime) -> bool:
        """Tell whether the mailed link still confirms it."""
        return self.confirmed_at is None and self.expires_at is not None and now < self.expires_at
