"""The panel: pseudonyms that give nobody away, answers that can be left behind."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from stat import S_IMODE
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp.demo import provider_documents
from idp.demo.explorateurs import ExplorateursSettings, create_app
from idp.demo.explorateurs_panel import age_band, refusal
from tests.demo.provider import CLIENT_ID, CLIENT_SECRET, ISSUER, FakeProvider

pytestmark = pytest.mark.rule("CON-9")

BASE_URL = "http://explorateurs.test"

PERSON = {
    "given_name": "Zoé Anne-Laure",
    "family_name": "Œuvrard",
    "email": "lutin.parisien@example.org",
    "gender": "female",
    "birthdate": "1990-02-03",
}


@dataclass
class Visitor:
    """A browser, the panel and its provider."""

    folder: Path
    client_secret: str | None = CLIENT_SECRET
    provider: FakeProvider = field(default_factory=FakeProvider)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Start the service."""
        self.provider.person = dict(PERSON)
        self.restart()

    def restart(self) -> None:
        """Start the service again: its sessions are gone, its data stay."""
        settings = ExplorateursSettings(
            issuer=ISSUER,
            base_url=BASE_URL,
            client_id=CLIENT_ID,
            client_secret=self.client_secret,
            data_dir=self.folder,
            mon_paris_account_url="http://provider.test/compte",
            clock=lambda: self.provider.now,
            send=self.provider.send,
        )
        self.browser = create_app(settings).test_client()

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.browser.get(path, base_url=BASE_URL)

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form with its token."""
        page = self.browser.get("/panel", base_url=BASE_URL, follow_redirects=True)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        csrf = "" if found is None else found[1]
        return self.browser.post(path, data={"csrf": csrf, **form}, base_url=BASE_URL)

    def sign_in(self) -> None:
        """Sign in through the provider."""
        answer = self.get(self.get("/panel").headers["Location"])
        self.get(self.provider.go(answer.headers["Location"]))

    def join(self, pseudonym: str = "Colibri") -> TestResponse:
        """Ask to join."""
        return self.post("/adhesion", pseudonym=pseudonym, rules="yes")

    def rows(self, table: str) -> list[tuple[object, ...]]:
        """Read what the service keeps."""
        with closing(sqlite3.connect(self.folder / "explorateurs.sqlite3")) as database:
            statements = {"members": "SELECT * FROM members", "answers": "SELECT * FROM answers"}
            return database.execute(statements[table]).fetchall()


ANSWERS = {"visits": "Jamais", "hours": "Le midi"}


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody who is signed in, and not a member yet."""
    monkeypatch.setattr(provider_documents, "DISCOVERY_PAUSE_SECONDS", 0)
    visitor = Visitor(tmp_path)
    visitor.sign_in()
    return visitor


@pytest.fixture
def member(visitor: Visitor) -> Visitor:
    """A member of the panel."""
    visitor.join()
    return visitor


# Pseudonyms


@pytest.mark.parametrize(
    "pseudonym",
    [
        "Œuvrard",
        "oeuvrard",
        "OEUVRARD",
        "Zoé",
        "zoe",
        "Zoe75",
        "superzoé",
        "anne.laure",
        "AnneLaure",
        "laure_75",
        "z-o-é",
        "lutin.parisien",
        "Lutin Parisien",
    ],
)
def test_pseudonym_that_gives_the_person_away_is_refused(
    visitor: Visitor,
    pseudonym: str,
) -> None:
    """Neither the names, nor parts of them, nor the mailbox, whatever case, accents, dashes."""
    answer = visitor.join(pseudonym)

    assert answer.status_code == 400
    assert pseudonym in answer.text
    assert visitor.rows("members") == []


