"""Logos of services: uploaded by an administrator, looked at, never fetched (CON-1).

An image elsewhere would tell that place who signs in where, and could change after it was looked at; so it is
kept here, and what a browser could run (SVG) is not taken.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from idp.protocol.clients.metadata import LOGO_PATH, MetadataProblem, is_client_id
from idp.storage.repositories import logos
from idp.storage.repositories.logos import StoredLogo

if TYPE_CHECKING:
    from idp.services.tools import Tools

#: A square of 40 pixels is shown, on dense screens of 120.
MOST_BYTES: Final = 64 * 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_RIFF: Final = b"RIFF"
_WEBP: Final = slice(8, 12)
_DIGEST_LENGTH: Final = 32


def looked_at(content: bytes) -> StoredLogo | MetadataProblem:
    """Take an image for what its first bytes say, whatever its name was."""
    media_type = _media_type(content)
    if media_type is None:
        return MetadataProblem("logo", "must be a PNG, JPEG or WebP image")
    if len(content) > MOST_BYTES:
        return MetadataProblem("logo", f"must have {MOST_BYTES // 1024} KiB at most")
    return StoredLogo(media_type, content, hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH])


def address_of(client_id: str, logo: StoredLogo) -> str:
    """Give the path of a logo; it changes with the image, so that no cache shows the one before."""
    return f"{LOGO_PATH.format(client_id=client_id)}?v={logo.digest}"


def find(tools: Tools, client_id: str) -> StoredLogo | None:
    """Read the logo of a service."""
    if not is_client_id(client_id):
        return None
    with tools.database.read() as connection:
        return logos.find(connection, client_id)


def _media_type(content: bytes) -> str | None:
    if content.startswith(_PNG):
        return "image/png"
    if content.startswith(_JPEG):
        return "image/jpeg"
    if content.startswith(_RIFF) and content[_WEBP] == b"WEBP":
        return "image/webp"
    return None
