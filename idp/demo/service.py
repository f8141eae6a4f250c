"""What both demonstration services do alike: sign in through Mon Paris, keep a session, sign out.

The session stays on the server: the cookie is a random name, the tokens never leave this process.
A restart forgets the sessions; the person signs in again, and Mon Paris's own session makes that a
matter of one redirect.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock, RLock
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.events import ACCOUNT_PURGED, EVENTS, EventReceiver, purpose_changed
from idp.demo.outcomes import (
    AnswerRejected,
    LoginRefused,
    LoginRequest,
    LogoutNotice,
    ProviderUnavailable,
    RelyingPartyError,
    SecurityEvent,
    Tokens,
    TokensRefused,
)
from idp.demo.provider_calls import BACK_CHANNEL, FRONT_CHANNEL, INITIATE, ProviderCalls
from idp.demo.provider_documents import utc_now
from idp.demo.relying_party import RelyingParty
from idp.demo.wire import Send

_LOG = logging.getLogger(__name__)

SESSION_LIFE = timedelta(hours=2)
#: A browser may have a few logins under way, one a tab.
MAX_LOGINS = 8
DECLINED = "Vous n’avez rien transmis de plus. Rien n’a changé."
#: A token about to expire is taken for expired.
MARGIN = timedelta(seconds=5)

View = Callable[..., ResponseReturnValue]
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What a service must know before it starts.

    Attributes:
        issuer: Of Mon Paris.
        base_url: Where people reach this service, without a trailing slash.
        client_id: Of this service at Mon Paris.
        data_dir: Where it keeps its data; made when absent.
        mon_paris_account_url: Where a person manages what services receive.
        client_secret: Shared with Mon Paris.
        scope: Asked at each login.
        claims: The `claims` parameter (OIDC Core 5.5), as JSON, when the scopes don't say enough.
        clock: Tells the time; tests move it.
        send: Sends the requests to Mon Paris; tests hand an application over.
    """

    issuer: str
    base_url: str
    client_id: str
    data_dir: Path
    mon_paris_account_url: str
    client_secret: str | None = field(default=None, repr=False)
    scope: str = "openid profile email"
    claims: str | None = None
    clock: Callable[[], datetime] = utc_now
    send: Send | None = None

    @property
    def redirect_uri(self) -> str:
        """Return the login callback to register."""
        return f"{self.base_url}/callback"

    @property
    def post_logout_redirect_uri(self) -> str:
        """Return the logout callback to register."""
        return f"{self.base_url}/deconnecte"

    @property
    def initiate_login_uri(self) -> str:
        """Return where Mon Paris has a login begin, to register."""
        return f"{self.base_url}{INITIATE}"

    @property
    def backchannel_logout_uri(self) -> str:
        """Return where Mon Paris says that a session has ended, to register."""
        return f"{self.base_url}{BACK_CHANNEL}"

    @property
    def frontchannel_logout_uri(self) -> str:
        """Return what Mon Paris opens in a frame when a session has ended, to register."""
        return f"{self.base_url}{FRONT_CHANNEL}"

    @property
    def events_uri(self) -> str:
        """Return where Mon Paris says what happened to people, to register."""
        return f"{self.base_url}{EVENTS}"


@dataclass
class BrowserSession:
    """What the server knows of one browser.

    Attributes:
        name: The value of the cookie.
        csrf: Expected from each form.
        last_seen: For the idle limit.
        logins: Requests under way, by state, with the page to show afterwards.
        tokens: Of the signed-in person.
        userinfo: What Mon Paris said last.
        stale: Whether Mon Paris could not be asked at this visit.
        message: To show once, on the next page.
        lock: One request at a time refreshes the tokens.
    """

    name: str
    csrf: str
    last_seen: datetime
    logins: dict[str, tuple[LoginRequest, str]] = field(default_factory=dict)
    tokens: Tokens | None = None
    userinfo: dict[str, Any] = field(default_factory=dict)
    stale: bool = False
    message: str = ""
    lock: RLock = field(default_factory=RLock)


