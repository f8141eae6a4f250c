"""Language from ui_locales, the person's choice, the account, the browser; French first (UX-1)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, cast

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import g, has_request_context, request

from idp.web import cookies
from idp.web.sessions import signed_in

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("fr", "en")
DEFAULT = "fr"


def language() -> str:
    """Give the language of this answer.

    In order: `?lang=` on this page, the language chosen in this browser, what the service asked for (`ui_locales`,
    set by `prefer`), the account's for who is signed in, the browser's, French.
    """
    if not has_request_context():
        return DEFAULT
    if "language" not in g:
        g.language = _chosen() or _known(cookies.read(cookies.LANGUAGE)) or _of_account() or _accepted()
    return cast("str", g.language)


def prefer(tags: tuple[str, ...]) -> None:
    """Follow a service's `ui_locales` (OIDC Core 3.1.2.1), unless the person has chosen."""
    wished = next((known for tag in tags if (known := _known(tag.split("-", 1)[0].lower()))), None)
    if wished is not None and _chosen() is None and cookies.read(cookies.LANGUAGE) is None:
        g.language = wished


def load(templates: Path) -> dict[str, NullTranslations]:
    """Compile the catalogues in memory: French is the source language and has none."""
    catalogues: dict[str, NullTranslations] = {DEFAULT: NullTranslations()}
    for code in LANGUAGES:
        source = templates / "locale" / code / "LC_MESSAGES" / "messages.po"
        if code == DEFAULT or not source.is_file():
            continue
        compiled = BytesIO()
        with source.open("rb") as stream:
            write_mo(compiled, read_po(stream, locale=code))
        compiled.seek(0)
        catalogues[code] = Translations(compiled)
    return catalogues


def _chosen() -> str | None:
    wished = _known(request.args.get("lang"))
    if wished is not None:
        cookies.write(cookies.LANGUAGE, wished)
    return wished


def choose(code: str) -> None:
    """Remember a choice in this browser: it counts for every page from now on, this answer included."""
    cookies.write(cookies.LANGUAGE, code)
    g.language = code


def _of_account() -> str | None:
    """Give the language of who is signed in: every page asks for them anyway, so that it costs no statement."""
    present = signed_in()
    return None if present is None else _known(present.account.language)


def _known(code: str | None) -> str | None:
    return code if code in LANGUAGES else None


def _accepted() -> str:
    return request.accept_languages.best_match(LANGUAGES, DEFAULT) or DEFAULT
