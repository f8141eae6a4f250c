"""Column types: aware UTC datetimes, and JSON that reads the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class TZDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as microseconds since 1970.

    An integer compares, indexes and travels the same on SQLite and PostgreSQL, and costs a tenth of
    parsing a text; a naive datetime is refused at the door.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn an aware datetime into microseconds.

        Raises:
            ValueError: The datetime is naive.
        """
        del dialect
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into an aware datetime."""
        del dialect
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def microseconds(value: datetime) -> int:
    """Turn an aware datetime into microseconds since 1970.

    Raises:
        ValueError: The datetime is naive.
    """
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot enter the database")
    return (value - _EPOCH) // _MICROSECOND


class JSONText(TypeDecorator[Any]):
    """JSON kept as text: the same bytes on both databases, encoded by msgspec."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401 - any JSON value
        """Encode; frozensets come out sorted so that equal values are equal texts."""
        del dialect
        return None if value is None else msgspec.json.encode(value, order="deterministic").decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401 - any JSON value
        """Decode."""
        del dialect
        return None if value is None else msgspec.json.decode(value)


#: A SHA-256, or another digest.
Digest = LargeBinary(32)