class Sessions:
    """The sessions of one service."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._sessions: dict[str, BrowserSession] = {}

    def find(self, name: str) -> BrowserSession | None:
        """Find a session that is not idle for too long."""
        now = self._clock()
        with self._lock:
            session = self._sessions.get(name)
            if session is None or session.last_seen + SESSION_LIFE <= now:
                return None
            session.last_seen = now
            return session

    def open(self) -> BrowserSession:
        """Open a session under a new name; the forgotten ones go."""
        now = self._clock()
        session = BrowserSession(token_urlsafe(32), token_urlsafe(32), now)
        with self._lock:
            kept = {n: s for n, s in self._sessions.items() if s.last_seen + SESSION_LIFE > now}
            self._sessions = {**kept, session.name: session}
        return session

    def close(self, session: BrowserSession) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(session.name, None)

    def close_named(self, notice: LogoutNotice) -> int:
        """Forget every session that a logout notice names; gives back how many."""
        with self._lock:
            named = [name for name, session in self._sessions.items() if _is_named(session, notice)]
            for name in named:
                del self._sessions[name]
        return len(named)

    def of(self, subject: str) -> list[BrowserSession]:
        """List the sessions of a person."""
        with self._lock:
            everyone = list(self._sessions.values())
        return [one for one in everyone if one.tokens is not None and one.tokens.subject == subject]


def _is_named(session: BrowserSession, notice: LogoutNotice) -> bool:
    if session.tokens is None:
        return False
    is_theirs = notice.subject in {None, session.tokens.subject}
    return is_theirs and notice.sid in {None, session.tokens.claims.get("sid")}


class Service:
    """The sign-in and sign-out of one service, as routes on its application.

    Args:
        app: Of the service.
        settings: Of the service.
        relying_party: Speaks with Mon Paris.
        layout: Template that its pages extend.
        cookie: Name of its cookie; on localhost all the demonstration shares a host.
        landing: Path of the page that follows a login.
        forget: Erases what the service keeps of a person, whose account at Mon Paris is gone.
    """

    def __init__(
        self,
        app: Flask,
        settings: ServiceSettings,
        relying_party: RelyingParty,
        *,
        layout: str,
        cookie: str,
        landing: str,
        forget: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self._forget = forget
        self._layout = layout
        self._relying_party = relying_party
        self._cookie = cookie
        self._landing = landing
        self._sessions = Sessions(settings.clock)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._install(app)
        ProviderCalls(
            app,
            relying_party,
            settings.base_url,
            begin=lambda wanted, hints: self._to_provider(wanted, **hints),
            close=self._sessions.close_named,
        )
        EventReceiver(
            app,
            relying_party,
            {ACCOUNT_PURGED: self._purged, purpose_changed(settings.issuer): self._purpose_changed},
        )

    def _install(self, app: Flask) -> None:
        app.add_url_rule("/connexion", "sign_in", self.sign_in)
        app.add_url_rule("/callback", "callback", self.callback)
        app.add_url_rule("/deconnexion", "sign_out", self.sign_out, methods=["POST"])
        app.add_url_rule("/deconnecte", "signed_out", self.signed_out)
        app.before_request(self._find_session)
        app.context_processor(self._template_values)
        app.register_error_handler(RelyingPartyError, self._failure)
        app.register_error_handler(HTTPStatus.NOT_FOUND, _not_found)

    # Sessions

    def _find_session(self) -> None:
        """Find the session of this browser, if it has one."""
        g.session = self._sessions.find(request.cookies.get(self._cookie, ""))

    def _template_values(self) -> dict[str, object]:
        """Give every page the person's name and the token of its forms."""
        values: dict[str, object] = {
            "person": None,
            "settings": self.settings,
            "landing": self._landing,
            "service_layout": self._layout,
        }
        session: BrowserSession | None = g.get("session")
        if session is None or session.tokens is None:
            return values
        message, session.message = session.message, ""
        return {
            **values,
            "person": display_name(session.userinfo),
            "csrf": session.csrf,
            "message": message,
            "stale": session.stale,
        }

    @property
    def session(self) -> BrowserSession:
        """Return the session of the signed-in person; only inside a view that requires one."""
        session: BrowserSession = g.session
        return session

    @property
    def subject(self) -> str:
        """Return who is signed in."""
        tokens = self.session.tokens
        if tokens is None:
            raise TokensRefused("nobody is signed in")
        return tokens.subject

    def _with_cookie(self, answer: Response, session: BrowserSession) -> Response:
        answer.set_cookie(
            self._cookie,
            session.name,
            httponly=True,
            samesite="Lax",
            secure=self.settings.base_url.startswith("https:"),
        )
        return answer

    # Signing in

    def sign_in(self) -> ResponseReturnValue:
        """Send the person to Mon Paris, in the same tab."""
        return self._to_provider(request.args.get("suite", ""))

    def ask_again(self, wanted: str, claims: str) -> ResponseReturnValue:
        """Send who is signed in to Mon Paris once more, for more than at the usual login.

        Args:
            wanted: Page to show afterwards.
            claims: The `claims` parameter, in the place of the usual one.
        """
        return self._to_provider(wanted, claims=claims)

    def _to_provider(self, suite: str, **hints: str) -> ResponseReturnValue:
        """Send the person to Mon Paris; what they wanted to see comes after."""
        usual = {} if self.settings.claims is None else {"claims": self.settings.claims}
        begun = self._relying_party.begin(**(usual | hints), ui_locales="fr")
        session = g.session or self._sessions.open()
        wanted = _own_path(suite, self._landing)
        session.logins = {
            **dict(list(session.logins.items())[1 - MAX_LOGINS :]),
            begun.state: (begun, wanted),
        }
        return self._with_cookie(see_other(begun.url), session)

    def callback(self) -> ResponseReturnValue:
        """Take Mon Paris's answer; a new session name follows each login."""
        before: BrowserSession | None = g.session
        state = request.args.get("state", "")
        begun = None if before is None else before.logins.pop(state, None)
        if before is None or begun is None:
            return self._unexpected_answer(before)
        try:
            tokens = self._relying_party.finish(request.args.to_dict(flat=False), begun[0])
        except LoginRefused as refused:
            return self._refused(before, refused, begun[1])
        userinfo = self._relying_party.userinfo(tokens)
        session = self._sessions.open()
        session.tokens, session.userinfo, session.logins = tokens, userinfo, before.logins
        self._sessions.close(before)
        return self._with_cookie(see_other(begun[1]), session)

    def _refused(self, session: BrowserSession, refused: LoginRefused, wanted: str) -> ResponseReturnValue:
        """Let who was signed in and declined to give more go on as before; anybody else is told why it failed."""
        if session.tokens is None or refused.error != "access_denied":
            raise refused
        session.message = DECLINED
        return see_other(wanted)

    def _unexpected_answer(self, session: BrowserSession | None) -> ResponseReturnValue:
        """Answer a callback that came twice, too late, or to another browser."""
        if session is not None and session.tokens is not None:
            return see_other(self._landing)
        page = render_template("service/failure.html", reason="expired")
        return page, HTTPStatus.BAD_REQUEST

    def required(self, view: View) -> View:
        """Make a view ask for a login first, and check the token of its forms."""

        @wraps(view)
        def guarded(**arguments: object) -> ResponseReturnValue:
            session: BrowserSession | None = g.session
            if session is None or session.tokens is None:
                return self._ask_to_sign_in()
            if request.method == "POST" and not self._form_is_ours(session):
                page = render_template("service/failure.html", reason="form")
                return page, HTTPStatus.BAD_REQUEST
            return view(**arguments)

        return guarded

    def _ask_to_sign_in(self) -> Response:
        """Send to the login, then back to the page that was asked; a form is not replayed."""
        wanted = request.path if request.method == "GET" else self._landing
        return see_other(f"/connexion?suite={wanted}")

    @staticmethod
    def _form_is_ours(session: BrowserSession) -> bool:
        given = request.form.get("csrf", "")
        return compare_digest(given.encode(), session.csrf.encode())

    # Staying up to date

    def _purged(self, event: SecurityEvent) -> None:
        """Erase what is kept of a person whose account is gone, and end their sessions."""
        self._forget(event.subject)
        self._sessions.close_named(LogoutNotice(event.subject, None))

    def _purpose_changed(self, event: SecurityEvent) -> None:
        """Drop an answer that is no longer that of the person: it is read anew, and until then there is none."""
        for session in self._sessions.of(event.subject):
            with session.lock:
                session.userinfo = {
                    name: value for name, value in session.userinfo.items() if name != "purposes"
                }

    def refreshed_userinfo(self) -> dict[str, Any]:
        """Ask Mon Paris again what it says of the person, at this visit.

        Raises:
            TokensRefused: It says nothing any more; the local session is closed.
        """
        session = self.session
        with session.lock:
            try:
                session.userinfo = self.ask(self._relying_party.userinfo)
                session.stale = False
            except ProviderUnavailable:
                # The service goes on with what it knows, and says so.
                session.stale = True
        return session.userinfo

    def ask(self, question: Callable[[Tokens], Read]) -> Read:
        """Ask Mon Paris something with the person's tokens: the access token, then the refresh token once.

        Raises:
            TokensRefused: It says nothing any more; the local session is closed.
            ProviderUnavailable: It does not answer.
        """
        session = self.session
        with session.lock:
            try:
                return self._asked(session, question)
            except (TokensRefused, AnswerRejected):
                self._sessions.close(session)
                g.session = None
                raise

    def _asked(self, session: BrowserSession, question: Callable[[Tokens], Read]) -> Read:
        tokens = session.tokens
        if tokens is None:
            raise TokensRefused("nobody is signed in")
        if not tokens.expired(self.settings.clock() + MARGIN):
            try:
                return question(tokens)
            except TokensRefused:
                if tokens.refresh_token is None:
                    raise
        session.tokens = self._relying_party.refresh(tokens)
        return question(session.tokens)

    # Signing out

    def sign_out(self) -> ResponseReturnValue:
        """Sign out here first, then at Mon Paris, whatever happens on the way.

        The page that answers goes on by itself: Chromium applies `form-action` to redirects.
        """
        session: BrowserSession | None = g.session
        if session is None or session.tokens is None:
            return see_other("/deconnecte")
        if not self._form_is_ours(session):
            return render_template("service/failure.html", reason="form"), HTTPStatus.BAD_REQUEST
        tokens = session.tokens
        self._sessions.close(session)
        g.session = None
        try:
            where = self._relying_party.logout_url(tokens, token_urlsafe(16))
            self._relying_party.revoke(tokens)
        except ProviderUnavailable:
            return render_template("service/signed_out.html", only_here=True)
        return render_template("service/signing_out.html", where=where)

    def signed_out(self) -> ResponseReturnValue:
        """Say that it is done; the state is not checked, as there is nothing left to protect."""
        return render_template("service/signed_out.html", only_here=False)

    # Failures

    def _failure(self, error: RelyingPartyError) -> ResponseReturnValue:
        """Explain a failure to the person; the log has the check that failed."""
        _LOG.info("sign-in failed: %s", error)
        reason, status = _explained(error)
        page = render_template("service/failure.html", reason=reason)
        headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return page, status, headers


