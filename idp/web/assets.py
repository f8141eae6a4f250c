"""Stylesheet, scripts and pictures: ours, and those of the operator, which win (UX-3)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from flask import request, send_file
from werkzeug.exceptions import NotFound

from idp.web.site import Asset, site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from flask import Response

#: What an operator adds to our stylesheet, in the folder `static` beside their templates.
THEME: Final = "theme.css"
_YEAR: Final = 365 * 24 * 3600


def found_in(folders: Iterable[Path]) -> dict[str, Asset]:
    """List the files by name; the first folder that has a name wins.

    Args:
        folders: Those that are not there have no file.
    """
    found: dict[str, Asset] = {}
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.is_file() and file.name not in found:
                found[file.name] = Asset(file, hashlib.sha256(file.read_bytes()).hexdigest()[:12])
    return found


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
    if request.args.get("v") != found.version:
        return send_file(found.file)
    # What has its hash in its address never changes: a slow phone loads it once (UX-4).
    answer = send_file(found.file, max_age=_YEAR)
    answer.cache_control.immutable = True
    return answer
