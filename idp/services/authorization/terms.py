"""Publishes versions of the terms of use, says which holds, and records who accepted it (CGU-1, CGU-2, CGU-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import digest
from idp.domain.errors import DomainError, RuleRefused
from idp.domain.events import TermsAccepted, TermsPublished
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.domain.terms import Announcement, TermsVersion, announcement
from idp.domain.text_difference import Section, sections
from idp.services import ledger
from idp.services.audit import record
from idp.services.ledger import own_subject
from idp.storage.repositories import accounts, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.storage.engine import Connection

#: The language of the reference: what is not translated is read in it.
_REFERENCE_LANGUAGE = "fr"


class NoTermsInForceError(DomainError):
    """No version of the terms holds yet: nobody can open an account before the administrator publishes one."""


class NotPublished(RuleRefused):
    """A version can't be published so; nothing was written.

    Args:
        rule: "CGU-1": what is published never changes; "CGU-2": a change is never retroactive.
        why: In words, for the administrator.
    """

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(rule, why)


@dataclass(frozen=True, slots=True)
class TermsText:
    """A text to publish.

    Attributes:
        version: Its name, such as "2026-11-01".
        language: "fr" or "en".
        title: Its title.
        body: Markdown of headings, paragraphs, lists, emphasis and links.
        effective_at: From when it holds; None for a translation, which takes effect with what it translates, or
            for now.
        is_major: It must be accepted anew; None for what its translation says, or for yes.
        summary: What changes, in a few sentences.
    """

    version: str
    language: str
    title: str
    body: str
    effective_at: datetime | None = None
    is_major: bool | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from one version to another, in one language.

    Attributes:
        before: The older text.
        after: The newer one, in the same language.
        sections: The paragraphs that changed, under their headings; none for texts that read the same.
    """

    before: TermsVersion
    after: TermsVersion
    sections: tuple[Section, ...]


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
    """Tell whether no major version is newer than the one accepted last (CGU-2); one statement."""
    return terms.to_accept(connection, accepted_version, now) is None


def must_accept(context: Context, account: Account) -> bool:
    """Tell whether a person has to accept the version that holds before going on (CGU-2)."""
    with context.database.read() as connection:
        return not are_accepted(connection, account.terms_version, context.clock())


def announced(context: Context, account: Account, language: str) -> Announcement:
    """Say what a person is told of the terms in their space: a minor change, a major one that is coming (CGU-2)."""
    return announcement(
        list_versions(context, language), account.terms_version, account.terms_notice_seen, context.clock()
    )


def put_notice_away(context: Context, account_id: str, version: str) -> None:
    """Announce a version to a person no more; one that was never published changes nothing."""
    with context.database.write() as connection:
        if terms.texts(connection, version):
            accounts.put_terms_notice_away(connection, account_id, version)


def changes(context: Context, before: str, after: str, language: str) -> Changes | None:
    """Compare two versions in a language that both have: the one wished, else French, else another.

    Returns:
        None when one of them was never published, or they have no language in common.
    """
    with context.database.read() as connection:
        older = {one.language: one for one in terms.texts(connection, before)}
        newer = {one.language: one for one in terms.texts(connection, after)}
    common = sorted(
        older.keys() & newer.keys(), key=lambda one: (one != language, one != _REFERENCE_LANGUAGE)
    )
    if not common:
        return None
    left, right = older[common[0]], newer[common[0]]
    return Changes(left, right, sections(_whole(left), _whole(right)))


def version_before(context: Context, version: str) -> str | None:
    """Name the version that another one follows; None for the first, and for one that was never published."""
    ordered = [one.version for one in list_versions(context, _REFERENCE_LANGUAGE)]
    following = ordered.index(version) + 1 if version in ordered else len(ordered)
    return ordered[following] if following < len(ordered) else None


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


def publish(context: Context, text: TermsText, *, actor: str = "administrator", by: str = "") -> bool:
    """Publish a version in one language.

    Args:
        context: The parts.
        text: The version.
        actor: Who publishes, for the trail.
        by: The name of the administrator.

    Returns:
        True when it is new; False when this very text was published before.

    Raises:
        NotPublished: CGU-1, another text, date or weight was published under this name; CGU-2, it would take effect
            in the past, or together with another version, or the very first one would be minor.
    """
    now = context.clock()
    with context.database.write() as connection:
        siblings = terms.texts(connection, text.version)
        published = _to_publish(text, siblings, now)
        if _stands(published, siblings):
            return False
        if not siblings:
            _check_new(connection, published, now)
        if not terms.publish(connection, published):
            raise NotPublished("CGU-1", f"{text.version} ({text.language}) was published meanwhile")
        event = TermsPublished(text.version, text.language, published.effective_at.isoformat(), by)
        record(connection, event, now, actor=actor)
    return True


