"""A simulator of FranceConnect v2 with test identities, edge cases included (FC-8).

Written from FranceConnect's published documentation and the behaviour that its integrators met,
not from our client: it must be able to prove that client wrong.

Faithful: paths, the strict parameter list of /authorize, errors and the shapes they travel in,
lifetimes, the members of each token, signed userinfo, half-hour single sign-on, logout.
Not FranceConnect's: the pages (plainly those of a simulator), the list of test identities instead
of identity providers, "Choisir une autre identité", a logout that goes on by itself without JavaScript too,
and `/control`, which breaks the simulator on purpose (see `franceconnect.faults`).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from secrets import token_urlsafe
from time import sleep
from urllib.parse import quote, urlencode
from uuid import uuid4

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.franceconnect import authorization, discovery, faults, logout
from idp.demo.franceconnect.authorization import AuthorizationRequest, Target
from idp.demo.franceconnect.civil_register import confirm
from idp.demo.franceconnect.claims import LABELS, claims_of
from idp.demo.franceconnect.control import Control
from idp.demo.franceconnect.errors import (
    ABORTED_BY_USER,
    TECHNICAL,
    IdentityRefused,
    JSONError,
    PageError,
    RedirectedError,
    session_lost,
)
from idp.demo.franceconnect.faults import Faults
from idp.demo.franceconnect.identities import (
    CUSTOM_DEFAULTS,
    PASSWORD,
    TestIdentity,
    all_identities,
    custom_identity,
    grouped_identities,
)
from idp.demo.franceconnect.keys import SigningKeys
from idp.demo.franceconnect.settings import FranceConnectClient, FranceConnectSettings
from idp.demo.franceconnect.state import Interaction, Session, State
from idp.demo.franceconnect.token_endpoint import TokenEndpoint, TokenRequest
from idp.demo.franceconnect.tokens import TokenMaker
from idp.demo.pages import new_app

__all__ = ["COOKIE", "FranceConnectClient", "FranceConnectSettings", "create_app"]

COOKIE = "fc_session_id"

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = b64encode(sha256(_SUBMIT.encode()).digest()).decode()
_SUBMIT_POLICY = (
    f"default-src 'none'; style-src 'self'; script-src 'sha256-{_SUBMIT_HASH}'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: FranceConnectSettings, keys: SigningKeys | None = None) -> Flask:
    """Build a simulator; nothing of it survives the process.

    Args:
        settings: Issuer, registered services, clock.
        keys: Made once for many simulators, as tests do; new ones when absent.
    """
    app = new_app(__name__, posts_leave=True)
    simulator = Simulator(settings, keys or SigningKeys(settings.portal))
    app.extensions["franceconnect"] = simulator
    app.register_blueprint(_endpoints(simulator), url_prefix=settings.prefix)
    app.add_url_rule("/", "home", simulator.home)
    app.before_request(simulator.misbehave)
    if settings.control:
        app.register_blueprint(Control(simulator.faults, simulator.keys).routes())
    app.register_error_handler(PageError, _page_error)
    app.register_error_handler(JSONError, _json_error)
    return app


def _endpoints(simulator: Simulator) -> Blueprint:
    """Route what FranceConnect routes, with the methods that it accepts."""
    routes = Blueprint("fc", __name__)
    for path, view, methods in (
        ("/.well-known/openid-configuration", simulator.discovery, ["GET"]),
        ("/jwks", simulator.jwks, ["GET"]),
        ("/authorize", simulator.authorize, ["GET", "POST"]),
        ("/interaction/<uid>", simulator.interaction, ["GET"]),
        ("/interaction/<uid>/login", simulator.login, ["POST"]),
        ("/interaction/<uid>/custom", simulator.custom, ["POST"]),
        ("/interaction/<uid>/switch", simulator.switch, ["POST"]),
        ("/interaction/<uid>/consent", simulator.consent, ["POST"]),
        ("/interaction/<uid>/abort", simulator.abort, ["GET"]),
        ("/token", simulator.token, ["POST"]),
        ("/token/revocation", simulator.revocation, ["POST"]),
        ("/userinfo", simulator.userinfo, ["GET"]),
        ("/session/end", simulator.end_session, ["GET"]),
        ("/session/end/confirm", simulator.confirm_end_session, ["GET", "POST"]),
        ("/session/end/success", simulator.signed_out, ["GET"]),
    ):
        routes.add_url_rule(path, view.__name__, view, methods=methods)
    return routes


@dataclass
class Simulator:
    """One simulator: its settings, its keys, what it remembers, the faults in force."""

    settings: FranceConnectSettings
    keys: SigningKeys
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.state = State(self.settings.portal)
        self._maker = TokenMaker(self.settings, self.keys, self.faults)
        self._tokens = TokenEndpoint(self.settings, self.state, self._maker)

    def _now(self) -> datetime:
        return self.settings.clock()

    # Documents

    def discovery(self) -> ResponseReturnValue:
        """GET /.well-known/openid-configuration."""
        if self.faults.take("bad_json", "discovery"):
            return _not_json("application/json")
        return _cached(discovery.document(self.settings.issuer, self.settings.portal))

    def jwks(self) -> ResponseReturnValue:
        """GET /jwks: one key for each algorithm."""
        if self.faults.take("bad_json", "jwks"):
            return _not_json("application/json")
        return _cached(self.keys.public())

    # The person's way

    def authorize(self) -> ResponseReturnValue:
        """GET and POST /authorize: check, then send the person to choose an identity."""
        single = authorization.parameters(request.values.to_dict(flat=False))
        target = authorization.target(self.settings, single)
        try:
            asked = authorization.read(single, target, self.settings.portal)
        except RedirectedError as error:
            return self._to_service(target, _error(error.error, error.description), error)
        browser = request.cookies.get(COOKIE) or token_urlsafe(32)
        uid = self.state.begin(asked, browser, self._now())
        return self._with_cookie(_see_other(self._url(uid)), browser)

    def interaction(self, uid: str) -> ResponseReturnValue:
        """Show the identities, or what the service will receive once the person is known."""
        waiting = self._waiting(uid)
        if waiting.session is None:
            return self._identities(uid, waiting)
        return self._information(uid, waiting.request, waiting.session)

    def login(self, uid: str) -> ResponseReturnValue:
        """Sign in with a test identity."""
        waiting = self._waiting(uid)
        identity = all_identities().get(request.form.get("login", "").strip())
        if identity is None or request.form.get("password") != PASSWORD:
            page = self._identities(uid, waiting, error="Identifiant ou mot de passe incorrect.")
            return page, HTTPStatus.BAD_REQUEST
        return self._sign_in(uid, waiting, identity)

    def custom(self, uid: str) -> ResponseReturnValue:
        """Sign in with an identity typed by hand."""
        waiting = self._waiting(uid)
        return self._sign_in(uid, waiting, custom_identity(request.form.to_dict()))

    def switch(self, uid: str) -> ResponseReturnValue:
        """Forget who is signed in and choose again."""
        waiting = self._waiting(uid)
        self.state.sign_out(waiting.browser)
        self.state.refuse(uid, "")
        return _see_other(self._url(uid))

    def consent(self, uid: str) -> ResponseReturnValue:
        """Send the code to the service."""
        waiting = self._waiting(uid)
        if waiting.session is None:
            raise session_lost()
        code = self.state.issue_code(waiting.request, waiting.session, self._now())
        self.state.end(uid)
        return self._to_service(waiting.request.target, {"code": code})

    def abort(self, uid: str) -> ResponseReturnValue:
        """Go back to the service: the person gave up, or an error page was the end."""
        waiting = self._waiting(uid)
        error, description = "access_denied", ABORTED_BY_USER
        if waiting.refusal:
            refused = IdentityRefused(waiting.refusal)
            error, description = refused.error, refused.description
        self.state.end(uid)
        answer = self._to_service(waiting.request.target, _error(error, description))
        # FranceConnect's application answers 302 where its OpenID library answers 303.
        answer.status_code = HTTPStatus.FOUND
        return answer

    def _waiting(self, uid: str) -> Interaction:
        """Find the request that this browser is answering."""
        found = self.state.interaction(uid, request.cookies.get(COOKIE, ""), self._now())
        if found is None:
            raise session_lost()
        return found

    def _identities(self, uid: str, waiting: Interaction, error: str = "") -> str:
        """Write the page where the person chooses an identity."""
        return render_template(
            "franceconnect/identities.html",
            base=self._url(uid),
            client=waiting.request.client,
            groups=grouped_identities(),
            custom=CUSTOM_DEFAULTS,
            password=PASSWORD,
            error=error,
        )

    def _information(self, uid: str, asked: AuthorizationRequest, session: Session) -> str:
        """Write the page that says what the service will receive."""
        claims = session.identity.claims
        given = claims_of(asked.scopes) & claims.keys()
        shown = [(label, claims[name] or "—") for name, label in LABELS.items() if name in given]
        return render_template(
            "franceconnect/information.html",
            base=self._url(uid),
            client=asked.client,
            login=session.identity.login,
            shown=shown,
        )

    def _sign_in(
        self,
        uid: str,
        waiting: Interaction,
        identity: TestIdentity,
    ) -> ResponseReturnValue:
        """Ask the register; a refusal is a page with a link back to the service."""
        try:
            self._refuse_on_demand()
            confirmed = confirm(identity, self.settings.portal)
        except IdentityRefused as refused:
            self.state.refuse(uid, refused.code)
            return self._refusal_page(uid, waiting.request.client, refused), refused.status
        browser = self.state.sign_in(uid, confirmed, self._now())
        return self._with_cookie(_see_other(self._url(uid)), browser)

    def _refuse_on_demand(self) -> None:
        """Refuse whoever was chosen, when a fault says so."""
        fault = self.faults.take("identity_error", "interaction")
        if fault is not None:
            raise IdentityRefused(fault.detail)

    def _refusal_page(self, uid: str, client: FranceConnectClient, refused: IdentityRefused) -> str:
        """Write the page of an identity that can't go on."""
        back = self._url(uid) + "/abort"
        return _error_page(refused.code, refused.message, back=back, client=client)

    # The service's way

    def token(self) -> ResponseReturnValue:
        """POST /token."""
        answer = self._tokens.token(_token_request(), self._now())
        if self.faults.take("bad_json", "token"):
            return _not_json("application/json")
        return jsonify(answer)

    def revocation(self) -> ResponseReturnValue:
        """POST /token/revocation."""
        self._tokens.revoke(_token_request(), self._now())
        return Response(status=HTTPStatus.OK)

    def userinfo(self) -> ResponseReturnValue:
        """GET /userinfo: a signed JWT."""
        grant = self.state.grant(_bearer_token(), self._now())
        if grant is None:
            raise JSONError(
                "Y040001",
                401,
                "invalid_token",
                "invalid token provided",
                "access token not found",
            )
        if self.faults.take("bad_json", "userinfo"):
            return _not_json("application/jwt")
        body, media_type = self._maker.userinfo(grant, self._now())
        return Response(body, mimetype=media_type)

    def end_session(self) -> ResponseReturnValue:
        """GET /session/end: a page whose form the browser submits by itself."""
        asked = logout.read(request.args.to_dict(flat=False), self.settings, self.keys)
        page = render_template(
            "franceconnect/signing_out.html",
            action=f"{self.settings.prefix}/session/end/confirm",
            logout=self.state.begin_logout(asked, self._now()),
            script=_SUBMIT,
        )
        answer = Response(page)
        answer.headers["Content-Security-Policy"] = _SUBMIT_POLICY
        return answer

    def confirm_end_session(self) -> ResponseReturnValue:
        """Sign out here and go back to the service, whether somebody was signed in or not."""
        asked = self.state.end_logout(request.values.get("logout", ""), self._now())
        if asked is None:
            raise session_lost()
        self.state.sign_out(request.cookies.get(COOKIE, ""))
        where = self.settings.issuer + "/session/end/success"
        if asked.redirect_uri is not None:
            state = {} if asked.state is None else {"state": asked.state}
            where = _with_query(asked.redirect_uri, state)
        answer = _see_other(where)
        answer.delete_cookie(COOKIE)
        return answer

    def signed_out(self) -> ResponseReturnValue:
        """Tell the person who has nowhere to go back to."""
        return render_template("franceconnect/signed_out.html")

    # Faults, and what this is

    def misbehave(self) -> ResponseReturnValue | None:
        """Be down, broken or slow, when a fault says so."""
        blueprint, _, view = (request.endpoint or "").partition(".")
        if blueprint != "fc":
            return None
        place = view if view in faults.PLACES["down"] else "interaction"
        if self.faults.take("down", place):
            return Response("Service Unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
        if self.faults.take("error_500", place):
            return Response("<h1>Internal Server Error</h1>", HTTPStatus.INTERNAL_SERVER_ERROR)
        slow = self.faults.take("slow", place)
        if slow is not None:
            sleep(slow.seconds)
        return None

    def home(self) -> str:
        """Say what this is to whoever opens the address."""
        return render_template(
            "franceconnect/home.html",
            count=len(all_identities()),
            portal=self.settings.portal.name,
            control=self.settings.control,
        )

    # Answers

    def _url(self, uid: str) -> str:
        return f"{self.settings.prefix}/interaction/{uid}"

    def _to_service(
        self,
        target: Target,
        members: dict[str, str],
        error: RedirectedError | None = None,
    ) -> Response:
        """Answer at the service's callback, with the state and the issuer (RFC 9207)."""
        failure = self.faults.take("callback_error", "callback")
        if failure is not None:
            members = _error(failure.detail, TECHNICAL)
        wrong_state = self.faults.take("wrong_state", "callback")
        wrong_issuer = self.faults.take("wrong_issuer", "callback")
        answer = {
            **members,
            "state": "undefined" if wrong_state else target.state,
            "iss": "https://franceconnect.invalid" if wrong_issuer else self.settings.issuer,
        }
        in_fragment = error is not None and error.in_fragment
        return _see_other(_with_query(target.redirect_uri, answer, in_fragment=in_fragment))

    def _with_cookie(self, answer: Response, browser: str) -> Response:
        """Give the browser its session cookie, for as long as a session lives."""
        answer.set_cookie(
            COOKIE,
            browser,
            max_age=self.settings.portal.session_life,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self.settings.issuer.startswith("https:"),
        )
        return answer


def _error(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


def _see_other(where: str) -> Response:
    """Redirect with 303, so that a form is never posted again elsewhere."""
    answer = redirect(where, HTTPStatus.SEE_OTHER)
    return Response(answer.response, answer.status, answer.headers)


def _with_query(uri: str, members: dict[str, str], *, in_fragment: bool = False) -> str:
    """Add parameters to a redirect URI that may have some."""
    if not members:
        return uri
    separator = "#" if in_fragment else ("&" if "?" in uri else "?")
    return uri + separator + urlencode(members, quote_via=quote)


def _cached(document: object) -> Response:
    answer = jsonify(document)
    answer.headers["Cache-Control"] = "public, max-age=600"
    return answer


def _not_json(media_type: str) -> Response:
    return Response('{"oups": ', mimetype=media_type)


def _token_request() -> TokenRequest:
    form = request.form.to_dict(flat=False)
    return TokenRequest(form, request.headers.get("Authorization"))


def _bearer_token() -> str:
    """Read the access token, in the header or in the query as FranceConnect allows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    if "access_token" in request.args:
        return request.args["access_token"]
    missing = "no access token provided"
    raise JSONError("Y04146A2", 401, "invalid_token", missing, missing)


def _json_error(error: JSONError) -> ResponseReturnValue:
    """Answer an error of the service's way."""
    answer = jsonify(error.body(str(uuid4())))
    answer.status_code = error.status
    if error.status == HTTPStatus.UNAUTHORIZED:
        scheme = "Bearer" if error.error == "invalid_token" else "Basic"
        answer.headers["WWW-Authenticate"] = f'{scheme} realm="FranceConnect", error="{error.error}"'
    return answer


def _page_error(error: PageError) -> ResponseReturnValue:
    """Answer an error of the person's way, which nothing redirects."""
    return _error_page(error.code, error.message), error.status


def _error_page(
    code: str,
    message: str,
    *,
    back: str = "",
    client: FranceConnectClient | None = None,
) -> str:
    return render_template(
        "franceconnect/error.html",
        code=code,
        message=message,
        incident=uuid4(),
        back=back,
        client=client,
    )
