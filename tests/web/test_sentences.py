"""Every sentence that the views ask for is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idp.domain.password_policy import BrokenRuleKind

ROOT = Path(__file__).resolve().parents[2]
ASKED = re.compile(r'sentence\(\s*"([a-z0-9_]+)"')
KNOWN = re.compile(r'code == "([a-z0-9_]+)"')


def known_codes() -> set[str]:
    """Read the codes of `messages.html`."""
    return set(KNOWN.findall((ROOT / "templates" / "messages.html").read_text(encoding="utf-8")))


@pytest.mark.rule("PWD-3")
@pytest.mark.parametrize("kind", list(BrokenRuleKind))
def test_each_broken_rule_has_its_sentence(kind: BrokenRuleKind) -> None:
    """A password is never refused without a word."""
    assert f"password_{kind}" in known_codes()


def test_each_sentence_that_a_view_names_exists() -> None:
    """A code that was renamed on one side only would leave a blank line on the page."""
    asked = {
        code
        for file in (ROOT / "idp" / "web").rglob("*.py")
        for code in ASKED.findall(file.read_text(encoding="utf-8"))
    }

    assert asked <= known_codes()
