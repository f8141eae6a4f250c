"""`Account` and its states (ACC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccountState(StrEnum):
    """Whether the account may be used (LOG-6)."""

    ACTIVE = "active"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Account:
    """Our record of a person; it exists only once its address is proven (ACC-4).

    Attributes:
        account_id: Internal, never on the wire.
        email: The identifier as typed; mail goes there.
        state: Active or locked.
        password_is_generated: True when nobody knows the password (PWD-7).
        language: "fr" or "en".
        terms_version: The version of the terms accepted last.
        created_at: When the account was opened.
        last_sign_in_at: The latest login.
        previous_sign_in_at: The one before it: what a person who has just signed in compares with their memory.
        limited_at: Since when nothing is told to services (PRI-4); None while all is.
        terms_notice_seen: The minor version of the terms whose notice the person has put away.
    """

    account_id: str
    email: str
    state: AccountState
    password_is_generated: bool
    language: str
    terms_version: str
    created_at: datetime
    last_sign_in_at: datetime | None = None
    previous_sign_in_at: datetime | None = None
    limited_at: datetime | None = None
    terms_notice_seen: str | None = None

    @property
    def is_active(self) -> bool:
        """Tell whether the account may sign in and be spoken for."""
        return self.state is AccountState.ACTIVE

    @property
    def is_limited(self) -> bool:
        """Tell whether the person may come in, and no service be told anything of them."""
        return self.limited_at is not None
