"""The `purposes` claim: what a person answered to the questions of a client (CON-3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from idp.domain.purposes import Choice, Purpose, answer_to


def purposes_claim(purposes: Iterable[Purpose], choices: Iterable[Choice]) -> dict[str, dict[str, Any]]:
    """Say what was answered to each purpose in its present wording; one that was not is left out, and is no yes.

    Args:
        purposes: Those that the client declares.
        choices: The person's answers, earlier wordings and former purposes included.

    Returns:
        By the name of the purpose: `answer`, `version` of the wording, `updated_at` in seconds since 1970.
    """
    given = tuple(choices)
    answers = ((purpose.name, answer_to(purpose, given)) for purpose in purposes)
    return {name: answer_member(choice) for name, choice in answers if choice is not None}


def answer_member(choice: Choice) -> dict[str, Any]:
    """Write one answer."""
    return {
        "answer": choice.is_allowed,
        "version": choice.version,
        "updated_at": int(choice.changed_at.timestamp()),
    }
