"""Codes and parameters of the device flow (RFC 8628)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: RFC 8628 section 6.1: no vowels, so that no words come out, and nothing that is taken for another letter or for a
#: digit. Twenty letters, eight times: 34 bits.
USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_LENGTH: Final = 8
#: What a device may ask for, beside its client authentication: an authorization request without the ways back.
ASKED_PARAMETERS: Final = frozenset({"acr_values", "claims", "max_age", "resource", "scope", "ui_locales"})
#: Where the person types the code, from the issuer.
VERIFICATION_PATH: Final = "/device"
#: Where the browser ends, from the issuer: the device gets its answer at the token endpoint.
ANSWER_PATH: Final = "/device/answer"

_HALF: Final = USER_CODE_LENGTH // 2
#: What people put between letters that they copy.
_BETWEEN: Final = str.maketrans(
    dict.fromkeys(" -\N{NO-BREAK SPACE}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}._", "")
)


def read_user_code(typed: str) -> str | None:
    """Read a user code as people type it: any case, with or without what stands between its halves.

    Returns:
        Its letters; None when it can't be one of ours.
    """
    letters = typed.translate(_BETWEEN).strip().upper()
    is_one = len(letters) == USER_CODE_LENGTH and set(letters) <= set(USER_CODE_LETTERS)
    return letters if is_one else None


def shown_user_code(letters: str) -> str:
    """Write a user code as devices and pages show it: two groups of four."""
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def authorization_parameters(asked: Mapping[str, str], *, client_id: str, issuer: str) -> dict[str, str]:
    """Make the authorization request that stands for what a device asks.

    Its answer ends on a page of ours, and consent is asked whatever was allowed before: who types a code may have
    been talked into it (RFC 8628 section 5.4).
    """
    return {
        **{name: value for name, value in asked.items() if name in ASKED_PARAMETERS},
        "client_id": client_id,
        "redirect_uri": issuer + ANSWER_PATH,
        "response_type": "code",
        "prompt": "consent",
    }
