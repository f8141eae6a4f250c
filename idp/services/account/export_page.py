"""The readable page of an export: one HTML file that needs nothing else, for screens, paper and screen readers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from typing import Any, Final

from idp.domain.data_words import claim_label
from idp.domain.disclosure import VERIFIED_PREFIX
from idp.domain.written_dates import day, moment, month
from idp.services.account.contact_details import shown_phone_number
from idp.services.account.export_words import SECTION_WORDS, column_words, value_words
from idp.storage.repositories.exports import ACCOUNT

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: Members that hold names of claims.
_CLAIM_NAMES: Final = frozenset({"claims", "refused_claims"})
#: Members that hold a day; a date of birth may have unknown parts.
_DAYS: Final = frozenset({"day", "birthdate"})
_VALUES_OF_ATTRIBUTES: Final = frozenset({"value", "old_value", "new_value"})
#: Members that nobody reads: they are in the other file.
_FOR_PROGRAMS: Final = frozenset({"receipt"})
#: Rows with more members than this are shown one below the other: a table of twelve columns is read by nobody.
_MOST_COLUMNS: Final = 6
_WORDS: Final = {
    "fr": {
        "title": "Vos données dans Mon Paris",
        "made": "Tout ce que Mon Paris garde à votre sujet, le {moment} (heure de Paris).",
        "format": "Les mêmes données, pour un programme, sont dans le fichier donnees.json.",
        "secrets": "Mots de passe et secrets n’y sont pas : nous n’en gardons que des empreintes.",
        "contents": "Sommaire",
        "none": "Rien.",
        "cut": "Il y a trop de lignes : seules les plus anciennes sont ici.",
        "yes": "oui",
        "no": "non",
        "item": "n° {number}",
        "skip": "Aller au contenu",
        "table": "{title} : tableau",
    },
    "en": {
        "title": "Your data in Mon Paris",
        "made": "Everything that Mon Paris keeps about you, on {moment} (Paris time).",
        "format": "The same data, for a program, are in the file donnees.json.",
        "secrets": "Passwords and secrets are not in it: we keep hashes of them only.",
        "contents": "Contents",
        "none": "Nothing.",
        "cut": "There are too many rows: only the oldest ones are here.",
        "yes": "yes",
        "no": "no",
        "item": "no. {number}",
        "skip": "Go to the content",
        "table": "{title}: table",
    },
}
_STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 4rem; font: 1rem/1.55 system-ui, sans-serif;
  color: #071f32; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; padding-top: .75rem; border-top: 2px solid #2945b8; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0 .75rem; }
.muted { color: #40566a; }
a { color: #2945b8; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid #2945b8; outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
nav ul { columns: 2 16rem; padding-left: 1.2rem; }
nav a { display: inline-block; padding: .2rem 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid #c6d0da; }
td { min-width: 6rem; }
caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
dl { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: .3rem 1rem; margin: 0 0 1rem; }
dt { color: #40566a; }
dd { margin: 0; white-space: pre-line; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media print { body { max-width: none; font-size: 10pt; } nav, .skip { display: none; } .table { overflow: visible; }
  h2, h3 { break-after: avoid; } tr, dl { break-inside: avoid; } }
"""


def written(document: dict[str, Any], language: str) -> str:
    """Write the page of an export.

    Args:
        document: As `export.document` gives it.
        language: "fr" or "en".
    """
    return _Page(document, language).written()