def _explained(error: RelyingPartyError) -> tuple[str, HTTPStatus]:
    """Name the page and the status of a failure."""
    match error:
        case LoginRefused(error="access_denied"):
            return "refused", HTTPStatus.FORBIDDEN
        case LoginRefused():
            return "provider", HTTPStatus.BAD_GATEWAY
        case TokensRefused():
            return "withdrawn", HTTPStatus.FORBIDDEN
        case ProviderUnavailable():
            return "unavailable", HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return "rejected", HTTPStatus.BAD_GATEWAY


def _not_found(_error: Exception) -> ResponseReturnValue:
    return render_template("service/failure.html", reason="not_found"), HTTPStatus.NOT_FOUND


def see_other(where: str) -> Response:
    """Redirect with 303, so that a form is never posted again elsewhere."""
    answer = redirect(where, HTTPStatus.SEE_OTHER)
    return Response(answer.response, answer.status, answer.headers)


def _own_path(wanted: str, otherwise: str) -> str:
    """Accept a path of this service only: a login is no open redirect."""
    parts = urlsplit(wanted)
    safe = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if safe and not parts.netloc and wanted.isprintable() else otherwise


def display_name(userinfo: dict[str, Any]) -> str:
    """Name the person in the page's header, with what Mon Paris gave."""
    given = str(userinfo.get("given_name") or "").partition(" ")[0]
    family = str(userinfo.get("family_name") or "")
    return f"{given} {family}".strip() or str(userinfo.get("email") or "Mon compte")
