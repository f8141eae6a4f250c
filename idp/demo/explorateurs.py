"""A demonstration relying party: the panel "Les Explorateurs de la Ville de Paris" (CON-9).

An ordinary service with a pairwise subject (CON-6). Without a client secret it proves itself by
private_key_jwt with a key of its own, published at /jwks.json.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from joserfc.jwk import ECKey

from idp.demo import explorateurs_notices as told
from idp.demo.explorateurs_notices import PANEL, PARIS, SURVEY_PAGES
from idp.demo.explorateurs_panel import (
    SURVEYS,
    TAKEN,
    Member,
    PanelStore,
    PseudonymTaken,
    Survey,
    age_band,
    refusal,
    survey,
)
from idp.demo.notices import Notice, Notices
from idp.demo.pages import new_app
from idp.demo.provider_documents import RelyingPartySettings
from idp.demo.receipts import long_date, received
from idp.demo.relying_party import RelyingParty
from idp.demo.service import Service, ServiceSettings, View, see_other

JOIN = "/adhesion"

RULES_ERROR = "Pour rejoindre le panel, cochez la case."
QUESTION_ERROR = "Choisissez une réponse."
TOO_LATE = "Cette enquête est close."

#: Shown when Mon Paris answers access_denied: whether the person or a parent said no is not told to us.
REFUSED = {
    "title": "Vous n’êtes pas entré dans le panel",
    "sentences": (
        (
            "Rien ne nous a été transmis. Soit vous n’avez pas donné votre accord, et vous pouvez changer d’avis "
            "quand vous voulez."
        ),
        (
            "Soit vous avez moins de 15 ans\u00a0: il faut alors la permission d’un parent. Mon Paris lui écrit à "
            "votre demande. Dès que la réponse est oui, revenez ici\u00a0: le panel s’ouvrira."
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class ExplorateursSettings(ServiceSettings):
    """Settings of the panel; without a client secret, it uses private_key_jwt."""

    @property
    def jwks_uri(self) -> str:
        """Return where the public key is, to register with private_key_jwt."""
        return f"{self.base_url}/jwks.json"


def create_app(settings: ExplorateursSettings) -> Flask:
    """Build the panel.

    Args:
        settings: With or without a client secret.
    """
    app = new_app(__name__)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    key = None if settings.client_secret else client_key(settings.data_dir)
    store = PanelStore(settings.data_dir / "explorateurs.sqlite3")
    relying_party = RelyingParty(_registration(settings, key))
    service = Service(
        app,
        settings,
        relying_party,
        layout="explorateurs/base.html",
        cookie="explorateurs_session",
        landing=PANEL,
        forget=store.leave,
    )
    panel = Panel(service, relying_party, store)
    app.jinja_env.filters["long_date"] = long_date
    app.context_processor(lambda: {"refused": REFUSED})
    _route(app, service, panel)
    if key is not None:
        app.add_url_rule("/jwks.json", "jwks", lambda: _jwks(key))
    return app


def client_key(data_dir: Path) -> ECKey:
    """Return the service's own key, made at the first start and readable by its owner only."""
    path = data_dir / "explorateurs_key.pem"
    if not path.exists():
        made = ECKey.generate_key("P-256")
        private = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(private, "wb") as file:
            file.write(made.as_pem(private=True))
    key = ECKey.import_key(path.read_bytes())
    return ECKey.import_key({**key.as_dict(private=True), "kid": key.thumbprint()})


def _registration(settings: ExplorateursSettings, key: ECKey | None) -> RelyingPartySettings:
    """Describe what was registered at Mon Paris."""
    return RelyingPartySettings(
        issuer=settings.issuer,
        client_id=settings.client_id,
        redirect_uri=settings.redirect_uri,
        post_logout_redirect_uri=settings.post_logout_redirect_uri,
        scope=settings.scope,
        client_secret=settings.client_secret,
        private_key=key,
        token_endpoint_auth_method="private_key_jwt" if key else "client_secret_post",
        clock=settings.clock,
        send=settings.send,
    )


def _jwks(key: ECKey) -> Response:
    """Serve the public key."""
    public = {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}
    answer = jsonify(keys=[public])
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _route(app: Flask, service: Service, panel: Panel) -> None:
    """Route the pages; all but the home page need a login."""
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/donnees-personnelles", "privacy", _privacy)
    for path, view, methods in (
        (PANEL, panel.show, ["GET"]),
        (JOIN, panel.join, ["GET", "POST"]),
        (f"{SURVEY_PAGES}/<slug>", panel.answer, ["GET", "POST"]),
        ("/depart", panel.leave, ["GET", "POST"]),
    ):
        app.add_url_rule(path, view.__name__, service.required(view), methods=methods)


def _home() -> str:
    return render_template("explorateurs/home.html", surveys=SURVEYS)


def _privacy() -> str:
    return render_template("explorateurs/privacy.html")


