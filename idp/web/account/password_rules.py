"""Says in words which rules a new password breaks (PWD-3); the rules themselves are in the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.password_policy import to_browser
from idp.web.site import context
from idp.web.templating import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idp.domain.password_policy import BrokenRule


def password_rules() -> dict[str, object]:
    """Give the page the rules that the server checks with."""
    return to_browser(context().password_policy)


def password_errors(broken: Iterable[BrokenRule]) -> list[str]:
    """Say every broken rule, in the language of the page."""
    policy = context().password_policy
    return [
        sentence(
            f"password_{rule.kind}",
            refused=list(rule.characters),
            min_length=policy.min_length,
            max_length=policy.max_length,
        )
        for rule in broken
    ]
