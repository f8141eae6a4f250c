"""Addresses that a client registered, with parameters of ours."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit


def with_query(address: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to a registered address; its own query stays as it was written."""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))
