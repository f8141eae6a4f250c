"""The contact address: where services write, once its owner has answered a mail (PRO-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.storage.repositories import contact_emails

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context


@dataclass(frozen=True, slots=True)
class WaitingContactEmail:
    """An address that waits for its proof.

    Attributes:
        email: As typed.
        until: When the link of the mail ends.
    """

    email: str
    until: datetime


def waiting(context: Context, account_id: str) -> WaitingContactEmail | None:
    """Find the contact address of an account that waits for its proof; None when there is none."""
    with context.database.read() as connection:
        proof = contact_emails.of_account(connection, account_id, context.clock())
    return None if proof is None else WaitingContactEmail(proof.email, proof.expires_at)
