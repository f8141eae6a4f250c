"""A demonstration relying party: residential parking rights and mobile providers (CON-9).

An ordinary service: it knows Mon Paris by its issuer and its own registration
(client_secret_basic), and asks userinfo at each visit of the personal space. The answer about
mobile providers is kept by Mon Paris: it is read in userinfo, and changed with the person's token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from flask import Flask, abort, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.certified_identity import CLAIMS, certified, is_certified
from idp.demo.mobile_choice import PURPOSE, Question, choice_of, question_of
from idp.demo.notices import Notice, Notices
from idp.demo.outcomes import ProviderUnavailable, Reworded
from idp.demo.pages import new_app
from idp.demo.parking_rights import (
    ParkingStore,
    Right,
    read_address,
    read_plate,
)
from idp.demo.provider_documents import RelyingPartySettings
from idp.demo.receipts import long_date, received, short_date
from idp.demo.relying_party import RelyingParty
from idp.demo.service import Service, ServiceSettings, see_other

PARIS = ZoneInfo("Europe/Paris")

SPACE = "/espace"
MOBILE_PROVIDERS = ("PayByPhone", "Flowbird", "EasyPark", "Indigo Neo")

PLATE_ERROR = "Saisissez une immatriculation comme AB-123-CD, ou 123 ABC 75 pour une ancienne plaque."
ADDRESS_ERROR = "Saisissez une adresse à Paris, avec son code postal."
CHOICE_ERROR = "Choisissez l’une des deux réponses."
REWORDED_ERROR = "La question a été reformulée entre-temps. Relisez-la, puis répondez."
#: Asked for, paid, active.
STEPS = 3
STEP_OF_PAYING = 2
#: How Mon Paris calls what becomes of a right.
NOTICE_KIND = "droit-de-stationnement"
NOTICE_STATUSES = {"unpaid": "to_pay", "active": "paid", "cancelled": "canceled"}
CHOICE_SAVED = "Votre choix est enregistré. Il s’applique dès maintenant."


@dataclass(frozen=True, kw_only=True)
class ParkingSettings(ServiceSettings):
    """Settings of the parking service; `offline_access` keeps userinfo readable at each visit."""

    scope: str = "openid profile email offline_access"


def create_app(settings: ParkingSettings) -> Flask:
    """Build the parking service.

    Args:
        settings: With a client secret.
    """
    app = new_app(__name__)
    relying_party = RelyingParty(
        RelyingPartySettings(
            issuer=settings.issuer,
            client_id=settings.client_id,
            redirect_uri=settings.redirect_uri,
            post_logout_redirect_uri=settings.post_logout_redirect_uri,
            scope=settings.scope,
            client_secret=settings.client_secret,
            clock=settings.clock,
            send=settings.send,
        ),
    )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = ParkingStore(settings.data_dir / "parking.sqlite3")
    service = Service(
        app,
        settings,
        relying_party,
        layout="parking/base.html",
        cookie="stationnement_session",
        landing=SPACE,
        forget=store.forget,
    )
    parking = Parking(service, relying_party, store)
    app.jinja_env.filters.update(long_date=long_date, short_date=short_date)
    app.jinja_env.globals["mobile_providers"] = ", ".join(MOBILE_PROVIDERS)
    _route(app, service, parking)
    return app


def _route(app: Flask, service: Service, parking: Parking) -> None:
    """Route the pages; all but the home page need a login."""
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/donnees-personnelles", "privacy", _privacy)
    for path, view, methods in (
        (SPACE, parking.space, ["GET"]),
        ("/consentement", parking.choose_mobile, ["POST"]),
        ("/identite", parking.confirm_identity, ["GET"]),
        ("/demande", parking.new_request, ["GET", "POST"]),
        ("/droits/<int:right_id>", parking.detail, ["GET"]),
        ("/droits/<int:right_id>/vehicule", parking.change_vehicle, ["GET", "POST"]),
        ("/droits/<int:right_id>/adresse", parking.change_address, ["GET", "POST"]),
        ("/droits/<int:right_id>/renouvellement", parking.renew, ["GET", "POST"]),
        ("/droits/<int:right_id>/paiement", parking.pay, ["GET", "POST"]),
        ("/droits/<int:right_id>/annulation", parking.cancel, ["POST"]),
    ):
        app.add_url_rule(path, view.__name__, service.required(view), methods=methods)


def _home() -> str:
    return render_template("parking/home.html")


def _privacy() -> str:
    return render_template("parking/privacy.html")


class Parking:
    """The pages of the personal space."""

    def __init__(self, service: Service, relying_party: RelyingParty, store: ParkingStore) -> None:
        self._service = service
        self._relying_party = relying_party
        self._store = store
        self._notices = Notices(relying_party)

    def _now(self) -> datetime:
        """Return the time in Paris, which is what the pages show."""
        return self._service.settings.clock().astimezone(PARIS)

    def _today(self) -> date:
        return self._now().date()

    def _right(self, right_id: int) -> Right:
        """Find a right of the person who is signed in; another's does not exist."""
        right = self._store.right(self._service.subject, right_id)
        if right is None:
            abort(HTTPStatus.NOT_FOUND)
        return right

    def _back(self, message: str, anchor: str = "") -> ResponseReturnValue:
        """Go back to the space and say there what was done."""
        self._service.session.message = message
        return see_other(SPACE + anchor)

    def space(self) -> ResponseReturnValue:
        """Show the rights, the requests, what Mon Paris sends, and the choice on mobiles."""
        return self._space()

    def _space(self, choice_error: str = "") -> str:
        userinfo = self._service.refreshed_userinfo()
        subject = self._service.subject
        today = self._today()
        is_newcomer = self._store.is_newcomer(subject)
        rights = self._store.rights(subject, today)
        if is_newcomer:
            self._tell(*rights)
        choice = choice_of(userinfo)
        return render_template(
            "parking/space.html",
            rights=rights,
            today=today,
            received=received(userinfo),
            certified=certified(userinfo),
            is_certified=is_certified(userinfo),
            question=self._question(),
            choice=choice,
            choice_day=None if choice is None else choice.updated_at.astimezone(PARIS).date(),
            choice_error=choice_error,
            choice_saved=CHOICE_SAVED,
        )

    def _question(self) -> Question | None:
        """Read the words of the question at each visit; None while Mon Paris does not answer."""
        try:
            return question_of(self._service.ask(self._relying_party.purposes))
        except ProviderUnavailable:
            return None

    def choose_mobile(self) -> ResponseReturnValue:
        """Bring the answer about mobile providers to Mon Paris, where it holds at once (CON-3)."""
        answer, version = request.form.get("mobile"), request.form.get("version", "")
        if answer not in {"yes", "no"}:
            return self._space(CHOICE_ERROR), HTTPStatus.BAD_REQUEST
        try:
            self._service.ask(
                lambda tokens: self._relying_party.answer_purpose(
                    tokens, PURPOSE, version, allowed=answer == "yes"
                )
            )
        except Reworded:
            return self._space(REWORDED_ERROR), HTTPStatus.CONFLICT
        return self._back(CHOICE_SAVED, "#mobile")

    def confirm_identity(self) -> ResponseReturnValue:
        """Ask Mon Paris for names that FranceConnect vouches for; the usual login asks for less."""
        return self._service.ask_again(SPACE, CLAIMS)

    def detail(self, right_id: int) -> ResponseReturnValue:
        """Show one right."""
        right = self._right(right_id)
        return render_template("parking/detail.html", right=right, today=self._today())

    def new_request(self) -> ResponseReturnValue:
        """Ask for a new right."""
        errors: dict[str, str] = {}
        if request.method == "POST":
            plate = read_plate(request.form.get("plate", ""))
            address = read_address(request.form.get("address", ""))
            if plate is not None and address is not None:
                self._tell(self._store.request(self._service.subject, plate, address, self._today()))
                return self._back(f"Votre demande pour {plate} est enregistrée. Il reste à la payer.")
            errors = _errors(plate=(plate, PLATE_ERROR), address=(address, ADDRESS_ERROR))
        return _form("parking/request.html", errors)

    def change_vehicle(self, right_id: int) -> ResponseReturnValue:
        """Move a right to another vehicle."""
        right = self._usable(right_id)
        errors: dict[str, str] = {}
        if request.method == "POST":
            plate = read_plate(request.form.get("plate", ""))
            if plate is not None:
                self._store.change_plate(right, plate)
                return self._back(f"Votre droit est maintenant celui du véhicule {plate}.")
            errors = {"plate": PLATE_ERROR}
        return _form("parking/vehicle.html", errors, right)

    def change_address(self, right_id: int) -> ResponseReturnValue:
        """Move a right to another home; the price, if any, is shown before."""
        right = self._usable(right_id)
        errors: dict[str, str] = {}
        if request.method == "POST":
            address = read_address(request.form.get("address", ""))
            if address is not None:
                self._store.change_address(right, address)
                return self._back("Votre nouvelle adresse est enregistrée.")
            errors = {"address": ADDRESS_ERROR}
        return _form("parking/address.html", errors, right)

    def _usable(self, right_id: int) -> Right:
        """Find a right that can be changed."""
        right = self._right(right_id)
        if not right.is_running(self._today()):
            abort(HTTPStatus.NOT_FOUND)
        return right

    def renew(self, right_id: int) -> ResponseReturnValue:
        """Ask for another year."""
        right = self._right(right_id)
        if not right.is_renewable(self._today()):
            abort(HTTPStatus.NOT_FOUND)
        if request.method == "POST":
            subject = self._service.subject
            self._tell(self._store.request(subject, right.plate, right.address, self._today()))
            return self._back("Votre renouvellement est enregistré. Il reste à le payer.")
        return render_template("parking/renewal.html", right=right)

    def pay(self, right_id: int) -> ResponseReturnValue:
        """Pretend to pay: the right is activated."""
        right = self._unpaid(right_id)
        if request.method == "POST":
            self._store.pay(right, self._today())
            self._tell(self._right(right_id))
            return self._back(f"Vos droits pour {right.plate} sont activés.")
        return render_template("parking/payment.html", right=right)

    def cancel(self, right_id: int) -> ResponseReturnValue:
        """Give up a request."""
        self._store.cancel(self._unpaid(right_id))
        self._tell(self._right(right_id))
        return self._back("Votre demande est annulée.")

    def _tell(self, *rights: Right) -> None:
        """Say on Mon Paris what becomes of requests; what it does not take stands on our pages all the same."""
        now, origin = self._now(), self._service.settings.base_url
        self._notices.tell(self._service.subject, [_notice(right, now, origin) for right in rights])

    def _unpaid(self, right_id: int) -> Right:
        """Find a request that waits for its payment."""
        right = self._right(right_id)
        if right.status != "unpaid":
            abort(HTTPStatus.NOT_FOUND)
        return right


def _notice(right: Right, now: datetime, origin: str) -> Notice:
    """Say where a right stands."""
    is_unpaid = right.status == "unpaid"
    return Notice(
        kind=NOTICE_KIND,
        reference=f"DS-{right.id}",
        title=f"Droit de stationnement pour {right.plate}",
        status=NOTICE_STATUSES[right.status],
        updated_at=now,
        message=None
        if right.valid_until is None
        else f"Votre droit est valable jusqu’au {long_date(right.valid_until)}.",
        url=f"{origin}/droits/{right.id}",
        step=STEP_OF_PAYING if is_unpaid else None,
        steps=STEPS if is_unpaid else None,
    )


def _errors(**fields: tuple[str | None, str]) -> dict[str, str]:
    """Keep the message of each field whose value could not be read."""
    return {name: message for name, (value, message) in fields.items() if value is None}


def _form(template: str, errors: dict[str, str], right: Right | None = None) -> ResponseReturnValue:
    """Show a form, with what was typed when it comes back."""
    page = render_template(template, errors=errors, typed=request.form, right=right)
    return page, HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK
