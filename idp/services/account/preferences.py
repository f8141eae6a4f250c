"""What a person prefers for their whole account (UX-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.storage.repositories import accounts

if TYPE_CHECKING:
    from idp.services.context import Context


def choose_language(context: Context, account_id: str, language: str) -> None:
    """Write to somebody, and show them pages, in a language from now on.

    Args:
        context: The parts.
        account_id: Who.
        language: "fr" or "en".
    """
    with context.database.write() as connection:
        accounts.set_language(connection, account_id, language)