def for_members(view: View) -> View:
    """Make a page of the panel lead newcomers to the pseudonym first."""

    @wraps(view)
    def guarded(panel: Panel, **arguments: object) -> ResponseReturnValue:
        return view(panel, **arguments) if panel.is_joined() else see_other(JOIN)

    return guarded


class Panel:
    """The pages of the panel."""

    def __init__(self, service: Service, relying_party: RelyingParty, store: PanelStore) -> None:
        self._service = service
        self._store = store
        self._notices = Notices(relying_party)

    def _now(self) -> datetime:
        """Return the time in Paris, by which the days of the panel are counted."""
        return self._service.settings.clock().astimezone(PARIS)

    def _today(self) -> date:
        return self._now().date()

    @property
    def _origin(self) -> str:
        return self._service.settings.base_url

    def _tell(self, notices: list[Notice]) -> None:
        """Say something on Mon Paris; what it does not take stands on our pages all the same."""
        self._notices.tell(self._service.subject, notices)

    def is_joined(self) -> bool:
        """Tell whether the person who is signed in is a member."""
        return self._store.member(self._service.subject) is not None

    def _member(self) -> Member:
        """Return the member who is signed in; only inside a page for members."""
        member = self._store.member(self._service.subject)
        if member is None:
            abort(HTTPStatus.NOT_FOUND)
        return member

    def _back(self, message: str) -> ResponseReturnValue:
        """Go back to the panel and say there what was done."""
        self._service.session.message = message
        return see_other(PANEL)

    @for_members
    def show(self) -> ResponseReturnValue:
        """Show the surveys, and what the panel knows."""
        member, today = self._member(), self._today()
        given = received(self._service.refreshed_userinfo())
        missed = [one for one in self._unanswered(member) if one.last_day(member) < today]
        if missed:
            self._tell([told.missed(one, member, self._origin) for one in missed])
        return render_template(
            "explorateurs/panel.html",
            member=member,
            surveys=SURVEYS,
            answered=self._store.answered(member),
            missed=missed,
            received=given,
        )

    def _unanswered(self, member: Member) -> list[Survey]:
        answered = self._store.answered(member)
        return [one for one in SURVEYS if one.slug not in answered]

    def join(self) -> ResponseReturnValue:
        """Choose a pseudonym and join."""
        userinfo = self._service.refreshed_userinfo()
        if self.is_joined():
            return see_other(PANEL)
        errors: dict[str, str] = {}
        if request.method == "POST":
            errors = self._try_to_join()
            if not errors:
                return self._back("Bienvenue dans le panel\u202f!")
        page = render_template(
            "explorateurs/join.html",
            errors=errors,
            typed=request.form,
            received=received(userinfo),
        )
        return page, HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK

    def _try_to_join(self) -> dict[str, str]:
        """Join with what was typed; return what is wrong with it."""
        userinfo = self._service.session.userinfo
        pseudonym = " ".join(request.form.get("pseudonym", "").split())
        reason = refusal(pseudonym, userinfo)
        errors = {"pseudonym": reason} if reason else {}
        if request.form.get("rules") != "yes":
            errors["rules"] = RULES_ERROR
        if errors:
            return errors
        today = self._today()
        try:
            member = Member(pseudonym, age_band(userinfo, today), today)
            self._store.join(self._service.subject, member)
        except PseudonymTaken:
            return {"pseudonym": TAKEN}
        self._tell(told.joined(member, self._now(), self._origin))
        return {}

    @for_members
    def answer(self, slug: str) -> ResponseReturnValue:
        """Show a survey, and take its answers."""
        asked = survey(slug)
        if asked is None:
            abort(HTTPStatus.NOT_FOUND)
        member = self._member()
        if slug in self._store.answered(member):
            return self._back("Vous avez déjà répondu à cette enquête.")
        if self._today() > asked.last_day(member):
            return self._back(TOO_LATE)
        errors: dict[str, str] = {}
        if request.method == "POST":
            choices = _choices(asked)
            errors = {q.name: QUESTION_ERROR for q in asked.questions if q.name not in choices}
            if not errors:
                self._store.answer(member, slug, choices, self._today())
                self._tell(told.answered(asked, self._now(), self._origin))
                return self._back("Merci, votre avis est enregistré.")
        page = render_template(
            "explorateurs/survey.html",
            survey=asked,
            errors=errors,
            typed=request.form,
            member=member,
        )
        return page, HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK

    @for_members
    def leave(self) -> ResponseReturnValue:
        """Leave the panel, after a page that says what follows."""
        member = self._member()
        if request.method == "POST":
            unanswered = self._unanswered(member)
            self._store.leave(self._service.subject)
            self._tell(told.left(unanswered, self._now(), self._origin))
            return render_template("explorateurs/left.html")
        return render_template("explorateurs/leave.html", member=member)


def _choices(asked: Survey) -> dict[str, str]:
    """Keep the answers that are among the choices."""
    return {
        question.name: request.form[question.name]
        for question in asked.questions
        if request.form.get(question.name) in question.choices
    }