def accept(
    context: Context, account_id: str, version: str, language: str, *, channel: str
) -> TermsVersion | None:
    """Record that a person accepted the version that holds.

    Args:
        context: The parts.
        account_id: Who.
        version: The version that the page showed.
        language: Of the text that the page showed.
        channel: How, such as "sign_in".

    Returns:
        What was accepted, now or by an earlier click; None when another version holds by now: the page is to be
        shown again.
    """
    now = context.clock()
    with context.database.write() as connection:
        current = in_force_within(connection, language, now)
        if current.version != version:
            return None
        # A double click, or another tab: one acceptance is one entry.
        if accounts.set_terms_version(connection, account_id, current.version):
            accept_within(context, connection, account_id, current, channel=channel)
    return current


def accept_within(
    context: Context, connection: Connection, account_id: str, accepted: TermsVersion, *, channel: str
) -> None:
    """Record an acceptance in the transaction of the act that it belongs to (ACC-3, CGU-3).

    The account names the version already, as the caller wrote it.
    """
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
    record(connection, TermsAccepted(accepted.version), now, account_id=account_id)


def text_hash(text: TermsText) -> bytes:
    """Hash title and body: what an acceptance is the proof of (CGU-3)."""
    return digest(f"{text.title}\n{text.body}")


def _to_publish(text: TermsText, siblings: Sequence[TermsVersion], now: datetime) -> TermsVersion:
    """Complete what was not said: a translation takes effect with the text it translates, and weighs as much."""
    sibling = siblings[0] if siblings else None
    effective_at = text.effective_at or (now if sibling is None else sibling.effective_at)
    is_major = text.is_major if text.is_major is not None else sibling is None or sibling.is_major
    return TermsVersion(
        text.version,
        text.language,
        text.title,
        text.body,
        text_hash(text),
        effective_at,
        now,
        is_major,
        text.summary or None,
    )


def _stands(published: TermsVersion, siblings: Sequence[TermsVersion]) -> bool:
    """Tell whether the very same text is there.

    Raises:
        NotPublished: CGU-1, something else stands under this name.
    """
    name = published.version
    for one in siblings:
        if one.effective_at != published.effective_at:
            raise NotPublished(
                "CGU-1", f"{name} was published to take effect on {one.effective_at:%Y-%m-%d %H:%M:%S} UTC"
            )
        if one.is_major != published.is_major:
            raise NotPublished("CGU-1", f"{name} was published as a {_weight(one)} version")
    same = next((one for one in siblings if one.language == published.language), None)
    if same is None:
        return False
    if (same.text_hash, same.summary) != (published.text_hash, published.summary):
        raise NotPublished(
            "CGU-1", f"another text was published as {name} ({same.language}): give this one another name"
        )
    return True


def _check_new(connection: Connection, published: TermsVersion, now: datetime) -> None:
    """Refuse a version that would be retroactive, or whose order among the others nobody could tell.

    Raises:
        NotPublished: CGU-2.
    """
    # The very first may say since when it has held.
    is_first = terms.version_in_force(connection, now) is None
    if published.effective_at < now and not is_first:
        raise NotPublished(
            "CGU-2",
            f"{published.version} would take effect on {published.effective_at:%Y-%m-%d %H:%M:%S} UTC, in the past",
        )
    if is_first and not published.is_major and not terms.every_version(connection):
        raise NotPublished("CGU-2", "the first version is major: everybody accepts it")
    other = terms.taking_effect(connection, published.effective_at)
    if other is not None:
        raise NotPublished("CGU-2", f"{other} takes effect at the same moment")


def _weight(version: TermsVersion) -> str:
    return "major" if version.is_major else "minor"


def _whole(version: TermsVersion) -> str:
    return f"# {version.title}\n\n{version.body}"


def _in_language(texts: Iterable[TermsVersion], language: str) -> TermsVersion | None:
    by_language = {one.language: one for one in texts}
    wished = by_language.get(language) or by_language.get(_REFERENCE_LANGUAGE)
    return wished or next(iter(by_language.values()), None)
