"""`DomainError` and its tree: what the rules answer when they say no; `web/errors.py` says it to people."""

from __future__ import annotations

from datetime import datetime


class DomainError(Exception):
    """A rule of the terms of use, or of an account's life, says no."""


class RuleRefused(DomainError):
    """A rule of `docs/rules.md` refuses what was asked.

    Args:
        rule: Its id, such as "FC-2"; the pages have the words.
        subject: What it is about, such as the name of an attribute; never a person's value.
    """

    def __init__(self, rule: str, subject: str = "") -> None:
        super().__init__(f"{rule}: {subject}" if subject else rule)
        self.rule = rule
        self.subject = subject


class ThrottledUntil(DomainError):
    """Too many tries (LOG-2).

    `domain.throttle.decide` returns it as a value, so that the transaction which counted the try commits;
    a service may raise it where nothing remains to be recorded.

    Args:
        when: From this moment the next try is allowed, aware UTC.
    """

    def __init__(self, when: datetime) -> None:
        super().__init__(f"throttled until {when.isoformat()}")
        self.when = when
