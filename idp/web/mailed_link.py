"""Takes the token of a mailed link out of the address, before a page with its own links is shown (S-271)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, is_well_formed
from idp.web import cookies
from idp.web.http import redirect_to, url

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


def hidden(token: str, endpoint: str) -> Response:
    """Keep a token in the cookie of links, and come to the page again without it; one that can't be ours is dropped.

    Args:
        token: As the address brought it.
        endpoint: Of the page.
    """
    cookies.write(cookies.LINK, token if is_well_formed(SecretKind.LINK, token) else None)
    return redirect_to(url(endpoint))
