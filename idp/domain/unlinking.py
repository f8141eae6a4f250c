"""Ending the link to FranceConnect at the person's request: what may be asked, and what an approval changes (FC-5).

A person asks, a manager decides. Once the request is approved, what FranceConnect certified is what the person says
of themselves: the values stay, their source and their level do not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.domain.civil_identity import Attribute, Change, Level, Source, differences

#: Of what the person writes to the manager, in code points.
LONGEST_MESSAGE: Final = 1000
#: Of what the manager answers.
LONGEST_REASON: Final = 500
#: Asking and withdrawing in turn would mail the owner and fill the queue without end.
MOST_A_DAY: Final = 5
DAY: Final = timedelta(days=1)
#: Why such a link ended, in its history.
ENDED_REASON: Final = "unlinked"


class RequestState(StrEnum):
    """What has become of a request; only an open one changes."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class UnlinkRequest:
    """What a person asked, and what a manager decided.

    Attributes:
        request_id: Names it, in the order of time.
        account_id: Whose.
        state: What has become of it.
        message: What the person wrote, for the manager alone; may be empty.
        created_at: When they asked.
        decided_at: When it was approved, refused or withdrawn.
        decided_by: The operator's name, or "person".
        decision_reason: What the manager answers.
    """

    request_id: str
    account_id: str
    state: RequestState
    message: str
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for a decision."""
        return self.state is RequestState.OPEN


def normalise_message(typed: str) -> str:
    """Give a text of several lines as it is stored: NFC, no spaces around a line, no empty line at either end."""
    composed = unicodedata.normalize("NFC", typed)
    return "\n".join(" ".join(line.split()) for line in composed.splitlines()).strip()


def declared_again(
    current: Mapping[str, Attribute], now: datetime
) -> tuple[dict[str, Attribute], tuple[Change, ...]]:
    """Make what FranceConnect said what the person says: all of it, the usage name that came along too (FC-5).

    Args:
        current: The person's attributes.
        now: The time of the approval.

    Returns:
        The attributes afterwards, and what changed in them. A value that was certified to be empty, such as the
        birth place of who was born abroad, goes away: nobody declares nothing.
    """
    after = {
        name: _declared(attribute, now) if attribute.source is Source.FRANCECONNECT else attribute
        for name, attribute in current.items()
        if attribute.value or attribute.source is not Source.FRANCECONNECT
    }
    return after, differences(current, after)


def _declared(attribute: Attribute, now: datetime) -> Attribute:
    return replace(attribute, source=Source.DECLARED, level=Level.DECLARED, recorded_at=now)
