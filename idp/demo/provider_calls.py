"""What Mon Paris asks of a service by itself: begin a login, end a session.

Third-party initiated login (OIDC Core 4), back-channel logout and front-channel logout: any service of any provider
may have these three addresses.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.outcomes import AnswerRejected, LogoutNotice, ProviderUnavailable
from idp.demo.relying_party import RelyingParty

_LOG = logging.getLogger(__name__)

INITIATE = "/connexion/initier"
BACK_CHANNEL = "/deconnexion/canal-arriere"
FRONT_CHANNEL = "/deconnexion/cadre"


class ProviderCalls:
    """The three addresses, as routes on the application of a service.

    Args:
        app: Of the service.
        relying_party: Speaks with Mon Paris.
        base_url: Of the service.
        begin: Sends the person to Mon Paris, to come back to an address of this service; with a hint of who it is.
        close: Ends the sessions that a notice names.
    """

    def __init__(
        self,
        app: Flask,
        relying_party: RelyingParty,
        base_url: str,
        *,
        begin: Callable[[str, dict[str, str]], ResponseReturnValue],
        close: Callable[[LogoutNotice], int],
    ) -> None:
        self._relying_party = relying_party
        self._base_url = base_url
        self._begin = begin
        self._close = close
        app.add_url_rule(INITIATE, "initiate", self.initiate, methods=["GET", "POST"])
        app.add_url_rule(BACK_CHANNEL, "back_channel_logout", self.back_channel, methods=["POST"])
        app.add_url_rule(FRONT_CHANNEL, "front_channel_logout", self.front_channel)

    def initiate(self) -> ResponseReturnValue:
        """Begin a login that somebody else asks for: with our own provider only (OIDC Core 4)."""
        given = request.values
        if given.getlist("iss") != [self._relying_party.settings.issuer]:
            return render_template("service/failure.html", reason="not_ours"), HTTPStatus.BAD_REQUEST
        hint = given.get("login_hint")
        return self._begin(
            self._own_address(given.get("target_link_uri", "")), {"login_hint": hint} if hint else {}
        )

    def _own_address(self, wanted: str) -> str:
        """Accept an address of this service only: "to prevent being used as an open redirector"."""
        try:
            parts = urlsplit(wanted)
        except ValueError:
            return ""
        if f"{parts.scheme}://{parts.netloc}" != self._base_url:
            return ""
        query = f"?{parts.query}" if parts.query else ""
        # Our address alone names no page: the person wants what follows a login.
        return f"{parts.path}{query}" if parts.path.strip("/") or query else ""

    def back_channel(self) -> ResponseReturnValue:
        """End the sessions that a logout token names (Back-Channel Logout 2.5 to 2.8)."""
        given = request.form.getlist("logout_token")
        try:
            # Of two tokens neither is believed.
            notice = self._relying_party.check_logout_token(given[0] if len(given) == 1 else "")
        except AnswerRejected as error:
            _LOG.info("logout token refused: %s", error)
            return jsonify(error="invalid_request"), HTTPStatus.BAD_REQUEST
        except ProviderUnavailable:
            return jsonify(error="temporarily_unavailable"), HTTPStatus.SERVICE_UNAVAILABLE
        self._close(notice)
        return Response(status=HTTPStatus.OK)

    def front_channel(self) -> ResponseReturnValue:
        """End the session of this browser from a frame of Mon Paris (Front-Channel Logout 3)."""
        session = g.session
        asked = (request.args.getlist("iss"), request.args.getlist("sid"))
        if session is not None and session.tokens is not None:
            sid = session.tokens.claims.get("sid")
            if asked == ([self._relying_party.settings.issuer], [sid]):
                self._close(LogoutNotice(session.tokens.subject, sid))
        answer = Response("", mimetype="text/html")
        issuer = urlsplit(self._relying_party.settings.issuer)
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; frame-ancestors {issuer.scheme}://{issuer.netloc}"
        )
        return answer
