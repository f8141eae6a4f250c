"""Queries about versions of the terms of use; rows are added, never changed (CGU-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from idp.domain.terms import TermsVersion
from idp.storage.models import terms_versions
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

_VERSIONS = terms_versions
#: The version whose date of effect is the latest past one; `now_` is the moment.
VERSION_IN_FORCE = (
    select(_VERSIONS.c.version)
    .where(_VERSIONS.c.effective_at <= bindparam("now_", type_=_VERSIONS.c.effective_at.type))
    .order_by(_VERSIONS.c.effective_at.desc(), _VERSIONS.c.version.desc())
    .limit(1)
)


def version_to_accept(accepted: ColumnElement[str]) -> Select[str]:
    """Select the version that must be accepted anew; nothing for who accepted one that is not older (CGU-2).

    Args:
        accepted: The version accepted last: a column of the statement that this one stands in, or a parameter.
    """
    major, held = _VERSIONS.alias("major"), _VERSIONS.alias("held")
    is_not_older = (held.c.effective_at > major.c.effective_at) | (
        (held.c.effective_at == major.c.effective_at) & (held.c.version >= major.c.version)
    )
    # Of the person of the statement around it: SQLAlchemy would read every account's otherwise.
    accepted_one = (
        select(held.c.version).where(held.c.version == accepted, is_not_older).correlate_except(held)
    )
    return (
        select(major.c.version)
        .where(
            major.c.is_major,
            major.c.effective_at <= bindparam("now_", type_=_VERSIONS.c.effective_at.type),
            ~accepted_one.exists(),
        )
        .order_by(major.c.effective_at.desc(), major.c.version.desc())
        .limit(1)
    )


_TO_ACCEPT = version_to_accept(bindparam("accepted", type_=_VERSIONS.c.version.type))
_AT = select(_VERSIONS.c.version).where(_VERSIONS.c.effective_at == bindparam("at_"))
_TEXTS_IN_FORCE = select(_VERSIONS).where(_VERSIONS.c.version == VERSION_IN_FORCE.scalar_subquery())
_TEXTS = select(_VERSIONS).where(_VERSIONS.c.version == bindparam("version_"))
_ALL = select(_VERSIONS).order_by(
    _VERSIONS.c.effective_at.desc(), _VERSIONS.c.version.desc(), _VERSIONS.c.language
)


def version_in_force(connection: Connection, now: datetime) -> str | None:
    """Name the version that holds: the latest one whose date of effect is past; None when there is none yet."""
    return connection.scalar(VERSION_IN_FORCE, {"now_": now})


def to_accept(connection: Connection, accepted: str, now: datetime) -> str | None:
    """Name the version that must be accepted by who accepted another one; None when nothing must be."""
    return connection.scalar(_TO_ACCEPT, {"accepted": accepted, "now_": now})


def taking_effect(connection: Connection, at: datetime) -> str | None:
    """Name the version that takes effect at a moment."""
    return connection.scalar(_AT, {"at_": at})


def in_force(connection: Connection, now: datetime) -> Sequence[TermsVersion]:
    """Read the version that holds, in each of its languages."""
    return [TermsVersion(**row) for row in connection.execute(_TEXTS_IN_FORCE, {"now_": now}).mappings()]


def texts(connection: Connection, version: str) -> Sequence[TermsVersion]:
    """Read one version, in each of its languages."""
    return [TermsVersion(**row) for row in connection.execute(_TEXTS, {"version_": version}).mappings()]


def every_version(connection: Connection) -> Sequence[TermsVersion]:
    """Read every version in every language, the latest to take effect first."""
    return [TermsVersion(**row) for row in connection.execute(_ALL).mappings()]


def publish(connection: Connection, terms: TermsVersion) -> bool:
    """Add a version in one language; False when it is there already, for nothing published ever changes."""
    statement = (
        insert_into(connection, _VERSIONS)
        .values(
            version=terms.version,
            language=terms.language,
            title=terms.title,
            body=terms.body,
            text_hash=terms.text_hash,
            effective_at=terms.effective_at,
            published_at=terms.published_at,
            is_major=terms.is_major,
            summary=terms.summary,
        )
        .on_conflict_do_nothing()
        .returning(_VERSIONS.c.version)
    )
    return connection.scalar(statement) is not None
