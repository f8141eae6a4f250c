"""/styleguide: the custom properties as measured, and every component in every state, for who themes (UX-3).

Served when `city.styleguide` says so. It shows the macros themselves, with a person and services made up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import format_decimal
from flask import Blueprint
from werkzeug.exceptions import NotFound

from idp.domain.civil_identity import Level
from idp.domain.password_policy import to_browser
from idp.domain.text_difference import sections
from idp.web import assets
from idp.web.http import redirect_to, url
from idp.web.language import language
from idp.web.provenance import identity_row
from idp.web.site import context, site
from idp.web.space.stylesheet import contrast, properties
from idp.web.templating import page, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

blueprint = Blueprint("styleguide", __name__, url_prefix="/styleguide")

_TEXT: Final = 4.5
_SHAPE: Final = 3.0
_DAY: Final = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_TERMS: Final = {"version": "2026-03-01", "effective_at": _DAY}


@dataclass(frozen=True, slots=True)
class Colour:
    """A custom property that is a colour.

    Attributes:
        name: Of the property, without its dashes.
        grounds: What it stands on; its contrast is that with the nearest of them.
        least: What that contrast is at least (WCAG 2.2, 1.4.3 and 1.4.11).
    """

    name: str
    grounds: tuple[str, ...] = ()
    least: float = _TEXT


COLOURS: Final = (
    Colour("ink", ("ground", "paper", "tint")),
    Colour("muted", ("ground", "paper")),
    Colour("ground"),
    Colour("paper"),
    Colour("line"),
    Colour("line-strong", ("ground", "paper"), _SHAPE),
    Colour("link", ("ground", "paper", "tint")),
    Colour("action", ("ground", "paper"), _SHAPE),
    Colour("action-hover", ("ground", "paper"), _SHAPE),
    Colour("action-ink", ("action", "action-hover")),
    Colour("tint"),
    Colour("tint-ink", ("tint", "paper")),
    Colour("focus", ("ground", "paper"), _SHAPE),
    Colour("focus-gap", ("focus",), _SHAPE),
    Colour("ok", ("ok-ground", "paper")),
    Colour("ok-ground"),
    Colour("bad", ("bad-ground", "paper")),
    Colour("bad-ground"),
    Colour("warn", ("warn-ground", "paper")),
    Colour("warn-ground"),
    Colour("info", ("info-ground", "paper"), _SHAPE),
    Colour("info-ground"),
    Colour("veil"),
    Colour("franceconnect"),
    Colour("franceconnect-hover"),
    Colour("franceconnect-ink", ("franceconnect", "franceconnect-hover")),
)
MEASURES: Final = (
    "font", "mono", "radius", "radius-field", "border", "gap-s", "gap", "gap-l", "target",
    "measure", "narrow", "reading", "wide", "shadow",
)  # fmt: skip
#: Parts of the guide, in order; the first is at /styleguide itself.
PARTS: Final = (
    "colours",
    "text",
    "actions",
    "fields",
    "password",
    "choices",
    "errors",
    "data",
    "lists",
    "frame",
)


@blueprint.before_request
def _only_where_wanted() -> None:
    if not site().has_styleguide:
        raise NotFound


@blueprint.get("")
def show() -> str:
    """Show the first part."""
    return _part(PARTS[0])


@blueprint.get("/<part>")
def show_part(part: str) -> str:
    """Show a part.

    Raises:
        NotFound: There is no such part.
    """
    if part not in PARTS[1:]:
        raise NotFound
    return _part(part)


@blueprint.post("")
def submit() -> Response:
    """Take what a sample of a form sends, and keep nothing."""
    return redirect_to(url("styleguide.show"))


@blueprint.get("/frame/<state>")
def show_frame(state: str) -> str:
    """Show header and footer as they are for somebody.

    Raises:
        NotFound: There is no such state.
    """
    if state not in _FRAMES:
        raise NotFound
    return page("space/styleguide/empty.html", state=state, **_FRAMES[state]())


def _part(part: str) -> str:
    return page(f"space/styleguide/{part}.html", part=part, parts=PARTS, **_VARIABLES.get(part, dict)())


def measured(colour: Colour, known: dict[str, str], more: float = 1.0) -> dict[str, Any]:
    """Give a colour with its least contrast.

    Args:
        colour: Which.
        known: The properties of a mode.
        more: How much more contrast that mode promises.
    """
    value = known.get(f"--{colour.name}", "")
    found = [contrast(value, known.get(f"--{ground}", "")) for ground in colour.grounds]
    ratios = [one for one in found if one is not None]
    least = min(ratios, default=None)
    return {
        "value": value,
        "contrast": None if least is None else format_decimal(least, "0.0", locale=language()),
        "is_enough": least is None or least >= colour.least * more,
    }


def stylesheets() -> list[str]:
    """Read our stylesheet, and the operator's after it."""
    names = ["style.css", *([assets.THEME] if assets.is_themed() else [])]
    return [site().assets[name].file.read_text(encoding="utf-8") for name in names]


