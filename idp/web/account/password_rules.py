"""Says in words which rules a new password breaks (PWD-3); the rules themselves are in the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.password_policy import BrokenRuleKind, to_browser
from idp.web.site import context
from idp.web.templating import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idp.domain.password_policy import BrokenRule

#: The sentence of each rule, in `templates/messages.html`.
_SENTENCES = {
    BrokenRuleKind.TOO_LONG: "password_maximum",
    BrokenRuleKind.TOO_SHORT: "password_length",
    BrokenRuleKind.NO_UPPERCASE: "password_uppercase",
    BrokenRuleKind.NO_LOWERCASE: "password_lowercase",
    BrokenRuleKind.NO_DIGIT: "password_digit",
    BrokenRuleKind.NO_SPECIAL: "password_special",
    BrokenRuleKind.REFUSED_CHARACTERS: "password_refused",
    BrokenRuleKind.CONTROL_CHARACTERS: "password_control",
    BrokenRuleKind.PERSONAL: "password_personal",
    BrokenRuleKind.CONTEXT: "password_context",
    BrokenRuleKind.COMMON: "password_common",
}


def password_rules() -> dict[str, object]:
    """Give the page the rules that the server checks with."""
    return to_browser(context().password_policy)


def password_errors(broken: Iterable[BrokenRule]) -> list[str]:
    """Say every broken rule, in the language of the page."""
    policy = context().password_policy
    return [
        sentence(
            _SENTENCES[rule.kind],
            refused=list(rule.characters),
            min_length=policy.min_length,
            max_length=policy.max_length,
        )
        for rule in broken
    ]
