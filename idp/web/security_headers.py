"""CSP, HSTS, frame, referrer and cache headers; CSRF (UX-4, security.md 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import g, request
from werkzeug.exceptions import BadRequest, Forbidden, MethodNotAllowed

from idp.crypto.opaque import digest, form_token, is_form_token
from idp.web import cookies
from idp.web.site import context, site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Response

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'{form_action}; frame-ancestors 'none'; base-uri 'none'{frames}"
)
_FRAME = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'"
_DATA = "default-src 'none'; frame-ancestors 'none'; sandbox"
STRICT_TRANSPORT_SECURITY = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
#: Requests that other sites send by design: they carry no right of the browser's owner until we ask.
CROSS_SITE = frozenset(
    {
        "oidc.authorize",
        "oidc.device_authorization",
        "oidc.token",
        "oidc.userinfo",
        "oidc.introspect",
        "oidc.revoke",
        "oidc.end_session",
        "oidc.pushed_authorization",
        "oidc.register",
        "oidc.replace_registration",
        "oidc.delete_registration",
        "receipt_checks.check_by_program",
        "api.answer_purpose",
        "api.put_request",
        "api.delete_request",
        # The program of a mailbox, by the token of its letter (RFC 8058 section 3.1).
        "newsletters.one_click",
    }
)
#: These act when they are opened by GET, as their standards want.
_ACTING_ON_GET = frozenset({"oidc.authorize", "oidc.end_session"})


class CSRFRefused(BadRequest):
    """A form that this browser was not given, or that waited too long."""


def initialise(app: Flask) -> None:
    """Check each form before its view, and dress each answer after it."""
    app.before_request(_refuse_prefetch)
    app.before_request(_check_origin)
    app.after_request(_dress)
    app.after_request(cookies.apply)


def csrf_token() -> str:
    """Make the token of a form: bound to the browser's cookie, different at each render (S-484)."""
    return form_token(context().derived.csrf, digest(cookies.browser_secret()))


def allow_form_action(address: str) -> None:
    """Let this page's form go to a checked address of a client: the form_post response mode (S-475)."""
    g.form_action = _source(address)


def allow_frames(addresses: Iterable[str]) -> None:
    """Let this page show frames of services: they end their sessions there (Front-Channel Logout 3)."""
    g.frame_sources = dict.fromkeys(map(_source, addresses))


def allow_framing() -> None:
    """Let any page frame this answer, which shows nothing and acts on nothing (Session Management 3.3)."""
    g.may_be_framed = True


def _source(address: str) -> str:
    """Name an origin in a policy; an app's own scheme has no host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _refuse_prefetch() -> None:
    # A browser that guesses where the person will go must neither use up a request nor sign anybody out (S-485).
    if request.endpoint not in _ACTING_ON_GET:
        return
    if request.method == "HEAD":
        # It would use up a code, or end a session, for who only looks whether we are there.
        raise MethodNotAllowed(["GET", "POST"])
    if "prefetch" in request.headers.get("Sec-Purpose", ""):
        raise Forbidden("prefetch")


def _check_origin() -> None:
    if (
        request.method in {"GET", "HEAD", "OPTIONS"}
        or request.endpoint in CROSS_SITE
        or request.endpoint is None
    ):
        return
    if not _is_from_here():
        raise CSRFRefused("the form comes from another site")
    browser = cookies.read(cookies.BROWSER)
    token = request.form.get("csrf_token", "")
    if browser is None or not is_form_token(context().derived.csrf, digest(browser), token):
        raise CSRFRefused("the form was given to another browser, or is altered")


def _is_from_here() -> bool:
    """Tell whether the browser says that one of our pages, or nobody's, sent the form (S-480)."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    # Older browsers say the origin alone; "null" is what a sandboxed page of anybody's says.
    return request.headers.get("Origin") in {None, context().issuer}


def _dress(response: Response) -> Response:
    headers = response.headers
    # Looking each name up among the headers would cost more than the rest of an answer: one pass finds them all.
    present = {name.lower() for name, _ in headers}
    is_page = response.mimetype == "text/html"
    if "may_be_framed" in g:
        worn = _ON_FRAMES
    elif is_page:
        worn = _ON_PAGES
        if "content-security-policy" not in present:
            headers.add("Content-Security-Policy", _policy())
    else:
        worn = _ON_DATA
    for key, name, value in worn:
        if key not in present:
            headers.add(name, value)
    if "strict-transport-security" not in present and not site().is_local:
        headers.add(*STRICT_TRANSPORT_SECURITY)
    return response


def _policy() -> str:
    form_action = f" {g.form_action}" if "form_action" in g else ""
    frames = f"; frame-src {' '.join(g.frame_sources)}" if "frame_sources" in g else ""
    return _PAGE.format(form_action=form_action, frames=frames)


def _by_key(headers: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name.lower(), name, value) for name, value in headers.items())


_ON_ALL: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ON_DATA: Final = _by_key(
    {**_ON_ALL, "Content-Security-Policy": _DATA, "Referrer-Policy": "no-referrer"},
)
#: The one answer that pages of others may frame: neither X-Frame-Options nor our own origin alone.
_ON_FRAMES: Final = _by_key(
    {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Security-Policy": _FRAME,
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
)
_ON_PAGES: Final = _by_key(
    {
        **_ON_ALL,
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
        "Vary": "Cookie, Accept-Language",
        "X-Robots-Tag": "noindex",
    }
)
