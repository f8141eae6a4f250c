"""One file has everything that is kept about a person, and nothing that would let anybody in (PRI-1, S-440, S-444)."""

from __future__ import annotations

import json
import sys
import zipfile
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import LargeBinary, select

from idp.domain.errors import ThrottledUntil
from idp.domain.events import AccountViewed
from idp.services.account import export, export_page
from idp.services.account.export import Export, document
from idp.services.account.export_schema import schema
from idp.services.account.export_words import SECTION_WORDS
from idp.services.audit import record
from idp.services.signed_documents import RECEIPT, verify_document
from idp.storage.models import audit_events, metadata, parental_permissions
from idp.storage.repositories.exports import ACCOUNT, LEFT_OUT, SECTIONS
from tests.support.json_schema import faults
from tests.support.whole_person import BY_CONTENT, NOBODY, a_whole_person, spoken

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRI-1")
SCHEMA = Path(__file__).resolve().parents[3] / "docs/export.schema.json"


def unpacked(made: Export | ThrottledUntil) -> dict[str, bytes]:
    """Read the files of an archive, by name."""
    assert isinstance(made, Export)
    with zipfile.ZipFile(BytesIO(made.content)) as archive:
        assert archive.testzip() is None
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def exported(provider: Provider, account_id: str, language: str = "fr") -> tuple[dict[str, Any], str]:
    """Ask for an export; give its data and its page."""
    files = unpacked(export.give(provider.context, account_id, language=language))
    return json.loads(files["donnees.json"]), files["index.html"].decode()


