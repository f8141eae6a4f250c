"""The city's service contract: what people are told, and what the service demands of them (CON-1, CON-3; S-431).

`contract_faults` says what is wrong with what is there; `missing` says what is not there and must be before people
can be told who does what with their data (RGPD articles 6 and 13).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from idp.domain.authentication import ACR_VALUES
from idp.domain.client import Client
from idp.domain.newsletters import NAME as LIST_NAME
from idp.domain.newsletters import Newsletter
from idp.domain.purposes import NAME, Purpose
from idp.protocol.claims.standard import SCOPE_CLAIMS
from idp.protocol.clients.uris import web_faults
from idp.protocol.scope import OPENID

#: A name, a place, a recipient: a line of the screen.
_LONGEST_LINE: Final = 200
#: A sentence or two of the screen.
_LONGEST_TEXT: Final = 1000
_MOST_RECIPIENTS: Final = 50
_MOST_PURPOSES: Final = 20
_MOST_NEWSLETTERS: Final = 20
_LONGEST_VERSION: Final = 50
#: Above it nobody has a parent to ask (CON-7; Code civil, article 414).
_MAJORITY: Final = 18

#: The languages of our pages: both, for what is agreed to is read in either.
LANGUAGES: Final = ("fr", "en")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

#: What every person is told of a claim that a client asks for which nobody has spoken with.
NEUTRAL_REASON: Final = {"fr": "Pour utiliser ce service.", "en": "To use this service."}

Found = Iterator[tuple[str, str]]


def contract_faults(client: Client) -> Found:
    """Say what is wrong with the contract of a client: field and message, ASCII."""
    yield from _texts("description", client.description)
    yield from _texts("retention", client.retention)
    lines = {
        "organisation": client.organisation,
        "storage_location": client.storage_location,
        "rubrique": client.rubrique or "",
        "policy_version": client.policy_version,
    }
    for field, line in lines.items():
        if not _is_line(line):
            yield field, f"must be one line of {_LONGEST_LINE} characters at most"
    yield from _recipients("recipients", client.recipients)
    yield from _contact(client.data_protection_contact)
    if client.required_acr is not None and client.required_acr not in ACR_VALUES:
        yield "required_acr", f"must be one of {' '.join(ACR_VALUES)}"
    if client.minimum_age is not None and not 1 <= client.minimum_age <= _MAJORITY:
        yield "minimum_age", f"must be 1 to {_MAJORITY}"
    if client.events_uri is not None:
        yield from (("events_uri", fault) for fault in web_faults(client.events_uri))
    yield from _purposes(client.purposes)
    yield from _newsletters(client.newsletters)


def missing(client: Client) -> Found:
    """Say what a contract still lacks before people can be told who does what with their data (S-431).

    Args:
        client: One that asks for nothing about people lacks nothing.

    Returns:
        Field and message, ASCII.
    """
    if not asks_about_people(client):
        return
    if not client.organisation.strip():
        yield "organisation", "must say who is responsible for the data"
    if not client.description.get("fr", "").strip():
        yield "description", "must say in French what the service does"
    if not client.retention.get("fr", "").strip():
        yield "retention", "must say in French how long the data are kept"
    if client.policy_uri is None:
        yield "policy_uri", "must be the address of the privacy policy"
    for use in client.claims:
        if use.reason == NEUTRAL_REASON:
            yield "claims", f"must say why {use.name} is needed"


def asks_about_people(client: Client) -> bool:
    """Tell whether a client may get personal data, an answer to a purpose, or the subscribers of a list."""
    is_of_people = OPENID in client.scopes or not client.scopes.isdisjoint(SCOPE_CLAIMS)
    return bool(client.purposes or client.newsletters) or (is_of_people and bool(client.claims))


def _texts(field: str, texts: Mapping[str, str]) -> Found:
    if not texts.keys() <= set(LANGUAGES):
        yield field, f"must be in {' and '.join(LANGUAGES)}, and in no other language"
    if texts and not texts.get("fr", "").strip():
        yield field, "must be there in French"
    if not all(map(_is_text, texts.values())):
        yield field, f"must have {_LONGEST_TEXT} characters at most, and no control characters"


def _recipients(field: str, recipients: tuple[str, ...]) -> Found:
    if len(recipients) > _MOST_RECIPIENTS or len(set(recipients)) < len(recipients):
        yield field, f"must name each recipient once, {_MOST_RECIPIENTS} at most"
    if not all(one.strip() and _is_line(one) for one in recipients):
        yield field, f"must have names of 1 to {_LONGEST_LINE} characters, on one line each"


def _contact(contact: str | None) -> Found:
    if contact is None or (_MAIL.fullmatch(contact) and _is_line(contact)):
        return
    if tuple(web_faults(contact)):
        yield "data_protection_contact", "must be an e-mail address, or the https address of a form"


def _purposes(purposes: tuple[Purpose, ...]) -> Found:
    names = [one.name for one in purposes]
    if len(names) > _MOST_PURPOSES or len(set(names)) < len(names):
        yield "purposes", f"must have each name once, {_MOST_PURPOSES} at most"
    for one in purposes:
        yield from (("purposes", fault) for fault in _purpose_faults(one))


def _purpose_faults(purpose: Purpose) -> Iterable[str]:
    if NAME.fullmatch(purpose.name) is None:
        yield "must have names of lower-case letters, digits and underscores, 50 at most, a letter first"
    if (
        not purpose.version.strip()
        or len(purpose.version) > _LONGEST_VERSION
        or not _is_line(purpose.version)
    ):
        yield f"must have a version of 1 to {_LONGEST_VERSION} characters"
    for part, texts in (("title", purpose.title), ("yes", purpose.yes), ("no", purpose.no)):
        # Both answers are read before one is given: a sentence that is there in one language only is no wording.
        is_whole = set(texts) == set(LANGUAGES) and all(text.strip() for text in texts.values())
        if not is_whole or not all(map(_is_text, texts.values())):
            yield f"must have a {part} in French and in English, {_LONGEST_TEXT} characters at most"
    if any(purpose.yes[language] == purpose.no.get(language) for language in purpose.yes):
        yield "must say something else for yes than for no"
    yield from (fault for _, fault in _recipients("purposes", purpose.recipients))


def _newsletters(newsletters: tuple[Newsletter, ...]) -> Found:
    names = [one.name for one in newsletters]
    if len(names) > _MOST_NEWSLETTERS or len(set(names)) < len(names):
        yield "newsletters", f"must have each name once, {_MOST_NEWSLETTERS} at most"
    for one in newsletters:
        yield from (("newsletters", fault) for fault in _newsletter_faults(one))


def _newsletter_faults(newsletter: Newsletter) -> Iterable[str]:
    if LIST_NAME.fullmatch(newsletter.name) is None:
        yield "must have names of lower-case letters, digits and underscores, 50 at most, a letter first"
    texts = {"title": newsletter.title, "description": newsletter.description}
    if newsletter.frequency:
        texts["frequency"] = newsletter.frequency
    for part, wording in texts.items():
        # What is subscribed to is kept word for word, in the language it was read in.
        is_whole = set(wording) == set(LANGUAGES) and all(text.strip() for text in wording.values())
        if not is_whole or not all(map(_is_text, wording.values())):
            yield f"must have a {part} in French and in English, {_LONGEST_TEXT} characters at most"


def _is_line(text: str) -> bool:
    return len(text) <= _LONGEST_LINE and text.isprintable()


def _is_text(text: str) -> bool:
    # A line feed would be lost on the page, and what was agreed to is kept to the character.
    return len(text) <= _LONGEST_TEXT and text.isprintable()