@pytest.mark.parametrize(
    "pseudonym",
    ["", "ab", "x" * 31, "<b>x</b>", "_abc", "abc ", "a\u202eb c", "💥💥💥"],
    ids=["empty", "short", "long", "markup", "underscore", "space", "bidirectional", "emoji"],
)
def test_pseudonym_that_is_malformed_is_refused(pseudonym: str) -> None:
    """A pseudonym has 3 to 30 letters, digits and a few signs between them."""
    assert refusal(pseudonym, PERSON) is not None


@pytest.mark.parametrize("pseudonym", ["Colibri", "Éole 20", "l'ami-du-13e", "Ça roule", "名無しさん"])
def test_pseudonym_that_says_nothing_is_accepted(pseudonym: str) -> None:
    """Letters of every alphabet are welcome."""
    assert refusal(pseudonym, PERSON) is None


def test_short_names_forbid_only_themselves() -> None:
    """A family name of one letter does not forbid every word that holds it."""
    person = {"family_name": "O", "given_name": "Li"}

    assert refusal("Colibri", person) is None
    assert refusal("L.i", person) is not None


def test_pseudonym_needs_no_name_to_be_checked() -> None:
    """Names that were not sent are not missed."""
    assert refusal("Colibri", {}) is None


def test_pseudonym_of_another_member_is_refused(member: Visitor) -> None:
    """Pseudonyms are unique, but for case and accents."""
    member.provider.subject = "subject-2"
    member.restart()
    member.sign_in()

    answer = member.join("COLIBRÍ")

    assert answer.status_code == 400
    assert "déjà pris" in answer.text


def test_joining_needs_the_box_which_is_not_ticked(visitor: Visitor) -> None:
    """The box is empty at first, and without it nobody joins."""
    assert " checked" not in visitor.get("/adhesion").text

    answer = visitor.post("/adhesion", pseudonym="Colibri")

    assert answer.status_code == 400
    assert "cochez la case" in answer.text
    assert visitor.rows("members") == []


# The panel


def test_home_is_public(tmp_path: Path) -> None:
    """The home page needs no login."""
    page = Visitor(tmp_path).get("/")

    assert page.status_code == 200
    assert "Rejoindre les Explorateurs" in page.text


@pytest.mark.parametrize("path", ["/panel", "/enquetes/bibliotheques", "/depart"])
def test_newcomer_is_led_to_the_pseudonym(visitor: Visitor, path: str) -> None:
    """Nothing of the panel opens before a pseudonym is chosen."""
    assert visitor.get(path).headers["Location"] == "/adhesion"


def test_member_comes_back_to_the_panel(member: Visitor) -> None:
    """At the next login, the member is known."""
    member.restart()
    member.sign_in()

    assert "Bonjour Colibri" in member.get("/panel").text
    assert member.get("/adhesion").headers["Location"] == "/panel"


@pytest.mark.rule("CON-6")
def test_panel_keeps_no_name_address_or_birth_date(member: Visitor) -> None:
    """Only the subject, the pseudonym and an age band are kept."""
    kept = json.dumps(member.rows("members"), ensure_ascii=False)

    assert json.loads(kept) == [
        ["subject-1", "Colibri", "colibri", "25 à 39 ans", "2026-11-22"],
    ]


def test_survey_is_answered_once_under_the_pseudonym(member: Visitor) -> None:
    """Answers stand under the pseudonym; a second time changes nothing."""
    member.post("/enquetes/bibliotheques", **ANSWERS)
    member.post("/enquetes/bibliotheques", **{**ANSWERS, "hours": "Le dimanche"})

    rows = member.rows("answers")
    assert len(rows) == 1
    assert rows[0][1:3] == ("bibliotheques", "Colibri")
    assert json.loads(str(rows[0][4])) == ANSWERS
    assert "Vous avez répondu" in member.get("/panel").text


