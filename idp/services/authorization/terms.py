"""Publishes versions of the terms of use, says which holds, and records who accepted it (CGU-1, CGU-2, CGU-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import digest
from idp.domain.errors import DomainError, RuleRefused
from idp.domain.events import TermsAccepted, TermsPublished
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.domain.terms import TermsVersion
from idp.services import ledger
from idp.services.audit import record
from idp.services.ledger import own_subject
from idp.storage.repositories import accounts, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from idp.services.context import Context
    from idp.storage.engine import Connection

#: The language of the reference: what is not translated is read in it.
_REFERENCE_LANGUAGE = "fr"


class NoTermsInForceError(DomainError):
    """No version of the terms holds yet: nobody can open an account before the administrator publishes one."""


@dataclass(frozen=True, slots=True)
class TermsText:
    """A text to publish.

    Attributes:
        version: Its name, such as "2026-11-01".
        language: "fr" or "en".
        title: Its title.
        body: Markdown of headings, paragraphs, lists, emphasis and links.
        effective_at: From when it holds.
    """

    version: str
    language: str
    title: str
    body: str
    effective_at: datetime


def in_force(context: Context, language: str) -> TermsVersion:
    """Give the version that holds, in a language if it is there, else in French.

    Raises:
        NoTermsInForceError: None holds yet.
    """
    with context.database.read() as connection:
        return in_force_within(connection, language, context.clock())


def in_force_within(connection: Connection, language: str, now: datetime) -> TermsVersion:
    """Give the version that holds, in a transaction that does more.

    Raises:
        NoTermsInForceError: None holds yet.
    """
    found = _in_language(terms.in_force(connection, now), language)
    if found is None:
        raise NoTermsInForceError("no version of the terms of use holds: run `idp terms publish`")
    return found


def are_accepted(connection: Connection, accepted_version: str, now: datetime) -> bool:
    """Tell whether the version accepted last is the one that holds (CGU-2); one statement."""
    return terms.version_in_force(connection, now) in {accepted_version, None}


def find(context: Context, version: str, language: str) -> TermsVersion | None:
    """Find a version, in a language if it is there, else in French (CGU-1)."""
    with context.database.read() as connection:
        return _in_language(terms.texts(connection, version), language)


def list_versions(context: Context, language: str) -> list[TermsVersion]:
    """List every version once, the latest to take effect first."""
    by_version: dict[str, list[TermsVersion]] = {}
    with context.database.read() as connection:
        for one in terms.every_version(connection):
            by_version.setdefault(one.version, []).append(one)
    listed = (_in_language(texts, language) for texts in by_version.values())
    return [one for one in listed if one is not None]


def publish(context: Context, text: TermsText, *, actor: str = "administrator") -> bool:
    """Publish a version in one language.

    Args:
        context: The parts.
        text: The version.
        actor: Who publishes, for the trail.

    Returns:
        True when it is new; False when this very text was published before.

    Raises:
        RuleRefused: CGU-1, another text or date was published under this name; CGU-2, it would take effect in the
            past, or between versions that people accepted.
    """
    now = context.clock()
    published = TermsVersion(
        text.version, text.language, text.title, text.body, text_hash(text), text.effective_at, now
    )
    with context.database.write() as connection:
        siblings = terms.texts(connection, text.version)
        if _stands(published, siblings):
            return False
        if not siblings and not _may_take_effect(connection, text.effective_at, now):
            raise RuleRefused("CGU-2", text.version)
        if not terms.publish(connection, published):
            raise RuleRefused("CGU-1", text.version)
        record(connection, TermsPublished(text.version), now, actor=actor)
    return True


def accept(
    context: Context, account_id: str, version: str, language: str, *, channel: str
) -> TermsVersion | None:
    """Record that a person accepted the version that holds.

    Args:
        context: The parts.
        account_id: Who.
        version: The version that the page showed.
        language: Of the page.
        channel: How, such as "sign_in".

    Returns:
        What was accepted; None when another version holds by now: the page is to be shown again.
    """
    now = context.clock()
    with context.database.write() as connection:
        current = in_force_within(connection, language, now)
        if current.version != version:
            return None
        accept_within(context, connection, account_id, current, channel=channel)
    return current


def accept_within(
    context: Context, connection: Connection, account_id: str, accepted: TermsVersion, *, channel: str
) -> None:
    """Record an acceptance in the transaction of the act that it belongs to (ACC-3, CGU-3)."""
    now = context.clock()
    entry = Entry(
        matter=Matter.TERMS,
        act=Act.GIVEN,
        account_id=account_id,
        subject=own_subject(context, account_id),
        client_id=None,
        document=Document("terms", accepted.version, f"{context.issuer}/terms/{accepted.version}"),
        words=accepted.words,
        language=accepted.language,
        channel=channel,
    )
    ledger.enter(connection, entry, now)
    accounts.set_terms_version(connection, account_id, accepted.version)
    record(connection, TermsAccepted(accepted.version), now, account_id=account_id)


def text_hash(text: TermsText) -> bytes:
    """Hash title and body: what an acceptance is the proof of (CGU-3)."""
    return digest(f"{text.title}\n{text.body}")


def _stands(published: TermsVersion, siblings: Sequence[TermsVersion]) -> bool:
    """Tell whether the very same text is there.

    Raises:
        RuleRefused: CGU-1, another text stands in this language, or the other languages take effect at another date.
    """
    if any(one.effective_at != published.effective_at for one in siblings):
        raise RuleRefused("CGU-1", published.version)
    same = next((one for one in siblings if one.language == published.language), None)
    if same is not None and same.text_hash != published.text_hash:
        raise RuleRefused("CGU-1", published.version)
    return same is not None


def _may_take_effect(connection: Connection, effective_at: datetime, now: datetime) -> bool:
    """Tell whether a new version is not retroactive; the very first may say since when it has held."""
    return effective_at >= now or terms.version_in_force(connection, now) is None


def _in_language(texts: Iterable[TermsVersion], language: str) -> TermsVersion | None:
    by_language = {one.language: one for one in texts}
    wished = by_language.get(language) or by_language.get(_REFERENCE_LANGUAGE)
    return wished or next(iter(by_language.values()), None)
