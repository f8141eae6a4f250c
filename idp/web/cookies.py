"""Our cookies: `__Host-` names, one place that sets and reads them (LOG-3, S-95).

The browser cookie names a browser for forms and pending requests and gives no right by itself. A value set
during a request is read back by the same request, and written on its answer. One cookie is for a script of
ours: the state of the browser, which a frame inside services' pages compares (Session Management 4.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flask import g, request

from idp.crypto.opaque import SecretKind, is_well_formed, new_secret
from idp.web.site import site

if TYPE_CHECKING:
    from flask import Response

SESSION = "session"
#: Changes with the session and names nothing; goes wherever the session's cookie goes.
BROWSER_STATE = "browser_state"
BROWSER = "browser"
DEVICE = "device"
LANGUAGE = "language"
#: The handle of the sign-up that this browser began.
SIGNUP = "signup"
#: The token of a mailed link, so that it leaves the address at once (S-271).
LINK = "link"
#: The certificate of a deletion, on the way to the page that shows it: we keep none, and it names nobody.
CERTIFICATE = "certificate"
_YEAR = 365 * 24 * 3600
_HALF_HOUR = 30 * 60
#: Life in seconds on the browser's side; None ends with the browser. Limits are the server's in any case.
_MAX_AGE: dict[str, int | None] = {
    SESSION: None,
    BROWSER_STATE: None,
    BROWSER: None,
    DEVICE: _YEAR,
    LANGUAGE: _YEAR,
    SIGNUP: None,
    LINK: _HALF_HOUR,
    CERTIFICATE: _HALF_HOUR,
}
EVERY = tuple(_MAX_AGE)


def read(cookie: str) -> str | None:
    """Read one of our cookies, as set by this request or sent by the browser; doubled ones are refused (S-478)."""
    changed: dict[str, str | None] = _changed()
    if cookie in changed:
        return changed[cookie]
    values = request.cookies.getlist(cookie_name(cookie))
    return values[0] if len(values) == 1 else None


def write(cookie: str, value: str | None) -> None:
    """Set one of our cookies on the answer, or remove it."""
    _changed()[cookie] = value


def browser_secret() -> str:
    """Give the secret that names this browser; made at its first need."""
    present = read(BROWSER)
    if present is not None and is_well_formed(SecretKind.BROWSER, present):
        return present
    made = new_secret(SecretKind.BROWSER)
    write(BROWSER, made)
    return made


def apply(response: Response) -> Response:
    """Write the cookies that changed during the request."""
    if "cookies" not in g:
        return response
    secure = not site().is_local
    for cookie, value in _changed().items():
        name, is_for_script = cookie_name(cookie), cookie == BROWSER_STATE
        # A frame in another site's page reads it; browsers take None from https alone.
        same_site: Literal["None", "Lax"] = "None" if is_for_script and secure else "Lax"
        if value is None:
            response.delete_cookie(
                name, path="/", secure=secure, httponly=not is_for_script, samesite=same_site
            )
        else:
            response.set_cookie(
                name,
                value,
                max_age=_MAX_AGE[cookie],
                path="/",
                secure=secure,
                httponly=not is_for_script,
                samesite=same_site,
            )
    return response


def lifetime(cookie: str) -> int | None:
    """Give how many seconds a browser keeps a cookie; None until it is closed."""
    return _MAX_AGE[cookie]


def cookie_name(cookie: str) -> str:
    """Give a cookie's full name: `__Host-` needs https, which a local demonstration has not."""
    return f"mon_paris_{cookie}" if site().is_local else f"__Host-mon_paris_{cookie}"


def _changed() -> dict[str, str | None]:
    if "cookies" not in g:
        g.cookies = {}
    changed: dict[str, str | None] = g.cookies
    return changed