@pytest.mark.parametrize(
    "form",
    [{}, {"visits": "Jamais"}, {"visits": "Souvent", "hours": "Le midi"}],
    ids=["empty", "incomplete", "not a choice"],
)
def test_survey_with_a_missing_answer_comes_back(member: Visitor, form: dict[str, str]) -> None:
    """Every question needs one of its choices; what was chosen stays chosen."""
    answer = member.post("/enquetes/bibliotheques", **form)

    assert answer.status_code == 400
    assert "Il manque une réponse" in answer.text
    assert ('value="Jamais" checked' in answer.text) == (form.get("visits") == "Jamais")
    assert member.rows("answers") == []


def test_unknown_survey_is_not_found(member: Visitor) -> None:
    """A survey that does not exist has no page."""
    assert member.get("/enquetes/inconnue").status_code == 404


def test_leaving_forgets_the_member_and_unnames_the_answers(member: Visitor) -> None:
    """After leaving, no row names the member; the pseudonym is free again."""
    member.post("/enquetes/bibliotheques", **ANSWERS)
    assert "Quitter le panel" in member.get("/depart").text

    answer = member.post("/depart")

    assert "Vous avez quitté le panel" in answer.text
    assert member.rows("members") == []
    assert [row[2] for row in member.rows("answers")] == [None]
    assert member.join().status_code == 303


def test_leaving_needs_the_token_of_the_form(member: Visitor) -> None:
    """A foreign page can't make a member leave."""
    assert member.post("/depart", csrf="").status_code == 400
    assert len(member.rows("members")) == 1


@pytest.mark.rule("CON-4")
def test_withdrawn_consent_closes_the_panel(member: Visitor) -> None:
    """When Mon Paris refuses the tokens, the page says so."""
    member.provider.withdrawn = True

    assert "ne nous transmet plus" in member.get("/panel").text


@pytest.mark.parametrize(
    "birthdate, band",
    [
        ("2011-11-23", "Moins de 15 ans"),
        ("2011-11-22", "15 à 24 ans"),
        ("2001-11-23", "15 à 24 ans"),
        ("2001-11-22", "25 à 39 ans"),
        ("1986-11-22", "40 à 59 ans"),
        ("1919-01-02", "60 ans et plus"),
        ("1992-00-00", "Âge non précisé"),
        ("", "Âge non précisé"),
    ],
)
def test_age_band_is_that_of_the_day(birthdate: str, band: str) -> None:
    """The band follows the birthday, and a date that is only partly known gives none."""
    assert age_band({"birthdate": birthdate}, date(2026, 11, 22)) == band


# What the panel says on Mon Paris


def said(visitor: Visitor) -> list[tuple[str, str, str]]:
    """Name what Mon Paris was told since it was last looked at: of what, where it stands, in which words."""
    notices = visitor.provider.notices[:]
    visitor.provider.notices.clear()
    return [(one["reference"], one["status"], one["status_text"]) for one in notices]


@pytest.mark.rule("PRO-6")
def test_panel_tells_mon_paris_who_is_in_and_which_surveys_wait(member: Visitor) -> None:
    """At joining that one is in; a survey waits, with its page here and its last day, until it is answered."""
    notices = member.provider.notices[:]

    joined = said(member)
    member.post("/enquetes/bibliotheques", **ANSWERS)

    assert joined == [
        ("panel", "closed", "Inscription confirmée"),
        ("bibliotheques", "to_complete", "Votre avis est attendu"),
        ("fraicheur", "to_complete", "Votre avis est attendu"),
    ]
    assert {notice["subject"] for notice in notices} == {member.provider.subject}
    assert notices[1]["url"] == f"{BASE_URL}/enquetes/bibliotheques"
    assert notices[1]["due_at"] == "2026-12-22T23:59:00+01:00"
    assert said(member) == [("bibliotheques", "closed", "Réponse reçue")]


@pytest.mark.rule("PRO-6")
def test_leaving_takes_back_what_still_waits(member: Visitor) -> None:
    """Nothing waits for who is out; an answer that was given stays received."""
    member.post("/enquetes/bibliotheques", **ANSWERS)
    said(member)

    member.post("/depart")

    assert said(member) == [
        ("panel", "canceled", "Vous avez quitté le panel"),
        ("fraicheur", "canceled", "Vous avez quitté le panel"),
    ]


