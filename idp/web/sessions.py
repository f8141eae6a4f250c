"""The session's cookies and the flask-login loader (LOG-3).

flask-login is the `current_user` loader over our own sessions and nothing more: its remember cookie can't be
revoked, its session protection reads untrusted headers.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from flask import g, request
from flask_login import LoginManager, UserMixin

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.services.logout.browser_state import browser_state
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Visit
from idp.web import cookies
from idp.web.browser_name import browser_name
from idp.web.http import redirect_to, url
from idp.web.site import context

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response

    from idp.domain.account import Account
    from idp.domain.session import Session
    from idp.services.sign_in.arrival import Arrived
    from idp.services.sign_in.sessions import OpenedSession, SignedIn

P = ParamSpec("P")
R = TypeVar("R")


class Person(UserMixin):
    """The signed-in person as flask-login sees them; its identifier is the session's, not the account's."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.session: Session = signed_in.session
        self.account: Account = signed_in.account

    def get_id(self) -> str:
        """Give the opaque name of the session."""
        return self.session.session_id


def initialise(app: Flask) -> None:
    """Let flask-login load the person of each request from our session cookie."""
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app)
    manager.request_loader(_load)


def signed_in() -> SignedIn | None:
    """Give the session and account of this request; looked up once."""
    if "signed_in" not in g:
        g.signed_in = sessions.find(context(), cookies.read(cookies.SESSION))
        if g.signed_in is None and cookies.read(cookies.BROWSER_STATE) is not None:
            # The session ended elsewhere: who watches this browser learns it now.
            cookies.write(cookies.BROWSER_STATE, None)
    return cast("SignedIn | None", g.signed_in)


def remember(opened: OpenedSession) -> None:
    """Hand the browser the cookies of the session that this request opened."""
    cookies.write(cookies.SESSION, opened.cookie)
    cookies.write(cookies.BROWSER_STATE, browser_state(context(), opened.session.session_id))
    g.pop("signed_in", None)


def welcome(arrived: Arrived) -> None:
    """Hand the browser what somebody who came in gets: the session's cookie, and a device cookie if it had none."""
    remember(arrived.opened)
    if arrived.new_device is not None:
        cookies.write(cookies.DEVICE, arrived.new_device)


def visit(pending_id: str | None = None) -> Visit:
    """Describe this browser to the use cases that open a session.

    Args:
        pending_id: The authorization request that the page belongs to, checked to be this browser's.
    """
    present = signed_in()
    return Visit(
        browser=browser_name(),
        device_hash=device_hash(),
        replaces=None if present is None else present.session,
        pending_id=pending_id,
    )


def forget() -> None:
    """Take the session's cookies back from the browser."""
    cookies.write(cookies.SESSION, None)
    cookies.write(cookies.BROWSER_STATE, None)
    g.signed_in = None


def device_hash() -> bytes | None:
    """Give the hash of this browser's device cookie, when it has one."""
    device = cookies.read(cookies.DEVICE)
    return digest(device) if device is not None and is_well_formed(SecretKind.DEVICE, device) else None


def sign_in_needed(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send who is not signed in to the sign-in page, and back here afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if signed_in() is None:
            return redirect_to(
                url("login.show", next=request.full_path.rstrip("?") if request.method == "GET" else None)
            )
        return view(*args, **kwargs)

    return guarded


def recent_sign_in_needed(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Ask who signed in long ago to prove it again before a sensitive act (S-47)."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        present = signed_in()
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        if present is None:
            return redirect_to(url("login.show", next=here))
        if not present.session.is_recent(context().clock(), context().session_lifetimes):
            return redirect_to(url("login.show", next=here, confirm="1"))
        return view(*args, **kwargs)

    return guarded


def recent_sign_in_needed_or(endpoint: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Lead who signed in long ago back to a page that was open for long, once they have proven who they are (S-47).

    Args:
        endpoint: Of the page whose form this view takes.
    """

    def guard(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            present = signed_in()
            if present is None:
                return redirect_to(url("login.show", next=url(endpoint)))
            if not present.session.is_recent(context().clock(), context().session_lifetimes):
                return redirect_to(url("login.show", next=url(endpoint), confirm="1"))
            return view(*args, **kwargs)

        return guarded

    return guard


def present_person() -> SignedIn:
    """Give who is signed in, in a view that `sign_in_needed` guards."""
    present = signed_in()
    if present is None:
        raise LookupError("the view is not guarded by sign_in_needed")
    return present


def _load(_request: Any) -> Person | None:  # noqa: ANN401 - flask-login's callback
    present = signed_in()
    return None if present is None else Person(present)