class Outline(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        values = dict(attrs)
        self.tags.append(tag)
        self.ids.extend(value for name, value in attrs if name == "id" and value)
        self.links.extend(value for value in (values.get("href"), values.get("src")) if value)


def test_every_table_that_speaks_of_a_person_is_exported_or_left_out_with_a_reason() -> None:
    """Who adds a table says what of it the person gets: else this fails."""
    sections = {section.table.name for section in SECTIONS}
    of_people = {table.name for table in spoken(metadata)} | BY_CONTENT

    # `pending_authorizations`, `pushed_requests` and `throttle_counters` have no column that names a person.
    assert of_people - BY_CONTENT == (sections | set(LEFT_OUT)) - set(NOBODY)
    assert not sections & set(LEFT_OUT)
    assert all(LEFT_OUT.values())


def test_every_foreign_key_and_account_column_is_of_a_section_or_left_out() -> None:
    """The same by the schema alone: each column that points at an account, directly or through tokens."""
    named = {section.table.name for section in SECTIONS} | set(LEFT_OUT)
    pointing = {
        table.name
        for table in metadata.sorted_tables
        for column in table.c
        if column.name == "account_id"
        or {key.column.table.name for key in column.foreign_keys} & {"accounts", "token_families"}
    }

    assert pointing - named == set()


@pytest.mark.parametrize("section", SECTIONS, ids=[section.name for section in SECTIONS])
def test_every_column_is_given_or_left_out_and_no_secret_is_given(section: Any) -> None:
    """Each reason names a column that is there; no hash, no sealed text and no password is among what is given."""
    every = {column.name for column in section.table.c}

    assert set(section.left_out) <= every
    assert set(section.columns) | set(section.left_out) | {"account_id"} >= every
    assert all(section.left_out.values())
    for name in section.columns:
        assert not isinstance(section.table.c[name].type, LargeBinary), name
        assert not name.endswith("_hash"), name


def test_published_schema_is_the_one_of_the_code() -> None:
    """docs/export.schema.json is generated: run `make docs`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_export_of_a_person_with_a_row_in_every_table_has_a_row_in_every_section(provider: Provider) -> None:
    """It keeps to the published schema, and nothing that is left out is in it, in any file."""
    service = provider.a_client(name="Stationnement")
    needles = a_whole_person(provider.context, service.client_id)

    files = unpacked(export.give(provider.context, needles.account_id, language="fr"))
    data = json.loads(files["donnees.json"])

    assert faults(data, json.loads(SCHEMA.read_text(encoding="utf-8"))) == []
    assert json.loads(files["schema.json"]) == schema()
    assert {name: len(data[name]) for name in SECTION_WORDS["fr"] if name != ACCOUNT and not data[name]} == {}
    assert data[ACCOUNT]["email"] == needles.email
    assert data["services"] == [{"client_id": service.client_id, "name": "Stationnement"}]
    assert data["incomplete"] == []
    # The rows of a whole person say in each text where they stand.
    text = b"".join(files.values()).decode()
    for section in SECTIONS:
        for name in section.left_out:
            assert f"{section.table.name}.{name}" not in text
    for table in LEFT_OUT:
        assert f"{table}." not in text


def test_address_of_a_parent_is_masked(provider: Provider) -> None:
    """It is of somebody else (RGPD article 15.4)."""
    service = provider.a_client()
    needles = a_whole_person(provider.context, service.client_id)
    with provider.context.database.write() as connection:
        connection.execute(parental_permissions.update().values(parent_email="maman@example.org"))

    data, page = exported(provider, needles.account_id)

    assert data["parental_permissions"][0]["parent_email"] == "m•••@example.org"
    assert "maman@" not in page


def test_export_has_nothing_of_anybody_else(provider: Provider) -> None:
    """Two people of one service: each gets their own."""
    service = provider.a_client()
    needles = a_whole_person(provider.context, service.client_id)
    other = provider.an_account("other@example.org", given_name="Camille")
    provider.tokens(provider.signed_in(other), service, scope="openid email")

    text = json.dumps(exported(provider, other.account_id)[0], ensure_ascii=False)

    assert "Camille" in text
    assert needles.account_id not in text
    assert needles.family_name not in text
    assert needles.email not in text


@pytest.mark.rule("PRI-2", "CON-4")
def test_export_has_what_was_told_a_moment_ago_and_what_was_agreed_to(provider: Provider) -> None:
    """Attributes with their provenance, consents with the words, disclosures that wait in memory, sessions."""
    service = provider.a_client(consent_required=True)
    person = provider.an_account(given_name="Zoé")
    browser = provider.signed_in(person)
    provider.userinfo(provider.tokens(browser, service, scope="openid email")["access_token"])

    data, page = exported(provider, person.account_id)

    given = next(one for one in data["attributes"] if one["name"] == "given_name")
    assert (given["value"], given["source"], given["level"]) == ("Zoé", "declared", 100)
    assert data["consents"][0]["claims"] == ["email"]
    assert [one["claims"] for one in data["disclosures"] if one["channel"] == "userinfo"] == [
        ["email", "email_verified"]
    ]
    assert data["sessions"][0]["browser"] == "Firefox"
    assert data["ledger"][0]["act"] == "given"
    assert data["ledger"][0]["words"]
    receipt = verify_document(provider.context, data["ledger"][0]["receipt"], typ=RECEIPT)
    assert receipt is not None
    assert receipt.payload["record_id"] == data["ledger"][0]["entry_id"]
    assert "Prénoms" in page
    assert "déclaré par vous" in page


@pytest.mark.rule("ADM-3")
def test_looks_of_administrators_are_in_the_export(provider: Provider) -> None:
    """The person reads who looked, and why (S-456)."""
    person = provider.an_account()
    with provider.context.database.write() as connection:
        event = AccountViewed("claire", "dossier 42")
        record(connection, event, provider.clock(), actor="administrator", account_id=person.account_id)

    data, page = exported(provider, person.account_id)

    line = next(one for one in data["audit"] if one["actor"] == "administrator")
    assert line["details"]["reason"] == "dossier 42"
    assert "un agent de la Ville" in page
    assert "dossier 42" in page


@pytest.mark.parametrize("language", ["fr", "en"])
def test_page_needs_nothing_else_and_is_well_made(provider: Provider, language: str) -> None:
    """One h1, a heading for each section, no script, nothing from elsewhere, each link within the page."""
    service = provider.a_client()
    needles = a_whole_person(provider.context, service.client_id)
    page = exported(provider, needles.account_id, language)[1]
    outline = Outline()
    outline.feed(page)

    assert f'<html lang="{language}">' in page
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("section") == len(SECTIONS)
    assert not {"script", "img", "link", "iframe"} & set(outline.tags)
    assert all(link.startswith("#") and link[1:] in outline.ids for link in outline.links)
    assert len(outline.ids) == len(set(outline.ids))
    assert "default-src 'none'" in page
    assert f">{SECTION_WORDS[language]['audit'].title}<" in page


def test_values_are_text_on_the_page_whatever_they_hold(provider: Provider) -> None:
    """A name made of markup is shown, not run."""
    person = provider.an_account(given_name="<script>alert(1)</script>", family_name='"><img src=x>')

    page = exported(provider, person.account_id)[1]

    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_person_without_anything_gets_a_page_all_the_same(provider: Provider) -> None:
    """Empty sections say so."""
    person = provider.an_account()

    known = document(provider.context, person.account_id, provider.clock())

    assert known is not None
    assert "Rien." in export_page.written(known, "fr")
    assert "Nothing." in export_page.written(known, "en")


def test_export_of_nobody_is_none(provider: Provider) -> None:
    """An account that is gone is not exported, and leaves no file half-made."""
    assert document(provider.context, "nobody", provider.clock()) is None
    with pytest.raises(LookupError):
        export.give(provider.context, "nobody", language="fr")
    assert export.give_for(provider.context, "nobody", language="fr", by="claire", reason="x") is None


def test_section_with_too_many_rows_says_so(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cut off in silence."""
    person = provider.an_account(given_name="Zoé", family_name="Durand")
    monkeypatch.setattr(export, "_MOST_ROWS", 2)

    data, page = exported(provider, person.account_id)

    assert data["incomplete"] == ["attributes"]
    assert "Il y a trop de lignes" in page


def test_each_export_is_in_the_trail_and_too_many_wait(provider: Provider) -> None:
    """Ten an hour; the next one is told until when to wait, and leaves no line."""
    person = provider.an_account()

    outcomes = [export.give(provider.context, person.account_id, language="fr") for _ in range(11)]

    assert [isinstance(one, ThrottledUntil) for one in outcomes] == [False] * 10 + [True]
    assert len(lines(provider, person)) == 10
    provider.clock.advance(hours=1, minutes=1)
    assert isinstance(export.give(provider.context, person.account_id, language="fr"), Export)


@pytest.mark.rule("PRI-4")
def test_export_by_an_administrator_says_who_and_why(provider: Provider) -> None:
    """The line is in the very export that it tells of."""
    person = provider.an_account()

    made = export.give_for(
        provider.context, person.email.upper(), language="en", by="claire", reason="case 42"
    )

    assert made is not None
    data = json.loads(unpacked(made)["donnees.json"])
    assert data["audit"][-1]["name"] == "account.exported"
    assert data["audit"][-1]["details"] == {"by": "claire", "reason": "case 42"}
    assert lines(provider, person)[0].actor == "administrator"


_WRITTEN: list[str] = []
_LISTENS = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _LISTENS and event == "open" and any(one in str(arguments[1] or "") for one in "wax+"):
        _WRITTEN.append(str(arguments[0]))


def test_nothing_is_written_to_a_disk(provider: Provider) -> None:
    """The interpreter opens no file to write while an archive is made."""
    global _LISTENS  # noqa: PLW0603 - a hook can't be taken away again
    person = provider.an_account()
    sys.addaudithook(_hear)

    _LISTENS = True
    try:
        export.give(provider.context, person.account_id, language="fr")
    finally:
        _LISTENS = False

    assert _WRITTEN == []


def lines(provider: Provider, person: Account) -> list[Any]:
    """Read the lines of the trail about exports of somebody."""
    statement = select(audit_events).where(
        audit_events.c.account_id == person.account_id, audit_events.c.name == "account.exported"
    )
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))