@dataclass(frozen=True, slots=True)
class _Page:
    document: dict[str, Any]
    language: str

    def written(self) -> str:
        say = _WORDS[self.language]
        sections = SECTION_WORDS[self.language]
        made = say["made"].format(moment=self._moment(self.document["made_at"]))
        contents = "".join(
            f'<li><a href="#{name}">{escape(words.title)}</a></li>' for name, words in sections.items()
        )
        return (
            f'<!doctype html>\n<html lang="{self.language}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            f"<title>{escape(say['title'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f'<a class="skip" href="#content">{escape(say["skip"])}</a>\n'
            f"<header>\n<h1>{escape(say['title'])}</h1>\n"
            f"<p><strong>{escape(self.document[ACCOUNT]['email'])}</strong></p>\n<p>{escape(made)}</p>\n"
            f'<p class="muted">{escape(say["format"])} {escape(say["secrets"])}</p>\n</header>\n'
            f'<nav aria-label="{escape(say["contents"])}"><h2>{escape(say["contents"])}</h2>'
            f"<ul>{contents}</ul></nav>\n"
            f'<main id="content">\n{"".join(self._section(name) for name in sections)}</main>\n'
            "</body>\n</html>\n"
        )

    def _section(self, name: str) -> str:
        words, say = SECTION_WORDS[self.language][name], _WORDS[self.language]
        given = [self.document[name]] if name == ACCOUNT else self.document[name]
        rows = [{key: row[key] for key in row if key not in _FOR_PROGRAMS} for row in given]
        cut = f"<p>{escape(say['cut'])}</p>" if name in self.document["incomplete"] else ""
        body = self._rows(words.title, rows) if rows else f"<p>{escape(say['none'])}</p>"
        return (
            f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(words.title)}</h2>\n'
            f'<p class="muted">{escape(words.explanation)}</p>{cut}\n{body}\n</section>\n'
        )

    def _rows(self, title: str, rows: list[dict[str, Any]]) -> str:
        if len(rows[0]) <= _MOST_COLUMNS:
            return self._table(title, rows)
        if len(rows) == 1:
            return self._list(rows[0])
        return "".join(
            f"<h3>{escape(_WORDS[self.language]['item'].format(number=number))}</h3>{self._list(row)}"
            for number, row in enumerate(rows, start=1)
        )

    def _table(self, title: str, rows: list[dict[str, Any]]) -> str:
        heads = "".join(
            f'<th scope="col">{escape(column_words(name, self.language))}</th>' for name in rows[0]
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{self._value(name, row)}</td>" for name in row) + "</tr>\n" for row in rows
        )
        # Another name than its section's: a screen reader lists both.
        label = escape(_WORDS[self.language]["table"].format(title=title))
        return (
            f'<div class="table" role="region" aria-label="{label}" tabindex="0"><table>'
            f"<caption>{escape(title)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
        )

    def _list(self, row: dict[str, Any]) -> str:
        shown = "".join(
            f"<dt>{escape(column_words(name, self.language))}</dt><dd>{self._value(name, row)}</dd>\n"
            for name, value in row.items()
            if value not in (None, [], {})
        )
        return f"<dl>\n{shown}</dl>\n"

    def _value(self, name: str, row: dict[str, Any]) -> str:
        # The value of an attribute is written as that attribute is.
        about = str(row["name"]) if name in _VALUES_OF_ATTRIBUTES and "name" in row else name
        return escape(self._plain(about, row[name]))

    def _plain(self, name: str, value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
        match value:
            case None:
                return "–"
            case bool():
                return _WORDS[self.language]["yes" if value else "no"]
            case list() | tuple():
                return ", ".join(self._plain(name, one) for one in value)
            case dict():
                return "\n".join(f"{key}: {self._plain(key, one)}" for key, one in value.items())
            case str() if _MOMENT.fullmatch(value):
                return self._moment(value)
            case _:
                return self._word(name, str(value))

    def _word(self, name: str, value: str) -> str:
        if name == "client_id":
            return self._service(value)
        if name in _CLAIM_NAMES:
            names = (one.removeprefix(VERIFIED_PREFIX) for one in value.split())
            return ", ".join(claim_label(one, self.language) for one in names)
        if name == "name":
            return claim_label(value, self.language)
        if name == "phone_number":
            return shown_phone_number(value)
        if name in _DAYS:
            return self._day(value)
        return value_words(name, value, self.language)

    def _service(self, client_id: str) -> str:
        names = {one["client_id"]: one["name"] for one in self.document["services"]}
        return names.get(client_id) or client_id

    def _day(self, value: str) -> str:
        year, _, rest = value.partition("-")
        if rest == "00-00":
            return year
        try:
            if rest.endswith("-00"):
                return month(date.fromisoformat(value.replace("-00", "-01")), self.language)
            return day(date.fromisoformat(value), self.language)
        except ValueError:
            return value

    def _moment(self, value: str) -> str:
        at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return moment(at, self.language)
