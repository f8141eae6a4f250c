"""Stylesheet, scripts and pictures: ours, and those of the operator, which win (UX-3)."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING, Final

from flask import request, send_file
from werkzeug.exceptions import NotFound

from idp.web.site import Asset, site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flask import Response

#: What an operator adds to our stylesheet, in the folder `static` beside their templates.
THEME: Final = "theme.css"
_YEAR: Final = 365 * 24 * 3600


def found_in(folders: Sequence[Path]) -> dict[str, Asset]:
    """List the files by name; the first folder that has a name wins.

    Args:
        folders: Those that are not there have no file; the last is ours.
    """
    found: dict[str, Asset] = {}
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.is_file() and file.name not in found:
                found[file.name] = _asset(file, is_ours=folder == folders[-1])
    return found


def _asset(file: Path, *, is_ours: bool) -> Asset:
    content = file.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:12]
    if is_ours and file.suffix == ".css":
        return Asset(file, version, compact(content.decode()).encode())
    return Asset(file, version)


def compact(stylesheet: str) -> str:
    """Leave out what is for readers: comments, and spaces that part nothing (UX-4).

    Args:
        stylesheet: One of ours: a string of it has neither a comment nor two spaces.
    """
    text = re.sub(r"/\*.*?\*/", "", stylesheet, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    # A space before a colon parts selectors, one after it nothing.
    return re.sub(r" ?([{};]) ?|([:,]) ", r"\1\2", text).replace(";}", "}").strip()


def address(name: str) -> str:
    """Give the address of a file, which changes with its content."""
    return f"/static/{name}?v={site().assets[name].version}"


def is_themed() -> bool:
    """Tell whether the operator has colours of their own."""
    return THEME in site().assets


def send(name: str) -> Response:
    """Answer a file that was there at start.

    Raises:
        NotFound: There is none of that name.
    """
    found = site().assets.get(name)
    if found is None:
        raise NotFound
    # What has its hash in its address never changes: a slow phone loads it once (UX-4).
    is_exact = request.args.get("v") == found.version
    answer = send_file(
        found.file if found.content is None else BytesIO(found.content),
        download_name=name,
        etag=found.version,
        max_age=_YEAR if is_exact else None,
    )
    answer.cache_control.immutable = is_exact
    return answer
