"""/control: the switchboard of the faults, for people in a browser and for programs in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from secrets import compare_digest, token_urlsafe

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.franceconnect import faults
from idp.demo.franceconnect.errors import IDENTITY_ERRORS
from idp.demo.franceconnect.faults import Faults
from idp.demo.franceconnect.keys import SigningKeys

_ROTATE = "rotate_keys"


class Control:
    """The switchboard of one simulator."""

    def __init__(self, switches: Faults, keys: SigningKeys) -> None:
        self._faults = switches
        self._keys = keys
        # A foreign page can post a form here, but can't read this.
        self._token = token_urlsafe(16)

    def routes(self) -> Blueprint:
        """Route it."""
        routes = Blueprint("control", __name__)
        routes.add_url_rule("/control", "show", self.show, methods=["GET"])
        routes.add_url_rule("/control", "post", self.post, methods=["POST"])
        routes.add_url_rule("/control", "reset", self.reset, methods=["DELETE"])
        return routes

    def show(self) -> ResponseReturnValue:
        """GET /control: list the faults in force, as a page for whoever prefers one."""
        offered = request.accept_mimetypes.best_match(["application/json", "text/html"])
        return self._page() if offered == "text/html" else self._listed()

    def post(self) -> ResponseReturnValue:
        """POST /control: put a fault in force, or clear one from the page."""
        if request.is_json:
            body = request.get_json(silent=True)
            return self._set_by_program(body)
        if not compare_digest(request.form.get("token", "").encode(), self._token.encode()):
            return jsonify(error="a JSON object, or the page's own form, is expected"), HTTPStatus.BAD_REQUEST
        return self._set_by_person(request.form.to_dict())

    def reset(self) -> ResponseReturnValue:
        """DELETE /control: answer faithfully again."""
        self._faults.reset()
        return self._listed()

    def _set_by_program(self, body: object) -> ResponseReturnValue:
        """Obey a JSON object, which no foreign page can post."""
        if not isinstance(body, dict):
            return jsonify(error="a JSON object is expected"), HTTPStatus.BAD_REQUEST
        try:
            self._set(body)
        except ValueError as error:
            return jsonify(error=str(error)), HTTPStatus.BAD_REQUEST
        return self._listed()

    def _set_by_person(self, form: dict[str, str]) -> ResponseReturnValue:
        """Obey a button of the page."""
        match form.get("action", "set"):
            case "reset":
                self._faults.reset()
            case "clear":
                self._faults.clear(int(form["number"]) if form.get("number", "").isdecimal() else 0)
            case _:
                try:
                    self._set(_typed(form))
                except ValueError as error:
                    return self._page(str(error), form), HTTPStatus.BAD_REQUEST
        return Response(status=HTTPStatus.SEE_OTHER, headers=redirect("/control").headers)

    def _set(self, body: Mapping[str, object]) -> None:
        if body.get("fault") == _ROTATE:
            self._keys.rotate()
        else:
            self._faults.set(faults.read(body))

    def _listed(self) -> Response:
        return jsonify(faults=self._faults.listed())

    def _page(self, error: str = "", typed: Mapping[str, str] | None = None) -> str:
        """Write the page."""
        return render_template(
            "franceconnect/control.html",
            token=self._token,
            in_force=self._faults.in_force(),
            faults={_ROTATE: "nouvelles clés de signature, tout de suite", **faults.DESCRIPTIONS},
            places=sorted(frozenset().union(*faults.PLACES.values())),
            codes=IDENTITY_ERRORS,
            details=faults.DETAILS,
            typed=typed or {},
            error=error,
        )


def _typed(form: Mapping[str, str]) -> dict[str, object]:
    """Make of the page's form what a program would have posted: an empty field is absent.

    Raises:
        ValueError: A number is none.
    """
    body: dict[str, object] = {name: form[name].strip() for name in ("fault", "on") if form.get(name)}
    if form.get("times"):
        body["times"] = int(form["times"])
    if form.get("seconds"):
        body["seconds"] = float(form["seconds"].replace(",", "."))
    member = faults.DETAILS.get(form.get("fault", ""))
    if member is not None:
        body[member] = form.get("detail", "").strip()
    return body