def _colours() -> dict[str, Any]:
    texts = stylesheets()
    light, dark = properties(texts, "light"), properties(texts, "dark")
    return {
        "colours": [
            {
                "name": colour.name,
                "grounds": colour.grounds,
                "least": format_decimal(colour.least, locale=language()),
                "modes": [measured(colour, light), measured(colour, dark)],
            }
            for colour in COLOURS
        ]
    }


def _text() -> dict[str, Any]:
    known = properties(stylesheets(), "light")
    return {"measures": [(name, known.get(f"--{name}", "")) for name in MEASURES]}


def _fields() -> dict[str, Any]:
    return {
        "values": {
            "filled": "Zoé Claire",
            "mail": "zoe@example.org",
            "number": "123456",
            "message": "Bonjour,\nmerci.",
        }
    }


def _password() -> dict[str, Any]:
    return {"password_rules": to_browser(context().password_policy)}


def _choices() -> dict[str, Any]:
    return {"terms": _TERMS, "values": {"gender": "female"}}


def _errors() -> dict[str, Any]:
    """Have a form refused as it is after each of these mistakes."""
    return {
        "terms": _TERMS,
        "values": {"mail": "zoe@", "code": "12", "message": ""},
        "form_error": sentence("form_expired"),
        "errors": {
            "mail": [sentence("email_malformed")],
            "password": [sentence("password_too_short"), sentence("password_no_digit")],
            "code": [sentence("code_wrong", num=2)],
            "birthdate": [sentence("birthdate_future")],
            "message": [sentence("unlink_message_too_long", max_length=2000)],
            "gender": [sentence("gender_unknown")],
            "terms": [sentence("terms_required")],
        },
    }


def _data() -> dict[str, Any]:
    before, after = "Vos données sont gardées 12 mois.", "Vos données sont gardées 6 mois."
    return {
        "rows": [
            _row("family_name", "Œuvrard", Level.FRANCECONNECT, "franceconnect"),
            _row("birthdate", "1990-02-03", Level.FRANCECONNECT, "franceconnect"),
            _row("birthplace", "75107", Level.FRANCECONNECT, "franceconnect"),
            _row("email", "zoe@example.org", Level.PROVEN, "mail"),
            _row("preferred_username", "Durand-Lys", Level.DECLARED, "declared"),
            _row("gender", None, None, ""),
        ],
        "presumed": _row("birthdate", "1990-02-00", Level.FRANCECONNECT, "franceconnect")["value"],
        "changes": {
            "before": {"language": "fr"},
            "after": {"language": "fr"},
            "sections": sections(before, after),
        },
    }


def _row(name: str, value: str | None, level: int | None, source: str) -> dict[str, Any]:
    return identity_row(name, value, level, _DAY, source=source)


def _lists() -> dict[str, Any]:
    return {"services": _services(), "service": _services()[0], "day": _DAY}


def _services() -> list[dict[str, Any]]:
    return [
        _service("stationnement", "Stationnement résidentiel", "https://parking.example.org/"),
        _service("explorateurs", "Les Explorateurs de la Ville", None),
    ]


def _service(client_id: str, name: str, address: str | None) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "name": name,
        "initial": name[0],
        "logo_url": None,
        "description": None,
        "service_url": address,
        "tos_url": None,
        "is_verified": True,
    }


def _at_hand() -> dict[str, Any]:
    return {
        "favourites": [one | {"service_url": "/styleguide/lists"} for one in _services()],
        "rubriques": [],
    }


def _nothing_at_hand() -> dict[str, Any]:
    return {"favourites": [], "rubriques": ["deplacements"]}


def _person(*, is_limited: bool = False) -> dict[str, Any]:
    return {"display_name": "Zoé Œuvrard", "email": "zoe@example.org", "is_limited": is_limited}


_VARIABLES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "colours": _colours,
    "text": _text,
    "fields": _fields,
    "password": _password,
    "choices": _choices,
    "errors": _errors,
    "data": _data,
    "lists": _lists,
    "frame": lambda: {"at_hand": _nothing_at_hand, "states": tuple(_FRAMES)},
}
#: Who the header is for.
_FRAMES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "visitor": lambda: {"person": None},
    "signed_in": lambda: {"person": _person(), "at_hand": _nothing_at_hand},
    "favourites": lambda: {"person": _person(), "at_hand": _at_hand},
    "service": lambda: {"person": _person(), "at_hand": _at_hand, "service": _services()[0]},
    "limited": lambda: {"person": _person(is_limited=True), "at_hand": _nothing_at_hand},
}