@pytest.mark.rule("PRO-6")
def test_survey_that_was_missed_is_closed_and_told_as_it_was(member: Visitor) -> None:
    """After the last day nobody answers; the same moment is told at each visit, so that nothing is new twice."""
    said(member)
    member.provider.now += timedelta(days=15)
    member.sign_in()

    pages = [member.get("/panel").text, member.get("/panel").text]
    moments = {notice["updated_at"] for notice in member.provider.notices}
    late = member.post("/enquetes/fraicheur", place="Une piscine", distance="Oui")

    assert all(">Close<" in page for page in pages)
    assert moments == {"2026-12-07T00:00:00+01:00"}
    assert set(said(member)) == {("fraicheur", "canceled", "Enquête close")}
    assert (late.status_code, member.rows("answers")) == (303, [])


@pytest.mark.rule("PRO-6", "CON-6")
def test_mon_paris_learns_neither_pseudonym_nor_answers(member: Visitor) -> None:
    """Mon Paris knows the name: the pseudonym beside it would give the answers away."""
    member.post("/enquetes/bibliotheques", **ANSWERS)
    member.post("/depart")

    told = json.dumps(member.provider.notices, ensure_ascii=False)

    assert [word for word in ("Colibri", *ANSWERS.values()) if word in told] == []


@pytest.mark.rule("PRO-6")
def test_notice_that_mon_paris_does_not_take_keeps_nobody_out(visitor: Visitor) -> None:
    """Members are members whatever becomes of the notice."""
    visitor.provider.takes_notices = False

    visitor.join()

    assert "Bienvenue dans le panel" in visitor.get("/panel").text


# Authentication of the service


def test_secret_is_posted(visitor: Visitor) -> None:
    """With a secret, the panel uses client_secret_post and publishes no key."""
    assert visitor.provider.token_requests[0]["client_secret"] == CLIENT_SECRET
    assert visitor.get("/jwks.json").status_code == 404


def test_without_secret_the_panel_signs_with_its_published_key(tmp_path: Path) -> None:
    """private_key_jwt with ES256, verified by the key set that the panel serves."""
    visitor = Visitor(tmp_path, client_secret=None)

    visitor.sign_in()

    published = visitor.get("/jwks.json").json
    assert isinstance(published, dict)
    assert "d" not in published["keys"][0]
    sent = visitor.provider.token_requests[0]["client_assertion"]
    token = jwt.decode(sent, KeySet.import_key_set(published), algorithms=["ES256"])
    assert token.claims["iss"] == CLIENT_ID
    # The issuer alone: an address of an endpoint could be another provider's (RFC 7523 section 3).
    assert token.claims["aud"] == ISSUER


def test_key_is_kept_and_private(tmp_path: Path) -> None:
    """The key survives a restart, and only its owner reads it."""
    first = Visitor(tmp_path, client_secret=None)
    published = first.get("/jwks.json").json

    first.restart()

    assert first.get("/jwks.json").json == published
    assert S_IMODE((tmp_path / "explorateurs_key.pem").stat().st_mode) == 0o600


@pytest.mark.rule("CON-7")
def test_person_who_was_refused_reads_both_reasons_kindly(visitor: Visitor) -> None:
    """The panel is not told who said no: it says what either takes, and asks for no reason."""
    visitor.restart()
    asked = visitor.get(visitor.get("/panel").headers["Location"]).headers["Location"]
    state = parse_qs(urlsplit(asked).query)["state"][0]

    answer = visitor.get(f"/callback?{urlencode({'error': 'access_denied', 'state': state, 'iss': ISSUER})}")

    assert answer.status_code == 403
    assert "Vous n’êtes pas entré dans le panel" in answer.text
    assert "il faut alors la permission d’un parent" in answer.text
