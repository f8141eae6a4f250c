"""Requests that come as an object or by its name: pushed, by value, by reference (RFC 9101, RFC 9126)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.protocol.errors import DirectError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.domain.pending_authorization import RequestOrigin
    from idp.services.context import Context


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request taken out of what carried it.

    Attributes:
        pairs: Its parameters, as if they had come in the query; nothing of the outside is left.
        origin: How it came.
    """

    pairs: list[tuple[str, str]]
    origin: RequestOrigin


def resolve(context: Context, pairs: Sequence[tuple[str, str]]) -> Resolved:
    """Take a request out of what carries it; opens its own reads, and none while it fetches.

    Args:
        context: The parts.
        pairs: Parameters as received, "request" or "request_uri" among their names.

    Returns:
        The parameters to be parsed, and how they came.

    Raises:
        DirectError: The client is not known, or nothing proves where an answer may go.
        RedirectedError: The object or its address is refused, for the client to hear.
    """
    del context, pairs
    raise DirectError(ErrorCode.REQUEST_NOT_SUPPORTED, reason="request objects are not taken")
