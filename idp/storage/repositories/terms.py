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

    from sqlalchemy import Connection

_VERSIONS = terms_versions
#: The version whose date of effect is the latest past one; `now_` is the moment.
VERSION_IN_FORCE = (
    select(_VERSIONS.c.version)
    .where(_VERSIONS.c.effective_at <= bindparam("now_", type_=_VERSIONS.c.effective_at.type))
    .order_by(_VERSIONS.c.effective_at.desc(), _VERSIONS.c.version.desc())
    .limit(1)
)
_TEXTS_IN_FORCE = select(_VERSIONS).where(_VERSIONS.c.version == VERSION_IN_FORCE.scalar_subquery())
_TEXTS = select(_VERSIONS).where(_VERSIONS.c.version == bindparam("version_"))
_ALL = select(_VERSIONS).order_by(
    _VERSIONS.c.effective_at.desc(), _VERSIONS.c.version.desc(), _VERSIONS.c.language
)


def version_in_force(connection: Connection, now: datetime) -> str | None:
    """Name the version that holds: the latest one whose date of effect is past; None when there is none yet."""
    return connection.scalar(VERSION_IN_FORCE, {"now_": now})


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
