"""The page that waits for a mailed code: what was typed, and what to say of it (ACC-4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, assert_never

from idp.services.account.mailed_code import CodeExhausted, CodeExpired, WrongCode
from idp.web.site import context
from idp.web.templating import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE = re.compile(r"[0-9]{6}")
_SPACES = re.compile(r"\s+")


def typed_code(sent: Mapping[str, str]) -> str:
    """Read the code of a form: pasted ones come with spaces."""
    return _SPACES.sub("", sent.get("code", ""))


def malformed(code: str) -> str | None:
    """Say that a code can't be one, which costs no try; None when it may be compared."""
    if _CODE.fullmatch(code) is not None:
        return None
    return sentence("code_malformed" if code else "code_missing")


def refusal(outcome: WrongCode | CodeExpired | CodeExhausted) -> str:
    """Say why a code did not serve, and what to do."""
    match outcome:
        case WrongCode(left):
            return sentence("code_wrong", num=left)
        case CodeExpired():
            return sentence("code_expired")
        case CodeExhausted():
            return sentence("code_exhausted")
        case _:
            assert_never(outcome)


def variables(email: str) -> dict[str, Any]:
    """Give what the page says before anything was typed."""
    return {"email": email, "code_minutes": int(context().code_policy.lifetime.total_seconds() // 60)}
