"""Jinja: folders, languages, filters, and what every page is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from flask import current_app, g, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from idp.domain import written_dates, written_numbers
from idp.domain.data_words import claim_label
from idp.services.account.overview import of_account
from idp.web import assets
from idp.web.language import LANGUAGES, language
from idp.web.security_headers import csrf_token
from idp.web.sessions import signed_in
from idp.web.site import context, site

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path

    from babel.support import NullTranslations
    from flask import Flask
    from werkzeug.datastructures import MultiDict

    from idp.domain.client import Client
    from idp.services.account.overview import Overview
    from idp.services.sign_in.sessions import SignedIn


def initialise(app: Flask, folders: tuple[Path, ...], catalogues: dict[str, NullTranslations]) -> None:
    """Set the environment up; the first folder that has a template wins."""
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined] # added by the i18n extension
        gettext=_gettext(catalogues),
        ngettext=_ngettext(catalogues),
        newstyle=True,
    )
    app.jinja_env.filters.update(day=day, moment=moment, month=month, number=number, claim_words=claim_words)
    app.context_processor(_every_page)


def _gettext(catalogues: dict[str, NullTranslations]) -> Callable[[str], str]:
    def gettext(message: str) -> str:
        return catalogues[language()].gettext(message)

    return gettext


def _ngettext(catalogues: dict[str, NullTranslations]) -> Callable[[str, str, int], str]:
    def ngettext(one: str, many: str, count: int) -> str:
        return catalogues[language()].ngettext(one, many, count)

    return ngettext


def page(template: str, **variables: Any) -> str:  # noqa: ANN401 - whatever the template shows
    """Render a page in the language of the request."""
    return render_template(template, **variables)


def form_page(
    template: str,
    errors: dict[str, list[str]],
    values: MultiDict[str, str] | dict[str, str],
    **variables: Any,  # noqa: ANN401 - whatever the template shows
) -> tuple[str, int]:
    """Render a form again with what was typed, passwords aside, and what is wrong with it; status 422."""
    kept = {name: value for name, value in values.items() if "password" not in name and name != "csrf_token"}
    return render_template(template, errors=errors, values=kept, **variables), 422


def sentence(code: str, **values: Any) -> str:  # noqa: ANN401 - whatever the sentence names
    """Give a sentence of `messages.html` in the language of the request.

    Raises:
        LookupError: There is no such sentence: an error without words would be a blank line on the page.
    """
    template = site_templates().get_template("messages.html")
    # Escaped by the template that wrote it: as plain text, a page would escape "&" once more.
    text = Markup(template.make_module({"language": language()}).text(code, **values)).strip()  # noqa: S704
    if not text:
        raise LookupError(f"messages.html has no sentence {code!r}")
    return text


def speak_for(client: Client, pending_id: str | None) -> None:
    """Show on the pages of this request which service the person came from."""
    g.service = service_of(client)
    g.pending_id = pending_id


def service_name() -> str | None:
    """Give the name of the service that the page speaks for; None for none."""
    service = g.get("service")
    return None if service is None else str(service["name"])


def service_of(client: Client) -> dict[str, Any]:
    """Describe a service as the pages show it."""
    return {
        "name": client.name,
        "logo_url": client.logo_uri,
        "initial": client.name[:1].upper(),
        "client_id": client.client_id,
        "tos_url": client.tos_uri,
        "is_verified": client.is_verified,
    }


def day(value: date) -> str:
    """Write a day in words, in the language of the page."""
    return written_dates.day(value, language())


def month(value: date) -> str:
    """Write a month and its year in words, for a date whose day nobody knows."""
    return written_dates.month(value, language())


def moment(value: datetime) -> str:
    """Write a moment in words, in Paris time."""
    return written_dates.moment(value, language())


def number(value: int) -> str:
    """Write a whole number, its thousands apart."""
    return written_numbers.number(value, language())


def claim_words(name: str) -> str:
    """Name a claim in the language of the page."""
    return claim_label(name, language())


def today() -> date:
    """Give the day of the answer, in Paris."""
    return context().clock().astimezone(written_dates.PARIS).date()


def site_templates() -> Any:  # noqa: ANN401 - Jinja's environment
    """Give the template environment of this application."""
    return current_app.jinja_env


def _every_page() -> dict[str, Any]:
    present = signed_in()
    return {
        "language": language(),
        "other_language_url": _other_language_url(),
        "person": None if present is None else _person(present),
        "csrf_token": csrf_token,
        "service": g.get("service"),
        "pending": g.get("pending_id"),
        "asset": assets.address,
        "is_themed": assets.is_themed(),
        "city": {
            "name": site().city.name,
            "phone": site().city.phone,
            "contact_url": site().city.contact_url,
        },
        "accessibility_state": site().city.accessibility.conformity_on(today()).value,
        "errors": {},
        "form_error": None,
        "values": {},
        "notice": request.args.get("notice"),
    }


def seen_of(present: SignedIn) -> Overview:
    """Give what is known of who is signed in, for the header and for the page; read once."""
    if "overview" not in g:
        g.overview = of_account(context(), present.account)
    return cast("Overview", g.overview)


def _person(present: SignedIn) -> dict[str, Any]:
    return {
        "display_name": seen_of(present).display_name,
        "email": present.account.email,
        "is_limited": present.account.is_limited,
    }


def _other_language_url() -> str | None:
    if request.method != "GET":
        return None
    other = next(code for code in LANGUAGES if code != language())
    arguments = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{request.path}?{urlencode([*arguments, ('lang', other)])}"
